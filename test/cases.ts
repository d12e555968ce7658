// The op table: one row for each exported op. It drives the forward, gradient, leak and coverage tests.
//
// A new elementwise op is one row, such as
//   softsign: activation({ reference: (x) => x / (1 + Math.abs(x)), domain: [-9, 9], ulp: 1.5 }),
// Derivatives need no formula: they come from differences of the reference.

import type { Tensor } from "../src/index";
import * as nablas from "../src/index";
import { erf, erfc } from "./erf";
import type { Nd, Shape, Tolerance } from "./reference";
import * as ref from "./reference";

/** What one input of an op is made of. */
export interface Input {
  draw: (random: () => number) => number;
  /** Whether `draw` could give such a number: it is in the domain, and at some distance from where the op has a kink. */
  accepts: (x: number) => boolean;
  /** Where the numbers lie, if any number in between will do. */
  interval?: Interval;
  dtype: "f32" | "i32";
  differentiable: boolean;
}

export interface Variant {
  /** One for each tensor. */
  shapes: readonly Shape[];
  /** What follows the tensors in the call, for the op and for its reference: options and the like. */
  args: readonly unknown[];
}

export interface Row {
  inputs: readonly Input[];
  variants: readonly Variant[];
  /** Takes arrays of float64 where the op takes tensors. */
  reference: (...args: never[]) => Nd;
  forward: Tolerance;
  /** Beyond what differences can resolve; null for ops without a gradient. */
  backward: Tolerance | null;
  /** Whether an element of the result depends on the same element of the inputs alone. */
  elementwise: boolean;
  /** Results at ±Infinity where the formula gives NaN but a limit exists. */
  limits: Readonly<Record<string, number>>;
  /** The op as the table calls it, where that is not `op(...tensors, ...args)`. */
  call?: (...args: never[]) => Tensor;
}

export interface Case extends Row {
  name: string;
  /** The op on inputs, with the generator seeded anew. */
  run: (inputs: readonly Tensor[], variant: Variant) => Tensor;
  /** The same without that. */
  apply: (inputs: readonly Tensor[], variant: Variant) => Tensor;
  expected: (inputs: readonly Nd[], variant: Variant) => Nd;
}

/** Seed of the library's generator before every run of a case. Both words of the key count. */
export const SEED = 2 ** 40 + 12_345;

/** Gradients against the float64 truth: design goal of the library. */
const GRADIENT: Tolerance = { rtol: 1e-5 };

const SIZES = [1, 3, 4, 5, 8, 31, 1023];

type Interval = readonly [low: number, high: number];

/** Even numbers of the interval, at some distance from where the op has a kink. */
function between(low: number, high: number, ...kinks: number[]): Input {
  const accepts = (x: number) => x >= low && x <= high && !kinks.some((kink) => Math.abs(x - kink) < 1e-3);
  const draw = (random: () => number): number => {
    const x = Math.fround(low + (high - low) * random());
    return kinks.some((kink) => Math.abs(x - kink) < 1e-3) ? draw(random) : x;
  };
  return { draw, accepts, interval: [low, high], dtype: "f32", differentiable: true };
}

function oneOf(...values: number[]): Input {
  const draw = (random: () => number) => values[Math.floor(random() * values.length)]!;
  return { draw, accepts: (x) => values.includes(x), dtype: "f32", differentiable: false };
}

const signs = oneOf(-1, 1);
const integers = (...values: number[]): Input => ({ ...oneOf(...values), dtype: "i32" });
const classes = integers(0, 1, 2, 3, 4);
const counts = oneOf(0, 1, 2, 3, 9, 40);
const constant = (input: Input): Input => ({ ...input, differentiable: false });

function op(row: Partial<Row> & Pick<Row, "reference" | "variants" | "forward">): Row {
  return { inputs: [between(-2, 2)], backward: GRADIENT, elementwise: false, limits: {}, ...row };
}

/** A variant of these shapes; `with` adds arguments. */
const on = (...shapes: Shape[]) => ({
  shapes,
  args: [],
  with: (...args: unknown[]): Variant => ({ shapes, args }),
});

const BROADCASTS: readonly Variant[] = [
  ...SIZES.map((n) => on([n], [n])),
  on([5], []),
  on([], [2, 3]),
  on([3, 5], [5]),
  on([3, 1], [3, 6]),
  on([2, 1, 5], [3, 1]),
  on([2, 3, 2, 5], [2, 1, 2, 1]),
  on([2, 3]).with(2),
  on([5]).with(-0.5),
];

interface Unary<O> {
  reference: (x: number, options: O) => number;
  domain: Interval;
  ulp: number;
  kinks?: readonly number[];
  limits?: Row["limits"];
  options?: readonly O[];
}

