// What is measured: each row once, with its inputs and, from bench/plain.ts, its right answer.
import { crossEntropy, matmul, rowwise } from "../plain";
import { unary } from "../plain-elementwise";
import { PlainMlp } from "../plain-mlp";
import { lossAndGradient } from "./adapters/adapter";

interface Base {
  name: string;
  /** Each library in a process of its own: so small that it matters what else the engine has seen. */
  alone: boolean;
  /** FLOP of a call, where that is what it consists of. */
  flop?: number;
  /** The right answer. Slow: ask once. */
  answer: () => Float32Array;
}

/** A[M, K] · B[K, N]; a transposed operand is stored as [K, M] or [N, K]. Weights are the same in every call. */
export interface MatmulRow extends Base {
  kind: "matmul";
  M: number;
  K: number;
  N: number;
  transposeA: boolean;
  transposeB: boolean;
  /** Whether B would be the weights of a layer. */
  weights: boolean;
  inputs: () => { a: Float32Array; b: Float32Array };
}

export interface MapRow extends Base {
  kind: "map";
  op: "sigmoid" | "tanh" | "softplus" | "gelu" | "exp";
  size: number;
  inputs: () => Float32Array;
}

/** Over each row of [rows, cols]. The answer of cross-entropy is its mean, then its gradient. */
export interface RowwiseRow extends Base {
  kind: "rowwise";
  op: "softmax" | "logSoftmax" | "crossEntropy";
  rows: number;
  cols: number;
  inputs: () => { x: Float32Array; labels: Int32Array };
}

/**
 * A step of SGD with momentum on linear layers with ReLU between them: cross-entropy for labels, the mean squared error
 * for one output. The batch comes as typed arrays and the loss as a number, in every step. The answer is the losses of
 * the first three.
 */
export interface TrainRow extends Base {
  kind: "train";
  /** Whether nablas replays the step as a plan. */
  compiled: boolean;
  sizes: number[];
  batch: number;
  lr: number;
  momentum: number;
  inputs: () => TrainInputs;
}

export interface TrainInputs {
  x: Float32Array;
  target: Int32Array | Float32Array;
  /** weight [outputs, inputs] and bias of each layer, in turns. */
  parameters: Float32Array[];
}

/** The logits of the same network for a batch, which is where the library wants it. */
export interface InferRow extends Base {
  kind: "infer";
  /** Whether nablas replays it as a plan. */
  compiled: boolean;
  sizes: number[];
  batch: number;
  inputs: () => Pick<TrainInputs, "x" | "parameters">;
}

export type Row = MatmulRow | MapRow | RowwiseRow | TrainRow | InferRow;

/** Of about normal distribution: the sum of four even ones. */
function randomNumbers(size: number, seed: number, scale = 1): Float32Array {
  let state = seed;
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return Float32Array.from(
    { length: size },
    () => scale * Math.sqrt(3) * (next() + next() + next() + next() - 2),
  );
}

type Shape = [M: number, K: number, N: number];

function matmulRow(
  name: string,
  [M, K, N]: Shape,
  { transposeA = false, transposeB = false, weights = true } = {},
): MatmulRow {
  const inputs = () => ({ a: randomNumbers(M * K, 1), b: randomNumbers(K * N, 2) });
  const answer = () => {
    const { a, b } = inputs();
    const out = new Float32Array(M * N);
    matmul(a, b, out, M, N, K, { transposeA, transposeB });
    return out;
  };
  const flop = 2 * M * N * K;
  return {
    kind: "matmul",
    name,
    alone: false,
    flop,
    M,
    K,
    N,
    transposeA,
    transposeB,
    weights,
    inputs,
    answer,
  };
}

function mapRow(op: MapRow["op"], size: number, label: string): MapRow {
  const inputs = () => randomNumbers(size, 3);
  const answer = () => {
    const x = inputs();
    const y = new Float32Array(size);
    unary[op](x, y);
    return y;
  };
  return { kind: "map", name: `${op} ${label}`, alone: size < 10_000, op, size, inputs, answer };
}

