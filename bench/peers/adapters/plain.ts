import { crossEntropy, matmul, rowwise } from "../../plain";
import { unary } from "../../plain-elementwise";
import { PlainMlp } from "../../plain-mlp";
import { type Adapter, lossAndGradient, type Side } from "./adapter";

export const adapter: Adapter = {
  about: "bench/plain.ts: typed arrays, no allocation",
  prepare(row) {
    switch (row.kind) {
      case "matmul": {
        const { M, K, N, transposeA, transposeB } = row;
        const { a, b } = row.inputs();
        const out = new Float32Array(M * N);
        return into(out, () => matmul(a, b, out, M, N, K, { transposeA, transposeB }));
      }
      case "map": {
        const loop = unary[row.op];
        const x = row.inputs();
        const y = new Float32Array(row.size);
        return into(y, () => loop(x, y));
      }
      case "rowwise": {
        const { op, rows, cols } = row;
        const { x, labels } = row.inputs();
        const y = new Float32Array(x.length);
        if (op !== "crossEntropy") return into(y, () => rowwise[op](x, y, rows, cols));
        const run = () => crossEntropy(x, labels, y, cols);
        return { run, answer: () => lossAndGradient(run(), y) };
      }
      case "infer": {
        const { x, parameters } = row.inputs();
        const model = new PlainMlp(parameters, { maxBatch: row.batch, lr: 0, momentum: 0 });
        const run = () => model.forward(x, row.batch);
        return { run, answer: run };
      }
      case "train": {
        const { x, target, parameters } = row.inputs();
        const model = new PlainMlp(parameters, { maxBatch: row.batch, lr: row.lr, momentum: row.momentum });
        const run = () => model.step(x, target);
        return { run, answer: () => [run(), run(), run()] };
      }
    }
  },
};

function into(out: Float32Array, run: () => void): Side {
  const answer = () => {
    run();
    return out;
  };
  return { run, answer };
}
