import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { CLASSES, type Digits, INK, PIXELS } from "./data";
import { InputError } from "./input-error";

const COLUMNS = PIXELS + 1;

interface Row {
  cells: string[];
  /** Where it stands in the file: "digits.csv, row 3". */
  place: string;
}

/** Reads a CSV file without a header: 64 pixels, then the label. Plain or gzipped, whatever its name. */
export function readDigits(path: string): Digits {
  const rows = parseRows(path, readText(path));
  if (rows.length === 0) throw new InputError(`${path}: the file is empty`);
  const digits = { pixels: new Float32Array(rows.length * PIXELS), labels: new Int32Array(rows.length) };
  rows.forEach(({ cells, place }, i) => {
    if (cells.length !== COLUMNS) {
      throw new InputError(
        `${place}: expected ${COLUMNS} columns (${PIXELS} pixels, label), got ${cells.length}`,
      );
    }
    digits.pixels.set(
      cells.slice(0, PIXELS).map((cell, column) => readPixel(cell, `${place}, column ${column + 1}`)),
      i * PIXELS,
    );
    digits.labels[i] = readLabel(cells[PIXELS]!, `${place}, column ${COLUMNS}`);
  });
  if (rows.length === 1) throw new InputError(`${path}: one row is too few, one to train and one to test`);
  return digits;
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

function readPixel(cell: string, place: string): number {
  const pixel = readNumber(cell, place);
  if (pixel >= 0 && pixel <= INK) return pixel;
  throw new InputError(`${place}: expected a pixel from 0 to ${INK}, got ${pixel}`);
}

function readLabel(cell: string, place: string): number {
  const label = readNumber(cell, place);
  if (Number.isInteger(label) && label >= 0 && label < CLASSES) return label;
  throw new InputError(`${place}: expected a label from 0 to ${CLASSES - 1}, got ${label}`);
}

function readNumber(cell: string, place: string): number {
  const value = cell.trim() === "" ? Number.NaN : Number(cell);
  if (Number.isFinite(value)) return value;
  throw new InputError(`${place}: expected a number, got ${JSON.stringify(cell.slice(0, 20))}`);
}