function rowwiseRow(op: RowwiseRow["op"], rows: number, cols: number): RowwiseRow {
  const inputs = () => ({
    x: randomNumbers(rows * cols, 4),
    labels: Int32Array.from({ length: rows }, (_, i) => (7 * i) % cols),
  });
  const answer = () => {
    const { x, labels } = inputs();
    const y = new Float32Array(x.length);
    if (op === "crossEntropy") return lossAndGradient(crossEntropy(x, labels, y, cols), y);
    rowwise[op](x, y, rows, cols);
    return y;
  };
  const title = { softmax: "softmax", logSoftmax: "log-softmax", crossEntropy: "cross-entropy + gradient" }[
    op
  ];
  return {
    kind: "rowwise",
    name: `${title} ${rows}x${cols}`,
    alone: rows * cols < 10_000,
    op,
    rows,
    cols,
    inputs,
    answer,
  };
}

/** Of about PyTorch's size. */
function parametersOf(sizes: number[]): Float32Array[] {
  return sizes.slice(1).flatMap((outputs, i) => {
    const scale = 1 / Math.sqrt(3 * sizes[i]!);
    return [randomNumbers(outputs * sizes[i]!, 5 + i, scale), randomNumbers(outputs, 50 + i, scale)];
  });
}

function inferRow(sizes: number[], batch: number, compiled: boolean): InferRow {
  const inputs = () => ({ x: randomNumbers(batch * sizes[0]!, 7), parameters: parametersOf(sizes) });
  const answer = () => {
    const { x, parameters } = inputs();
    return new PlainMlp(parameters, { maxBatch: batch, lr: 0, momentum: 0 }).forward(x, batch);
  };
  const name = `${compiled ? "compiled" : "eager"} inference ${sizes.join("-")}, batch ${batch}`;
  return { kind: "infer", compiled, name, alone: true, sizes, batch, inputs, answer };
}

function trainRow(sizes: number[], batch: number, compiled: boolean): TrainRow {
  const [lr, momentum] = [0.01, 0.9];
  const inputs = () => {
    const outputs = sizes.at(-1)!;
    const labels = Int32Array.from({ length: batch }, (_, i) => i % outputs);
    const target = outputs > 1 ? labels : randomNumbers(batch, 6);
    return { x: randomNumbers(batch * sizes[0]!, 7), target, parameters: parametersOf(sizes) };
  };
  const answer = () => {
    const { x, target, parameters } = inputs();
    const model = new PlainMlp(parameters, { maxBatch: batch, lr, momentum });
    return Float32Array.from({ length: 3 }, () => model.step(x, target));
  };
  const name = `${compiled ? "compiled" : "eager"} step ${sizes.join("-")}, batch ${batch}`;
  return { kind: "train", compiled, name, alone: true, sizes, batch, lr, momentum, inputs, answer };
}

const OPS = ["sigmoid", "tanh", "softplus", "gelu", "exp"] as const;

export const rows: Row[] = [
  ...[64, 128, 256, 512, 1024].map((n) => matmulRow(`matmul ${n}`, [n, n, n])),
  matmulRow("forward 64x784 · 784x128", [64, 784, 128]),
  matmulRow("dW (64x784)ᵀ · 64x128", [784, 64, 128], { transposeA: true, weights: false }),
  matmulRow("dX 64x128 · (784x128)ᵀ", [64, 128, 784], { transposeB: true }),
  matmulRow("matvec 1x1024 · 1024x1024", [1, 1024, 1024]),
  ...OPS.flatMap((op) => [mapRow(op, 1_000, "1 k"), mapRow(op, 1_000_000, "1 M")]),
  ...(["softmax", "logSoftmax", "crossEntropy"] as const).flatMap((op) => [
    rowwiseRow(op, 64, 10),
    rowwiseRow(op, 1024, 1000),
  ]),
  ...[false, true].flatMap((compiled) => [
    trainRow([2, 8, 1], 4, compiled),
    trainRow([64, 32, 10], 32, compiled),
    trainRow([784, 128, 64, 10], 64, compiled),
    ...[1, 64].map((batch) => inferRow([784, 128, 64, 10], batch, compiled)),
  ]),
];
