// What rows of the op table are made of: inputs, variants, and the forms that many rows share.

import type { Tensor } from "../../src/index";
import type { Nd, Shape, Tolerance } from "../reference";
import * as ref from "../reference";

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

/** Seed of the library's generator before every run of a case. Both words of the key count. */
export const SEED = 2 ** 40 + 12_345;

/** Gradients against the float64 truth: design goal of the library. */
const GRADIENT: Tolerance = { rtol: 1e-5 };

export const SIZES = [1, 3, 4, 5, 8, 31, 1023];

type Interval = readonly [low: number, high: number];

/** Even numbers of the interval, at some distance from where the op has a kink. */
export function between(low: number, high: number, ...kinks: number[]): Input {
  const accepts = (x: number) => x >= low && x <= high && !kinks.some((kink) => Math.abs(x - kink) < 1e-3);
  const draw = (random: () => number): number => {
    const x = Math.fround(low + (high - low) * random());
    return kinks.some((kink) => Math.abs(x - kink) < 1e-3) ? draw(random) : x;
  };
  return { draw, accepts, interval: [low, high], dtype: "f32", differentiable: true };
}

export function oneOf(...values: number[]): Input {
  const draw = (random: () => number) => values[Math.floor(random() * values.length)]!;
  return { draw, accepts: (x) => values.includes(x), dtype: "f32", differentiable: false };
}

export const signs = oneOf(-1, 1);

export const integers = (...values: number[]): Input => ({ ...oneOf(...values), dtype: "i32" });

export const classes = integers(0, 1, 2, 3, 4);

export const constant = (input: Input): Input => ({ ...input, differentiable: false });

export function op(row: Partial<Row> & Pick<Row, "reference" | "variants" | "forward">): Row {
  return { inputs: [between(-2, 2)], backward: GRADIENT, elementwise: false, limits: {}, ...row };
}

/** A variant of these shapes; `with` adds arguments. */
export const on = (...shapes: Shape[]) => ({
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
export function activation<O extends object = object>(row: Unary<O>): Row {
  const { reference, domain, ulp, kinks = [], limits = {}, options = [] } = row;
  const numbers = (x: Nd, given = {} as O) => {
    const rounded = float32(given);
    return ref.elementwise((v) => reference(v!, rounded))(x);
  };
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

/** Options as a kernel has them. */
function float32<O extends object>(options: O): O {
  const rounded = Object.entries(options).map(([k, v]) => [k, typeof v === "number" ? Math.fround(v) : v]);
  return Object.fromEntries(rounded) as O;
}

interface Binary {
  reference: (a: number, b: number) => number;
  a: Interval;
  b: Interval;
  ulp: number;
}

/** A function of two numbers that broadcasts. */
export function binary({ reference, a, b, ulp }: Binary): Row {
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

export interface LossOptions {
  reduction?: ref.Reduction | "batchmean";
  weight?: number | readonly number[];
  posWeight?: number | readonly number[];
}

/** A loss of pairs of numbers, with the three reductions. Further options are for columns of three. */
export function loss<O extends object = object>(row: Pairwise<O>): Row {
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

export const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export const logistic = (x: number) => 1 / (1 + Math.exp(-x));

export const lineVariants = [
  ...[1, 2, 4, 7, 33].map((n) => on([3, n])),
  on([6]),
  on([2, 5, 3]).with({ dim: 1 }),
  on([5, 2, 3]).with({ dim: 0 }),
  on([2, 3, 4]).with({ dim: -2 }),
];

export const reductionVariants = [
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

export const weight = [0.5, 1, 2, 0.25, 1.5];

// Row ops round x − m once: 2^−24 · |x − m| becomes a relative error of e^(x − m), 1.2e-6 where a row spans 20.
export const lines: Tolerance = { rtol: 2e-6 };

// A difference of numbers below 1 that each carry some roundings.
export const difference: Tolerance = { rtol: 1e-5, atol: 1e-6 };

/** Numbers about 3, so that the mean does not vanish. */
export const offset = between(1, 5);

/** Rows by the name of their op. */
export type Rows = Readonly<Record<string, Row>>;
