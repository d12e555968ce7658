// Files of digits: what they are is told by what is in them, not by their names.
import { readIdx } from "nablas";
import { CLASSES, type DigitData, type Problem } from "./types";

/** A file that is refused. */
export class Refusal extends Error {
  constructor(readonly problem: Problem) {
    super(problem.kind);
  }
}

/** One of the two files of a set in the IDX format. */
export interface Half {
  file: string;
  shape: readonly number[];
  data: Uint8Array;
}

/** The halves of a set, as far as they have come. */
export interface Halves {
  images?: Half;
  labels?: Half;
}

export type Contents =
  | { kind: "csv"; data: DigitData }
  | { kind: "images" | "labels"; half: Half }
  | { kind: "model"; bytes: Uint8Array };

/** Sides that are neither too small for a digit nor too large for a network of this kind. */
export const SIDES = { min: 4, max: 64 };

/** Of UCI's digits. */
const UCI = { side: 8, ink: 16, columns: 65 };

/** Reads a file, plain or gzipped. @throws Refusal */
export async function readFile(file: File): Promise<Contents> {
  const bytes = await unpacked(file);
  if (bytes.length === 0) throw new Refusal({ kind: "empty", file: file.name });
  if (isSafetensors(bytes)) return { kind: "model", bytes };
  if (bytes[0] === 0 && bytes[1] === 0) return readHalf(file.name, bytes);
  return { kind: "csv", data: readCsv(file.name, new TextDecoder().decode(bytes)) };
}

async function unpacked(file: File): Promise<Uint8Array> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(plain).arrayBuffer());
  } catch {
    throw new Refusal({ kind: "damaged", file: file.name, got: "gzip" });
  }
}

/** A header's length as 64 bits, little-endian, and a header in JSON. */
function isSafetensors(bytes: Uint8Array): boolean {
  return bytes[8] === "{".charCodeAt(0) && bytes.subarray(4, 8).every((byte) => byte === 0);
}

async function readHalf(file: string, bytes: Uint8Array): Promise<Contents> {
  const { data, shape } = await readIdx(bytes).catch(({ message }: Error) => {
    throw new Refusal({ kind: "damaged", file, got: message });
  });
  if (!(data instanceof Uint8Array)) throw new Refusal({ kind: "bytes", file });
  if (shape.length === 1) return { kind: "labels", half: { file, data, shape } };
  if (shape.length !== 3) throw new Refusal({ kind: "rank", file, got: shape.join(" × ") });
  const [, height, width] = shape as [number, number, number];
  if (height !== width || width < SIDES.min || width > SIDES.max) {
    throw new Refusal({ kind: "square", file, got: `${width} × ${height}` });
  }
  return { kind: "images", half: { file, data, shape } };
}

/** Rows of 64 pixels from 0 to 16 and a label, without quotes. */
function readCsv(file: string, text: string): DigitData {
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  const rows = lines.flatMap((line, i) =>
    line.trim() === "" ? [] : [{ row: i + 1, cells: line.split(",") }],
  );
  if (text.includes("\0") || rows[0] === undefined || rows[0].cells.length === 1) {
    throw new Refusal({ kind: "unknown", file });
  }
  const size = UCI.side * UCI.side;
  const pixels = new Float32Array(rows.length * size);
  const labels = new Int32Array(rows.length);
  rows.forEach(({ row, cells }, i) => {
    if (cells.length !== UCI.columns) {
      throw new Refusal({ kind: "columns", file, row, got: String(cells.length) });
    }
    const values = cells.map((cell, column) => readCell(cell, { file, row, column: column + 1 }));
    labels[i] = values.pop()!;
    pixels.set(values, i * size);
  });
  if (rows.length < 2) throw new Refusal({ kind: "few", file, got: String(rows.length) });
  return { side: UCI.side, placing: "box", ink: UCI.ink, pixels, labels, name: file };
}

function readCell(cell: string, place: { file: string; row: number; column: number }): number {
  const value = cell.trim() === "" ? Number.NaN : Number(cell);
  const got = cell.trim().slice(0, 20);
  if (!Number.isFinite(value)) throw new Refusal({ kind: "number", ...place, got });
  const isLabel = place.column === UCI.columns;
  const fits = isLabel ? isDigit(value) : value >= 0 && value <= UCI.ink;
  if (!fits) throw new Refusal({ kind: isLabel ? "label" : "pixel", ...place, got });
  return value;
}

function isDigit(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < CLASSES;
}

/** The data of an IDX pair. @throws Refusal */
export function pair(images: Half, labels: Half): DigitData {
  const [count, side] = images.shape as [number, number];
  const file = labels.file;
  if (count !== labels.data.length) {
    throw new Refusal({ kind: "counts", file, got: `${labels.data.length} / ${count}` });
  }
  if (count < 2) throw new Refusal({ kind: "few", file: images.file, got: String(count) });
  const wrong = labels.data.findIndex((label) => !isDigit(label));
  if (wrong !== -1)
    throw new Refusal({ kind: "label", file, row: wrong + 1, got: String(labels.data[wrong]) });
  return {
    side,
    placing: "mass",
    ink: 255,
    pixels: images.data,
    labels: Int32Array.from(labels.data),
    name: images.file,
  };
}
