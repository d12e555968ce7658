import { between, loss, type Rows, signs, softplus } from "./row";

export const rows: Rows = {
  // 1 − t p cancels near the margin.
  hingeLoss: loss({
    reference: (p, t) => Math.max(0, 1 - t * p),
    pred: between(-2, 2, -1, 1),
    target: signs,
    forward: { rtol: 1e-6 },
  }),
  squaredHingeLoss: loss({
    reference: (p, t) => Math.max(0, 1 - t * p) ** 2,
    pred: between(-2, 2, -1, 1),
    target: signs,
    forward: { rtol: 1e-6 },
  }),
  exponentialLoss: loss({
    reference: (p, t) => Math.exp(-t * p),
    pred: between(-5, 5),
    target: signs,
    forward: { rtol: 1e-6 },
  }),
  softMarginLoss: loss({
    reference: (p, t) => softplus(-t * p),
    pred: between(-12, 12),
    target: signs,
    forward: { rtol: 1e-6 },
  }),
};
