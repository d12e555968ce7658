import { gradient, record } from "../autograd";
import { ShapeError, show, withDefaults } from "../errors";
import { Buffer } from "../memory";
import { expectTensor, type Shape, sizeOf, Tensor } from "../tensor";
import { kernels } from "../wasm";
import { composed } from "./composed";
import { transpose } from "./layout";
import { around, dimension, rankOf } from "./shapes";

/** `dim`: one dimension, several, or all by default; `keepdim` leaves a size of 1 in their place. */
export interface ReductionOptions {
  dim?: number | readonly number[];
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
  const all = x.shape.map((_, i) => i);
  const defaults = { dim: all as number | readonly number[], keepdim: false };
  const { dim, keepdim } = withDefaults(op, defaults, options);
  const dims = [dim].flat().map((d) => dimension(op, d, rankOf(x)));
  dims.sort((p, q) => p - q);
  const twice = dims.find((d, i) => d === dims[i - 1]);
  if (twice !== undefined) throw new ShapeError(`${op}: dim ${twice} appears twice in ${show([dim].flat())}`);
  const kept = all.filter((d) => !dims.includes(d));
  const sizes = (of: readonly number[]) => of.map((d) => x.shape[d] ?? 1);
  const shape = keepdim ? x.shape.map((n, d) => (dims.includes(d) ? 1 : n)) : sizes(kept);
  const first = dims[0] ?? x.shape.length;
  const end = first + dims.length;
  if (dims.every((d, i) => d === first + i)) {
    const parts = [x.shape.slice(0, first), sizes(dims), x.shape.slice(end)];
    return reduce(x, ...(parts.map(sizeOf) as [number, number, number]), shape);
  }
  return composed(() =>
    reduce(permuted(x, [...kept, ...dims]), sizeOf(sizes(kept)), sizeOf(sizes(dims)), 1, shape),
  );
}

/** x with its dimensions in the given order, by exchanges of two. */
function permuted(x: Tensor, order: readonly number[]): Tensor {
  const now = x.shape.map((_, d) => d);
  let y = x;
  for (const [i, d] of order.entries()) {
    const j = now.indexOf(d);
    if (i === j) continue;
    y = transpose(y, i, j);
    [now[i], now[j]] = [now[j]!, now[i]!];
  }
  return y;
}

function summed(op: string, scaleOf: (size: number) => number): Reduce {
  return (x, outer, size, inner, shape) => {
    const y = new Tensor(shape);
    const scale = scaleOf(size);
    kernels.sumForward(x.ptr, y.ptr, outer, size, inner, scale, 0);
    return record(op, y, [x], [], (dy) => kernels.sumBackward(dy, gradient(x), outer, size, inner, scale));
  };
}

/** Sum over `dim`. */
export function sum(x: Tensor, options?: ReductionOptions): Tensor {
  return reduction(
    "sum",
    x,
    options,
    summed("sum", () => 1),
  );
}

/** Arithmetic mean over `dim`; NaN over no elements. */
export function mean(x: Tensor, options?: ReductionOptions): Tensor {
  return reduction(
    "mean",
    x,
    options,
    summed("mean", (size) => 1 / size),
  );
}

/** Largest value over `dim`. Among equal ones the first gets the gradient; a NaN counts as the largest. */
export function max(x: Tensor, options?: ReductionOptions): Tensor {
  return reduction("max", x, options, (t, outer, size, inner, shape) => {
    checkNotEmpty("max", t, size);
    const y = new Tensor(shape);
    const index = new Buffer(y.size);
    kernels.maxForward(t.ptr, y.ptr, index.ptr, outer, size, inner);
    return record("max", y, [t], [index], (dy) =>
      kernels.maxBackward(index.ptr, dy, gradient(t), outer, size, inner),
    );
  });
}

/** Index (i32) of the first largest value along `dim`, or in the flattened tensor without it. No gradient. */
export function argmax(x: Tensor, options?: { dim?: number; keepdim?: boolean }): Tensor {
  const source = expectTensor("argmax", x).use("argmax");
  const { dim, keepdim } = withDefaults(
    "argmax",
    { dim: undefined as number | undefined, keepdim: false },
    options,
  );
  const along = dim === undefined ? 0 : dimension("argmax", dim, rankOf(x));
  const [outer, size, inner] =
    dim === undefined || x.shape.length === 0 ? [1, x.size, 1] : around(x.shape, along);
  checkNotEmpty("argmax", x, size);
  const reduced = x.shape.map((n, i) => (dim === undefined || i === along ? 1 : n));
  const kept = x.shape.filter((_, i) => dim !== undefined && i !== along);
  const index = new Tensor(keepdim ? reduced : kept, "i32");
  const values = new Buffer(index.size);
  kernels.maxForward(source, values.ptr, index.ptr, outer, size, inner);
  return record("argmax", index, [], [values], () => {});
}

export function checkNotEmpty(op: string, x: Tensor, size: number): void {
  if (size === 0) throw new ShapeError(`${op}: no elements to choose from in ${show(x.shape)}`);
}
