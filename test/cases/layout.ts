import type { Tensor } from "../../src/index";
import * as nablas from "../../src/index";
import type { Nd } from "../reference";
import * as ref from "../reference";
import { between, on, op, type Rows } from "./row";

export const rows: Rows = {
  reshape: op({
    variants: [on([2, 6]).with([3, 4]), on([2, 6]).with([-1, 3]), on([1]).with([]), on([5]).with([1, 5, 1])],
    reference: ref.reshape,
    forward: { ulp: 0 },
  }),
  transpose: op({
    variants: [
      on([3, 5]),
      on([2, 3, 4]),
      on([2, 3, 5]).with(0, 1),
      on([2, 3, 4, 5]).with(0, 2),
      on([4, 3]).with(1, 1),
      on([3, 2, 5]).with(2, 0),
    ],
    reference: ref.transpose,
    forward: { ulp: 0 },
  }),
  slice: op({
    variants: [
      on([9]).with(2),
      on([9]).with(-7, -1, { step: 3 }),
      on([4, 5]).with(1, 3),
      on([3, 7, 2]).with(1, 6, { dim: 1, step: 2 }),
      on([3, 7]).with(0, undefined, { dim: -1, step: 7 }),
    ],
    reference: ref.slice,
    forward: { ulp: 0 },
  }),
  concat: op({
    inputs: [between(-2, 2), between(-2, 2), between(-2, 2)],
    variants: [
      on([3], [5], [1]).with({}),
      on([2, 3], [2, 3], [4, 3]).with({}),
      on([2, 3], [2, 1], [2, 4]).with({ dim: 1 }),
      on([2, 3, 2], [2, 1, 2], [2, 5, 2]).with({ dim: -2 }),
    ],
    call: (a: Tensor, b: Tensor, c: Tensor, options: { dim?: number }) => nablas.concat([a, b, c], options),
    reference: (a: Nd, b: Nd, c: Nd, options: { dim?: number }) => ref.concat([a, b, c], options),
    forward: { ulp: 0 },
  }),
  stack: op({
    inputs: [between(-2, 2), between(-2, 2), between(-2, 2)],
    variants: [
      on([], [], []).with({}),
      on([5], [5], [5]).with({}),
      on([2, 3], [2, 3], [2, 3]).with({ dim: 1 }),
      on([2, 3], [2, 3], [2, 3]).with({ dim: -1 }),
    ],
    call: (a: Tensor, b: Tensor, c: Tensor, options: { dim?: number }) => nablas.stack([a, b, c], options),
    reference: (a: Nd, b: Nd, c: Nd, options: { dim?: number }) => ref.stack([a, b, c], options),
    forward: { ulp: 0 },
  }),
  clone: op({ variants: [on([]), on([31])], reference: (x: Nd) => x, forward: { ulp: 0 } }),
  detach: op({
    variants: [on([]), on([31])],
    reference: (x: Nd) => x,
    forward: { ulp: 0 },
    backward: null,
  }),
};
