// Sweeps every elementwise op of test/cases.ts over float32 and writes docs/accuracy.md: `npm run accuracy`.
import { writeFileSync } from "node:fs";
import { scope, tensor } from "../src/index";
import { type Case, cases, numbers, type Variant } from "../test/cases";
import { erfc } from "../test/erf";
import { type Nd, nd } from "../test/reference";
import { ulpError, worstOf } from "../test/ulp";

const stride = Number(process.argv[2] ?? 16_001);
/** Pairs of bit patterns that a function of two numbers is tried on. */
const PAIRS = 300_000;
/** Where a derivative changes its sign, this much to both sides is left out of the relative error. */
const MARGIN = 0.05;
const MIN_NORMAL = 2 ** -126;

type Options = Record<string, number | string>;

interface Derivative {
  at: (x: number, options: Options) => number;
  /** Zeros of the derivative, where rounding in float32 makes any relative error. */
  zeros?: readonly number[];
}

const sigma = (x: number) => 1 / (1 + Math.exp(-x));
const phi = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** d/dx x g(x), which is 0 and 1 far out. */
function gated(g: (x: number) => number, dg: (x: number) => number, far: number) {
  return (x: number) => (x > far ? 1 : x < -far ? 0 : g(x) + x * dg(x));
}

const geluTanh = (x: number) => {
  const [k, z] = [2 * Math.sqrt(2 / Math.PI), 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)];
  return gated(
    () => sigma(z),
    () => sigma(z) * sigma(-z) * k * (1 + 3 * 0.044715 * x * x),
    20,
  )(x);
};

/** The derivatives in float64, written apart from those of the kernels; kinks as in PyTorch. */
const derivatives: Record<string, Derivative> = {
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
    at: (x, { approximate }) =>
      approximate === "tanh" ? geluTanh(x) : gated((v) => erfc(-v / Math.SQRT2) / 2, phi, 40)(x),
    zeros: [-0.7518, -0.7525],
  },
  silu: { at: gated(sigma, (x) => sigma(x) * sigma(-x), 500), zeros: [-1.2785] },
  mish: {
    at: gated(
      (x) => Math.tanh(Math.log1p(Math.exp(x))),
      (x) => sigma(x) / Math.cosh(Math.log1p(Math.exp(x))) ** 2,
      300,
    ),
    zeros: [-1.1924],
  },
  hardtanh: {
    at: (x, { minVal = -1, maxVal = 1 }) => Number(Number(minVal) < x && x < Number(maxVal)),
  },
  relu6: { at: (x) => Number(0 < x && x < 6) },
  hardsigmoid: { at: (x) => (Math.abs(x) < 3 ? 1 / 6 : 0) },
  hardswish: { at: (x) => (x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6), zeros: [-1.5] },
  exp: { at: Math.exp },
  log: { at: (x) => 1 / x },
  erf: { at: (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) },
  sqrt: { at: (x) => 0.5 / Math.sqrt(x) },
  square: { at: (x) => 2 * x },
  abs: { at: Math.sign },
};

/** Why the figures of an op are what they are. */
const remarks: Record<string, string> = {
  celu: "alpha and x / alpha are rounded before the exponential",
  gelu: "tanh: the exponent is formed in float64",
  softplus: "beta x is rounded once",
};

/** Where an op's argument has to lie. */
const from: Record<string, number> = { log: 0, sqrt: 0 };

function forward(c: Case, variant: Variant, inputs: Nd[]): Float32Array {
  return scope(
    () =>
      c
        .run(
          inputs.map((x) => tensor(x.data)),
          variant,
        )
        .data.slice() as Float32Array,
  );
}

function gradient(c: Case, variant: Variant, data: Float32Array): Float32Array {
  return scope(() => {
    const x = tensor(data, { requiresGrad: true });
    c.run([x], variant).backward({ gradient: tensor(new Float32Array(data.length).fill(1)) });
    return x.grad!.data.slice() as Float32Array;
  });
}

const array = (...values: number[]) => nd([values.length], Float64Array.from(values));

/** The float64 truth, or its limit at infinity. */
function truth(c: Case, variant: Variant, x: number): number {
  return c.limits[String(x)] ?? c.expected([array(x)], variant).data[0]!;
}

/** Relative, and absolute below the normal numbers, whose spacing no longer shrinks. */
function relative(actual: number, expected: number): number {
  if (Object.is(actual, expected) || Math.fround(expected) === actual) return 0;
  if (!Number.isFinite(actual) || !Number.isFinite(Math.fround(expected))) return Infinity;
  return Math.abs(actual - expected) / Math.max(Math.abs(expected), MIN_NORMAL);
}

