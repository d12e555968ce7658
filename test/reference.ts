// What the ops ought to give, in float64 and as naive as can be: flat arrays, shapes, one index at a time.
import { ulpError } from "./ulp";

export type Shape = readonly number[];

/** A row-major array of float64. */
export interface Nd {
  readonly shape: Shape;
  readonly data: Float64Array;
}

export const sizeOf = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);

/** The values of `at` for every index of `shape`. */
export function build(shape: Shape, at: (index: number[]) => number): Nd {
  const data = new Float64Array(sizeOf(shape));
  const index = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = at(index);
    for (let d = shape.length - 1; d >= 0; d--) {
      index[d]!++;
      if (index[d]! < shape[d]!) break;
      index[d] = 0;
    }
  }
  return { shape, data };
}

export const nd = (shape: Shape, data: ArrayLike<number>): Nd => ({ shape, data: Float64Array.from(data) });

/** Nested arrays of numbers as they come in options, or a number. */
export function nested(value: Nd | number | readonly number[]): Nd {
  if (typeof value === "number") return nd([], [value]);
  return "shape" in value ? value : nd([value.length], value);
}

/** x at an index that may have more dimensions; sizes of 1 repeat. */
export function at(x: Nd, index: readonly number[]): number {
  let offset = 0;
  for (const [d, n] of x.shape.entries()) {
    offset = offset * n + (n === 1 ? 0 : index[index.length - x.shape.length + d]!);
  }
  return x.data[offset]!;
}

/** The shape that all broadcast to. */
export function broadcast(...shapes: Shape[]): number[] {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, d) => {
    const sizes = shapes.map((s) => s[d - rank + s.length] ?? 1);
    return sizes.find((n) => n !== 1) ?? 1;
  });
}

/** f of numbers as a broadcasting function of arrays. */
export function elementwise(f: (...values: number[]) => number): (...operands: (Nd | number)[]) => Nd {
  return (...operands) => {
    const arrays = operands.map(nested);
    const shape = broadcast(...arrays.map((x) => x.shape));
    return build(shape, (index) => f(...arrays.map((x) => at(x, index))));
  };
}

const fromFront = (dim: number, rank: number) => (dim < 0 ? dim + rank : dim);

export interface ReductionOptions {
  dim?: number | readonly number[];
  keepdim?: boolean;
}

/** f of each group of values over `dim`; [] stands for all dimensions. */
export function reduction(f: (values: number[]) => number): (x: Nd, options?: ReductionOptions) => Nd {
  return (x, { dim = [], keepdim = false } = {}) => {
    const given = [dim].flat().map((d) => fromFront(d, x.shape.length));
    const dims = given.length > 0 ? given : x.shape.map((_, d) => d);
    const kept = x.shape.map((n, d) => (dims.includes(d) ? 1 : n));
    const y = build(kept, (outer) => {
      const group: number[] = [];
      build(x.shape, (index) => {
        if (index.every((i, d) => dims.includes(d) || i === outer[d])) group.push(at(x, index));
        return 0;
      });
      return f(group);
    });
    return nd(keepdim ? kept : x.shape.filter((_, d) => !dims.includes(d)), y.data);
  };
}

/** f of each line of values along one dimension. */
export function along(f: (line: number[]) => number[]): (x: Nd, options?: { dim?: number }) => Nd {
  return (x, { dim = -1 } = {}) => {
    const d = fromFront(dim, x.shape.length);
    return build(x.shape, (index) => {
      const line = Array.from({ length: x.shape[d]! }, (_, i) => at(x, index.with(d, i)));
      return f(line)[index[d]!]!;
    });
  };
}

export const total = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0);

/** log Σ e^v, shifted by the largest. */
export function logSumExp(values: readonly number[]): number {
  const most = Math.max(...values);
  return most + Math.log(total(values.map((v) => Math.exp(v - most))));
}

export const firstMaximum = (values: readonly number[]): number => values.indexOf(Math.max(...values));

export function transpose(x: Nd, dim0 = -2, dim1 = -1): Nd {
  const [p, q] = [fromFront(dim0, x.shape.length), fromFront(dim1, x.shape.length)];
  const exchange = (list: readonly number[]) => list.with(p, list[q]!).with(q, list[p]!);
  return build(exchange(x.shape), (index) => at(x, exchange(index)));
}

export function reshape(x: Nd, shape: Shape): Nd {
  const known = -sizeOf(shape);
  return nd(
    shape.map((n) => (n === -1 ? x.data.length / known : n)),
    x.data,
  );
}

export function slice(
  x: Nd,
  start: number,
  end = Number.POSITIVE_INFINITY,
  options: { dim?: number; step?: number } = {},
): Nd {
  const d = fromFront(options.dim ?? 0, x.shape.length);
  const places = Array.from({ length: x.shape[d]! }, (_, i) => i).slice(start, end);
  const taken = places.filter((_, i) => i % (options.step ?? 1) === 0);
  return build(x.shape.with(d, taken.length), (index) => at(x, index.with(d, taken[index[d]!]!)));
}

