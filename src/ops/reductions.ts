import { gradient, record } from "../autograd";
import { OptionError, ShapeError, show, withDefaults } from "../errors";
import { Buffer } from "../memory";
import { expectTensor, type Shape, sizeOf, Tensor } from "../tensor";
import { kernels } from "../wasm";
import { composed } from "./composed";
import { transpose } from "./layout";
import { around, dimension, rankOf } from "./shapes";

/** Over which dimensions to reduce, and what becomes of them. */
export interface ReductionOptions {
  /** One dimension or several, counted from the end below 0; default: all, as [] means, too (NumPy: none). */
  dim?: number | readonly number[];
  /** Whether to leave a size of 1 in their place; default false. */
  keepdim?: boolean;
}

export type Reduce = (x: Tensor, outer: number, size: number, inner: number, shape: Shape) => Tensor;

/** Reduces neighbouring dimensions in place; others are brought together at the end first. */
export function reduction(
  op: string,
  input: Tensor,
  options: ReductionOptions | undefined,
  reduce: Reduce,
): Tensor {
  const x = expectTensor(op, input);
  x.use(op);
  const { dim, keepdim } = withDefaults(op, reductionDefaults, options);
  const rank = x.shape.length;
  if (dim === undefined || (Array.isArray(dim) && dim.length === 0)) {
    return reduce(x, 1, x.size, 1, keepdim ? x.shape.map(() => 1) : []);
  }
  const dims = (Array.isArray(dim) ? [...dim] : [dim as number]).map((d) => dimension(op, d, rankOf(x)));
  if (dims.length > 1) dims.sort((p, q) => p - q);
  const twice = dims.find((d, i) => d === dims[i - 1]);
  if (twice !== undefined) throw new ShapeError(`${op}: dim ${twice} appears twice in ${show([dim].flat())}`);
  const first = dims[0]!;
  const end = first + dims.length;
  if (dims.at(-1) === end - 1) {
    const [before, after] = [x.shape.slice(0, first), x.shape.slice(end)];
    const shape = [...before, ...(keepdim ? dims.slice(0, rank).map(() => 1) : []), ...after];
    return reduce(x, sizeOf(before), sizeOf(x.shape.slice(first, end)), sizeOf(after), shape);
  }
  const kept = x.shape.map((_, d) => d).filter((d) => !dims.includes(d));
  const sizes = (of: readonly number[]) => of.map((d) => x.shape[d]!);
  const shape = keepdim ? x.shape.map((n, d) => (dims.includes(d) ? 1 : n)) : sizes(kept);
  return composed(() =>
    reduce(permuted(x, [...kept, ...dims]), sizeOf(sizes(kept)), sizeOf(sizes(dims)), 1, shape),
  );
}

const reductionDefaults = { dim: undefined as number | readonly number[] | undefined, keepdim: false };

/** x with its dimensions in another order. */
function permuted(x: Tensor, order: readonly number[]): Tensor {
  const now = order.map((_, d) => d);
  let t = x;
  for (const [place, d] of order.entries()) {
    const at = now.indexOf(d);
    if (at === place) continue;
    t = transpose(t, place, at);
    [now[place], now[at]] = [now[at]!, now[place]!];
  }
  return t;
}

/** y [outer, inner] = scale · Σ x over the middle of [outer, size, inner]; added to y if `accumulate`. */
export function sumInto(
  x: number,
  y: number,
  outer: number,
  size: number,
  inner: number,
  { scale = 1, accumulate = false },
): void {
  const totals = inner > 1 ? new Buffer(2 * inner) : undefined;
  kernels.sumForward(x, y, totals?.ptr ?? 0, outer, size, inner, scale, Number(accumulate), inner);
  totals?.free("dispose");
}

function summed(
  op: string,
  scaleOf: (size: number) => number,
): (x: Tensor, options?: ReductionOptions) => Tensor {
  const reduce: Reduce = (x, outer, size, inner, shape) => {
    const y = new Tensor(shape);
    const scale = scaleOf(size);
    sumInto(x.ptr, y.ptr, outer, size, inner, { scale });
    return record(op, y, [x], [], (dy) => kernels.sumBackward(dy, gradient(x), outer, size, inner, scale));
  };
  return (x, options) => reduction(op, x, options, reduce);
}

/**
 * Σ x over `dim`, in float32 within short blocks and in float64 across them; 0 over no elements.
 * @throws ShapeError for a dimension that does not exist or appears twice
 */
export const sum = summed("sum", () => 1);

/**
 * Σ x / n over the n elements along `dim`; NaN over none.
 * @throws ShapeError for a dimension that does not exist or appears twice
 */
export const mean = summed("mean", (size) => 1 / size);

