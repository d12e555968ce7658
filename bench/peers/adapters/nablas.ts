import {
  compile,
  crossEntropyLoss,
  exp,
  gelu,
  init,
  Linear,
  logSoftmax,
  type Module,
  matmul,
  mseLoss,
  noGrad,
  ReLU,
  Sequential,
  SGD,
  scope,
  sigmoid,
  softmax,
  softplus,
  type Tensor,
  tanh,
  tensor,
} from "../../../dist/index.js";
import type { RowwiseRow, TrainRow } from "../rows";
import { type Adapter, lossAndGradient, type Side } from "./adapter";

const maps = { sigmoid, tanh, softplus, gelu, exp };

const { simd } = await init();

export const adapter: Adapter = {
  about: `the ${simd} binary`,
  prepare(row) {
    switch (row.kind) {
      case "matmul": {
        const { M, K, N, transposeA, transposeB } = row;
        const { a: A, b: B } = row.inputs();
        const a = tensor(A, { shape: transposeA ? [K, M] : [M, K] });
        const b = tensor(B, { shape: transposeB ? [N, K] : [K, N] });
        return forward(() => matmul(a, b, { transposeA, transposeB }));
      }
      case "map": {
        const op = maps[row.op];
        const x = tensor(row.inputs());
        return forward(() => op(x));
      }
      case "rowwise":
        return rowwise(row);
      case "train":
        return training(row);
      case "infer": {
        const { x: X, parameters } = row.inputs();
        const model = mlp(row.sizes, parameters);
        const x = tensor(X, { shape: [row.batch, row.sizes[0]!] });
        if (!row.compiled) return forward(() => noGrad(() => model.forward(x)));
        const infer = compile((input: Tensor) => noGrad(() => model.forward(input)));
        return { run: () => infer(x), answer: () => Float32Array.from(infer(x).data) };
      }
    }
  },
};

function forward(op: () => Tensor): Side {
  return { run: () => scope(() => void op()), answer: () => scope(() => Float32Array.from(op().data)) };
}

function rowwise({ op, rows, cols, inputs }: RowwiseRow): Side {
  const { x: X, labels } = inputs();
  const x = tensor(X, { shape: [rows, cols] });
  if (op !== "crossEntropy") return forward(() => (op === "softmax" ? softmax(x) : logSoftmax(x)));
  x.requiresGrad = true;
  const run = () =>
    scope(() => {
      const loss = crossEntropyLoss(x, labels);
      loss.backward();
      return loss.item();
    });
  // backward() adds to a gradient, which in the first call is zero.
  return { run, answer: () => lossAndGradient(run(), x.grad!.data) };
}

function mlp(sizes: number[], parameters: Float32Array[]): Sequential {
  const layers = sizes
    .slice(1)
    .flatMap((outputs, i): Module[] => [...(i > 0 ? [new ReLU()] : []), new Linear(sizes[i]!, outputs)]);
  const model = new Sequential(...layers);
  model.parameters().forEach((parameter, i) => {
    parameter.data.set(parameters[i]!);
  });
  return model;
}

function training({ sizes, batch, lr, momentum, compiled, inputs }: TrainRow): Side {
  const { x, target, parameters } = inputs();
  const model = mlp(sizes, parameters);
  const optimizer = new SGD(model.parameters(), { lr, momentum });
  const step = (images: Tensor, wanted: Tensor) => {
    const y = model.forward(images.reshape([batch, -1]));
    const loss =
      target instanceof Int32Array ? crossEntropyLoss(y, wanted) : mseLoss(y, wanted.reshape([batch, 1]));
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  const replayed = compile(step);
  const eager = () => scope(() => step(tensor(x), tensor(target)).item());
  const run = compiled ? () => replayed(x, target).item() : eager;
  return { run, answer: () => [run(), run(), run()] };
}
