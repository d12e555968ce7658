import { between, difference, loss, oneOf, type Rows } from "./row";

const counts = oneOf(0, 1, 2, 3, 9, 40);

export const rows: Rows = {
  // Differences of e^p and t p, of p and t log p.
  poissonNllLoss: loss<{ logInput?: boolean; full?: boolean; eps?: number }>({
    reference: (p, t, _w, _p, { logInput = true, full = false, eps = 1e-8 }) =>
      (logInput ? Math.exp(p) - t * p : p - t * Math.log(p + eps)) +
      (full && t > 1 ? t * Math.log(t) - t + Math.log(2 * Math.PI * t) / 2 : 0),
    pred: between(0.1, 5),
    target: counts,
    options: [
      { full: true, reduction: "none" },
      { full: true },
      { logInput: false, reduction: "none" },
      { logInput: false, full: true, eps: 0.5, reduction: "none" },
      { logInput: false, full: true, reduction: "sum" },
    ],
    forward: { rtol: 1e-6, atol: 1e-5 },
    backward: difference,
  }),
};
