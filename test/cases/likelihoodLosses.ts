import { between, constant, difference, logistic, loss, oneOf, type Rows, softplus } from "./row";

/** Binary cross-entropy times (1 − p_t)^gamma and the balance of the classes. */
function focal(
  x: number,
  t: number,
  _w: number,
  _p: number,
  options: { alpha?: number; gamma?: number },
): number {
  const { alpha = 0.25, gamma = 2 } = options;
  const balance = alpha < 0 ? 1 : alpha * t + (1 - alpha) * (1 - t);
  const wrong = t * logistic(-x) + (1 - t) * logistic(x);
  const loss = (t === 0 ? 0 : t * softplus(-x)) + (t === 1 ? 0 : (1 - t) * softplus(x));
  return balance * wrong ** gamma * loss;
}

export const rows: Rows = {
  bceLoss: loss({
    // Logarithms end at −100, as PyTorch's.
    reference: (p, t, w) => -w * (t * Math.max(Math.log(p), -100) + (1 - t) * Math.max(Math.log1p(-p), -100)),
    pred: between(0.001, 0.999),
    target: constant(between(0, 1)),
    options: [{ weight: [0.5, 1, 2] }],
    forward: { rtol: 1e-6 },
  }),
  bceWithLogitsLoss: loss({
    reference: (x, t, w, positive) => w * (positive * t * softplus(-x) + (1 - t) * softplus(x)),
    pred: between(-9, 9),
    target: constant(between(0, 1)),
    options: [
      { weight: [0.5, 1, 2], reduction: "none" },
      { posWeight: [0.5, 1, 2] },
      { weight: [0.5, 1, 2], posWeight: [3, 1, 2], reduction: "sum" },
    ],
    forward: { rtol: 1e-6 },
    backward: difference,
  }),
  // The power of a number that has some roundings, times two sums of positive terms.
  focalLoss: loss<{ alpha?: number; gamma?: number }>({
    reference: focal,
    pred: between(-30, 30),
    target: oneOf(0, 1),
    options: [
      { alpha: -1 },
      { alpha: 0.6, gamma: 1.5, reduction: "none" },
      { alpha: 0, gamma: 1 },
      { gamma: 0 },
      { gamma: 0.5, reduction: "sum" },
    ],
    forward: { rtol: 2e-6 },
  }),
  // log t − p is a difference: its error is a rounding of p.
  klDivLoss: loss<{ logTarget?: boolean }>({
    reference: (p, t, _w, _p, { logTarget = false }) =>
      (logTarget ? t === -Infinity : t === 0) ? 0 : logTarget ? Math.exp(t) * (t - p) : t * (Math.log(t) - p),
    pred: between(-9, 0),
    target: constant(between(0, 1)),
    options: [
      { reduction: "batchmean" },
      { logTarget: true, reduction: "none" },
      { logTarget: true },
      { logTarget: true, reduction: "batchmean" },
    ],
    forward: { rtol: 1e-6, atol: 1e-6 },
  }),
};

export const more: Record<string, Rows> = {
  focalLoss: {
    "with soft targets": loss<{ alpha?: number; gamma?: number }>({
      reference: focal,
      pred: between(-9, 9),
      target: constant(between(0, 1)),
      options: [{ alpha: 0.6, gamma: 1.5 }],
      forward: { rtol: 2e-6 },
      backward: difference,
    }),
  },
};
