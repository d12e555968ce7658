// With any transpose flag its matmul is a scalar loop, but that is how the library multiplies by a transposed matrix.
// Kernels run when they are called, so nothing has to be awaited or read. `enableProdMode()` would make steps slower.
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import type { MapRow, RowwiseRow, TrainRow } from "../rows";
import { type Adapter, lossAndGradient, oneHot, type Side, transposed } from "./adapter";

setWasmPaths(`${dirname(fileURLToPath(import.meta.resolve("@tensorflow/tfjs-backend-wasm")))}/`);
setThreadsCount(1);
await tf.setBackend("wasm");
await tf.ready();

const maps: Record<MapRow["op"], (x: tf.Tensor) => tf.Tensor> = {
  sigmoid: tf.sigmoid,
  tanh: tf.tanh,
  softplus: tf.softplus,
  exp: tf.exp,
  // x (1 + erf(x / √2)) / 2, as its layers form it
  gelu: (x) => tf.tidy(() => tf.mul(tf.mul(0.5, x), tf.add(1, tf.erf(tf.div(x, Math.SQRT2))))),
};

export const adapter: Adapter = {
  about: "wasm backend with SIMD, one thread",
  prepare(row) {
    switch (row.kind) {
      case "matmul": {
        const { M, K, N, transposeA, transposeB } = row;
        const { a: A, b: B } = row.inputs();
        const a = tf.tensor2d(A, transposeA ? [K, M] : [M, K]);
        const b = tf.tensor2d(B, transposeB ? [N, K] : [K, N]);
        return forward(() => tf.matMul(a, b, transposeA, transposeB), [a, b]);
      }
      case "map": {
        const op = maps[row.op];
        const x = tf.tensor1d(row.inputs());
        return forward(() => op(x), [x]);
      }
      case "rowwise":
        return rowwise(row);
      case "train":
        return training(row);
      case "infer": {
        const { x: X, parameters } = row.inputs();
        const model = mlp(row.sizes, parameters);
        const x = tf.tensor2d(X, [row.batch, row.sizes[0]!]);
        return forward(() => tf.tidy(() => model(x)), [x]);
      }
    }
  },
};

function forward(op: () => tf.Tensor, inputs: tf.Tensor[]): Side {
  return {
    run: () => op().dispose(),
    answer: () => tf.tidy(() => op().dataSync()),
    dispose: () => tf.dispose(inputs),
  };
}

function rowwise({ op, rows, cols, inputs }: RowwiseRow): Side {
  const { x: X, labels } = inputs();
  const x = tf.tensor2d(X, [rows, cols]);
  if (op !== "crossEntropy") return forward(() => (op === "softmax" ? tf.softmax(x) : tf.logSoftmax(x)), [x]);
  const targets = tf.tensor2d(oneHot(labels, cols), [rows, cols]);
  const f = tf.valueAndGrad((z) => tf.losses.softmaxCrossEntropy(targets, z as tf.Tensor2D));
  const step = () => {
    const { value, grad } = f(x);
    return { loss: value.dataSync()[0]!, grad };
  };
  return {
    run: () => tf.tidy(() => step().loss),
    answer: () =>
      tf.tidy(() => {
        const { loss, grad } = step();
        return lossAndGradient(loss, grad.dataSync());
      }),
    dispose: () => tf.dispose([x, targets]),
  };
}

function mlp(sizes: number[], parameters: Float32Array[]): (x: tf.Tensor2D) => tf.Tensor2D {
  const layers = sizes.slice(1).map((size, i) => ({
    weight: tf.variable(tf.tensor2d(transposed(parameters[2 * i]!, size, sizes[i]!), [sizes[i]!, size])),
    bias: tf.variable(tf.tensor1d(parameters[2 * i + 1]!)),
  }));
  return (input) =>
    layers.reduce((y, { weight, bias }, i) => {
      const z = tf.add(tf.matMul(y, weight), bias) as tf.Tensor2D;
      return i + 1 < layers.length ? tf.relu(z) : z;
    }, input);
}

function training({ sizes, batch, lr, momentum, inputs }: TrainRow): Side {
  const { x, target, parameters } = inputs();
  const outputs = sizes.at(-1)!;
  const model = mlp(sizes, parameters);
  const optimizer = tf.train.momentum(lr, momentum);
  const lossOf = (y: tf.Tensor2D) =>
    target instanceof Int32Array
      ? tf.losses.softmaxCrossEntropy(tf.oneHot(tf.tensor1d(target, "int32"), outputs), y)
      : tf.losses.meanSquaredError(tf.tensor2d(target, [batch, 1]), y);
  const run = () =>
    tf.tidy(() => {
      const input = tf.tensor2d(x, [batch, sizes[0]!]);
      return optimizer.minimize(() => lossOf(model(input)) as tf.Scalar, true)!.dataSync()[0]!;
    });
  return { run, answer: () => [run(), run(), run()] };
}
