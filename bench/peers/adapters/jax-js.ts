// Everything under jit, the whole training step too. Every argument is consumed, hence `.ref`. A loss is read by
// `dataSync()`, which runs all of its program; with promises small steps would take half as long again.
import { defaultDevice, init, jit, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import type { MapRow, RowwiseRow, TrainRow } from "../rows";
import { type Adapter, lossAndGradient, oneHot, type Side, transposed } from "./adapter";

await init("wasm");
defaultDevice("wasm");

const array = (data: Float32Array, shape: number[]) => np.array(data as Float32Array<ArrayBuffer>, { shape });

const maps: Record<MapRow["op"], (x: np.Array) => np.Array> = {
  sigmoid: (x) => nn.sigmoid(x),
  tanh: (x) => np.tanh(x),
  softplus: (x) => nn.softplus(x),
  exp: (x) => np.exp(x),
  gelu: (x) => nn.gelu(x, { approximate: false }),
};

export const adapter: Adapter = {
  about: "wasm device, jit; in Node it has one thread",
  prepare(row) {
    switch (row.kind) {
      case "matmul": {
        const { M, K, N, transposeA, transposeB } = row;
        const { a: A, b: B } = row.inputs();
        const a = array(A, transposeA ? [K, M] : [M, K]);
        const b = array(B, transposeB ? [N, K] : [K, N]);
        const f = jit((x: np.Array, y: np.Array) =>
          np.matmul(transposeA ? x.transpose() : x, transposeB ? y.transpose() : y),
        );
        return forward(() => f(a.ref, b.ref), [a, b]);
      }
      case "map": {
        const f = jit(maps[row.op]);
        const x = array(row.inputs(), [row.size]);
        return forward(() => f(x.ref), [x]);
      }
      case "rowwise":
        return rowwise(row);
      case "train":
        return training(row);
      case "infer": {
        const { x: X, parameters } = row.inputs();
        const layers = weightsOf(row.sizes, parameters);
        const x = array(X, [row.batch, row.sizes[0]!]);
        const f = jit(mlp);
        return forward(
          () =>
            f(
              layers.map((p) => p.ref),
              x.ref,
            ),
          [...layers, x],
        );
      }
    }
  },
};

function forward(op: () => np.Array, inputs: np.Array[]): Side {
  return {
    run: async () => (await op().blockUntilReady()).dispose(),
    answer: async () => (await op().data()) as Float32Array,
    dispose: () => disposeAll(inputs),
  };
}

function disposeAll(arrays: np.Array[]): void {
  for (const x of arrays) x.dispose();
}

function crossEntropy(logits: np.Array, targets: np.Array, rows: number): np.Array {
  return nn
    .logSoftmax(logits, -1)
    .mul(targets)
    .sum()
    .mul(-1 / rows);
}

function rowwise({ op, rows, cols, inputs }: RowwiseRow): Side {
  const { x: X, labels } = inputs();
  const x = array(X, [rows, cols]);
  if (op !== "crossEntropy") {
    const f = jit((z: np.Array) => nn[op](z, -1));
    return forward(() => f(x.ref), [x]);
  }
  const targets = array(oneHot(labels, cols), [rows, cols]);
  const lossOf = (z: np.Array, y: np.Array) => crossEntropy(z, y, rows);
  const f = jit((z: np.Array, y: np.Array) => valueAndGrad(lossOf)(z, y));
  const step = () => {
    const [loss, dx] = f(x.ref, targets.ref) as [np.Array, np.Array];
    return { loss: loss.dataSync()[0]!, dx };
  };
  return {
    run: () => step().dx.dispose(),
    answer: () => {
      const { loss, dx } = step();
      return lossAndGradient(loss, dx.dataSync());
    },
    dispose: () => disposeAll([x, targets]),
  };
}

function mlp(layers: np.Array[], x: np.Array): np.Array {
  let y = x;
  for (let i = 0; i < layers.length; i += 2) {
    if (i > 0) y = nn.relu(y);
    y = np.matmul(y, layers[i]!).add(layers[i + 1]!);
  }
  return y;
}

/** Weights as [inputs, outputs]. */
function weightsOf(sizes: number[], parameters: Float32Array[]): np.Array[] {
  return parameters.map((p, i) => {
    const [inputs, outputs] = [sizes[i >> 1]!, sizes[(i >> 1) + 1]!];
    return i % 2 === 0 ? array(transposed(p, outputs, inputs), [inputs, outputs]) : array(p, [outputs]);
  });
}

function training({ sizes, batch, lr, momentum, inputs }: TrainRow): Side {
  const { x: X, target: TARGET, parameters } = inputs();
  const outputs = sizes.at(-1)!;
  const lossOf = (layers: np.Array[], x: np.Array, target: np.Array) => {
    const y = mlp(layers, x);
    if (outputs > 1) return crossEntropy(y, nn.oneHot(target, outputs), batch);
    return np.square(y.sub(target)).mean();
  };
  const step = jit((layers: np.Array[], velocities: np.Array[], x: np.Array, target: np.Array) => {
    const [loss, gradients] = valueAndGrad(lossOf)(
      layers.map((p) => p.ref),
      x,
      target,
    );
    const next = velocities.map((v, i) => v.mul(momentum).add((gradients as np.Array[])[i]!));
    return [loss, layers.map((p, i) => p.sub(next[i]!.ref.mul(lr))), next] as [
      np.Array,
      np.Array[],
      np.Array[],
    ];
  });

  let layers = weightsOf(sizes, parameters);
  let velocities = layers.map((p) => np.zeros(p.shape));
  const run = () => {
    const x = array(X, [batch, sizes[0]!]);
    const target =
      TARGET instanceof Int32Array
        ? np.array(TARGET as Int32Array<ArrayBuffer>, { dtype: np.int32 })
        : array(TARGET, [batch, 1]);
    const [loss, ...state] = step(layers, velocities, x, target);
    [layers, velocities] = state;
    return loss.dataSync()[0]!;
  };
  return { run, answer: () => [run(), run(), run()] };
}