function extreme(op: "max" | "min"): (x: Tensor, options?: ReductionOptions) => Tensor {
  const kernel = `${op}Forward` as const;
  const reduce: Reduce = (t, outer, size, inner, shape) => {
    checkNotEmpty(op, t, size);
    const y = new Tensor(shape);
    const index = new Buffer(y.size);
    kernels[kernel](t.ptr, y.ptr, index.ptr, outer, size, inner, inner);
    return record(op, y, [t], [index], (dy) =>
      kernels.maxBackward(index.ptr, dy, gradient(t), outer, size, inner),
    );
  };
  return (x, options) => reduction(op, x, options, reduce);
}

/**
 * The largest value over `dim`; a NaN counts as larger. Of equal ones the first gets the gradient, as of
 * PyTorch's max with a dimension; without one PyTorch spreads it evenly. Where it stands tells `argmax`.
 * @throws ShapeError over no elements, or for a dimension that does not exist or appears twice
 */
export const max = extreme("max");

/**
 * The smallest value over `dim`; a NaN counts as smaller. Of equal ones the first gets the gradient, as of
 * PyTorch's min with a dimension; without one PyTorch spreads it evenly. Where it stands tells `argmin`.
 * @throws ShapeError over no elements, or for a dimension that does not exist or appears twice
 */
export const min = extreme("min");

/** The options of `variance`. */
export interface VarianceOptions extends ReductionOptions {
  /**
   * Subtracted from the number of values in the divisor: 1 (default) for a sample, 0 for a whole population.
   */
  correction?: number;
}

/**
 * Σ (x − mean)² / (n − correction) over the n values along `dim`, in two passes in float64. NaN where the
 * divisor and the sum are 0, as for one value with correction 1.
 *
 * `correction` is 1 by default as in PyTorch: the variance of a sample. NumPy and Keras divide by n,
 * `correction: 0`.
 * @throws ShapeError for a dimension that does not exist or appears twice
 */
export function variance(x: Tensor, options?: VarianceOptions): Tensor {
  const defaults = {
    dim: undefined as number | readonly number[] | undefined,
    keepdim: false,
    correction: 1,
  };
  const { dim, keepdim, correction } = withDefaults("variance", defaults, options);
  if (!Number.isFinite(correction)) {
    throw new OptionError(`variance: correction is a number, got ${String(correction)}`);
  }
  const rest = dim === undefined ? { keepdim } : { dim, keepdim };
  const reduce: Reduce = (t, outer, size, inner, shape) => {
    const divisor = Math.max(0, size - correction);
    const y = new Tensor(shape);
    const mean = new Buffer(2 * y.size);
    const squares = new Buffer(2 * inner);
    kernels.varianceForward(t.ptr, mean.ptr, squares.ptr, y.ptr, outer, size, inner, divisor);
    squares.free("dispose");
    return record("variance", y, [t], [t, mean], (dy) =>
      kernels.varianceBackward(t.ptr, mean.ptr, dy, gradient(t), outer, size, inner, divisor),
    );
  };
  return reduction("variance", x, rest, reduce);
}

function extremeIndex(
  op: "argmax" | "argmin",
  kernel: "maxForward" | "minForward",
): (x: Tensor, options?: { dim?: number; keepdim?: boolean }) => Tensor {
  const defaults = { dim: undefined as number | undefined, keepdim: false };
  return (x, options) => {
    const source = expectTensor(op, x).use(op);
    const { dim, keepdim } = withDefaults(op, defaults, options);
    const along = dim === undefined ? 0 : dimension(op, dim, rankOf(x));
    const whole = dim === undefined || x.shape.length === 0;
    const [outer, size, inner] = whole ? [1, x.size, 1] : around(x.shape, along);
    checkNotEmpty(op, x, size);
    const reduced = x.shape.map((n, i) => (dim === undefined || i === along ? 1 : n));
    const kept = x.shape.filter((_, i) => dim !== undefined && i !== along);
    const index = new Tensor(keepdim ? reduced : kept, "i32");
    const values = new Buffer(index.size);
    kernels[kernel](source, values.ptr, index.ptr, outer, size, inner, inner);
    return record(op, index, [], [values], () => {});
  };
}

/**
 * Index (i32) of the largest value along `dim`, or in the flattened tensor without `dim`; of equal ones the
 * first, and a NaN counts as the largest. `keepdim`, default false, leaves a size of 1. No gradient. As in
 * PyTorch, whose indices are i64; ONNX' default is dimension 0.
 * @throws ShapeError over no elements, or for a dimension that does not exist
 */
export const argmax = extremeIndex("argmax", "maxForward");

/**
 * Index (i32) of the smallest value along `dim`, or in the flattened tensor without `dim`; of equal ones the
 * first, and a NaN counts as the smallest. `keepdim`, default false, leaves a size of 1. No gradient. As in
 * PyTorch, whose indices are i64; ONNX' default is dimension 0.
 * @throws ShapeError over no elements, or for a dimension that does not exist
 */
export const argmin = extremeIndex("argmin", "minForward");

function checkNotEmpty(op: string, x: Tensor, size: number): void {
  if (size === 0) throw new ShapeError(`${op}: no elements to choose from in ${show(x.shape)}`);
}