export function concat(parts: readonly Nd[], { dim = 0 } = {}): Nd {
  const d = fromFront(dim, parts[0]!.shape.length);
  const owners = parts.flatMap((part) =>
    Array.from({ length: part.shape[d]! }, (_, i) => [part, i] as const),
  );
  return build(parts[0]!.shape.with(d, owners.length), (index) => {
    const [part, i] = owners[index[d]!]!;
    return at(part, index.with(d, i));
  });
}

export function stack(parts: readonly Nd[], { dim = 0 } = {}): Nd {
  const d = fromFront(dim, parts[0]!.shape.length + 1);
  const shape = parts[0]!.shape.toSpliced(d, 0, parts.length);
  return build(shape, (index) => at(parts[index[d]!]!, index.toSpliced(d, 1)));
}

export function gather(x: Nd, chosen: Nd, { dim = 0 } = {}): Nd {
  const d = fromFront(dim, x.shape.length);
  return build(chosen.shape, (index) => at(x, index.with(d, at(chosen, index))));
}

/** Rows of `weight` for each index. */
export function embedding(chosen: Nd, weight: Nd): Nd {
  return build([...chosen.shape, weight.shape[1]!], (index) =>
    at(weight, [at(chosen, index.slice(0, -1)), index.at(-1)!]),
  );
}

export function oneHot(chosen: Nd, { numClasses = Math.max(...chosen.data) + 1 } = {}): Nd {
  return build([...chosen.shape, numClasses], (index) =>
    Number(at(chosen, index.slice(0, -1)) === index.at(-1)),
  );
}

export const squaresAbout = (mean: number, values: readonly number[]): number =>
  total(values.map((v) => (v - mean) ** 2));

export const variance = (values: readonly number[], correction = 1): number =>
  squaresAbout(total(values) / values.length, values) / (values.length - correction);

/**
 * (x − mean) / √(var + eps) · weight + bias, where the elements with one `group` share mean and variance (their own,
 * unless `known`), and those with one `place` share a weight and a bias.
 */
export function normalise(
  x: Nd,
  group: (index: readonly number[]) => number,
  place: (index: readonly number[]) => number,
  options: { weight?: Nd | undefined; bias?: Nd | undefined; eps?: number },
  known?: { mean: Nd; variance: Nd },
): Nd {
  const { weight, bias, eps = 1e-5 } = options;
  const groups = new Map<number, number[]>();
  build(x.shape, (index) => {
    const g = group(index);
    groups.set(g, [...(groups.get(g) ?? []), at(x, index)]);
    return 0;
  });
  const statistics = new Map(
    [...groups].map(([g, values]) => [
      g,
      known
        ? { mean: known.mean.data[g]!, variance: known.variance.data[g]! }
        : { mean: total(values) / values.length, variance: variance(values, 0) },
    ]),
  );
  return build(x.shape, (index) => {
    const { mean, variance: spread } = statistics.get(group(index))!;
    const p = place(index);
    return ((at(x, index) - mean) / Math.sqrt(spread + eps)) * (weight?.data[p] ?? 1) + (bias?.data[p] ?? 0);
  });
}

const channel = (index: readonly number[]) => index[1]!;

export function batchNorm(x: Nd, weight?: Nd, bias?: Nd, known?: { mean: Nd; variance: Nd }, eps = 1e-5): Nd {
  return normalise(x, channel, channel, { weight, bias, eps }, known);
}

/** Over as many of the last dimensions as `shape` has. */
export function layerNorm(x: Nd, shape: Shape, weight?: Nd, bias?: Nd, eps = 1e-5): Nd {
  const outer = x.shape.length - shape.length;
  const flat = (index: readonly number[], sizes: Shape) => index.reduce((at, i, d) => at * sizes[d]! + i, 0);
  return normalise(
    x,
    (index) => flat(index.slice(0, outer), x.shape.slice(0, outer)),
    (index) => flat(index.slice(outer), shape),
    { weight, bias, eps },
  );
}

/** Matrix product as NumPy has it: one-dimensional operands are a row on the left, a column on the right. */
export function matmul(a: Nd, b: Nd, { transposeA = false, transposeB = false } = {}): Nd {
  const [row, column] = [a.shape.length === 1, b.shape.length === 1];
  const left = row ? nd([1, ...a.shape], a.data) : transposeA ? transpose(a) : a;
  const right = column ? nd([...b.shape, 1], b.data) : transposeB ? transpose(b) : b;
  const batch = broadcast(left.shape.slice(0, -2), right.shape.slice(0, -2));
  const [M, K, N] = [left.shape.at(-2)!, left.shape.at(-1)!, right.shape.at(-1)!];
  const y = build([...batch, M, N], (index) => {
    const [m, n] = index.slice(-2) as [number, number];
    const outer = index.slice(0, -2);
    let sum = 0;
    for (let k = 0; k < K; k++) sum += at(left, [...outer, m, k]) * at(right, [...outer, k, n]);
    return sum;
  });
  return nd([...batch, ...(row ? [] : [M]), ...(column ? [] : [N])], y.data);
}