/** A function of one number, without options first. */
function activation<O extends object = object>(row: Unary<O>): Row {
  const { reference, domain, ulp, kinks = [], limits = {}, options = [] } = row;
  const numbers = (x: Nd, given = {} as O) => ref.elementwise((v) => reference(v!, given))(x);
  const given = [[], ...options.map((o) => [o])];
  return op({
    inputs: [between(...domain, ...kinks)],
    variants: given.flatMap((args) => SIZES.map((n) => on([n]).with(...args))),
    reference: numbers,
    forward: { ulp },
    elementwise: true,
    limits,
  });
}

interface Binary {
  reference: (a: number, b: number) => number;
  a: Interval;
  b: Interval;
  ulp: number;
}

/** A function of two numbers that broadcasts. */
function binary({ reference, a, b, ulp }: Binary): Row {
  return op({
    inputs: [between(...a), between(...b)],
    variants: BROADCASTS,
    reference: ref.elementwise(reference as (...values: number[]) => number),
    forward: { ulp },
    elementwise: true,
  });
}

interface Pairwise<O> {
  /** The options `weight` and `posWeight` come last, 1 where there are none, and then all others. */
  reference: (pred: number, target: number, weight: number, posWeight: number, options: O) => number;
  pred: Input;
  target: Input;
  forward: Tolerance;
  backward?: Tolerance;
  options?: readonly (LossOptions & O)[];
}

interface LossOptions {
  reduction?: ref.Reduction | "batchmean";
  weight?: number | readonly number[];
  posWeight?: number | readonly number[];
}

/** A loss of pairs of numbers, with the three reductions. Further options are for columns of three. */
function loss<O extends object = object>(row: Pairwise<O>): Row {
  const { reference, pred, target, forward, backward = GRADIENT, options = [] } = row;
  const sizes = SIZES.map((n) => on([n], [n]).with({ reduction: "none" }));
  const others = [{ reduction: "sum" }, { reduction: "none" }, ...options];
  return op({
    inputs: [pred, target],
    variants: [...sizes, on([7, 3], [7, 3]), ...others.map((given) => on([7, 3], [7, 3]).with(given))],
    reference: (p: Nd, t: Nd, { reduction, weight = 1, posWeight = 1, ...rest }: LossOptions = {}) => {
      const values = ref.elementwise((...v) => reference(v[0]!, v[1]!, v[2]!, v[3]!, rest as O));
      return ref.reduced(values(p, t, ref.nested(weight), ref.nested(posWeight)), reduction);
    },
    forward,
    backward,
  });
}

const clamp = (x: number) => Math.max(x, 1e-7);
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const logistic = (x: number) => 1 / (1 + Math.exp(-x));
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
  return balance * wrong ** gamma * (t * softplus(-x) + (1 - t) * softplus(x));
}
const logSoftmax = (line: number[]) => line.map((x) => x - ref.logSumExp(line));

const lineVariants = [
  ...[1, 2, 4, 7, 33].map((n) => on([3, n])),
  on([6]),
  on([2, 5, 3]).with({ dim: 1 }),
  on([5, 2, 3]).with({ dim: 0 }),
  on([2, 3, 4]).with({ dim: -2 }),
];

const reductionVariants = [
  on([]),
  on([7]),
  on([3, 37]),
  on([3, 37]).with({ dim: 1 }),
  on([37, 3]).with({ dim: 0 }),
  on([2, 35, 6]).with({ dim: 1, keepdim: true }),
  on([3, 4, 5]).with({ dim: [0, 1] }),
  on([3, 4, 5]).with({ dim: [0, -1] }),
  on([2, 3, 4, 5]).with({ dim: [1, 3], keepdim: true }),
  on([3, 4]).with({ dim: [], keepdim: true }),
];

const weight = [0.5, 1, 2, 0.25, 1.5];
const classVariants = [
  on([6, 5], [6]),
  on([6, 5], [6]).with({ reduction: "sum", ignoreIndex: 2 }),
  on([6, 5], [6]).with({ reduction: "none", weight }),
  on([6, 5], [6]).with({ weight, ignoreIndex: 0 }),
  on([5], []),
  on([3, 5, 4], [3, 4]).with({ reduction: "none", weight }),
  on([2, 5, 3, 2], [2, 3, 2]).with({ ignoreIndex: 1 }),
];

const marginVariants = [
  on([6, 5], [6]),
  on([6, 5], [6]).with({ reduction: "sum", margin: 0.5 }),
  on([6, 5], [6]).with({ reduction: "none", weight }),
  on([5], []),
  on([3, 5, 4], [3, 4]).with({ weight, margin: 2 }),
];

