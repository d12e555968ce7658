import {
  DomainError,
  DTypeError,
  placeAmong,
  placeOf,
  ShapeError,
  show,
  text,
  typed,
  withDefaults,
} from "./errors";
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
 * A tensor with a copy of `data`: a number (shape []), nested arrays, of which the innermost may be typed arrays, or a
 * typed array (shape [length]). f32 unless all of it is Int32Arrays or `dtype` says otherwise (PyTorch: i64 for integers).
 * @throws ShapeError if the arrays are ragged or do not have as many elements as `shape`
 * @throws DTypeError for what is no number, with its place
 * @throws DomainError for an i32 tensor of values that are no 32-bit integers
 */
export function tensor(data: TensorData, options?: TensorOptions): Tensor {
  const { values, shape: found, kind } = read("tensor", data);
  const defaults = {
    shape: undefined as Shape | undefined,
    dtype: (kind === "i32" ? "i32" : "f32") as DType,
    requiresGrad: false,
  };
  const { shape: wanted, dtype, requiresGrad } = withDefaults("tensor", defaults, options);
  const shape = wanted === undefined ? found : shapeOf("tensor", wanted);
  if (sizeOf(shape) !== values.length) {
    throw new ShapeError(`tensor: ${values.length} elements do not fill the shape ${show(shape)}`);
  }
  checkDType("tensor", dtype, requiresGrad);
  const t = filledWith("tensor", { values, shape }, dtype);
  t.requiresGrad = requiresGrad;
  return t;
}

/** A tensor of what `read` gave. @throws DomainError for an i32 tensor of values that are no 32-bit integers */
export function filledWith(
  op: string,
  { values, shape }: Pick<Read, "values" | "shape">,
  dtype: DType,
): Tensor {
  if (dtype === "i32") checkIntegers(op, values, shape);
  const t = allocate(shape, dtype);
  t.view().set(values);
  return t;
}

/** A tensor without values yet, owned by the innermost scope. */
function allocate(shape: Shape, dtype: DType): Tensor {
  const t = new Tensor([...shape], dtype);
  adopt(t);
  return t;
}

/** The numbers of `data` in one row. */
export interface Read {
  values: ArrayLike<number>;
  /** Of the nesting. */
  shape: Shape;
  /** All of it typed arrays: Int32Arrays, or of integers, or floats among them; else JavaScript's numbers. */
  kind: "i32" | "integers" | "floats" | "numbers";
}

/**
 * @param op what the user called, for errors
 * @param noun what an element of a flat array is there
 */
export function read(op: string, data: TensorData, noun = "element"): Read {
  if (typeof data === "object" && data !== null && brand in data) {
    const { shape } = expectTensor(op, data);
    throw new DTypeError(`${op}: got a tensor ${show(shape)}; clone() makes a copy of one`);
  }
  if (ArrayBuffer.isView(data)) {
    const view = numeric(op, data);
    const values = isLinear(view) ? view.slice() : view;
    return { values, shape: [values.length], kind: kindOf(new Set([view.constructor.name])) };
  }
  const shape = nesting(data, op);
  const values: number[] = [];
  const kinds = new Set<string>();
  /** Of the item that is looked at. */
  const index: number[] = [];
  const refused = (Kind: typeof ShapeError, wanted: string, got: string, noun: string) =>
    new Kind(`${op}: ${wanted}, got ${got}${index.length > 0 ? ` at ${placeOf(index, noun)}` : ""}`);
  const walk = (item: unknown): void => {
    const depth = index.length;
    const length = shape[depth];
    if (length === undefined) {
      const rest = depth > 0 ? "" : ", nested arrays of numbers or a typed array";
      if (typeof item !== "number")
        throw refused(DTypeError, `expected numbers${rest}`, described(item), noun);
      values.push(item);
      return;
    }
    if (!isList(item) || item.length !== length) {
      const got = isList(item) ? `one of length ${item.length}` : described(item);
      throw refused(ShapeError, `ragged arrays: expected only arrays of length ${length}`, got, "row");
    }
    const last = depth === shape.length - 1;
    if (last) kinds.add(ArrayBuffer.isView(item) ? numeric(op, item).constructor.name : "");
    for (let i = 0; i < length; i++) {
      const value = item[i];
      if (last && typeof value === "number") values.push(value);
      else {
        index[depth] = i;
        walk(value);
      }
    }
    index.length = depth;
  };
  walk(data);
  return { values, shape, kind: kindOf(kinds) };
}

