import * as ref from "../reference";
import { between, difference, lines, lineVariants, op, type Rows, reductionVariants } from "./row";

export const rows: Rows = {
  softmax: op({
    inputs: [between(-10, 10)],
    variants: lineVariants,
    reference: ref.along((line) => ref.logSoftmax(line).map(Math.exp)),
    forward: lines,
    backward: difference,
  }),
  logSoftmax: op({
    inputs: [between(-10, 10)],
    variants: lineVariants,
    reference: ref.along(ref.logSoftmax),
    forward: lines,
    backward: difference,
  }),
  // m + log(…) cancels where the result is near 0.
  logSumExp: op({
    variants: reductionVariants,
    reference: ref.reduction(ref.logSumExp),
    forward: { rtol: 1e-6, atol: 5e-7 },
  }),
};