interface Figures {
  error: number;
  at: number | string;
}

function one(c: Case, variant: Variant): [forward: Figures, gradient: Figures | undefined] {
  const options = { stride, from: from[c.name] ?? Number.NEGATIVE_INFINITY };
  const forwards = worstOf(
    (x) => forward(c, variant, [array(...x)]),
    (y, x) => ulpError(y, truth(c, variant, x)),
    options,
  );
  const derivative = derivatives[c.name];
  if (derivative === undefined) return [forwards, undefined];
  const { at, zeros = [] } = derivative;
  const given = (variant.args[0] ?? {}) as Options;
  const gradients = worstOf(
    (x) => gradient(c, variant, x),
    (dx, x) => {
      if (!Number.isFinite(x) || zeros.some((zero) => Math.abs(x - zero) < MARGIN)) return 0;
      return relative(dx, at(x, given));
    },
    options,
  );
  return [forwards, gradients];
}

/** Random bit patterns of both operands, but NaN. */
function two(c: Case, variant: Variant): Figures {
  const random = numbers(1);
  const bits = Uint32Array.from({ length: 2 * PAIRS }, () => random() * 2 ** 32);
  const values = Float64Array.from(new Float32Array(bits.buffer)).map((v) => (Number.isNaN(v) ? 1 : v));
  const inputs = [nd([PAIRS], values.slice(0, PAIRS)), nd([PAIRS], values.slice(PAIRS))];
  const expected = c.expected(inputs, variant).data;
  let worst: Figures = { error: 0, at: Number.NaN };
  for (const [i, y] of forward(c, variant, inputs).entries()) {
    const error = ulpError(y, expected[i]!);
    const pair = inputs.map(({ data }) => data[i]!.toPrecision(4)).join(", ");
    if (error > worst.error) worst = { error, at: pair };
  }
  return worst;
}

/** The calls of an op that differ in more than size. */
function calls(c: Case): Variant[] {
  const seen = new Map(c.variants.map((v) => [JSON.stringify([v.shapes.length, v.args]), v]));
  return [...seen.values()].filter(({ shapes }) => shapes.length === c.inputs.length);
}

const place = ({ at }: Figures) => (typeof at === "string" ? at : Number.isNaN(at) ? "" : at.toPrecision(4));

function line(c: Case, variant: Variant): string {
  const [forwards, gradients] = c.inputs.length === 1 ? one(c, variant) : [two(c, variant), undefined];
  const options = variant.args.map((given) =>
    Object.entries(given as Options)
      .map(([key, value]) => `${key}: ${value}`)
      .join(", "),
  );
  const cells = [
    `\`${c.name}\``,
    options.join(", "),
    c.inputs.length > 1 ? "random pairs" : c.name in from ? `x ≥ ${from[c.name]}` : "all",
    forwards.error.toFixed(2),
    place(forwards),
    gradients === undefined ? "–" : gradients.error === 0 ? "0" : gradients.error.toExponential(1),
    gradients === undefined ? "" : place(gradients),
    remarks[c.name] ?? "",
  ];
  console.log(cells.join("  "));
  return `| ${cells.join(" | ")} |`;
}

const rows = cases.filter((c) => c.elementwise).flatMap((c) => calls(c).map((variant) => line(c, variant)));

writeFileSync(
  new URL("../docs/accuracy.md", import.meta.url),
  `# Accuracy

Written by \`npm run accuracy\`. Forward: the largest error in units of the float32 spacing at the true value (ULP; 0.5 is
correct rounding), subnormal and infinite results included. Gradient: the largest relative error against the derivative
in float64, at finite arguments, 0 where every value is correctly rounded; in units of 2^−126 below the normal numbers.
The sweep visits every ${stride}th bit
pattern of float32, both signs, and the limits of every binade with their neighbours; functions of two numbers,
${PAIRS.toLocaleString("en")} random pairs of bit patterns.

Where the derivative of \`gelu\`, \`silu\`, \`mish\` or \`hardswish\` changes its sign, ${MARGIN} to both sides is left out: there it
is a difference of numbers near each other, small in absolute error alone.

| op | options | domain | ULP | at | gradient | at | remark |
|---|---|---|---|---|---|---|---|
${rows.join("\n")}
`,
);