// Row ops round x − m once: 2^−24 · |x − m| becomes a relative error of e^(x − m), 1.2e-6 where a row spans 20.
const lines: Tolerance = { rtol: 2e-6 };
// Up to 32 numbers are added in float32 before float64 takes over: 32 roundings of at most 64 · 2^−24.
const sums: Tolerance = { rtol: 1e-6, atol: 2e-5 };
// K ≤ 70 float32 additions of products below 4.
const products: Tolerance = { rtol: 1e-6, atol: 3e-5 };
// A difference of numbers below 1 that each carry some roundings.
const difference: Tolerance = { rtol: 1e-5, atol: 1e-6 };

interface NormOptions {
  training?: boolean;
  eps?: number;
}

/** Numbers about 3, so that the mean does not vanish. */
const offset = between(1, 5);
const positive = between(0.5, 2);
const affine = [between(0.5, 2), between(-2, 2)];

const gradientsOfNorms: Tolerance = { rtol: 1e-6, atol: 1e-7 };

type Slopes = { lower?: number; upper?: number; training?: boolean };

export const table: Record<string, Row> = {
  identity: activation({ reference: (x) => x, domain: [-9, 9], ulp: 0 }),
  sigmoid: activation({ reference: (x) => 1 / (1 + Math.exp(-x)), domain: [-30, 30], ulp: 2.5 }),
  tanh: activation({ reference: Math.tanh, domain: [-9, 9], ulp: 2.5 }),
  relu: activation({ reference: (x) => Math.max(x, 0), domain: [-9, 9], ulp: 0, kinks: [0] }),
  // The slope is rounded to float32, then the product.
  leakyRelu: activation<{ negativeSlope?: number }>({
    reference: (x, { negativeSlope = 0.01 }) => (x > 0 ? x : negativeSlope * x),
    options: [{ negativeSlope: 0.3 }, { negativeSlope: -0.5 }],
    domain: [-9, 9],
    ulp: 1.5,
    kinks: [0],
  }),
  elu: activation<{ alpha?: number }>({
    reference: (x, { alpha = 1 }) => (x > 0 ? x : alpha * Math.expm1(x)),
    options: [{ alpha: 0.5 }],
    domain: [-20, 9],
    ulp: 2.5,
    kinks: [0],
  }),
  softplus: activation<{ beta?: number; threshold?: number }>({
    reference: (x, { beta = 1, threshold = 20 }) => (beta * x > threshold ? x : softplus(beta * x) / beta),
    options: [{ beta: 2, threshold: 5 }],
    domain: [-30, 30],
    ulp: 2.5,
    kinks: [2.5, 20],
  }),
  celu: activation<{ alpha?: number }>({
    reference: (x, { alpha = 1 }) => (x > 0 ? x : alpha * Math.expm1(x / alpha)),
    options: [{ alpha: 0.7 }, { alpha: -2 }],
    domain: [-20, 9],
    ulp: 3,
    kinks: [0],
  }),
  selu: activation({
    reference: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
    domain: [-20, 9],
    ulp: 3,
    kinks: [0],
  }),
  gelu: activation<{ approximate?: "none" | "tanh" }>({
    reference: (x, { approximate = "none" }) =>
      approximate === "none"
        ? (x / 2) * erfc(-x / Math.SQRT2)
        : x * logistic(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)),
    options: [{ approximate: "tanh" }],
    domain: [-13, 9],
    ulp: 4,
    limits: { "-Infinity": -0 },
  }),
  silu: activation({
    reference: (x) => x * logistic(x),
    domain: [-90, 30],
    ulp: 4,
    limits: { "-Infinity": -0 },
  }),
  mish: activation({
    reference: (x) => x * Math.tanh(softplus(x)),
    domain: [-90, 30],
    ulp: 4,
    limits: { "-Infinity": -0 },
  }),
  logSigmoid: activation({ reference: (x) => -softplus(-x), domain: [-30, 30], ulp: 2.5 }),
  softsign: activation({
    reference: (x) => x / (1 + Math.abs(x)),
    domain: [-9, 9],
    ulp: 1.5,
    limits: { Infinity: 1, "-Infinity": -1 },
  }),
  hardtanh: activation<{ minVal?: number; maxVal?: number }>({
    reference: (x, { minVal = -1, maxVal = 1 }) => Math.min(Math.max(x, minVal), maxVal),
    options: [{ minVal: -2.5, maxVal: 0.5 }, { maxVal: Infinity }],
    domain: [-3, 3],
    ulp: 0,
    kinks: [-2.5, -1, 0.5, 1],
  }),
  relu6: activation({
    reference: (x) => Math.min(Math.max(x, 0), 6),
    domain: [-9, 9],
    ulp: 0,
    kinks: [0, 6],
  }),
  hardsigmoid: activation({
    reference: (x) => Math.min(Math.max(x + 3, 0), 6) / 6,
    domain: [-5, 5],
    ulp: 1.5,
    kinks: [-3, 3],
  }),
  hardswish: activation({
    reference: (x) => x * (Math.min(Math.max(x + 3, 0), 6) / 6),
    domain: [-5, 5],
    ulp: 2,
    kinks: [-3, 3],
    limits: { "-Infinity": -0 },
  }),
  neg: activation({ reference: (x) => -x, domain: [-9, 9], ulp: 0 }),
  exp: activation({ reference: Math.exp, domain: [-20, 20], ulp: 1.5 }),
  log: activation({ reference: Math.log, domain: [0.01, 100], ulp: 1 }),
  erf: activation({ reference: erf, domain: [-5, 5], ulp: 2.5 }),
  sqrt: activation({ reference: Math.sqrt, domain: [0.01, 100], ulp: 0.5 }),
  square: activation({ reference: (x) => x * x, domain: [-9, 9], ulp: 0.5 }),
  abs: activation({ reference: Math.abs, domain: [-9, 9], ulp: 0, kinks: [0] }),

  clip: op({
    inputs: [between(-3, 3, -1, 0.5, 2)],
    variants: [{ min: -1, max: 2 }, { min: 0.5 }, { max: 0.5 }].flatMap((bounds) =>
      SIZES.map((n) => on([n]).with(bounds)),
    ),
    reference: (x: Nd, { min = -Infinity, max = Infinity }: nablas.ClipOptions) =>
      ref.elementwise((v) => Math.min(Math.max(v!, min), max))(x),
    forward: { ulp: 0 },
    elementwise: true,
  }),

  add: binary({ reference: (a, b) => a + b, a: [-9, 9], b: [-9, 9], ulp: 0.5 }),
  sub: binary({ reference: (a, b) => a - b, a: [-9, 9], b: [-9, 9], ulp: 0.5 }),
  mul: binary({ reference: (a, b) => a * b, a: [-9, 9], b: [-9, 9], ulp: 0.5 }),
  div: binary({ reference: (a, b) => a / b, a: [-9, 9], b: [0.1, 9], ulp: 0.5 }),
  pow: binary({ reference: Math.pow, a: [0.1, 4], b: [-3, 3], ulp: 1 }),

  maximum: binary({ reference: Math.max, a: [-9, 9], b: [-9, 9], ulp: 0 }),
  minimum: binary({ reference: Math.min, a: [-9, 9], b: [-9, 9], ulp: 0 }),

  prelu: op({
    inputs: [between(-9, 9, 0), between(0.1, 0.5)],
    variants: [on([7], [1]), on([7], []), on([7], [7]), on([4, 3], [3]), on([2, 3, 5], [3])],
    reference: (x: Nd, slope: Nd) => {
      const channel = (index: number[]) =>
        slope.data.length === 1 ? [0] : [index[x.shape.length > 1 ? 1 : 0]!];
      return ref.build(x.shape, (index) => {
        const [v, s] = [ref.at(x, index), ref.at(slope, channel(index))];
        return v > 0 ? v : s * v;
      });
    },
    forward: { ulp: 0.5 },
  }),
  // The slopes in training are the generator's: lower + (upper − lower) · u, three roundings.
  rrelu: op({
    inputs: [between(-9, 9, 0)],
    variants: SIZES.flatMap((n) => [
      on([n]),
      on([n]).with({ training: true }),
      on([n]).with({ lower: 0.5, upper: 2, training: true }),
    ]),
    reference: (x: Nd, { lower = 1 / 8, upper = 1 / 3, training = false }: Slopes = {}) => {
      const u = training ? ref.uniforms(SEED, x.data.length) : x.data.map(() => 0.5);
      return ref.nd(
        x.shape,
        x.data.map((v, i) => (v > 0 ? v : (lower + (upper - lower) * u[i]!) * v)),
      );
    },
    forward: { ulp: 4 },
  }),
  maxout: op({
    variants: [on([6]).with({ k: 3 }), on([5, 8]).with({ k: 2 }), on([2, 3, 5]).with({ k: 1 })],
    reference: (x: Nd, { k }: { k: number }) =>
      ref.reduction((v) => Math.max(...v))(ref.reshape(x, [...x.shape.slice(0, -1), -1, k]), { dim: -1 }),
    forward: { ulp: 0 },
  }),
  hardmax: op({
    variants: lineVariants,
    reference: ref.along((line) => line.map((_, i) => Number(i === ref.firstMaximum(line)))),
    forward: { ulp: 0 },
    backward: null,
  }),
  // Formed in float64 and rounded once.
  batchNorm: op({
    inputs: [offset, ...affine],
    variants: [
      on([6, 1]),
      on([2, 4]),
      on([6, 5], [5], [5]),
      on([7, 4], [4], [4]).with({ eps: 0.1 }),
      on([2, 3, 5], [3], [3]),
      on([4, 2, 1], [2], [2]),
      on([1, 3, 4]),
      on([2, 3, 2, 4], [3], [3]),
    ],
    call: (...args: (Tensor | NormOptions | undefined)[]) => {
      const [x, weight = null, bias = null] = args.filter((arg) => arg instanceof nablas.Tensor);
      const options = args.find((arg) => !(arg instanceof nablas.Tensor)) as NormOptions | undefined;
      return nablas.batchNorm(x!, { weight, bias, training: true, ...options });
    },
    reference: (...args: (Nd | NormOptions)[]) => {
      const [x, weight, bias] = args.filter((arg): arg is Nd => "shape" in arg);
      const { eps } = (args.find((arg) => !("shape" in arg)) as NormOptions | undefined) ?? {};
      return ref.batchNorm(x!, weight, bias, undefined, eps);
    },
    forward: { ulp: 0.51 },
    backward: gradientsOfNorms,
  }),
  layerNorm: op({
    inputs: [offset, ...affine],
    variants: [
      on([8], [8], [8]).with({ normalizedShape: 8 }),
      on([3, 7], [7], [7]).with({ normalizedShape: [7], eps: 0.1 }),
      on([5, 2]).with({ normalizedShape: 2 }),
      on([2, 3, 5], [3, 5], [3, 5]).with({ normalizedShape: [3, 5] }),
      on([2, 3, 4]).with({ normalizedShape: [2, 3, 4] }),
    ],
    call: (...args: (Tensor | nablas.LayerNormOptions)[]) => {
      const [x, weight = null, bias = null] = args.filter((arg) => arg instanceof nablas.Tensor);
      return nablas.layerNorm(x!, { weight, bias, ...(args.at(-1) as nablas.LayerNormOptions) });
    },
    reference: (...args: (Nd | nablas.LayerNormOptions)[]) => {
      const [x, weight, bias] = args.filter((arg): arg is Nd => "shape" in arg);
      const { normalizedShape, eps } = args.at(-1) as nablas.LayerNormOptions;
      return ref.layerNorm(x!, [normalizedShape].flat() as number[], weight, bias, eps);
    },
    forward: { ulp: 0.51 },
    backward: gradientsOfNorms,
  }),
  softmax: op({
    inputs: [between(-10, 10)],
    variants: lineVariants,
    reference: ref.along((line) => logSoftmax(line).map(Math.exp)),
    forward: lines,
    backward: difference,
  }),
  logSoftmax: op({
    inputs: [between(-10, 10)],
    variants: lineVariants,
    reference: ref.along(logSoftmax),
    forward: lines,
    backward: difference,
  }),
  // m + log(…) cancels where the result is near 0.
  logSumExp: op({
    variants: reductionVariants,
    reference: ref.reduction(ref.logSumExp),
    forward: { rtol: 1e-6, atol: 5e-7 },
  }),

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
    reference: ref.reduction((values) => values.indexOf(Math.min(...values))),
    forward: { ulp: 0 },
    backward: null,
  }),

  matmul: op({
    inputs: [between(-2, 2), between(-2, 2)],
    variants: [
      on([4], [4]),
      on([3], [3, 5]),
      on([5, 3], [3]),
      on([1, 9], [9, 1]),
      on([7, 5], [5, 9]),
      on([2, 70], [70, 3]),
      on([5, 7], [5, 9]).with({ transposeA: true }),
      on([7, 5], [9, 5]).with({ transposeB: true }),
      on([5, 7], [9, 5]).with({ transposeA: true, transposeB: true }),
      on([2, 3, 4], [4, 5]),
      on([2, 4, 3], [4, 5]).with({ transposeA: true }),
      on([3, 4], [2, 4, 5]),
      on([2, 1, 3, 4], [3, 4, 2]),
      on([2, 3, 4], [4]),
      on([4], [2, 4, 3]),
    ],
    reference: ref.matmul,
    forward: products,
    backward: { rtol: 1e-5, atol: 1e-5 },
  }),
  linear: op({
    inputs: [between(-2, 2), between(-2, 2), between(-2, 2)],
    variants: [
      on([5], [3, 5], [3]),
      on([4, 5], [3, 5]),
      on([4, 5], [3, 5], [3]),
      on([2, 3, 7], [6, 7], [6]),
      on([9, 40], [11, 40], [11]),
      on([1, 3], [1, 3], [1]),
      on([2, 3, 7], [6, 7], [6]).with({ activation: "relu" }),
      on([5], [3, 5], [3]).with({ activation: "relu" }),
      on([4, 5], [3, 5], [3]).with({ activation: "sigmoid" }),
      on([4, 5], [8, 5], [8]).with({ activation: "tanh" }),
      ...(["relu", "sigmoid", "tanh"] as const).map((activation) =>
        on([4, 5], [3, 5]).with(undefined, { activation }),
      ),
    ],
    reference: ref.linear,
    forward: products,
    backward: { rtol: 1e-5, atol: 1e-5 },
  }),

  reshape: op({
    variants: [on([2, 6]).with([3, 4]), on([2, 6]).with([-1, 3]), on([1]).with([]), on([5]).with([1, 5, 1])],
    reference: ref.reshape,
    forward: { ulp: 0 },
  }),
  transpose: op({
    variants: [
      on([3, 5]),
      on([2, 3, 4]),
      on([2, 3, 5]).with(0, 1),
      on([2, 3, 4, 5]).with(0, 2),
      on([4, 3]).with(1, 1),
      on([3, 2, 5]).with(2, 0),
    ],
    reference: ref.transpose,
    forward: { ulp: 0 },
  }),
  slice: op({
    variants: [
      on([9]).with(2),
      on([9]).with(-7, -1, { step: 3 }),
      on([4, 5]).with(1, 3),
      on([3, 7, 2]).with(1, 6, { dim: 1, step: 2 }),
      on([3, 7]).with(0, undefined, { dim: -1, step: 7 }),
    ],
    reference: ref.slice,
    forward: { ulp: 0 },
  }),
  concat: op({
    inputs: [between(-2, 2), between(-2, 2), between(-2, 2)],
    variants: [
      on([3], [5], [1]).with({}),
      on([2, 3], [2, 3], [4, 3]).with({}),
      on([2, 3], [2, 1], [2, 4]).with({ dim: 1 }),
      on([2, 3, 2], [2, 1, 2], [2, 5, 2]).with({ dim: -2 }),
    ],
    call: (a: Tensor, b: Tensor, c: Tensor, options: { dim?: number }) => nablas.concat([a, b, c], options),
    reference: (a: Nd, b: Nd, c: Nd, options: { dim?: number }) => ref.concat([a, b, c], options),
    forward: { ulp: 0 },
  }),
  stack: op({
    inputs: [between(-2, 2), between(-2, 2), between(-2, 2)],
    variants: [
      on([], [], []).with({}),
      on([5], [5], [5]).with({}),
      on([2, 3], [2, 3], [2, 3]).with({ dim: 1 }),
      on([2, 3], [2, 3], [2, 3]).with({ dim: -1 }),
    ],
    call: (a: Tensor, b: Tensor, c: Tensor, options: { dim?: number }) => nablas.stack([a, b, c], options),
    reference: (a: Nd, b: Nd, c: Nd, options: { dim?: number }) => ref.stack([a, b, c], options),
    forward: { ulp: 0 },
  }),
  gather: op({
    inputs: [between(-2, 2), integers(0, 1, 2)],
    variants: [
      on([3], [7]),
      on([4, 5], [4, 5]),
      on([4, 5], [4, 5]).with({ dim: 1 }),
      on([3, 4, 5], [3, 6, 5]).with({ dim: 1 }),
      on([4, 3], [2, 2]).with({ dim: -1 }),
      on([5, 4, 3], [2, 2, 2]),
    ],
    reference: ref.gather,
    forward: { ulp: 0 },
  }),
  embedding: op({
    inputs: [classes, between(-2, 2)],
    variants: [on([], [5, 3]), on([7], [5, 1]), on([7], [5, 4]), on([2, 6], [5, 7])],
    reference: ref.embedding,
    forward: { ulp: 0 },
  }),
  oneHot: op({
    inputs: [classes],
    variants: [on([9]), on([]).with({ numClasses: 5 }), on([2, 3]).with({ numClasses: 7 })],
    reference: ref.oneHot,
    forward: { ulp: 0 },
    backward: null,
  }),
  clone: op({ variants: [on([]), on([31])], reference: (x: Nd) => x, forward: { ulp: 0 } }),
  detach: op({
    variants: [on([]), on([31])],
    reference: (x: Nd) => x,
    forward: { ulp: 0 },
    backward: null,
  }),

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
  multiMarginLoss: op({
    inputs: [between(-2, 2), classes],
    variants: [
      ...marginVariants,
      ...marginVariants.map(({ shapes, args }) => on(...shapes).with({ ...(args[0] as object), p: 2 })),
    ],
    reference: ref.multiMargin,
    forward: { rtol: 1e-6 },
    backward: difference,
  }),
  categoricalHingeLoss: op({
    inputs: [between(-2, 2), oneOf(0, 1)],
    variants: [
      on([6, 5], [6, 5]),
      on([6, 5], [6, 5]).with({ reduction: "sum" }),
      on([2, 3, 4], [2, 3, 4]).with({ reduction: "none" }),
      on([5], [5]),
    ],
    reference: ref.categoricalHinge,
    forward: { rtol: 1e-6, atol: 1e-6 },
  }),
  // 1 − cos and its gradient are formed in float64.
  cosineEmbeddingLoss: op({
    inputs: [between(-2, 2), between(-2, 2), signs],
    variants: [
      on([6, 5], [6, 5], [6]),
      on([6, 8], [6, 8], [6]).with({ reduction: "sum" }),
      on([6, 31], [6, 31], [6]).with({ reduction: "none", margin: 0.25 }),
      on([2, 3, 4], [2, 3, 4], [2, 3]).with({ margin: -0.5 }),
      on([7], [7], []),
    ],
    reference: ref.cosineEmbedding,
    forward: { rtol: 1e-6 },
    backward: difference,
  }),
  bceLoss: loss({
    reference: (p, t, w) => -w * (t * Math.log(p) + (1 - t) * Math.log1p(-p)),
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
      logTarget ? Math.exp(t) * (t - p) : t === 0 ? 0 : t * (Math.log(t) - p),
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
  crossEntropyLoss: op({
    inputs: [between(-10, 10), classes],
    variants: [
      ...classVariants,
      on([6, 5], [6]).with({ labelSmoothing: 0.1 }),
      on([6, 5], [6]).with({ labelSmoothing: 0.2, weight, ignoreIndex: 3 }),
      on([2, 5, 3], [2, 3]).with({ labelSmoothing: 0.2, weight, reduction: "none" }),
    ],
    reference: ref.crossEntropy(logSoftmax),
    forward: lines,
    backward: difference,
  }),
  nllLoss: op({
    inputs: [between(-10, 0), classes],
    variants: classVariants,
    reference: ref.crossEntropy((line) => line),
    forward: { rtol: 1e-6 },
  }),
  customLoss: op({
    inputs: [between(-2, 2), constant(between(-2, 2))],
    variants: [on([7, 3], [7, 3]), on([5], [5]).with({ reduction: "none" })],
    call: nablas.customLoss({
      forward: (p, t) => nablas.square(nablas.sub(p, t)),
      backward: (p, t) => nablas.mul(nablas.sub(p, t), 2),
    }),
    reference: (p: Nd, t: Nd, { reduction }: LossOptions = {}) =>
      ref.reduced(ref.elementwise((a, b) => (a! - b!) ** 2)(p, t), reduction),
    forward: { rtol: 1e-6 },
  }),

  // Kept is what the generator's number reaches p for. Two roundings: of 1 / (1 − p), then of the product.
  dropout: op({
    variants: [{}, { p: 0.2 }, { p: 0 }, { p: 1 }, { training: false }].flatMap((options) =>
      SIZES.map((n) => on([n]).with(options)),
    ),
    reference: (x: Nd, { p = 0.5, training = true }: nablas.DropoutOptions) => {
      const u = ref.uniforms(SEED, x.data.length);
      const factor = (i: number) => (training ? (u[i]! < Math.fround(p) ? 0 : 1 / (1 - p)) : 1);
      return ref.nd(
        x.shape,
        x.data.map((v, i) => factor(i) * v),
      );
    },
    forward: { ulp: 1.5 },
  }),

  rand: op({
    inputs: [],
    variants: [on().with([7]), on().with([3, 41])],
    reference: (shape: Shape) => ref.nd(shape, ref.uniforms(SEED, ref.sizeOf(shape))),
    forward: { ulp: 0 },
    backward: null,
  }),
  // sin 2πv is a polynomial with an absolute error below 6e-8, times a radius below 6.
  randn: op({
    inputs: [],
    variants: [on().with([7]), on().with([3, 41])],
    reference: (shape: Shape) => ref.nd(shape, ref.normals(SEED, ref.sizeOf(shape))),
    forward: { rtol: 2e-6, atol: 1e-6 },
    backward: null,
  }),
};

/** Further rows for an op that takes inputs of another kind, and what they show. */
export const more: Record<string, Record<string, Row>> = {
  crossEntropyLoss: {
    "with distributions": op({
      inputs: [between(-10, 10), between(0, 1)],
      variants: [
        on([6, 5], [6, 5]),
        on([6, 5], [6, 5]).with({ reduction: "none", weight }),
        on([6, 5], [6, 5]).with({ labelSmoothing: 0.2, weight, reduction: "sum" }),
        on([5], [5]),
        on([2, 5, 3], [2, 5, 3]).with({ reduction: "none" }),
      ],
      reference: ref.crossEntropy(logSoftmax),
      forward: lines,
      backward: difference,
    }),
    "with constant distributions": op({
      inputs: [between(-10, 10), constant(between(0, 1))],
      variants: [on([6, 5], [6, 5]), on([2, 5, 3], [2, 5, 3]).with({ labelSmoothing: 0.2, weight })],
      reference: ref.crossEntropy(logSoftmax),
      forward: lines,
      backward: difference,
    }),
  },
  batchNorm: {
    "in evaluation": op({
      inputs: [offset, ...affine, constant(offset), constant(positive)],
      variants: [
        on([6, 5], [5], [5], [5], [5]),
        on([2, 3, 5], [3], [3], [3], [3]).with({ eps: 0.1 }),
        on([2, 2, 3, 1, 2], [2], [2], [2], [2]),
      ],
      call: (
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        variance: Tensor,
        options?: NormOptions,
      ) => nablas.batchNorm(x, { weight, bias, runningMean: mean, runningVar: variance, ...options }),
      reference: (x: Nd, weight: Nd, bias: Nd, mean: Nd, variance: Nd, options?: NormOptions) =>
        ref.batchNorm(x, weight, bias, { mean, variance }, options?.eps),
      forward: { ulp: 0.51 },
      backward: gradientsOfNorms,
    }),
  },
  customLoss: {
    "of rows, differentiated by autograd": op({
      inputs: [between(-2, 2), between(-2, 2)],
      variants: [on([7, 3], [7, 3]), on([5, 3], [5, 3]).with({ reduction: "none" })],
      call: nablas.customLoss({
        forward: (p, t) => nablas.sum(nablas.square(nablas.sub(p, t)), { dim: 1 }),
      }),
      reference: (p: Nd, t: Nd, { reduction }: LossOptions = {}) => {
        const squares = ref.elementwise((a, b) => (a! - b!) ** 2)(p, t);
        return ref.reduced(ref.reduction(ref.total)(squares, { dim: 1 }), reduction);
      },
      forward: { rtol: 1e-6 },
    }),
  },
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
  logCoshLoss: {
    "near zero": loss({
      reference: (p, t) => Math.log1p(2 * Math.sinh((p - t) / 2) ** 2),
      pred: between(-1e-6, 1e-6),
      target: between(-1e-6, 1e-6),
      forward: { rtol: 1e-6 },
    }),
  },
  cosineEmbeddingLoss: {
    "of rows nearly parallel": op({
      inputs: [between(1, 1.001), between(1, 1.001), oneOf(1)],
      variants: [on([4, 9], [4, 9], [4]).with({ reduction: "none" })],
      reference: ref.cosineEmbedding,
      forward: { rtol: 1e-6 },
      backward: { rtol: 1e-5 },
    }),
  },
  nllLoss: {
    "with every row ignored": op({
      inputs: [between(-10, 0), integers(-100)],
      variants: [on([3, 5], [3])],
      reference: ref.crossEntropy((line) => line),
      forward: { ulp: 0 },
    }),
  },
};

type Call<T> = (...args: unknown[]) => T;

function named(name: string, row: Row, fn: unknown): Case {
  const apply: Case["apply"] = (inputs, { args }) => ((row.call ?? fn) as Call<Tensor>)(...inputs, ...args);
  return {
    ...row,
    name,
    apply,
    run: (inputs, variant) => {
      nablas.manualSeed(SEED);
      return apply(inputs, variant);
    },
    expected: (inputs, { args }) => (row.reference as Call<Nd>)(...inputs, ...args),
  };
}

const exported: Readonly<Record<string, unknown>> = nablas;

export const cases: Case[] = Object.entries(table).flatMap(([name, row]) => {
  const fn = exported[name];
  const others = Object.entries(more[name] ?? {});
  return [named(name, row, fn), ...others.map(([what, other]) => named(`${name} ${what}`, other, fn))];
});

/** "[2, 5] [5] {"dim":1}": what a variant is, for the names of tests. */
export function title({ shapes, args }: Variant): string {
  return [...shapes, ...args].map((part) => JSON.stringify(part) ?? "-").join(" ") || "[]";
}

/** A generator of numbers in [0, 1) for the data of tests: mulberry32 by Tommy Ettinger. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The data of a variant, the same in every run. */
export function draw({ inputs }: Row, { shapes }: Variant): Nd[] {
  const random = numbers(ref.sizeOf(shapes.flat()) + shapes.length);
  return shapes.map((shape, i) => ref.build(shape, () => inputs[i]!.draw(random)));
}

export interface TensorsOptions {
  requiresGrad?: boolean;
}

/** Tensors of that data; those that can have a gradient require one if asked. */
export function tensors({ inputs }: Row, data: readonly Nd[], options?: TensorsOptions): Tensor[] {
  return data.map(({ shape, data: values }, i) =>
    nablas.tensor(values, {
      shape,
      dtype: inputs[i]!.dtype,
      requiresGrad: (options?.requiresGrad ?? false) && inputs[i]!.differentiable,
    }),
  );
}

/** Values that elementwise ops must get right wherever the formula does. */
export const SPECIALS = [0, -0, Infinity, -Infinity, NaN, 1e-45, -1e-45, 3e38, -3e38].map(Math.fround);
