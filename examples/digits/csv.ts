import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { InputError } from "./input-error";

export interface Row {
  cells: string[];
  /** Where it stands in the file: "digits.csv, row 3". */
  place: string;
}

/** The lines of a CSV file that are not blank. Plain or gzipped, whatever its name. */
export function readRows(path: string): Row[] {
  const rows = parseRows(path, readText(path));
  if (rows.length === 0) throw new InputError(`${path}: the file is empty`);
  return rows;
}

export function readNumber(cell: string, place: string): number {
  const value = cell.trim() === "" ? Number.NaN : Number(cell);
  if (Number.isFinite(value)) return value;
  throw new InputError(`${place}: expected a number, got ${JSON.stringify(cell.slice(0, 20))}`);
}

/** A whole number from 0 to count - 1; `what` names it in the error: "a label". */
export function readClass(cell: string, count: number, what: string, place: string): number {
  const label = readNumber(cell, place);
  if (Number.isInteger(label) && label >= 0 && label < count) return label;
  throw new InputError(`${place}: expected ${what} from 0 to ${count - 1}, got ${label}`);
}

function readText(path: string): string {
  const bytes = readBytes(path);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isGzip) return bytes.toString();
  try {
    return gunzipSync(bytes).toString();
  } catch (error) {
    throw new InputError(`${path}: the gzip data is damaged (${(error as Error).message})`);
  }
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new InputError(`${path}: no such file`);
    if (code === "EISDIR") throw new InputError(`${path}: a directory, not a file`);
    throw new InputError(`${path}: ${message}`);
  }
}

function parseRows(path: string, text: string): Row[] {
  // Without quotes a stray one is a cell that is no number, reported where it stands.
  const records = parse(text, {
    bom: true,
    info: true,
    quote: null,
    relax_column_count: true,
    skip_empty_lines: true,
  }) as unknown as { record: string[]; info: { lines: number } }[]; // its types ignore `info: true`
  return records.map(({ record, info }) => ({ cells: record, place: `${path}, row ${info.lines}` }));
}