const activations = {
  relu: (z: number) => Math.max(z, 0),
  sigmoid: (z: number) => 1 / (1 + Math.exp(-z)),
  tanh: Math.tanh,
  none: (z: number) => z,
};

export function linear(
  x: Nd,
  weight: Nd,
  bias: Nd | number = 0,
  { activation = "none" }: { activation?: keyof typeof activations } = {},
): Nd {
  const f = activations[activation];
  return elementwise((p, q) => f(p + q))(matmul(x, weight, { transposeB: true }), bias);
}

export type Reduction = "mean" | "sum" | "none";

/** "batchmean" divides by the size of the first dimension. */
export function reduced(values: Nd, reduction: Reduction | "batchmean" = "mean"): Nd {
  if (reduction === "none") return values;
  const divisors = { sum: 1, mean: values.data.length, batchmean: values.shape[0]! };
  return nd([], [total([...values.data]) / divisors[reduction]]);
}

export interface ClassOptions {
  weight?: readonly number[];
  ignoreIndex?: number;
  labelSmoothing?: number;
  reduction?: Reduction;
}

/**
 * −Σ q log p per row, with q = w ((1 − s) t + s / C) of the one-hot or given distribution t. The class axis is
 * 1, or 0 where there is only one. "mean" divides by Σ w[class], or by the number of rows where t is a distribution.
 */
export function crossEntropy(
  logProbabilities: (line: number[]) => number[],
): (scores: Nd, target: Nd, options?: ClassOptions) => Nd {
  return (scores, target, options = {}) => {
    const { weight, ignoreIndex = -100, labelSmoothing: s = 0, reduction = "mean" } = options;
    const axis = Math.min(1, scores.shape.length - 1);
    const C = scores.shape[axis]!;
    const soft = target.shape.length === scores.shape.length;
    let divisor = 0;
    const values = build(scores.shape.toSpliced(axis, 1), (index) => {
      const label = soft ? -1 : at(target, index);
      if (!soft && label === ignoreIndex) return 0;
      divisor += soft ? 1 : (weight?.[label] ?? 1);
      const place = (c: number) => index.toSpliced(axis, 0, c);
      const logs = logProbabilities(Array.from({ length: C }, (_, c) => at(scores, place(c))));
      const share = (c: number) => (soft ? at(target, place(c)) : Number(c === label));
      return -total(logs.map((log, c) => (weight?.[c] ?? 1) * ((1 - s) * share(c) + s / C) * log));
    });
    if (reduction !== "mean") return reduced(values, reduction);
    return nd([], [divisor === 0 ? 0 : total([...values.data]) / divisor]);
  };
}

export interface MarginOptions {
  p?: number;
  margin?: number;
  weight?: readonly number[];
  reduction?: Reduction;
}

/** w[y] / C Σ max(0, margin − x[y] + x[i])^p over i ≠ y per row. The class axis is 1, or 0 where there is only one. */
export function multiMargin(scores: Nd, target: Nd, options: MarginOptions = {}): Nd {
  const { p = 1, margin = 1, weight, reduction } = options;
  const axis = Math.min(1, scores.shape.length - 1);
  const C = scores.shape[axis]!;
  const values = build(scores.shape.toSpliced(axis, 1), (index) => {
    const y = at(target, index);
    const x = Array.from({ length: C }, (_, c) => at(scores, index.toSpliced(axis, 0, c)));
    const parts = x.map((v, i) => (i === y ? 0 : Math.max(0, margin - x[y]! + v) ** p));
    return ((weight?.[y] ?? 1) * total(parts)) / C;
  });
  return reduced(values, reduction);
}

/** f of the rows of arrays along the last dimension. */
function ofRows(f: (rows: number[][], index: number[]) => number, ...arrays: Nd[]): Nd {
  const [{ shape }] = arrays as [Nd];
  const cols = Array.from({ length: shape.at(-1)! }, (_, c) => c);
  return build(shape.slice(0, -1), (index) =>
    f(
      arrays.map((x) => cols.map((c) => at(x, [...index, c]))),
      index,
    ),
  );
}

const dot = (a: number[], b: number[]) => total(a.map((v, i) => v * b[i]!));

