import type * as nablas from "../../src/index";
import type { Nd, Tolerance } from "../reference";
import * as ref from "../reference";
import { offset, on, op, type Rows, reductionVariants } from "./row";

// Up to 32 numbers are added in float32 before float64 takes over: 32 roundings of at most 64 · 2^−24.
const sums: Tolerance = { rtol: 1e-6, atol: 2e-5 };

export const rows: Rows = {
  sum: op({ variants: reductionVariants, reference: ref.reduction(ref.total), forward: sums }),
  mean: op({
    variants: reductionVariants,
    reference: ref.reduction((values) => ref.total(values) / values.length),
    forward: { rtol: 1e-6, atol: 1e-6 },
  }),
  max: op({
    variants: reductionVariants,
    reference: ref.reduction((values) => Math.max(...values)),
    forward: { ulp: 0 },
  }),
  min: op({
    variants: reductionVariants,
    reference: ref.reduction((values) => Math.min(...values)),
    forward: { ulp: 0 },
  }),
  // Rounded once, from float64.
  variance: op({
    inputs: [offset],
    variants: [
      ...reductionVariants.filter(({ shapes }) => ref.sizeOf(shapes[0]!) > 1),
      on([3, 4, 5]).with({ dim: [0, 2], correction: 0 }),
      on([5, 4, 3, 2]).with({ dim: [0, 2, 3], keepdim: true }),
      on([7]).with({ correction: 2.5 }),
    ],
    reference: (x: Nd, { correction, ...options }: nablas.VarianceOptions = {}) =>
      ref.reduction((values) => ref.variance(values, correction))(x, options),
    forward: { ulp: 0.51 },
  }),
  argmax: op({
    variants: reductionVariants.filter(({ args }) => !Array.isArray((args[0] as { dim?: unknown })?.dim)),
    reference: ref.reduction(ref.firstMaximum),
    forward: { ulp: 0 },
    backward: null,
  }),
  argmin: op({
    variants: reductionVariants.filter(({ args }) => !Array.isArray((args[0] as { dim?: unknown })?.dim)),
    reference: ref.reduction((values) => ref.firstMaximum(values.map((x) => -x))),
    forward: { ulp: 0 },
    backward: null,
  }),
};
