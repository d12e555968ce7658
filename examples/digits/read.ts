import { type Row, readClass, readNumber, readRows } from "./csv";
import { CLASSES, type Digits, INK, PIXELS } from "./data";
import { InputError } from "./input-error";

const COLUMNS = PIXELS + 1;

/** Reads a CSV file without a header: 64 pixels, then the label. */
export function readDigits(path: string): Digits {
  return toDigits(path, readRows(path));
}

export function toDigits(path: string, rows: readonly Row[]): Digits {
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
    digits.labels[i] = readClass(cells[PIXELS]!, CLASSES, "a label", `${place}, column ${COLUMNS}`);
  });
  if (rows.length === 1) throw new InputError(`${path}: one row is too few, one to train and one to test`);
  return digits;
}

function readPixel(cell: string, place: string): number {
  const pixel = readNumber(cell, place);
  if (pixel >= 0 && pixel <= INK) return pixel;
  throw new InputError(`${place}: expected a pixel from 0 to ${INK}, got ${pixel}`);
}