/** Of the names of typed arrays; "" for others. */
function kindOf(names: ReadonlySet<string>): Read["kind"] {
  const all = [...names].join();
  if (all === "Int32Array") return "i32";
  if (names.has("") || all === "") return "numbers";
  return all.includes("Float") ? "floats" : "integers";
}

/** @throws DTypeError for a view of other things than numbers */
function numeric(op: string, view: ArrayBufferView): TypedArray {
  if ("length" in view && typeof ((view as TypedArray)[0] ?? 0) === "number") return view as TypedArray;
  throw new DTypeError(`${op}: expected numbers, got ${described(view)}; convert it by Number`);
}

/** Of nested arrays: beyond, they have themselves in them. */
const MOST_LEVELS = 64;

const isList = (item: unknown): item is ArrayLike<unknown> =>
  Array.isArray(item) || (ArrayBuffer.isView(item) && "length" in item);

/**
 * The lengths of nested arrays, by the first of each level.
 * @throws ShapeError beyond 64 levels
 */
export function nesting(data: unknown, op: string): number[] {
  const lengths: number[] = [];
  for (let item = data; isList(item); item = item[0]) {
    if (lengths.push(item.length) > MOST_LEVELS)
      throw new ShapeError(`${op}: arrays nested deeper than ${MOST_LEVELS} levels`);
  }
  return lengths;
}

function described(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  return ArrayBuffer.isView(value) ? `a ${value.constructor.name}` : typed(value);
}

function checkIntegers(op: string, values: ArrayLike<number>, shape: Shape = []): void {
  for (let i = 0; i < values.length; i++) {
    if ((values[i]! | 0) === values[i]) continue;
    const place = shape.length > 1 ? placeAmong(shape.slice(1), i) : `element ${i}`;
    throw new DomainError(`${op}: i32 takes 32-bit integers, got ${values[i]} at ${place}`);
  }
}

function checkDType(op: string, dtype: string, requiresGrad: boolean): void {
  if (dtype !== "f32" && dtype !== "i32") {
    throw new DTypeError(`${op}: expected dtype "f32" or "i32", got ${text(dtype)}`);
  }
  if (requiresGrad && dtype !== "f32") throw new DTypeError(`${op}: requiresGrad wants f32, got ${dtype}`);
}

/**
 * A copy of a shape. `next` is the argument behind it, which is a number where sizes are not in an array.
 * @throws ShapeError if `shape` is not an array of sizes
 */
export function shapeOf(op: string, shape: Shape, next?: unknown): Shape {
  const isApart = typeof next === "number";
  const sizes = Array.isArray(shape) ? [...shape] : [];
  if (!isApart && Array.isArray(shape) && sizes.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    expectRoom(op, sizes);
    return sizes;
  }
  const given = [shape, isApart ? next : "…"].flat();
  const hint =
    isApart || typeof shape === "number" ? `; pass the shape as an array: ${op}([${given.join(", ")}])` : "";
  throw new ShapeError(`${op}: a shape is an array of integers ≥ 0, got ${text(shape)}${hint}`);
}

/** The given value everywhere, for `op`. */
export function filled(
  op: string,
  shape: Shape,
  value: number,
  options?: Omit<TensorOptions, "shape">,
): Tensor {
  const sizes = shapeOf(op, shape, op === "full" ? undefined : options);
  const { dtype, requiresGrad } = withDefaults(op, { dtype: "f32" as DType, requiresGrad: false }, options);
  checkDType(op, dtype, requiresGrad);
  if (typeof value !== "number") throw new DTypeError(`${op}: expected a number, got ${text(value)}`);
  if (dtype === "i32") checkIntegers(op, [value]);
  const t = allocate(sizes, dtype);
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
