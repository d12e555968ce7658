import { backward, type Node } from "./autograd";
import { DomainError, DTypeError, GraphError, ShapeError, show, withDefaults } from "./errors";
import { adopt, Buffer, type Fate, gone, outsideScopes } from "./memory";
import type { Methods } from "./ops/methods";
import { kernels } from "./wasm";

/** Element type: 32-bit floats, or 32-bit integers for class indices. */
export type DType = "f32" | "i32";
export type Shape = readonly number[];
export type Nested = number | readonly Nested[];
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array;
export type TensorData = Nested | TypedArray;

/** Marks tensors of every copy of this library. */
export const brand = Symbol.for("nablas.tensor");

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

// The methods are the functions of ops/methods.ts, which puts them on the prototype.
export interface Tensor extends Methods {}

/**
 * A dense row-major array in linear memory, with a gradient. Made by `tensor`, `zeros` and their like, and by ops.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see above
export class Tensor {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Number of elements. */
  readonly size: number;
  readonly buffer: Buffer;
  /** The accumulated gradient of a leaf that requires one; null before the first backward pass. */
  grad: Tensor | null = null;
  /** The recorded op behind this tensor; leaves have none. */
  node: Node | undefined;
  /** The op that made this tensor. */
  op = "tensor";
  private leafRequiresGrad = false;

  /** Without values and without an owner: use the functions below, or `record` an op's output. */
  constructor(shape: Shape, dtype: DType = "f32", buffer = new Buffer(sizeOf(shape))) {
    this.shape = shape;
    this.dtype = dtype;
    this.size = sizeOf(shape);
    this.buffer = buffer;
  }

  get [brand](): true {
    return true;
  }

  /** Whether backward passes reach this tensor. Settable on leaves of dtype f32. */
  get requiresGrad(): boolean {
    return this.leafRequiresGrad || this.node !== undefined;
  }

  set requiresGrad(value: boolean) {
    if (this.node !== undefined) {
      throw new GraphError(
        `requiresGrad: ${this.describe()} is not a leaf; use detach() to cut it off its history`,
      );
    }
    if (value && this.dtype !== "f32") {
      throw new DTypeError(
        `requiresGrad: only f32 tensors have gradients, got ${this.dtype} ${show(this.shape)}`,
      );
    }
    this.leafRequiresGrad = value;
  }

  /** Why the memory of this tensor was given back, if it was. */
  get fate(): Fate | undefined {
    return this.buffer.fate;
  }

  /** The pointer for kernels, after checking that `op` may use this tensor. */
  use(op: string, dtype: DType = "f32"): number {
    if (this.buffer.fate !== undefined) throw gone(op, this.describe(), this.buffer.fate);
    if (this.dtype !== dtype) {
      throw new DTypeError(`${op}: expected dtype ${dtype}, got ${this.dtype} ${show(this.shape)}`);
    }
    return this.buffer.ptr;
  }

  /** The pointer, unchecked: for closures that run after `use` has passed. */
  get ptr(): number {
    return this.buffer.ptr;
  }

  /** A live view of the elements, through which one may also write. It goes stale when memory grows. */
  get data(): Float32Array | Int32Array {
    this.use("data", this.dtype);
    return this.dtype === "f32" ? this.buffer.floats(this.size) : this.buffer.integers(this.size);
  }

  /** The elements as nested arrays, or as a number for shape []. */
  toArray(): Nested {
    const flat = Array.from(this.data);
    let rows: Nested[] = flat;
    for (const n of this.shape.slice(1).reverse()) {
      const grouped: Nested[] = [];
      const count = n === 0 ? sizeOf(this.shape.slice(0, -1)) : rows.length / n;
      for (let i = 0; i < count; i++) grouped.push(rows.slice(i * n, (i + 1) * n));
      rows = grouped;
    }
    return this.shape.length === 0 ? flat[0]! : rows;
  }

  /** The value of a tensor of one element. */
  item(): number {
    if (this.size !== 1) throw new ShapeError(`item: expected one element, got ${this.describe()}`);
    return this.data[0]!;
  }

  /**
   * Adds d this / d leaf to `.grad` of every leaf that requires a gradient, and releases the intermediates on the way,
   * apart from this tensor.
   * @param options.gradient start from this instead of 1; needed unless this tensor is a scalar
   * @param options.retainGraph keep the intermediates, so that one can go back again; default false
   */
  backward(options?: { gradient?: Tensor; retainGraph?: boolean }): void {
    const defaults = { gradient: null as Tensor | null, retainGraph: false };
    backward(this, withDefaults("backward", defaults, options));
  }

  /** Pointer to `.grad`, which is made of zeros if there is none. The gradient belongs to this tensor. */
  leafGradient(): number {
    if (this.grad === null) {
      this.grad = outsideScopes(() => zeros(this.shape));
      this.buffer.companion = this.grad.buffer;
    }
    return this.grad.use("backward");
  }

  /** Fills the gradient with zeros, in place; does nothing if there is none. */
  zeroGrad(): void {
    if (this.grad !== null) kernels.zero(this.grad.use("zeroGrad"), this.size);
  }

  /** Gives the memory back now, that of the gradient too. Using the tensor afterwards is an error. */
  dispose(): void {
    this.buffer.free("dispose");
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** "the output of relu [4, 8]" or "the tensor [4, 8]", for errors. */
  describe(): string {
    return `the ${this.op === "tensor" ? "tensor" : `output of ${this.op}`} ${show(this.shape)}`;
  }

  /** Shape, dtype and values, of a large tensor the first few. */
  toString(): string {
    if (this.fate !== undefined) return `Tensor ${show(this.shape)} ${this.dtype} (${this.fate})`;
    const few = this.size <= 100;
    const values = few ? format(this.toArray()) : `${format([...this.data.slice(0, 6)]).slice(0, -1)}, …]`;
    return `Tensor ${show(this.shape)} ${this.dtype} ${values}`;
  }

  /** What console.log shows in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Nested numbers as text, of six digits each: what float32 knows, without the tail of its decimal expansion. */
function format(values: Nested): string {
  return typeof values === "number"
    ? String(Number(values.toPrecision(6)))
    : `[${values.map((value) => format(value)).join(", ")}]`;
}

export interface TensorOptions {
  /** Default: the nesting of the data. */
  shape?: Shape;
  /** Default: i32 for an Int32Array, f32 for everything else. */
  dtype?: DType;
  /** Whether to accumulate a gradient in backward passes; default false. */
  requiresGrad?: boolean;
}

/**
 * A tensor with a copy of `data`: a number (shape []), nested arrays, or a typed array (shape [length]).
 * @throws ShapeError if the arrays are ragged or do not have as many elements as `shape`
 * @throws DomainError for an i32 tensor of values that are no 32-bit integers
 */
export function tensor(data: TensorData, options?: TensorOptions): Tensor {
  const { shape, dtype, requiresGrad } = withDefaults(
    "tensor",
    { shape: undefined as Shape | undefined, dtype: undefined as DType | undefined, requiresGrad: false },
    options,
  );
  const nesting: number[] = [];
  const values = ArrayBuffer.isView(data) ? (data as TypedArray) : flatten(data, nesting);
  const found = ArrayBuffer.isView(data) ? [values.length] : nesting;
  checkShape("tensor", shape ?? found);
  if (sizeOf(shape ?? found) !== values.length) {
    throw new ShapeError(`tensor: ${values.length} elements do not fill the shape ${show(shape!)}`);
  }
  const t = new Tensor(
    [...(shape ?? found)],
    checkDType(dtype ?? (data instanceof Int32Array ? "i32" : "f32")),
  );
  adopt(t);
  if (t.dtype === "i32") checkIntegers(values);
  t.data.set(values);
  t.requiresGrad = requiresGrad;
  return t;
}

/** Appends the sizes of `data` to `shape` and returns its numbers in one row. */
function flatten(data: unknown, shape: number[]): number[] {
  let level = [data];
  while (Array.isArray(level[0])) {
    const length = level[0].length;
    const next: unknown[] = [];
    for (const item of level) {
      if (!Array.isArray(item) || item.length !== length) {
        const got = Array.isArray(item) ? `one of length ${item.length}` : String(item);
        throw new ShapeError(`tensor: ragged arrays: expected only arrays of length ${length}, got ${got}`);
      }
      for (const value of item) next.push(value);
    }
    shape.push(length);
    level = next;
  }
  for (const value of level) {
    if (typeof value === "number") continue;
    const got = Array.isArray(value) ? "an array" : `${typeof value} ${String(value)}`;
    throw new DTypeError(`tensor: expected numbers, nested arrays of numbers or a typed array, got ${got}`);
  }
  return level as number[];
}

function checkIntegers(values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if ((values[i]! | 0) === values[i]) continue;
    throw new DomainError(`tensor: i32 takes 32-bit integers, got ${values[i]} at element ${i}`);
  }
}

