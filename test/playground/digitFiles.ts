// Files of digits as the tests make them.
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { PIXELS } from "../../examples/digits/data";
import { generateDigits, writeDigit } from "../../examples/digits/generate";
import { randomNumbers } from "../../examples/digits/random";
import { rasterise } from "../../playground/engine/digits/raster";

/** Digits in UCI's format. */
export function csv(count: number): Buffer {
  const { pixels, labels } = generateDigits(count, 11);
  const rows = Array.from(labels, (label, i) =>
    [...pixels.subarray(i * PIXELS, (i + 1) * PIXELS), label].join(),
  );
  return Buffer.from(`${rows.join("\n")}\n`);
}

/** Bytes in the IDX format. */
export function idx(shape: readonly number[], values: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  shape.forEach((size, i) => {
    header.writeUInt32BE(size, 4 + 4 * i);
  });
  return Buffer.concat([header, values]);
}

/** The labels of `images28`. */
export const LABELS = (count: number) => Uint8Array.from({ length: count }, (_, i) => i % 10);

/** Images of 28 x 28 pixels, placed as those of MNIST. */
export function images28(count: number): Uint8Array {
  const random = randomNumbers(5);
  const images = new Uint8Array(count * 784);
  LABELS(count).forEach((label, i) => {
    const image = rasterise(writeDigit(label, random).strokes, 28, "mass");
    images.set(
      image.map((ink) => 255 * ink),
      i * 784,
    );
  });
  return images;
}

/** A safetensors file with this header and nothing else. */
function safetensors(header: string): Buffer {
  const length = Buffer.alloc(8);
  length.writeUInt32LE(header.length);
  return Buffer.concat([length, Buffer.from(header)]);
}

const good = csv(3).toString();
/** Files that are no digits, and what is said of them. */
export const REFUSED: readonly [what: string, name: string, bytes: Buffer, message: string][] = [
  [
    "no digits at all",
    "cat.png",
    Buffer.from("\x89PNG\r\n\x1a\n\0\0", "latin1"),
    "cat.png is none of the files",
  ],
  ["an empty file", "e.csv", Buffer.alloc(0), "e.csv is empty"],
  [
    "a table",
    "iris.csv",
    Buffer.from("5.1,3.5,1.4,0.2,0\n"),
    "row 1: expected 65 columns (64 pixels and the label), got 5",
  ],
  [
    "a word",
    "w.csv",
    Buffer.from(good.replace(/^\d+/, "ink")),
    "row 1, column 1: expected a number, got “ink”",
  ],
  [
    "much ink",
    "m.csv",
    Buffer.from(good.replace(/^\d+/, "17")),
    "row 1, column 1: expected a pixel from 0 to 16, got 17",
  ],
  [
    "a letter's label",
    "l.csv",
    Buffer.from(good.replace(/\d+\n/, "12\n")),
    "expected a label from 0 to 9, got 12",
  ],
  ["one digit", "o.csv", csv(1), "1 digit is too few"],
  [
    "damaged gzip",
    "half.csv.gz",
    gzipSync(csv(100)).subarray(0, 900),
    "half.csv.gz is damaged or incomplete (gzip)",
  ],
  [
    "IDX cut off",
    "cut-ubyte",
    idx([9, 28, 28], images28(8)),
    "cut-ubyte is damaged or incomplete (readIdx: the header promises",
  ],
  ["IDX of rank 2", "flat-ubyte", idx([2, 784], images28(2)), "got 2 × 784"],
  [
    "IDX of floats",
    "floats",
    Buffer.concat([Buffer.from([0, 0, 13, 1, 0, 0, 0, 1]), Buffer.alloc(4)]),
    "expected IDX of unsigned bytes",
  ],
  [
    "oblong images",
    "oblong",
    idx([2, 14, 56], images28(2)),
    "expected square images with sides from 4 to 64, got 56 × 14",
  ],
  [
    "another network",
    "other.safetensors",
    safetensors("{}"),
    "other.safetensors is no model that was saved here",
  ],
  [
    "a damaged network",
    "torn.safetensors",
    safetensors('{"a":'),
    "torn.safetensors is no model that was saved here",
  ],
];

/** Drops files on the panel. */
export async function drop(page: Page, files: readonly { name: string; bytes: Buffer }[]): Promise<void> {
  const given = files.map(({ name, bytes }) => ({ name, base64: bytes.toString("base64") }));
  const transfer = await page.evaluateHandle((given) => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of given) {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      transfer.items.add(new File([bytes], name));
    }
    return transfer;
  }, given);
  for (const type of ["dragover", "drop"]) {
    await page.dispatchEvent(".digits", type, { dataTransfer: transfer });
  }
}
