// Files of digits as the tests make them.
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
export function safetensors(header: string): Buffer {
  const length = Buffer.alloc(8);
  length.writeUInt32LE(header.length);
  return Buffer.concat([length, Buffer.from(header)]);
}

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
