import { activation, type Rows, softplus } from "./row";

export const rows: Rows = {
  celu: activation<{ alpha?: number }>({
    reference: (x, { alpha = 1 }) => (x > 0 ? x : alpha * Math.expm1(x / alpha)),
    options: [{ alpha: 0.7 }, { alpha: -2 }],
    domain: [-20, 9],
    ulp: 3,
    kinks: [0],
  }),
  softplus: activation<{ beta?: number; threshold?: number }>({
    reference: (x, { beta = 1, threshold = 20 }) => (beta * x > threshold ? x : softplus(beta * x) / beta),
    options: [{ beta: 2, threshold: 5 }, { beta: 0.3 }, { beta: 3, threshold: Infinity }],
    domain: [-30, 30],
    ulp: 2.5,
    kinks: [2.5, 20, 20 / 0.3],
  }),
};
