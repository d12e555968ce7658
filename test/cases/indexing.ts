import * as ref from "../reference";
import { between, classes, integers, on, op, type Rows } from "./row";

export const rows: Rows = {
  gather: op({
    inputs: [between(-2, 2), integers(0, 1, 2)],
    variants: [
      on([3], [7]),
      on([4, 5], [4, 5]),
      on([4, 5], [4, 5]).with({ dim: 1 }),
      on([3, 4, 5], [3, 6, 5]).with({ dim: 1 }),
      on([4, 3], [2, 2]).with({ dim: -1 }),
      on([5, 4, 3], [2, 2, 2]),
    ],
    reference: ref.gather,
    forward: { ulp: 0 },
  }),
  embedding: op({
    inputs: [classes, between(-2, 2)],
    variants: [on([], [5, 3]), on([7], [5, 1]), on([7], [5, 4]), on([2, 6], [5, 7])],
    reference: ref.embedding,
    forward: { ulp: 0 },
  }),
  oneHot: op({
    inputs: [classes],
    variants: [on([9]), on([]).with({ numClasses: 5 }), on([2, 3]).with({ numClasses: 7 })],
    reference: ref.oneHot,
    forward: { ulp: 0 },
    backward: null,
  }),
};
