import { backward, type Node } from "./autograd";
import {
  DTypeError,
  GraphError,
  InstanceError,
  isDropped,
  OutOfMemoryError,
  ShapeError,
  sameShape,
  show,
  typed,
  withDefaults,
} from "./errors";
import { LeafGradient } from "./gradient";
import { Buffer, type Fate, gone, MAX_BYTES, outOfMemory } from "./memory";
import type { Methods } from "./ops/methods";
import { recorder, structureChanged } from "./recording";
import { adoptBeside, brand, isPlain, type Owner } from "./scope";
import { numberAt } from "./space";

/** Element type: 32-bit floats, or 32-bit integers for class indices. */
export type DType = "f32" | "i32";
/** The sizes of the dimensions; [] of a single number. */
export type Shape = readonly number[];
/** A number, or arrays of equal length of these. */
export type Nested = number | readonly Nested[];
/** A typed array whose numbers a tensor can take; 64-bit integers it cannot. */
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
/** What a tensor can be made from: a number, a typed array, or arrays of equal length of these. */
export type TensorData = number | TypedArray | readonly TensorData[];

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** @throws OutOfMemoryError for a shape that linear memory can never hold */
export function expectRoom(op: string, shape: Shape): void {
  const bytes = 4 * sizeOf(shape);
  if (!(bytes <= MAX_BYTES)) throw outOfMemory(bytes, `${op} ${show(shape)}: `);
}

function bufferFor(shape: Shape): Buffer {
  try {
    return new Buffer(sizeOf(shape));
  } catch (error) {
    if (error instanceof OutOfMemoryError) error.message = `${show(shape)}: ${error.message}`;
    throw error;
  }
}

// The methods are the functions of ops/methods.ts, which puts them on the prototype.
export interface Tensor extends Methods {}

