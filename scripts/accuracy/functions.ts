// The derivatives of the elementwise ops in float64, written apart from those of the kernels; kinks as in PyTorch.
import { erfc } from "../../test/erf";

export type Options = Record<string, number | string>;

export interface Derivative {
  at: (x: number, options: Options) => number;
  /** Where the derivative changes its sign, and rounding in float32 makes any relative error. */
  zero?: number;
}

const sigma = (x: number) => 1 / (1 + Math.exp(-x));
const phi = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const cdf = (x: number) => erfc(-x / Math.SQRT2) / 2;

/** d/dx x g(x), which is 0 and 1 far out. */
function gated(g: (x: number) => number, dg: (x: number) => number, far: number) {
  return (x: number) => (x > far ? 1 : x < -far ? 0 : g(x) + x * dg(x));
}

const K = 2 * Math.sqrt(2 / Math.PI);
const geluLogit = (x: number) => K * (x + 0.044715 * x * x * x);
const geluTanhSlope = gated(
  (x) => sigma(geluLogit(x)),
  (x) => sigma(geluLogit(x)) * sigma(-geluLogit(x)) * K * (1 + 3 * 0.044715 * x * x),
  20,
);
const geluSlope = gated(cdf, phi, 40);

export const derivatives: Record<string, Derivative> = {
  identity: { at: () => 1 },
  neg: { at: () => -1 },
  relu: { at: (x) => Number(x > 0) },
  leakyRelu: { at: (x, { negativeSlope = 0.01 }) => (x > 0 ? 1 : Number(negativeSlope)) },
  elu: { at: (x, { alpha = 1 }) => (x > 0 ? 1 : Number(alpha) * Math.exp(x)) },
  celu: { at: (x, { alpha = 1 }) => (x > 0 ? 1 : Math.exp(x / Number(alpha))) },
  selu: { at: (x) => 1.0507009873554805 * (x > 0 ? 1 : 1.6732632423543772 * Math.exp(x)) },
  sigmoid: { at: (x) => sigma(x) * sigma(-x) },
  tanh: { at: (x) => 4 * sigma(2 * x) * sigma(-2 * x) },
  softplus: {
    at: (x, { beta = 1, threshold = 20 }) =>
      Number(beta) * x > Number(threshold) ? 1 : sigma(Number(beta) * x),
  },
  logSigmoid: { at: (x) => sigma(-x) },
  softsign: { at: (x) => 1 / (1 + Math.abs(x)) ** 2 },
  gelu: {
    at: (x, { approximate }) => (approximate === "tanh" ? geluTanhSlope(x) : geluSlope(x)),
    zero: -0.752,
  },
  silu: { at: gated(sigma, (x) => sigma(x) * sigma(-x), 500), zero: -1.2785 },
  mish: {
    at: gated(
      (x) => Math.tanh(Math.log1p(Math.exp(x))),
      (x) => sigma(x) / Math.cosh(Math.log1p(Math.exp(x))) ** 2,
      300,
    ),
    zero: -1.1924,
  },
  hardtanh: {
    at: (x, { minVal = -1, maxVal = 1 }) => Number(Number(minVal) < x && x < Number(maxVal)),
  },
  relu6: { at: (x) => Number(0 < x && x < 6) },
  hardsigmoid: { at: (x) => (Math.abs(x) < 3 ? 1 / 6 : 0) },
  hardswish: { at: (x) => (x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6), zero: -1.5 },
  exp: { at: Math.exp },
  log: { at: (x) => 1 / x },
  erf: { at: (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) },
  sqrt: { at: (x) => 0.5 / Math.sqrt(x) },
  square: { at: (x) => 2 * x },
  abs: { at: Math.sign },
  clip: {
    at: (x, { min = -Infinity, max = Infinity }) => Number(Number(min) <= x && x <= Number(max)),
  },
};

/** The function of assembly/index.ts that gives an op's true values, where it has another name than its kernel. */
export const truthNames: Record<string, string> = {
  identity: "bounded",
  relu: "bounded",
  relu6: "bounded",
  hardtanh: "bounded",
  sigmoid: "sigmoidOf",
  tanh: "tanhOf",
  softplus: "softplusOf",
  exp: "expOf",
  log: "logOf",
  erf: "erfOf",
  sqrt: "sqrtOf",
};

/** The options of those that have none themselves. */
export const truthOptions: Record<string, [number, number]> = {
  identity: [-Infinity, Infinity],
  relu: [0, Infinity],
  relu6: [0, 6],
};
