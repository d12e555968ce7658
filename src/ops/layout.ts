import { gradient, record } from "../autograd";
import { DTypeError, OptionError, ShapeError, sameShape, show, text, withDefaults } from "../errors";
import { expectRoom, expectTensor, type Shape, sizeOf, Tensor } from "../tensor";
import { kernels } from "../wasm";
import { composed } from "./composed";
import { around, dimension } from "./shapes";

/**
 * The same elements in another shape, sharing memory with x.
 * @param shape sizes; one may be −1: it is worked out. A 0 is a size of 0 (in ONNX: that of the input)
 * @throws ShapeError if the number of elements differs
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  expectTensor("reshape", x).use("reshape", x.dtype);
  if (!Array.isArray(shape))
    throw new ShapeError(`reshape: a shape is an array such as [2, 3], got ${text(shape)}`);
  const y = new Tensor(inferred(x, shape), x.dtype, x.buffer.share());
  return record("reshape", y, [x], [], (dy) => kernels.copyBackward(dy, gradient(x), x.size));
}

function inferred(x: Tensor, shape: Shape): Shape {
  const known = sizeOf(shape.filter((n) => Number.isInteger(n) && n !== -1));
  const open = shape.filter((n) => n === -1).length;
  const filled = open === 1 && known > 0 ? shape.map((n) => (n === -1 ? x.size / known : n)) : [...shape];
  const sizes = filled.every((n) => Number.isInteger(n) && n >= 0);
  if (!sizes || sizeOf(filled) !== x.size) {
    throw new ShapeError(
      `reshape: ${show(x.shape)} has ${x.size} elements, which do not fill ${show(shape)}`,
    );
  }
  return filled;
}

/**
 * x with two dimensions exchanged, as a copy; by default the last two, which transposes matrices. NumPy's,
 * Keras' and ONNX' reverse all dimensions by default.
 * @throws ShapeError for a dimension that does not exist
 */
export function transpose(x: Tensor, dim0 = -2, dim1 = -1): Tensor {
  const source = expectTensor("transpose", x).use("transpose", x.dtype);
  const rank = x.shape.length;
  const [p, q] = [dimension("transpose", dim0, rank), dimension("transpose", dim1, rank)];
  const [first, last] = [Math.min(p, q), Math.max(p, q)];
  const shape = [...x.shape];
  [shape[first], shape[last]] = [x.shape[last]!, x.shape[first]!];
  const [outer, a] = around(x.shape, first);
  const [, b, inner] = around(x.shape, last);
  const mid = first === last ? 1 : sizeOf(x.shape.slice(first + 1, last));
  const sizes = [outer, a, mid, first === last ? 1 : b, inner] as const;
  const y = new Tensor(shape, x.dtype);
  kernels.transposeForward(source, y.ptr, ...sizes);
  const [, m, , n] = sizes;
  return record("transpose", y, [x], [], (dy) =>
    kernels.transposeBackward(dy, gradient(x), outer, n, mid, m, inner),
  );
}

/**
 * x[start : end : step] along `dim`, as a copy. Negative positions count from the end and those beyond stop
 * at it, as in Array.prototype.slice; defaults: end = the size, dim 0, step 1.
 * @throws ShapeError for a dimension that does not exist or a position that is no integer
 * @throws OptionError unless step is an integer ≥ 1
 */
export function slice(
  x: Tensor,
  start: number,
  end?: number,
  options?: { dim?: number; step?: number },
): Tensor {
  const source = expectTensor("slice", x).use("slice", x.dtype);
  const { dim, step } = withDefaults("slice", { dim: 0, step: 1 }, options);
  if (!Number.isInteger(step) || step < 1)
    throw new OptionError(`slice: step is an integer ≥ 1, got ${step}`);
  const along = dimension("slice", dim, x.shape.length);
  const [outer, size, inner] = around(x.shape, along);
  const [from, to] = [position(start, size), position(end ?? size, size)];
  const count = Math.max(0, Math.ceil((to - from) / step));
  const y = new Tensor(x.shape.with(along, count), x.dtype);
  kernels.sliceForward(source, y.ptr, outer, size, inner, from, step, count);
  return record("slice", y, [x], [], (dy) =>
    kernels.sliceBackward(dy, gradient(x), outer, size, inner, from, step, count),
  );
}

function position(index: number, size: number): number {
  if (!Number.isInteger(index)) throw new ShapeError(`slice: positions are integers, got ${text(index)}`);
  return Math.min(size, Math.max(0, index < 0 ? index + size : index));
}

