import { tensor } from "../create";
import { DTypeError, ShapeError, sameShape, show } from "../errors";
import { adopt, brand, scope } from "../scope";
import {
  type DType,
  expectTensor,
  type Shape,
  sizeOf,
  Tensor,
  type TensorData,
  type TypedArray,
} from "../tensor";

/** Flat values and their shape, as `readIdx` gives them. */
export interface Values {
  readonly data: TypedArray;
  readonly shape: Shape;
}

/** Values of which the first dimension counts the rows. */
export type Rows = Tensor | TensorData | Values;

/** The inputs or the targets of a dataset, in JavaScript's memory: linear memory holds a batch at a time. */
export interface Column {
  values: TypedArray;
  dtype: DType;
  /** Number of rows. */
  size: number;
  /** Shape of one row; [] for a number. */
  rowShape: Shape;
}

/** i32 for an Int32Array or an i32 tensor, f32 for everything else, as `tensor` has it. */
export function inputs(op: string, rows: Rows): Column {
  return column(op, "inputs", read(op, rows));
}

/** Like `inputs`, apart from classes, which are i32: a typed array of integers, or a flat array of whole numbers. */
export function targets(op: string, rows: Rows): Column {
  const { data, shape } = read(op, rows);
  const flat = Array.isArray(rows) && shape.length === 1 && data.every(Number.isInteger);
  const integers = !(data instanceof Float32Array || data instanceof Float64Array);
  if (data instanceof Int32Array || !(flat || integers)) return column(op, "targets", { data, shape });
  return column(
    op,
    "targets",
    copyOf(() => tensor(data, { shape, dtype: "i32" })),
  );
}

function column(op: string, what: string, { data, shape }: Values): Column {
  const [size, ...rowShape] = shape;
  if (size === undefined) {
    throw new ShapeError(`${op}: expected rows of ${what} [rows, …], got a single number`);
  }
  return { values: data, dtype: data instanceof Int32Array ? "i32" : "f32", size, rowShape };
}

/** Typed arrays by reference, everything else as a copy. */
function read(op: string, rows: Rows): Values {
  if (typeof rows !== "object" || rows === null || Array.isArray(rows)) {
    return copyOf(() => tensor(rows as TensorData));
  }
  if (brand in rows) return copyOf(() => expectTensor(op, rows));
  if (ArrayBuffer.isView(rows)) return { data: numeric(op, rows), shape: [rows.length] };
  const { data, shape } = rows as Values;
  if (!ArrayBuffer.isView(data) || !Array.isArray(shape)) {
    throw new DTypeError(
      `${op}: expected a tensor, arrays of numbers, a typed array or { data, shape }, got an object`,
    );
  }
  if (sizeOf(shape) !== numeric(op, data).length) {
    throw new ShapeError(`${op}: ${data.length} elements do not fill the shape ${show(shape)}`);
  }
  return { data, shape };
}

function copyOf(make: () => Tensor): Values {
  return scope(() => {
    const { data, shape } = make();
    return { data: data.slice(), shape };
  });
}

function numeric(op: string, view: TypedArray): TypedArray {
  if ("length" in view && typeof (view[0] ?? 0) === "number") return view;
  throw new DTypeError(`${op}: expected numbers, got a ${(view as object).constructor.name}`);
}

/** The rows of columns, one after another. */
export function joined(columns: readonly Column[]): Column {
  const { dtype, rowShape } = columns[0]!;
  const width = sizeOf(rowShape);
  const size = columns.reduce((sum, column) => sum + column.size, 0);
  const values = dtype === "i32" ? new Int32Array(size * width) : new Float32Array(size * width);
  let at = 0;
  for (const column of columns) {
    if (column.dtype !== dtype || !sameShape(column.rowShape, rowShape)) {
      const [a, b] = [show(rowShape), show(column.rowShape)];
      throw new ShapeError(`map: fn gave rows ${dtype} ${a} first and ${column.dtype} ${b} later`);
    }
    values.set(column.values, at);
    at += column.values.length;
  }
  return { values, dtype, size, rowShape };
}

/** Below this many elements a row is copied faster by hand than by `set`, which wants a view of it. */
const SHORT_ROW = 16;

/** The given rows as a tensor [rows.length, ...rowShape]. */
export function gather({ values, dtype, rowShape }: Column, rows: Int32Array): Tensor {
  const t = new Tensor([rows.length, ...rowShape], dtype);
  adopt(t);
  const width = sizeOf(rowShape);
  const out = t.data;
  let at = 0;
  for (const row of rows) {
    const start = row * width;
    if (width >= SHORT_ROW) out.set(values.subarray(start, start + width), at);
    else for (let i = 0; i < width; i++) out[at + i] = values[start + i]!;
    at += width;
  }
  return t;
}
