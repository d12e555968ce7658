// Values, slopes and saturation of the activations, all by ops of the library and their backward passes.
import {
  celu,
  elu,
  erf,
  gelu,
  hardmax,
  hardsigmoid,
  hardswish,
  hardtanh,
  identity,
  leakyRelu,
  linear,
  logSigmoid,
  logSoftmax,
  maxout,
  mish,
  ones,
  prelu,
  relu,
  relu6,
  reshape,
  rrelu,
  scope,
  selu,
  sigmoid,
  silu,
  slice,
  softmax,
  softplus,
  softsign,
  stack,
  type Tensor,
  tanh,
  tensor,
} from "nablas";
import type { Activation, Options } from "../panels/activations/kinds";

/** f and f′ over some x; hardmax has no f′. */
export interface Curve {
  readonly f: Float32Array;
  readonly slope: Float32Array | null;
}

/** From … to. */
export type Interval = readonly [from: number, to: number];

/** Where |f′| is at most a share of its largest. */
export interface Saturation {
  /** The largest |f′|. */
  readonly largest: number;
  readonly intervals: readonly Interval[];
  /** The probability of these intervals for standard normal x. */
  readonly share: number;
}

/** The curve, with others that belong to it: other outputs of a softmax, the pieces of maxout. */
export interface Curves extends Curve {
  readonly companions: readonly Curve[];
  /** Where f′ is drawn at random, there is none. */
  readonly saturation: Saturation | null;
}

/** f and f′ at one x; `x` is what float32 makes of the number asked for. */
export interface Point {
  readonly x: number;
  readonly f: number;
  readonly slope: number | null;
  /** ∂f/∂a of prelu's slope a. */
  readonly dSlope?: number;
}

/** As in `diagnose`, which calls a unit saturated there. */
const FLAT = 0.04;
/** Where saturation is looked for, in steps of 1/50: what is flat at an end counts as flat beyond. */
const FAR = 32;

/** Those without options. */
const PLAIN = {
  identity,
  sigmoid,
  tanh,
  softsign,
  hardsigmoid,
  relu,
  relu6,
  selu,
  silu,
  mish,
  hardswish,
  logSigmoid,
};

function column(y: Tensor, i: number): Tensor {
  return reshape(slice(y, i, i + 1, { dim: 1 }), [-1]);
}

/** Columns of `op` of rows (x, z2, z3). */
function ofLogits(op: (z: Tensor) => Tensor, x: Tensor, { z2, z3 }: Options): Tensor[] {
  const others = [z2, z3].map((z) => tensor(new Float32Array(x.size).fill(z)));
  const y = op(stack([x, ...others], { dim: 1 }));
  return [0, 1, 2].map((i) => column(y, i));
}

/** The largest of k lines, tangents of x² / 8 at places from −4 to 4, and the lines. */
function ofPieces(x: Tensor, { k }: Options): Tensor[] {
  const places = Array.from({ length: k }, (_, i) => -4 + (8 * i) / (k - 1));
  const weight = tensor(places.map((t) => [t / 4]));
  const bias = tensor(places.map((t) => -(t * t) / 8));
  const pieces = linear(reshape(x, [-1, 1]), weight, bias);
  return [reshape(maxout(pieces, { k }), [-1]), ...places.map((_, i) => column(pieces, i))];
}

/** The activation of x [n], and what belongs to it, each [n]. */
function outputs(name: Activation, x: Tensor, options: Options): Tensor[] {
  const { negativeSlope, slope, lower, upper, training } = options;
  const { alpha, beta, threshold, approximate, minVal, maxVal } = options;
  switch (name) {
    case "leakyRelu":
      return [leakyRelu(x, { negativeSlope })];
    case "prelu":
      return [prelu(x, tensor(slope))];
    case "rrelu":
      return [rrelu(x, { lower, upper, training })];
    case "elu":
      return [elu(x, { alpha })];
    case "celu":
      return [celu(x, { alpha })];
    case "softplus":
      return [softplus(x, { beta, threshold })];
    case "gelu":
      return [gelu(x, { approximate })];
    case "hardtanh":
      return [hardtanh(x, { minVal, maxVal })];
    case "softmax":
      return ofLogits(softmax, x, options);
    case "logSoftmax":
      return ofLogits(logSoftmax, x, options);
    case "hardmax":
      return ofLogits(hardmax, x, options);
    case "maxout":
      return ofPieces(x, options);
    default:
      return [PLAIN[name](x)];
  }
}