function checkDType(dtype: string): DType {
  if (dtype === "f32" || dtype === "i32") return dtype;
  throw new DTypeError(`tensor: expected dtype "f32" or "i32", got "${dtype}"`);
}

/** @throws ShapeError if `shape` is not an array of sizes */
export function checkShape(op: string, shape: Shape): void {
  if (Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n >= 0)) return;
  throw new ShapeError(`${op}: a shape is an array of integers ≥ 0, got ${JSON.stringify(shape)}`);
}

function filled(
  op: string,
  shape: Shape,
  value: number,
  options: Omit<TensorOptions, "shape"> | undefined,
): Tensor {
  const { dtype, requiresGrad } = withDefaults(op, { dtype: "f32" as DType, requiresGrad: false }, options);
  checkShape(op, shape);
  const t = new Tensor([...shape], checkDType(dtype));
  adopt(t);
  if (value === 0) kernels.zero(t.ptr, t.size);
  else if (t.dtype === "f32") kernels.fill(t.ptr, t.size, value);
  else {
    checkIntegers([value]);
    t.data.fill(value);
  }
  t.requiresGrad = requiresGrad;
  return t;
}

/** Zeros of the given shape. */
export function zeros(shape: Shape, options?: Omit<TensorOptions, "shape">): Tensor {
  return filled("zeros", shape, 0, options);
}

/** Ones of the given shape. */
export function ones(shape: Shape, options?: Omit<TensorOptions, "shape">): Tensor {
  return filled("ones", shape, 1, options);
}

/** The given value everywhere. */
export function full(shape: Shape, value: number, options?: Omit<TensorOptions, "shape">): Tensor {
  return filled("full", shape, value, options);
}

/** start, start + step, … below end (`arange(end)` starts at 0); shape [⌈(end − start) / step⌉]. */
export function arange(
  start: number,
  end?: number,
  step = 1,
  options?: Omit<TensorOptions, "shape">,
): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  const count = Math.ceil((to - from) / step);
  if (!Number.isFinite(count) || step === 0) {
    throw new ShapeError(`arange: cannot go from ${from} to ${to} in steps of ${step}`);
  }
  return tensor(
    Array.from({ length: Math.max(0, count) }, (_, i) => from + i * step),
    { shape: [Math.max(0, count)], ...options },
  );
}

/** The identity matrix [n, n]. */
export function eye(n: number, options?: Omit<TensorOptions, "shape">): Tensor {
  const t = zeros([n, n], options);
  for (let i = 0; i < n; i++) t.data[i * n + i] = 1;
  return t;
}
