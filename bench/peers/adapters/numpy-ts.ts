// Arrays and products, no gradients. Results are disposed of, as it advises for loops. A transposed matrix is copied first,
// which is ten times as fast as multiplying by the view.
import * as np from "numpy-ts";
import type { MapRow } from "../rows";
import type { Adapter, Side } from "./adapter";

type NDArray = ReturnType<typeof np.array>;

const maps: Partial<Record<MapRow["op"], (x: NDArray) => NDArray>> = {
  exp: np.exp,
  tanh: np.tanh,
  // log(e^x + e^0)
  softplus: (x) => np.logaddexp(x, 0),
};

export const adapter: Adapter = {
  about: "its wasm kernels, which have one thread",
  prepare(row) {
    if (row.kind === "matmul") {
      const { M, K, N, transposeA, transposeB } = row;
      const { a: A, b: B } = row.inputs();
      const a = array(A, transposeA ? [K, M] : [M, K]);
      const b = array(B, transposeB ? [N, K] : [K, N]);
      if (!transposeA && !transposeB) return forward(() => np.matmul(a, b), [a, b]);
      const product = () => {
        const copy = np.ascontiguousarray(transposeA ? a.T : b.T);
        const y = transposeA ? np.matmul(copy, b) : np.matmul(a, copy);
        copy.dispose();
        return y;
      };
      return forward(product, [a, b]);
    }
    if (row.kind === "map") {
      const x = array(row.inputs(), [row.size]);
      const op = maps[row.op];
      return op && forward(() => op(x), [x]);
    }
    return undefined;
  },
};

function array(data: Float32Array, shape: number[]): NDArray {
  return np.array(data, "float32").reshape(...shape) as NDArray;
}

function forward(op: () => NDArray, inputs: NDArray[]): Side {
  return {
    run: () => op().dispose(),
    answer: () => Float32Array.from(op().data as Float32Array),
    dispose: () => {
      for (const x of inputs) x.dispose();
    },
  };
}
