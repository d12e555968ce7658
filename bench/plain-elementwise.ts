// Elementwise operations in plain JavaScript, by the library's names and with its defaults.

type Formula = (x: number, b: number) => number;

/** y = f(x), or y = f(x, b) */
export type Loop = (x: Float32Array, y: Float32Array, b: Float32Array) => void;

/**
 * A loop with the formula in it, compiled on its own. One loop that all formulas shared would call them instead, which
 * is several times slower. A formula may use no names but its arguments, `Math` and `erf`.
 */
function loop(formula: Formula): Loop {
  const call = formula.length === 2 ? "f(x[i], b[i])" : "f(x[i])";
  const body = `const f = ${formula}; for (let i = 0; i < x.length; i++) y[i] = ${call};`;
  return new Function("erf", `return (x, y, b) => { ${body} }`)(erf) as Loop;
}

function loops<Name extends string>(formulas: Record<Name, Formula>): Record<Name, Loop> {
  const entries = Object.entries<Formula>(formulas).map(([name, formula]) => [name, loop(formula)]);
  return Object.fromEntries(entries) as Record<Name, Loop>;
}

/** To 1.5e-7: Abramowitz and Stegun 7.1.26. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - p * Math.exp(-x * x));
}

/**
 * x + |x| instead of `x > 0 ? …`: on numbers of random sign V8's branch is mispredicted every other time, which makes
 * it four times as slow.
 */
export const unary = loops({
  identity: (x) => x,
  neg: (x) => -x,
  abs: (x) => Math.abs(x),
  square: (x) => x * x,
  sqrt: (x) => Math.sqrt(x),
  exp: (x) => Math.exp(x),
  log: (x) => Math.log(x),
  erf: (x) => erf(x),
  relu: (x) => 0.5 * (x + Math.abs(x)),
  leakyRelu: (x) => 0.505 * x + 0.495 * Math.abs(x),
  // The slope of evaluation, (1/8 + 1/3) / 2 = 11/48.
  rrelu: (x) => (59 / 96) * x + (37 / 96) * Math.abs(x),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  hardtanh: (x) => Math.min(Math.max(x, -1), 1),
  hardsigmoid: (x) => Math.min(Math.max(x + 3, 0), 6) / 6,
  hardswish: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  softsign: (x) => x / (1 + Math.abs(x)),
  elu: (x) => (x > 0 ? x : Math.exp(x) - 1),
  celu: (x) => (x > 0 ? x : Math.exp(x) - 1),
  selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (Math.exp(x) - 1)),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  logSigmoid: (x) => -Math.log1p(Math.exp(-x)),
  tanh: (x) => Math.tanh(x),
  // Where x > 20 it is x, to the last digit of a float.
  softplus: (x) => (x > 20 ? x : Math.log1p(Math.exp(x))),
  silu: (x) => x / (1 + Math.exp(-x)),
  mish: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
  gelu: (x) => 0.5 * x * (1 + erf(Math.SQRT1_2 * x)),
});

/** The form with tanh: 0.7978… is √(2/π). */
export const geluTanh = loop(
  (x) => 0.5 * x * (1 + Math.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))),
);

export const clip = loop((x) => Math.min(Math.max(x, -1), 1));

export const binary = loops({
  add: (x, b) => x + b,
  sub: (x, b) => x - b,
  mul: (x, b) => x * b,
  div: (x, b) => x / b,
  pow: (x, b) => x ** b,
  maximum: (x, b) => Math.max(x, b),
  minimum: (x, b) => Math.min(x, b),
});

/** A slope for each column of x. */
export const prelu: Loop = (x, y, slope) => {
  for (let start = 0; start < x.length; start += slope.length) {
    for (let j = 0, i = start; j < slope.length; j++, i++) {
      const v = x[i]!;
      y[i] = 0.5 * (v + Math.abs(v) + slope[j]! * (v - Math.abs(v)));
    }
  }
};
