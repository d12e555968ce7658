// What the ops ought to give, in float64 and as naive as can be: flat arrays, shapes, one index at a time.
export * from "./reference/differences";
export * from "./reference/losses";
export * from "./reference/random";

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
function broadcast(...shapes: Shape[]): number[] {
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

/** log Σ e^v, shifted by the largest; at infinities the limit. */
export function logSumExp(values: readonly number[]): number {
  const most = Math.max(...values);
  return most + Math.log(total(values.map((v) => (v === most ? 1 : Math.exp(v - most)))));
}

/** Each number less the log Σ e^v of all; infinities that are the largest share it evenly, the limit. */
export function logSoftmax(values: readonly number[]): number[] {
  const most = Math.max(...values);
  const below = values.map((v) => (v === most ? 0 : v - most));
  const log = Math.log(total(below.map(Math.exp)));
  return below.map((v) => v - log);
}

/** Where the first NaN stands, or else the first of the largest. */
export function firstMaximum(values: readonly number[]): number {
  const nan = values.findIndex(Number.isNaN);
  return nan >= 0 ? nan : values.indexOf(Math.max(...values));
}

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

const squaresAbout = (mean: number, values: readonly number[]): number =>
  total(values.map((v) => (v - mean) ** 2));

export const variance = (values: readonly number[], correction = 1): number =>
  squaresAbout(total(values) / values.length, values) / (values.length - correction);

/**
 * (x − mean) / √(var + eps) · weight + bias, where the elements with one `group` share mean and variance (their own,
 * unless `known`), and those with one `place` share a weight and a bias.
 */
function normalise(
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
