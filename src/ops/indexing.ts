import { gradient, record } from "../autograd";
import { DomainError, OptionError, ShapeError, show, text, withDefaults } from "../errors";
import { Buffer } from "../memory";
import { expectNone } from "../recording";
import { expectRoom, expectTensor, Tensor, type TensorData } from "../tensor";
import { kernels } from "../wasm";
import { composed } from "./composed";
import { oneHotRows, slice } from "./layout";
import { toIntegers } from "./operand";
import { around, dimension } from "./shapes";

/** An i32 tensor, a typed array of integers or (nested) integers. */
export type Indices = Tensor | TensorData;

function asIndices(op: string, index: Indices): Tensor {
  const t = toIntegers(op, index);
  t.use(op, "i32", "indices are");
  return t;
}

/** @throws DomainError for an index outside [0, size) */
function checkRange(op: string, index: Tensor, size: number): void {
  const { shape } = index;
  expectNone(
    "firstBeyond",
    index,
    [index.size, size],
    (at, value) =>
      new DomainError(
        `${op}: expected indices 0 … ${size - 1}, got ${value} at element ${at} of ${show(shape)}`,
      ),
  );
}

/** Up to this number of elements gradients are added in float32, even if all belong to one. */
const FEW = 256;

/**
 * Elements of x chosen along `dim` (default 0): y[i, j, k] = x[i, index[i, j, k], k] for dim 1. The gradient
 * goes to the chosen elements, added up where one is chosen twice. As torch.gather and ONNX' GatherElements;
 * what ONNX calls Gather takes whole slices, as `embedding` does.
 * @param index integers from 0 to x.shape[dim] − 1, of as many dimensions as x; apart from `dim` its sizes
 *   may be smaller, but do not broadcast
 * @returns [...] of the shape of the index
 * @throws ShapeError for an index of another shape or a dimension that does not exist
 * @throws DomainError for an index out of range: negative ones do not count from the end
 */
export function gather(x: Tensor, index: Indices, options?: { dim?: number }): Tensor {
  expectTensor("gather", x).use("gather", x.dtype);
  const { dim } = withDefaults("gather", { dim: 0 }, options);
  const along = dimension("gather", dim, x.shape.length);
  return composed(() => {
    const at = asIndices("gather", index);
    const fits = at.shape.every((n, d) => d === along || n <= x.shape[d]!);
    if (at.shape.length !== x.shape.length || !fits) {
      throw new ShapeError(
        `gather: an index for ${show(x.shape)} along dim ${dim} is at most as large in the other dimensions, got ` +
          show(at.shape),
      );
    }
    checkRange("gather", at, x.shape[along]!);
    let source = x;
    for (const [d, n] of at.shape.entries()) {
      if (d !== along && n < source.shape[d]!) source = slice(source, 0, n, { dim: d });
    }
    const [outer, size, inner] = around(source.shape, along);
    const count = at.shape[along]!;
    const y = new Tensor(at.shape, x.dtype);
    kernels.gatherForward(source.ptr, at.ptr, y.ptr, outer, size, inner, count);
    return record("gather", y, [source], [at], (dy) => {
      const dx = gradient(source);
      const totals = count > FEW ? new Buffer(2 * size * inner) : undefined;
      kernels.gatherBackward(at.ptr, dy, dx, totals?.ptr ?? 0, outer, size, inner, count);
      totals?.free("dispose");
    });
  });
}

/** The options of `embedding`. */
export interface EmbeddingOptions {
  /**
   * A row that gets no gradient, as padding of sequences wants it; below 0 it counts from the end. Default:
   * none.
   */
  paddingIdx?: number | undefined;
}

/**
 * The rows of `weight` at the indices: y[..., j] = weight[index[...], j]. The gradient of a row is the sum
 * over its uses, apart from the row `paddingIdx`, which gets none. As torch.nn.functional.embedding.
 * @param index integers [...] from 0 to num − 1: an i32 tensor, a typed array of integers or (nested) arrays
 * @param weight [num, dim]
 * @returns [..., dim]
 * @throws DomainError for an index outside 0 … num − 1
 * @throws OptionError for a paddingIdx outside −num … num − 1
 */
export function embedding(index: Indices, weight: Tensor, options?: EmbeddingOptions): Tensor {
  const { paddingIdx } = withDefaults("embedding", embeddingDefaults, options);
  expectTensor("embedding", weight).use("embedding");
  const [num, dim] = weight.shape;
  if (num === undefined || dim === undefined || weight.shape.length !== 2) {
    throw new ShapeError(`embedding: expected weight [num, dim], got ${show(weight.shape)}`);
  }
  const padding = paddingRow("embedding", paddingIdx, num);
  return composed(() => {
    const at = asIndices("embedding", index);
    checkRange("embedding", at, num);
    const shape = [...at.shape, dim];
    expectRoom("embedding", shape);
    const y = new Tensor(shape);
    kernels.embeddingForward(at.ptr, weight.ptr, y.ptr, at.size, dim);
    return record("embedding", y, [weight], [at], (dy) => {
      const dweight = gradient(weight);
      const [places, totals] = [new Buffer(num), new Buffer(2 * Math.min(at.size, num) * dim)];
      kernels.embeddingBackward(at.ptr, dy, dweight, places.ptr, totals.ptr, at.size, num, dim, padding);
      for (const scratch of [places, totals]) scratch.free("dispose");
    });
  });
}

export const embeddingDefaults = { paddingIdx: undefined as number | undefined };

/**
 * The row of `paddingIdx` counted from the front, −1 for none. @throws OptionError if there is no such row
 */
export function paddingRow(op: string, paddingIdx: number | undefined, num: number): number {
  if (paddingIdx === undefined) return -1;
  if (Number.isInteger(paddingIdx) && paddingIdx >= -num && paddingIdx < num) {
    return paddingIdx < 0 ? paddingIdx + num : paddingIdx;
  }
  throw new OptionError(
    `${op}: paddingIdx is an integer from ${-num} to ${num - 1}, a row of the weight, got ${text(paddingIdx)}`,
  );
}

/** The options of `oneHot`. */
export interface OneHotOptions {
  /** Default: the largest index + 1. */
  numClasses?: number;
}

/**
 * Indices [...] as rows with a single 1, [..., numClasses]. f32, since it goes into losses and products
 * (PyTorch: i64). No gradient.
 * @throws DomainError for an index outside 0 … numClasses − 1
 * @throws OptionError unless numClasses is an integer ≥ 1
 */
export function oneHot(index: Indices, options?: OneHotOptions): Tensor {
  const { numClasses } = withDefaults("oneHot", { numClasses: undefined as number | undefined }, options);
  if (numClasses !== undefined && !(Number.isInteger(numClasses) && numClasses > 0)) {
    throw new OptionError(`oneHot: numClasses is an integer ≥ 1, got ${text(numClasses)}`);
  }
  return composed(() => {
    const at = asIndices("oneHot", index);
    if (numClasses === undefined && at.size === 0) {
      throw new ShapeError(`oneHot: no classes to count in ${show(at.shape)}; pass { numClasses }`);
    }
    const classes = numClasses ?? (at.data as Int32Array).reduce((most, i) => Math.max(most, i), 0) + 1;
    checkRange("oneHot", at, classes);
    return oneHotRows("oneHot", at, classes);
  });
}
