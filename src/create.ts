import { DomainError, DTypeError, ShapeError, show, text, typed, withDefaults } from "./errors";
import { adopt, brand } from "./scope";
import { isLinear } from "./space";
import {
  type DType,
  expectRoom,
  expectTensor,
  type Shape,
  sizeOf,
  Tensor,
  type TensorData,
  type TypedArray,
} from "./tensor";
import { kernels } from "./wasm";

/** What `tensor` and its kin take besides data or a shape. */
export interface TensorOptions {
  /** Default: the nesting of the data. */
  shape?: Shape;
  /** Default: i32 for an Int32Array, f32 for everything else. */
  dtype?: DType;
  /** Whether to accumulate a gradient in backward passes; default false. */
  requiresGrad?: boolean;
}

/**
 * A tensor with a copy of `data`: a number (shape []), nested arrays, or a typed array (shape [length]). f32
 * unless it is an Int32Array or `dtype` says otherwise (PyTorch: i64 for integers).
 * @throws ShapeError if the arrays are ragged or do not have as many elements as `shape`
 * @throws DomainError for an i32 tensor of values that are no 32-bit integers
 */
export function tensor(data: TensorData, options?: TensorOptions): Tensor {
  const defaults = {
    shape: undefined as Shape | undefined,
    dtype: (data instanceof Int32Array ? "i32" : "f32") as DType,
    requiresGrad: false,
  };
  const { shape: wanted, dtype, requiresGrad } = withDefaults("tensor", defaults, options);
  const { values, shape: found } = read(data);
  const shape = wanted ?? found;
  checkShape("tensor", shape);
  if (sizeOf(shape) !== values.length) {
    throw new ShapeError(`tensor: ${values.length} elements do not fill the shape ${show(shape)}`);
  }
  checkDType("tensor", dtype, requiresGrad);
  if (dtype === "i32") checkIntegers("tensor", values);
  const t = allocate(shape, dtype);
  t.view().set(values);
  t.requiresGrad = requiresGrad;
  return t;
}

/** A tensor without values yet, owned by the innermost scope. */
function allocate(shape: Shape, dtype: DType): Tensor {
  const t = new Tensor([...shape], dtype);
  adopt(t);
  return t;
}

/** The numbers of `data` in one row, and the shape of its nesting. */
export function read(data: TensorData): { values: ArrayLike<number>; shape: Shape } {
  if (typeof data === "object" && data !== null && brand in data) {
    const { shape } = expectTensor("tensor", data);
    throw new DTypeError(`tensor: got a tensor ${show(shape)}; clone() makes a copy of one`);
  }
  if (ArrayBuffer.isView(data)) {
    const values = data as TypedArray;
    if ("length" in data && typeof (values[0] ?? 0) === "number") {
      return { values: isLinear(data) ? values.slice() : values, shape: [values.length] };
    }
    throw new DTypeError(`tensor: expected numbers, got a ${data.constructor.name}; convert it by Number`);
  }
  const shape = nesting(data);
  return { values: flatten(data, shape), shape };
}

/** Of nested arrays: beyond, they have themselves in them. */
const MOST_LEVELS = 64;

/**
 * The lengths of nested arrays, by the first of each level.
 * @throws ShapeError beyond 64 levels
 */
export function nesting(data: unknown): number[] {
  const lengths: number[] = [];
  for (let item = data; Array.isArray(item); item = item[0]) {
    if (lengths.push(item.length) > MOST_LEVELS)
      throw new ShapeError(`tensor: arrays nested deeper than ${MOST_LEVELS} levels`);
  }
  return lengths;
}

/** The numbers of nested arrays of such lengths in one row. */
function flatten(data: unknown, shape: Shape): number[] {
  let level = [data];
  for (const length of shape) {
    const next: unknown[] = [];
    for (const item of level) {
      if (!Array.isArray(item) || item.length !== length) {
        const got = Array.isArray(item) ? `one of length ${item.length}` : text(item);
        throw new ShapeError(`tensor: ragged arrays: expected only arrays of length ${length}, got ${got}`);
      }
      for (const value of item) next.push(value);
    }
    level = next;
  }
  for (const value of level) {
    if (typeof value === "number") continue;
    const got = Array.isArray(value) ? "an array" : typed(value);
    throw new DTypeError(`tensor: expected numbers, nested arrays of numbers or a typed array, got ${got}`);
  }
  return level as number[];
}

