import * as ref from "../reference";
import { between, classes, constant, difference, integers, lines, on, op, type Rows, weight } from "./row";

const classVariants = [
  on([6, 5], [6]),
  on([6, 5], [6]).with({ reduction: "sum", ignoreIndex: 2 }),
  on([6, 5], [6]).with({ reduction: "none", weight }),
  on([6, 5], [6]).with({ weight, ignoreIndex: 0 }),
  on([5], []),
  on([3, 5, 4], [3, 4]).with({ reduction: "none", weight }),
  on([2, 5, 3, 2], [2, 3, 2]).with({ ignoreIndex: 1 }),
];

export const rows: Rows = {
  crossEntropyLoss: op({
    inputs: [between(-10, 10), classes],
    variants: [
      ...classVariants,
      on([6, 5], [6]).with({ labelSmoothing: 0.1 }),
      on([6, 5], [6]).with({ labelSmoothing: 0.2, weight, ignoreIndex: 3 }),
      on([2, 5, 3], [2, 3]).with({ labelSmoothing: 0.2, weight, reduction: "none" }),
    ],
    reference: ref.crossEntropy(ref.logSoftmax),
    forward: lines,
    backward: difference,
  }),
  nllLoss: op({
    inputs: [between(-10, 0), classes],
    variants: classVariants,
    reference: ref.crossEntropy((line) => line),
    forward: { rtol: 1e-6 },
  }),
};

export const more: Record<string, Rows> = {
  crossEntropyLoss: {
    "with distributions": op({
      inputs: [between(-10, 10), between(0, 1)],
      variants: [
        on([6, 5], [6, 5]),
        on([6, 5], [6, 5]).with({ reduction: "none", weight }),
        on([6, 5], [6, 5]).with({ labelSmoothing: 0.2, weight, reduction: "sum" }),
        on([5], [5]),
        on([2, 5, 3], [2, 5, 3]).with({ reduction: "none" }),
      ],
      reference: ref.crossEntropy(ref.logSoftmax),
      forward: lines,
      backward: difference,
    }),
    "with constant distributions": op({
      inputs: [between(-10, 10), constant(between(0, 1))],
      variants: [on([6, 5], [6, 5]), on([2, 5, 3], [2, 5, 3]).with({ labelSmoothing: 0.2, weight })],
      reference: ref.crossEntropy(ref.logSoftmax),
      forward: lines,
      backward: difference,
    }),
  },
  nllLoss: {
    "with every row ignored": op({
      inputs: [between(-10, 0), integers(-100)],
      variants: [on([3, 5], [3])],
      reference: ref.crossEntropy((line) => line),
      forward: { ulp: 0 },
    }),
  },
};