/** max(0, 1 + max((1 − t) p) − Σ t p) per row. */
export function categoricalHinge(pred: Nd, target: Nd, { reduction }: MarginOptions = {}): Nd {
  const values = ofRows(
    ([p, t]) => {
      const others = p!.map((v, i) => (1 - t![i]!) * v);
      return Math.max(0, 1 + Math.max(...others) - dot(p!, t!));
    },
    pred,
    target,
  );
  return reduced(values, reduction);
}

/** 1 − cos of rows where the target is 1, max(0, cos − margin) where it is −1. */
export function cosineEmbedding(a: Nd, b: Nd, target: Nd, { margin = 0, reduction }: MarginOptions = {}): Nd {
  const values = ofRows(
    ([p, q], index) => {
      const cos = dot(p!, q!) / Math.sqrt((dot(p!, p!) + 1e-12) * (dot(q!, q!) + 1e-12));
      return at(target, index) === 1 ? 1 - cos : Math.max(0, cos - margin);
    },
    a,
    b,
  );
  return reduced(values, reduction);
}

/**
 * The words of Philox4x32-10. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3.
 */
export function philox(key: bigint, count: number, counter = 0n): number[] {
  const words: number[] = [];
  const mask = 0xffff_ffffn;
  for (; words.length < count; counter++) {
    let c = [counter & mask, (counter >> 32n) & mask, (counter >> 64n) & mask, counter >> 96n];
    let k = [key & mask, key >> 32n];
    for (let round = 0; round < 10; round++) {
      const p0 = 0xd251_1f53n * c[0]!;
      const p1 = 0xcd9e_8d57n * c[2]!;
      c = [(p1 >> 32n) ^ c[1]! ^ k[0]!, p1 & mask, (p0 >> 32n) ^ c[3]! ^ k[1]!, p0 & mask];
      k = [(k[0]! + 0x9e37_79b9n) & mask, (k[1]! + 0xbb67_ae85n) & mask];
    }
    words.push(...c.map(Number));
  }
  return words.slice(0, count);
}

const unit = (word: number) => (word >>> 8) * 2 ** -24;

/** Multiples of 2^−24 in [0, 1), one for each word. */
export const uniforms = (seed: number, count: number): number[] => philox(BigInt(seed), count).map(unit);

/** Box and Muller: four words for the radius and four for the angle give eight numbers, the sines first. */
export function normals(seed: number, count: number): number[] {
  const u = uniforms(seed, 8 * Math.ceil(count / 8));
  return Array.from({ length: count }, (_, i) => {
    const block = i - (i % 8);
    const radius = Math.sqrt(-2 * Math.log(1 - u[block + (i % 4)]!));
    const angle = 2 * Math.PI * (u[block + 4 + (i % 4)]! - 0.5);
    return radius * (i % 8 < 4 ? Math.sin(angle) : Math.cos(angle));
  });
}

/** How far a value may be off: all given parts together. */
export interface Tolerance {
  /** Units of the float32 spacing at the true value. */
  ulp?: number;
  rtol?: number;
  atol?: number;
}

/** The first value beyond the tolerance, in words; undefined if there is none. Zeros must agree in sign. */
export function mismatch(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { ulp = 0, rtol = 0, atol = 0 }: Tolerance,
  slack: ArrayLike<number> = [],
): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} values instead of ${expected.length}`;
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    const zeros = a === 0 && e === 0;
    if (zeros ? Object.is(a, e) || atol > 0 || slack.length > 0 : ulpError(a, e) <= ulp) continue;
    if (Math.abs(a - e) <= atol + rtol * Math.abs(e) + (slack[i] ?? 0)) continue;
    return `element ${i}: got ${a}, expected ${e}, ${ulpError(a, e).toFixed(2)} ULP apart`;
  }
  return undefined;
}

/** A power of two: x ± h is exact for a float32 x. Near the cube root of 2^−52, where errors balance. */
const h = 2 ** -17;

/**
 * Σ dy ∂y/∂x by central differences, and the noise that the rounding of y leaves in it.
 * @param f y as a function of x
 */
export function differences(
  f: (x: Float64Array) => Float64Array,
  x: Float64Array,
  dy: ArrayLike<number>,
): { gradient: Float64Array; noise: Float64Array } {
  const gradient = new Float64Array(x.length);
  const rounding = 2 ** -50 / h;
  // Where y is too flat to move at all, one rounding of a number near 1 hides it.
  const noise = new Float64Array(x.length).fill(2 * rounding);
  for (let e = 0; e < x.length; e++) {
    const [more, less] = [f(x.with(e, x[e]! + h)), f(x.with(e, x[e]! - h))];
    for (let i = 0; i < more.length; i++) {
      if (more[i] === less[i]) continue;
      gradient[e]! += (dy[i]! * (more[i]! - less[i]!)) / (2 * h);
      noise[e]! += Math.abs(dy[i]!) * Math.max(1, Math.abs(more[i]!)) * rounding;
    }
  }
  return { gradient, noise };
}
