import { shuffledIndices } from "./random";

/** An image is 8 x 8 pixels, row by row, from 0 (paper) to 16 (ink). */
export const SIDE = 8;
export const PIXELS = SIDE * SIDE;
export const INK = 16;
export const CLASSES = 10;

/** `pixels` is [count, 64], `labels` holds the digit that each image shows. */
export interface Digits {
  pixels: Float32Array;
  labels: Int32Array;
}

/** What the network sees: `x` is [labels.length, features], of digits from 0 to 1. */
export interface Batch {
  x: Float32Array;
  labels: Int32Array;
}

export interface Split {
  train: Batch;
  test: Batch;
}

/** The first 80 % to train, the rest to test: 1437 and 360 of the 1797 images of the UCI file. */
export function split({ pixels, labels }: Digits): Split {
  const x = pixels.map((pixel) => pixel / INK);
  const count = Math.floor(0.8 * labels.length);
  return {
    train: { x: x.slice(0, count * PIXELS), labels: labels.slice(0, count) },
    test: { x: x.slice(count * PIXELS), labels: labels.slice(count) },
  };
}

/** All of `data` in a new random order, `batchSize` at a time; the last batch may be smaller. */
export function shuffledBatches(data: Batch, batchSize: number, random: () => number): Batch[] {
  const order = shuffledIndices(data.labels.length, random);
  const batches: Batch[] = [];
  for (let start = 0; start < order.length; start += batchSize) {
    batches.push(pick(data, order.subarray(start, start + batchSize)));
  }
  return batches;
}

function pick({ x, labels }: Batch, rows: Int32Array): Batch {
  const features = x.length / labels.length;
  const batch = { x: new Float32Array(rows.length * features), labels: new Int32Array(rows.length) };
  rows.forEach((row, i) => {
    batch.x.set(x.subarray(row * features, (row + 1) * features), i * features);
    batch.labels[i] = labels[row]!;
  });
  return batch;
}
