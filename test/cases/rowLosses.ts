import * as ref from "../reference";
import { between, classes, difference, on, oneOf, op, type Rows, signs, weight } from "./row";

const marginVariants = [
  on([6, 5], [6]),
  on([6, 5], [6]).with({ reduction: "sum", margin: 0.5 }),
  on([6, 5], [6]).with({ reduction: "none", weight }),
  on([5], []),
  on([3, 5, 4], [3, 4]).with({ weight, margin: 2 }),
];

export const rows: Rows = {
  multiMarginLoss: op({
    inputs: [between(-2, 2), classes],
    variants: [
      ...marginVariants,
      ...marginVariants.map(({ shapes, args }) => on(...shapes).with({ ...(args[0] as object), p: 2 })),
    ],
    reference: ref.multiMargin,
    forward: { rtol: 1e-6 },
    backward: difference,
  }),
  categoricalHingeLoss: op({
    inputs: [between(-2, 2), oneOf(0, 1)],
    variants: [
      on([6, 5], [6, 5]),
      on([6, 5], [6, 5]).with({ reduction: "sum" }),
      on([2, 3, 4], [2, 3, 4]).with({ reduction: "none" }),
      on([5], [5]),
    ],
    reference: ref.categoricalHinge,
    forward: { rtol: 1e-6, atol: 1e-6 },
  }),
  // 1 − cos and its gradient are formed in float64.
  cosineEmbeddingLoss: op({
    inputs: [between(-2, 2), between(-2, 2), signs],
    variants: [
      on([6, 5], [6, 5], [6]),
      on([6, 8], [6, 8], [6]).with({ reduction: "sum" }),
      on([6, 31], [6, 31], [6]).with({ reduction: "none", margin: 0.25 }),
      on([2, 3, 4], [2, 3, 4], [2, 3]).with({ margin: -0.5 }),
      on([7], [7], []),
    ],
    reference: ref.cosineEmbedding,
    forward: { rtol: 1e-6 },
    backward: difference,
  }),
};

export const more: Record<string, Rows> = {
  cosineEmbeddingLoss: {
    "of rows nearly parallel": op({
      inputs: [between(1, 1.001), between(1, 1.001), oneOf(1)],
      variants: [on([4, 9], [4, 9], [4]).with({ reduction: "none" })],
      reference: ref.cosineEmbedding,
      forward: { rtol: 1e-6 },
      backward: { rtol: 1e-5 },
    }),
  },
};
