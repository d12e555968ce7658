import { between, constant, loss, type Rows } from "./row";

const clamp = (x: number) => Math.max(x, 1e-7);

export const rows: Rows = {
  // Values are a float32 difference, squared: 3 roundings. Sums of positive numbers add a few.
  mseLoss: loss({
    reference: (p, t) => (p - t) ** 2,
    pred: between(-2, 2),
    target: between(-2, 2),
    forward: { rtol: 1e-6 },
  }),
  l1Loss: loss({
    reference: (p, t) => Math.abs(p - t),
    pred: between(-2, 2),
    target: between(-2, 2),
    forward: { rtol: 1e-6 },
  }),
  smoothL1Loss: loss<{ beta?: number }>({
    reference: (p, t, _w, _p, { beta = 1 }) => {
      const d = Math.abs(p - t);
      return d < beta ? d ** 2 / (2 * beta) : d - beta / 2;
    },
    options: [{ beta: 0.5, reduction: "none" }, { beta: 3 }, { beta: 0 }],
    pred: between(-2, 2),
    target: between(-2, 2),
    forward: { rtol: 1e-6 },
  }),
  huberLoss: loss<{ delta?: number }>({
    reference: (p, t, _w, _p, { delta = 1 }) => {
      const d = Math.abs(p - t);
      return d <= delta ? d ** 2 / 2 : delta * (d - delta / 2);
    },
    options: [{ delta: 0.5, reduction: "none" }, { delta: 3 }],
    pred: between(-2, 2),
    target: between(-2, 2),
    forward: { rtol: 1e-6 },
  }),
  logCoshLoss: loss({
    reference: (p, t) => Math.log1p(2 * Math.sinh((p - t) / 2) ** 2),
    pred: between(-9, 9),
    target: between(-9, 9),
    forward: { rtol: 1e-6 },
  }),
  // log1p of a rounded quotient, squared: the rounding of p − t and of 1 + t count twice.
  msleLoss: loss({
    reference: (p, t) => (Math.log1p(clamp(p)) - Math.log1p(clamp(t))) ** 2,
    pred: between(0.01, 9),
    target: constant(between(0, 9)),
    forward: { rtol: 2e-6 },
  }),
  mapeLoss: loss({
    reference: (p, t) => (100 * Math.abs(t - p)) / clamp(Math.abs(t)),
    pred: between(-2, 2),
    target: constant(between(-2, 2)),
    forward: { rtol: 1e-6 },
  }),
};

export const more: Record<string, Rows> = {
  logCoshLoss: {
    "near zero": loss({
      reference: (p, t) => Math.log1p(2 * Math.sinh((p - t) / 2) ** 2),
      pred: between(-1e-6, 1e-6),
      target: between(-1e-6, 1e-6),
      forward: { rtol: 1e-6 },
    }),
  },
};