/**
 * A dense row-major array in linear memory, with a gradient. Made by `tensor`, `zeros` and their like, and by ops.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see above
export class Tensor implements Owner {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Number of elements. */
  readonly size: number;
  readonly buffer: Buffer;
  /** The recorded op behind this tensor; leaves have none. */
  node: Node | undefined;
  /** The op that made this tensor. */
  op = "tensor";
  private leafRequiresGrad = false;
  /** The gradient of a leaf, once anything has asked for it. @internal */
  leaf: LeafGradient | undefined;
  /** The gradient that this tensor stands for, if `.grad` has made it. */
  private standsFor: LeafGradient | undefined;

  /** Without values and without an owner: `tensor` and its like give both, `record` an owner. */
  constructor(shape: Shape, dtype: DType = "f32", buffer = bufferFor(shape)) {
    this.shape = shape;
    this.dtype = dtype;
    this.size = sizeOf(shape);
    this.buffer = buffer;
    recorder?.shaped(this);
  }

  /** @internal */
  get [brand](): true {
    return true;
  }

  /** Whether backward passes reach this tensor. */
  get requiresGrad(): boolean {
    return this.leafRequiresGrad || this.node !== undefined;
  }

  /** @throws GraphError for the result of an op, DTypeError for i32 */
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
    if (value !== this.leafRequiresGrad) structureChanged();
    this.leafRequiresGrad = value;
  }

  /**
   * The accumulated gradient of a leaf that requires one, of its shape; null before the first backward pass and after
   * `zeroGrad`. It is a live tensor: later passes add to it, and `zeroGrad` ends it. `clone()` keeps the values.
   */
  get grad(): Tensor | null {
    const leaf = this.leafGradient;
    const held = leaf.held();
    if (held !== "own") return held;
    return leaf.shown ?? leaf.show(this.showing(leaf.own!));
  }

  /**
   * Takes null, which clears the gradient as `zeroGrad` does and gives its memory back, or an f32 tensor.
   * @throws ShapeError for another shape, GraphError for this tensor
   */
  set grad(value: Tensor | null) {
    const leaf = this.leafGradient;
    if (value === null) {
      leaf.release();
      return;
    }
    expectTensor("grad", value).use("grad");
    if (value === leaf.shown) return;
    for (let t: Tensor | undefined = value; t !== undefined; t = t.leaf?.tensor) {
      if (t === this) throw new GraphError(`grad: ${this.describe()} cannot be a gradient of itself`);
    }
    if (!sameShape(value.shape, this.shape)) {
      throw new ShapeError(`grad: expected ${show(this.shape)} as the tensor has, got ${show(value.shape)}`);
    }
    value.buffer.markGradient();
    leaf.replace(value);
  }

  /** A tensor for the memory of the gradient. */
  private showing(own: Buffer): Tensor {
    if (own.fate !== undefined) return new Tensor(this.shape, "f32", own);
    const grad = new Tensor(this.shape, "f32", own.share());
    grad.standsFor = this.leaf;
    adoptBeside(own, grad.buffer, grad);
    return grad;
  }

  /** @internal */
  get leafGradient(): LeafGradient {
    this.leaf ??= new LeafGradient(this);
    return this.leaf;
  }

  /** Why the memory of this tensor was given back, if it was. */
  get fate(): Fate | undefined {
    return this.buffer.fate;
  }

  /** The pointer for kernels, after checking that `op` may use this tensor. `wanted` begins the error for another dtype. */
  use(op: string, dtype: DType = "f32", wanted = "expected dtype"): number {
    if (this.buffer.fate !== undefined) throw gone(op, this.describe(), this.buffer.fate);
    recorder?.used(this);
    if (this.dtype !== dtype) {
      throw new DTypeError(
        `${op}: ${wanted} ${dtype}, got ${this.dtype} ${show(this.shape)}; make it by tensor(values, { dtype: "${dtype}" }) ` +
          "or by xDtype or yDtype of dataset",
      );
    }
    return this.buffer.ptr;
  }

  /** The pointer, unchecked: for closures that run after `use` has passed. */
  get ptr(): number {
    return this.buffer.ptr;
  }

  /** A live view of the elements, through which one may also write. It goes stale when memory grows. */
  get data(): Float32Array | Int32Array {
    recorder?.refuse("data", this);
    return this.view();
  }

  /** The same for the library itself, which writes constants while a plan is recorded. */
  view(): Float32Array | Int32Array {
    this.use("data", this.dtype);
    return this.dtype === "f32" ? this.buffer.floats(this.size) : this.buffer.integers(this.size);
  }

  /** The elements as nested arrays, or as a number for shape []. */
  toArray(): Nested {
    recorder?.refuse("toArray", this);
    const { data, shape } = this;
    let at = 0;
    const level = (dim: number): Nested =>
      dim === shape.length ? data[at++]! : Array.from({ length: shape[dim]! }, () => level(dim + 1));
    return level(0);
  }

  /** The value of a tensor of one element. */
  item(): number {
    recorder?.refuse("item", this);
    if (this.size !== 1) throw new ShapeError(`item: expected one element, got ${this.describe()}`);
    return numberAt(this.use("item", this.dtype), this.dtype);
  }

  /**
   * Adds d this / d leaf to `.grad` of every leaf that requires a gradient, and releases the intermediates on the way,
   * apart from this tensor.
   * @param options.gradient start from this instead of 1; needed unless this tensor is a scalar
   * @param options.retainGraph keep the intermediates, so that one can go back again; default false
   */
  backward(options?: { gradient?: Tensor; retainGraph?: boolean }): void {
    const defaults = { gradient: null as Tensor | null, retainGraph: false };
    const given = withDefaults("backward", defaults, options);
    if (given.gradient !== null) expectTensor("backward", given.gradient);
    backward(this, given);
  }

  /** Clears the gradient: `.grad` is null until the next backward pass, as after PyTorch's zero_grad. */
  zeroGrad(): void {
    this.leafGradient.replace(null);
  }

  /** Gives the memory back now, that of the gradient too. Using the tensor afterwards is an error. */
  dispose(): void {
    // A loop, since gradients of gradients may form a long chain.
    for (let t: Tensor | undefined = this; t !== undefined; t = t.leaf?.tensor) {
      t.buffer.free("dispose");
      t.leaf?.dispose();
    }
    this.standsFor?.release();
  }

  /** Does what `dispose` does, for `using`. */
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
    if (this.size === 0) return `Tensor ${show(this.shape)} ${this.dtype} []`; // its arrays may be any number
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

/**
 * `x` as a tensor of this copy of the library.
 * @throws InstanceError if it is a tensor of another copy, DTypeError if it is none
 */
export function expectTensor(op: string, x: unknown): Tensor {
  if (x instanceof Tensor) return x;
  if (typeof x === "object" && x !== null && brand in x) {
    throw new InstanceError(
      `${op}: got a tensor of another copy of nablas, whose memory this copy cannot read; ` +
        "install only one (npm ls nablas), or pass x.toArray()",
    );
  }
  const isArray = Array.isArray(x) || ArrayBuffer.isView(x);
  const got = isDropped(x)
    ? "a promise; await it before"
    : isArray
      ? "an array; wrap it in tensor(…)"
      : typed(x);
  throw new DTypeError(`${op}: expected a tensor, got ${got}`);
}

/** The tensors of a result: itself, or those in arrays and plain objects, which may have themselves in them. */
export function* tensorsIn(result: unknown, seen = new Set<unknown>()): Generator<Tensor> {
  if (result instanceof Tensor) yield result;
  else if (typeof result === "object" && result !== null && !seen.has(result)) {
    seen.add(result);
    if (Array.isArray(result) || isPlain(result))
      for (const item of Object.values(result)) yield* tensorsIn(item, seen);
  }
}