function checkIntegers(op: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if ((values[i]! | 0) === values[i]) continue;
    throw new DomainError(`${op}: i32 takes 32-bit integers, got ${values[i]} at element ${i}`);
  }
}

function checkDType(op: string, dtype: string, requiresGrad: boolean): void {
  if (dtype !== "f32" && dtype !== "i32") {
    throw new DTypeError(`${op}: expected dtype "f32" or "i32", got ${text(dtype)}`);
  }
  if (requiresGrad && dtype !== "f32") throw new DTypeError(`${op}: requiresGrad wants f32, got ${dtype}`);
}

/** @throws ShapeError if `shape` is not an array of sizes */
export function checkShape(op: string, shape: Shape): void {
  if (Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    expectRoom(op, shape);
    return;
  }
  throw new ShapeError(`${op}: a shape is an array of integers ≥ 0, got ${text(shape)}`);
}

/** The given value everywhere, for `op`. */
export function filled(
  op: string,
  shape: Shape,
  value: number,
  options?: Omit<TensorOptions, "shape">,
): Tensor {
  const { dtype, requiresGrad } = withDefaults(op, { dtype: "f32" as DType, requiresGrad: false }, options);
  checkShape(op, shape);
  checkDType(op, dtype, requiresGrad);
  if (typeof value !== "number") throw new DTypeError(`${op}: expected a number, got ${text(value)}`);
  if (dtype === "i32") checkIntegers(op, [value]);
  const t = allocate(shape, dtype);
  if (value === 0) kernels.zero(t.ptr, t.size);
  else if (dtype === "f32") kernels.fill(t.ptr, t.size, value);
  else t.view().fill(value);
  t.requiresGrad = requiresGrad;
  return t;
}

/**
 * Zeros of the given shape; [] for a single number.
 * @throws ShapeError unless the shape is an array of integers ≥ 0
 */
export function zeros(shape: Shape, options?: Omit<TensorOptions, "shape">): Tensor {
  return filled("zeros", shape, 0, options);
}

/**
 * Ones of the given shape; [] for a single number.
 * @throws ShapeError unless the shape is an array of integers ≥ 0
 */
export function ones(shape: Shape, options?: Omit<TensorOptions, "shape">): Tensor {
  return filled("ones", shape, 1, options);
}

/**
 * The given value everywhere. f32 whatever the value (PyTorch: i64 for an integer).
 * @throws ShapeError unless the shape is an array of integers ≥ 0, DomainError for an i32 tensor of a
 *   fraction
 */
export function full(shape: Shape, value: number, options?: Omit<TensorOptions, "shape">): Tensor {
  return filled("full", shape, value, options);
}

/**
 * start, start + step, … below end (`arange(end)` starts at 0); shape [⌈(end − start) / step⌉]. f32 unless
 * `dtype` says otherwise (PyTorch: i64 for integers).
 * @throws ShapeError where no number of steps leads from start to end
 */
export function arange(
  start: number,
  end?: number,
  step = 1,
  options?: Omit<TensorOptions, "shape">,
): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  const count = [from, to, step].every(Number.isFinite) ? Math.ceil((to - from) / step) : Infinity;
  if (!Number.isFinite(count)) {
    throw new ShapeError(`arange: cannot go from ${text(from)} to ${text(to)} in steps of ${text(step)}`);
  }
  if (options?.dtype === "i32" && count > 0) {
    checkIntegers("arange", [from, from + step, from + step * (count - 1)].slice(0, count));
  }
  const t = filled("arange", [Math.max(0, count)], 0, options);
  const values = t.view();
  for (let i = 0; i < count; i++) values[i] = from + i * step;
  return t;
}

/**
 * The identity matrix [n, n].
 * @throws ShapeError unless n is an integer ≥ 0
 */
export function eye(n: number, options?: Omit<TensorOptions, "shape">): Tensor {
  const t = filled("eye", [n, n], 0, options);
  const values = t.view();
  for (let i = 0; i < n; i++) values[i * n + i] = 1;
  return t;
}
