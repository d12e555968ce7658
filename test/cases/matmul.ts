import type { Tolerance } from "../reference";
import * as ref from "../reference";
import { between, on, op, type Rows } from "./row";

// K ≤ 70 float32 additions of products below 4.
const products: Tolerance = { rtol: 1e-6, atol: 3e-5 };

export const rows: Rows = {
  matmul: op({
    inputs: [between(-2, 2), between(-2, 2)],
    variants: [
      on([4], [4]),
      on([3], [3, 5]),
      on([5, 3], [3]),
      on([1, 9], [9, 1]),
      on([7, 5], [5, 9]),
      on([2, 70], [70, 3]),
      on([5, 7], [5, 9]).with({ transposeA: true }),
      on([7, 5], [9, 5]).with({ transposeB: true }),
      on([5, 7], [9, 5]).with({ transposeA: true, transposeB: true }),
      on([2, 3, 4], [4, 5]),
      on([2, 4, 3], [4, 5]).with({ transposeA: true }),
      on([3, 4], [2, 4, 5]),
      on([2, 1, 3, 4], [3, 4, 2]),
      on([2, 3, 4], [4]),
      on([4], [2, 4, 3]),
    ],
    reference: ref.matmul,
    forward: products,
    backward: { rtol: 1e-5, atol: 1e-5 },
  }),
  linear: op({
    inputs: [between(-2, 2), between(-2, 2), between(-2, 2)],
    variants: [
      on([5], [3, 5], [3]),
      on([4, 5], [3, 5]),
      on([4, 5], [3, 5], [3]),
      on([2, 3, 7], [6, 7], [6]),
      on([9, 40], [11, 40], [11]),
      on([1, 3], [1, 3], [1]),
      on([2, 3, 7], [6, 7], [6]).with({ activation: "relu" }),
      on([5], [3, 5], [3]).with({ activation: "relu" }),
      on([4, 5], [3, 5], [3]).with({ activation: "sigmoid" }),
      on([4, 5], [8, 5], [8]).with({ activation: "tanh" }),
      ...(["relu", "sigmoid", "tanh"] as const).map((activation) =>
        on([4, 5], [3, 5]).with(undefined, { activation }),
      ),
    ],
    reference: ref.linear,
    forward: products,
    backward: { rtol: 1e-5, atol: 1e-5 },
  }),
};
