import { crossEntropyLoss, hardmax, logSoftmax, maxout, randn, softmax, type Tensor } from "nablas";
import * as plain from "../plain";
import { type Contest, copy, forward, gradient, type Row } from "./row";

type Prepare = (x: Tensor, rows: number, cols: number) => Contest;

const sizes: [rows: number, cols: number][] = [
  [64, 10],
  [256, 1000],
  [1024, 1000],
];

const MAXOUT_K = 4;

const ops: Record<string, Prepare> = {
  softmax: (x, rows, cols) =>
    byRows(
      x,
      () => softmax(x),
      (X, Y) => plain.softmax(X, Y, rows, cols),
    ),
  "softmax + grad": softmaxGradient,
  logSoftmax: (x, rows, cols) =>
    byRows(
      x,
      () => logSoftmax(x),
      (X, Y) => plain.logSoftmax(X, Y, rows, cols),
    ),
  "cross-entropy + grad": crossEntropy,
  hardmax: (x, _, cols) =>
    byRows(
      x,
      () => hardmax(x),
      (X, Y) => plain.hardmax(X, Y, cols),
    ),
};

function byRows(x: Tensor, wasm: () => Tensor, js: (x: Float32Array, y: Float32Array) => void): Contest {
  const [X, Y] = [copy(x), new Float32Array(x.size)];
  return forward(wasm, () => {
    js(X, Y);
    return Y;
  });
}

function softmaxGradient(x: Tensor, rows: number, cols: number): Contest {
  const dy = randn([rows, cols]);
  x.requiresGrad = true;
  const [X, DY, Y, DX] = [copy(x), copy(dy), new Float32Array(x.size), new Float32Array(x.size)];
  const js = () => {
    plain.softmax(X, Y, rows, cols);
    plain.softmaxGradient(Y, DY, DX, rows, cols);
    return DX;
  };
  return gradient(x, () => softmax(x).backward({ gradient: dy }), js);
}

function crossEntropy(x: Tensor, rows: number, cols: number): Contest {
  const labels = Int32Array.from({ length: rows }, (_, i) => (7 * i) % cols);
  x.requiresGrad = true;
  const [X, DX] = [copy(x), new Float32Array(x.size)];
  const js = () => {
    plain.crossEntropy(X, labels, DX, cols);
    return DX;
  };
  return gradient(x, () => crossEntropyLoss(x, labels).backward(), js);
}

const maxoutRow: Row = {
  name: `maxout k = ${MAXOUT_K} 256x1000`,
  amount: 256_000,
  unit: "element",
  prepare: () => {
    const x = randn([256, 1000]);
    const [X, Y] = [copy(x), new Float32Array(x.size / MAXOUT_K)];
    const js = () => {
      plain.maxout(X, Y, MAXOUT_K);
      return Y;
    };
    return forward(() => maxout(x, { k: MAXOUT_K }), js);
  },
};

export const rowwiseRows: Row[] = [
  ...Object.entries(ops).flatMap(([name, prepare]) =>
    sizes.map(
      ([rows, cols]): Row => ({
        name: `${name} ${rows}x${cols}`,
        amount: rows * cols,
        unit: "element",
        prepare: () => prepare(randn([rows, cols]), rows, cols),
      }),
    ),
  ),
  maxoutRow,
];