/**
 * Tensors joined along `dim` (default 0, as in PyTorch; of Keras' layer the last): [a, n] and [b, n] to [a +
 * b, n].
 * @throws ShapeError unless there is a tensor and all other sizes agree, DTypeError unless the dtypes do
 */
export function concat(tensors: readonly Tensor[], options?: { dim?: number }): Tensor {
  const { dim } = withDefaults("concat", { dim: 0 }, options);
  if (!Array.isArray(tensors) || tensors.length === 0) {
    throw new ShapeError("concat: expected an array of at least one tensor");
  }
  const first = expectTensor("concat", tensors[0]);
  const along = dimension("concat", dim, first.shape.length);
  const inputs: Tensor[] = [...tensors];
  const sources = inputs.map((x) => expectTensor("concat", x).use("concat", first.dtype));
  for (const x of inputs) {
    if (
      x.shape.length === first.shape.length &&
      sameShape(x.shape.with(along, 0), first.shape.with(along, 0))
    )
      continue;
    throw new ShapeError(
      `concat: shapes ${show(first.shape)} and ${show(x.shape)} differ outside of dim ${dim}`,
    );
  }
  const total = inputs.reduce((sum, x) => sum + x.shape[along]!, 0);
  const shape = first.shape.with(along, total);
  expectRoom("concat", shape);
  const y = new Tensor(shape, first.dtype);
  const [outer, , inner] = around(y.shape, along);
  let start = 0;
  const pieces = inputs.map((x, i) => {
    const piece = { x, isWanted: x.requiresGrad, start, count: x.shape[along]! };
    kernels.concatForward(sources[i]!, y.ptr, outer, total, inner, start, piece.count);
    start += piece.count;
    return piece;
  });
  return record("concat", y, inputs, [], (dy) => {
    for (const { x, isWanted, start, count } of pieces) {
      if (isWanted && x.requiresGrad)
        kernels.concatBackward(dy, gradient(x), outer, total, inner, start, count);
    }
  });
}

/**
 * Tensors of one shape joined along a new dimension `dim` (default 0): k of [m, n] to [k, m, n].
 * @throws ShapeError unless there is a tensor and the shapes agree, DTypeError unless the dtypes do
 */
export function stack(tensors: readonly Tensor[], options?: { dim?: number }): Tensor {
  const { dim } = withDefaults("stack", { dim: 0 }, options);
  if (!Array.isArray(tensors) || tensors.length === 0) {
    throw new ShapeError("stack: expected an array of at least one tensor");
  }
  const { shape } = expectTensor("stack", tensors[0]);
  const along = dimension("stack", dim, shape.length + 1);
  for (const x of tensors) {
    expectTensor("stack", x).use("stack", tensors[0].dtype);
    if (sameShape(x.shape, shape)) continue;
    throw new ShapeError(`stack: shapes ${show(shape)} and ${show(x.shape)} differ`);
  }
  const wider = shape.toSpliced(along, 0, 1);
  return composed(() =>
    concat(
      tensors.map((x) => reshape(x, wider)),
      { dim: along },
    ),
  );
}

/** A copy of x, [...] to [...], in memory of its own; gradients flow back to x. */
export function clone(x: Tensor): Tensor {
  const source = expectTensor("clone", x).use("clone", x.dtype);
  const y = new Tensor(x.shape, x.dtype);
  kernels.copyForward(source, y.ptr, x.size);
  return record("clone", y, [x], [], (dy) => kernels.copyBackward(dy, gradient(x), x.size));
}

/** x without its history, [...] to [...], sharing memory with it: no gradient flows back. */
export function detach(x: Tensor): Tensor {
  expectTensor("detach", x).use("detach", x.dtype);
  return record("detach", new Tensor(x.shape, x.dtype, x.buffer.share()), [], [], () => {});
}

/** Class indices as rows with a single 1: [...] of i32 to [..., classes]. */
export function oneHotRows(op: string, index: Tensor, classes: number): Tensor {
  if (index.dtype !== "i32") throw new DTypeError(`${op}: expected i32 indices, got ${index.dtype}`);
  const shape = [...index.shape, classes];
  expectRoom(op, shape);
  const y = new Tensor(shape);
  kernels.oneHot(index.ptr, y.ptr, index.size, classes);
  return record(op, y, [], [], () => {});
}
