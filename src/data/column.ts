import { type Read, read } from "../create";
import {
  DomainError,
  DTypeError,
  OptionError,
  placeAmong,
  ShapeError,
  sameShape,
  show,
  text,
} from "../errors";
import type { Origin } from "../memory";
import { adopt, brand } from "../scope";
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
  /** Of a batch. */
  dtype: DType;
  /** Number of rows. */
  size: number;
  /** Shape of one row; [] for a number. */
  rowShape: Shape;
  /** What batches are copied from: the values, or their float32, made with the first batch, if only the dataset has them. */
  batched: () => TypedArray;
}

/** @param own whether only the dataset can change the values */
export function stored(
  values: TypedArray,
  { dtype, size, rowShape }: Pick<Column, "dtype" | "size" | "rowShape">,
  own = true,
): Column {
  let rounded: Float32Array | undefined;
  const round = own && dtype === "f32" && values instanceof Float64Array;
  const batched = round ? () => (rounded ??= new Float32Array(values)) : () => values;
  return { values, dtype, size, rowShape, batched };
}

/** Numbers as they were given, nested ones in float64. */
interface Given extends Values {
  readonly kind: Read["kind"];
  /** Whether this is a copy. */
  readonly own: boolean;
}

/** f32 or i32 as asked for; else i32 of Int32Arrays and i32 tensors, f32 of everything else, as `tensor` has it. */
export function inputs(op: string, rows: Rows, dtype?: DType): Column {
  const given = readRows(op, rows, "x");
  return column(op, ["inputs", "x"], given, dtype ?? (given.kind === "i32" ? "i32" : "f32"));
}

/** The same, apart from classes, which are i32: typed arrays of integers, or a flat array of whole numbers. */
export function targets(op: string, rows: Rows, dtype?: DType): Column {
  const given = readRows(op, rows, "y");
  return column(op, ["targets", "y"], given, dtype ?? (areClasses(given) ? "i32" : "f32"));
}

/** Whole numbers beyond 32 bits are amounts. */
function areClasses({ kind, data, shape }: Given): boolean {
  if (kind !== "numbers") return kind !== "floats";
  return shape.length === 1 && data.every((value) => (value | 0) === value);
}

function column(
  op: string,
  [what, name]: [string, string],
  { data, shape, own }: Given,
  dtype: DType,
): Column {
  if (dtype !== "f32" && dtype !== "i32") {
    throw new OptionError(`${op}: ${name}Dtype is "f32" or "i32", got ${text(dtype)}`);
  }
  const [size, ...rowShape] = shape;
  if (size === undefined) {
    throw new ShapeError(`${op}: expected rows of ${what} [rows, …], got a single number`);
  }
  if (dtype === "f32" || data instanceof Int32Array) return stored(data, { dtype, size, rowShape }, own);
  const at = data.findIndex((value) => (value | 0) !== value);
  if (at >= 0) {
    throw new DomainError(
      `${op}: ${name}: i32 takes 32-bit integers, got ${data[at]} at ${placeAmong(rowShape, at)}; { ${name}Dtype: "f32" } ` +
        "takes any number",
    );
  }
  const values = data instanceof Float64Array ? Int32Array.from(data) : data;
  return stored(values, { dtype, size, rowShape }, own);
}

/**
 * Typed arrays by reference, everything else as a copy.
 * @param name of the argument, for errors
 */
export function readRows(op: string, rows: Rows, name?: string): Given {
  const where = name === undefined ? op : `${op}: ${name}`;
  if (typeof rows !== "object" || rows === null || Array.isArray(rows) || ArrayBuffer.isView(rows)) {
    const { values, shape, kind } = read(where, rows as TensorData, "row");
    const data = ArrayBuffer.isView(values) ? (values as TypedArray) : new Float64Array(values);
    return { data, shape, kind, own: data !== rows };
  }
  if (brand in rows) {
    const { data, shape, dtype } = expectTensor(op, rows);
    return { data: data.slice(), shape, kind: dtype === "i32" ? "i32" : "floats", own: true };
  }
  const { data, shape } = rows as Values;
  if (!ArrayBuffer.isView(data) || !Array.isArray(shape)) {
    throw new DTypeError(
      `${op}: expected a tensor, arrays of numbers, a typed array or { data, shape }, got an object`,
    );
  }
  const { values, kind } = read(where, data) as Read & { values: TypedArray };
  if (sizeOf(shape) !== values.length) {
    throw new ShapeError(`${op}: ${values.length} elements do not fill the shape ${show(shape)}`);
  }
  return { data: values, shape, kind, own: values !== data };
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
  return stored(values, { dtype, size, rowShape });
}

/** Below this many elements a row is copied faster by hand than by `set`, which wants a view of it. */
const SHORT_ROW = 16;

/** Copies rows of a column. */
export function copyRows(values: TypedArray, rowShape: Shape, rows: Int32Array, out: TypedArray): void {
  const width = sizeOf(rowShape);
  let at = 0;
  for (const row of rows) {
    const start = row * width;
    if (width >= SHORT_ROW) out.set(values.subarray(start, start + width), at);
    else for (let i = 0; i < width; i++) out[at + i] = values[start + i]!;
    at += width;
  }
}

/** The given rows as a column of their own. */
export function taken(column: Column, rows: Int32Array): Column {
  const Kind = column.values.constructor as new (length: number) => TypedArray;
  const values = new Kind(rows.length * sizeOf(column.rowShape));
  copyRows(column.values, column.rowShape, rows, values);
  return stored(values, { ...column, size: rows.length });
}

/** The given rows as a tensor [rows.length, ...rowShape]. */
export function gather({ batched, dtype, rowShape }: Column, rows: Int32Array, origin: Origin): Tensor {
  const t = new Tensor([rows.length, ...rowShape], dtype);
  adopt(t);
  copyRows(batched(), rowShape, rows, t.data);
  t.buffer.origin = origin;
  return t;
}

/** Names the rows of a batch as the data set was given. */
export class RowNames implements Origin {
  constructor(
    private readonly rowShape: Shape,
    /** The row that was given for one of the batch. */
    private readonly nameOf: (row: number) => number,
    /** The elements before they were rounded to float32, where a dataset is mapped. */
    readonly exact?: Float64Array,
  ) {}

  place(at: number): string {
    return `${placeAmong(this.rowShape, at, this.nameOf)} of the data set`;
  }
}
