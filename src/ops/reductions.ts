import { gradient, record } from "../autograd";
import { ShapeError, show, withDefaults } from "../errors";
import { Buffer } from "../memory";
import { expectTensor, type Shape, sizeOf, Tensor } from "../tensor";
import { kernels } from "../wasm";
import { composed } from "./composed";
import { reshape } from "./layout";
import { around, dimension, rankOf } from "./shapes";

/** `dim`: one dimension, several, or all by default; `keepdim` leaves a size of 1 in their place. */
export interface ReductionOptions {
  dim?: number | readonly number[];
  keepdim?: boolean;
}

export type Reduce = (x: Tensor, outer: number, size: number, inner: number, shape: Shape) => Tensor;

/** Reduces neighbouring dimensions in one call of `reduce`, others one run after another. */
export function reduction(
  op: string,
  input: Tensor,
  options: ReductionOptions | undefined,
  reduce: Reduce,
): Tensor {
  const x = expectTensor(op, input);
  x.use(op);
  const all = x.shape.map((_, i) => i);
  const { dim, keepdim } = withDefaults(
    op,
    { dim: all as number | readonly number[], keepdim: false },
    options,
  );
  const dims = [dim].flat().map((d) => dimension(op, d, rankOf(x)));
  dims.sort((p, q) => p - q);
  const twice = dims.find((d, i) => d === dims[i - 1]);
  if (twice !== undefined) throw new ShapeError(`${op}: dim ${twice} appears twice in ${show([dim].flat())}`);
  const kept = x.shape.filter((_, i) => !dims.includes(i));
  const shape = keepdim ? x.shape.map((n, i) => (dims.includes(i) ? 1 : n)) : kept;
  const runs = dims.filter((d, i) => i === 0 || d !== dims[i - 1]! + 1).reverse();
  const one = (t: Tensor, first: number, result: Shape) => {
    let last = first;
    while (dims.includes(last + 1)) last++;
    const sizes = [t.shape.slice(0, first), t.shape.slice(first, last + 1), t.shape.slice(last + 1)];
    return reduce(t, ...(sizes.map(sizeOf) as [number, number, number]), result);
  };
  if (runs.length <= 1) return one(x, runs[0] ?? x.shape.length, shape);
  return composed(() => {
    let t = x;
    for (const first of runs) {
      t = one(
        t,
        first,
        t.shape.map((n, i) => (i >= first && dims.includes(i) ? 1 : n)),
      );
    }
    return reshape(t, shape);
  });
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
  const along = dim === undefined ? 0 : dimension("argmax", dim, x.shape.length);
  const [outer, size, inner] = dim === undefined ? [1, x.size, 1] : around(x.shape, along);
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