/** Output i of the activation and its derivative, which backward() brings to x from ones. */
function curve(name: Activation, options: Options, xs: Float32Array, i = 0): Curve {
  return scope(() => {
    const x = tensor(xs, { requiresGrad: true });
    const y = outputs(name, x, options)[i]!;
    const f = y.data.slice() as Float32Array;
    if (!y.requiresGrad) return { f, slope: null };
    y.backward({ gradient: ones([xs.length]) });
    return { f, slope: x.grad!.data.slice() as Float32Array };
  });
}

/** Numbers from … to, both included. */
function between(from: number, to: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
}

function saturation(name: Activation, options: Options): Saturation | null {
  const xs = Float32Array.from({ length: 100 * FAR + 1 }, (_, i) => (i - 50 * FAR) / 50);
  const { slope } = curve(name, options, xs);
  if (slope === null || (name === "rrelu" && options.training)) return null;
  const largest = slope.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const isFlat = (value: number) => Math.abs(value) <= FLAT * largest;
  /** The place next to where it is steep, between neighbours of which the first, or the second, is flat. */
  const edge = (i: number, first: boolean) => {
    const fine = between(xs[i]!, xs[i + 1]!, 101);
    const flat = Array.from(curve(name, options, fine).slope!, isFlat);
    return fine[first ? flat.indexOf(false) - 1 : flat.indexOf(true)]!;
  };
  const intervals: Interval[] = [];
  let from: number | undefined;
  for (let i = 0; i < xs.length; i++) {
    const flat = isFlat(slope[i]!);
    if (flat && from === undefined) from = i === 0 ? -Infinity : edge(i - 1, false);
    if (!flat && from !== undefined) {
      intervals.push([from, edge(i - 1, true)]);
      from = undefined;
    }
  }
  if (from !== undefined) intervals.push([from, Infinity]);
  return { largest, intervals, share: normalShare(intervals) };
}

/** Σ Φ(to) − Φ(from), by complements where they are small, with Φ(x) = (1 + erf(x / √2)) / 2. */
function normalShare(intervals: readonly Interval[]): number {
  return scope(() => {
    const ends = Float32Array.from(intervals.flat(), (x) => x / Math.SQRT2);
    const values = erf(tensor(ends)).data;
    return intervals.reduce((sum, _, i) => sum + (values[2 * i + 1]! - values[2 * i]!) / 2, 0);
  });
}

export const activations = {
  curves(name: Activation, options: Options, xs: Float32Array): Curves {
    const count = scope(() => outputs(name, tensor(xs), options).length);
    const companions = Array.from({ length: count - 1 }, (_, i) => curve(name, options, xs, i + 1));
    return { ...curve(name, options, xs), companions, saturation: saturation(name, options) };
  },
  at(name: Activation, options: Options, x: number): Point {
    const xs = Float32Array.of(x);
    const { f, slope } = curve(name, options, xs);
    const point = { x: xs[0]!, f: f[0]!, slope: slope?.[0] ?? null };
    return name === "prelu" ? { ...point, dSlope: slopeGradient(xs, options.slope) } : point;
  },
};

function slopeGradient(xs: Float32Array, slope: number): number {
  return scope(() => {
    const a = tensor(slope, { requiresGrad: true });
    prelu(tensor(xs), a).backward({ gradient: ones([1]) });
    return a.grad!.item();
  });
}
