import type { Row } from "../rows";

type Numbers = ArrayLike<number>;

/** One library at one row, its inputs already where it wants them. */
export interface Side {
  /** The work that is timed. If it gives a promise, that is awaited. */
  run: () => unknown;
  /** Does the work and gives its result; undefined where the mathematics is not the row's. */
  answer?: () => Numbers | Promise<Numbers>;
  dispose?: () => void;
}

export interface Adapter {
  /** Undefined where the library has no such operation. */
  prepare: (row: Row) => Side | undefined | Promise<Side | undefined>;
  /** Settings that the figures depend on. */
  about: string;
}

/** [rows, cols] → [cols, rows] */
export function transposed(x: Float32Array, rows: number, cols: number): Float32Array {
  return Float32Array.from(x, (_, i) => x[(i % rows) * cols + Math.floor(i / rows)]!);
}

/** Each row 1 at its label, 0 elsewhere. */
export function oneHot(labels: Int32Array, cols: number): Float32Array {
  const y = new Float32Array(labels.length * cols);
  labels.forEach((label, row) => {
    y[row * cols + label] = 1;
  });
  return y;
}

/** A loss and its gradient as one answer. */
export function lossAndGradient(loss: number, gradient: ArrayLike<number>): Float32Array {
  const y = new Float32Array(1 + gradient.length);
  y[0] = loss;
  y.set(gradient, 1);
  return y;
}
