// .npy, the format of NumPy's arrays (numpy.lib.format): a magic string, a version, the length of the header, the header as
// the text of a Python dictionary, then the values.
import type { Values } from "../data/column";
import { show, text } from "../errors";
import { FormatError, OptionError } from "../index";
import { half } from "../io/half";
import type { Shape, TypedArray } from "../tensor";

interface Type {
  make: (length: number) => TypedArray;
  read: (view: DataView, offset: number, littleEndian: boolean) => number;
}

/** By kind and bytes, as a descr has them behind its byte order. */
const TYPES: Readonly<Record<string, Type>> = {
  b1: { make: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
  u1: { make: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
  i1: { make: (n) => new Int8Array(n), read: (view, at) => view.getInt8(at) },
  u2: { make: (n) => new Uint16Array(n), read: (view, at, little) => view.getUint16(at, little) },
  i2: { make: (n) => new Int16Array(n), read: (view, at, little) => view.getInt16(at, little) },
  u4: { make: (n) => new Uint32Array(n), read: (view, at, little) => view.getUint32(at, little) },
  i4: { make: (n) => new Int32Array(n), read: (view, at, little) => view.getInt32(at, little) },
  i8: { make: (n) => new Int32Array(n), read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  f2: { make: (n) => new Float32Array(n), read: (view, at, little) => half(view.getUint16(at, little)) },
  f4: { make: (n) => new Float32Array(n), read: (view, at, little) => view.getFloat32(at, little) },
  f8: { make: (n) => new Float64Array(n), read: (view, at, little) => view.getFloat64(at, little) },
};

/** What is written for each kind of typed array. */
const DESCRS = new Map<unknown, string>([
  [Uint8Array, "|u1"],
  [Uint8ClampedArray, "|u1"],
  [Int8Array, "|i1"],
  [Uint16Array, "<u2"],
  [Int16Array, "<i2"],
  [Uint32Array, "<u4"],
  [Int32Array, "<i4"],
  [Float32Array, "<f4"],
  [Float64Array, "<f8"],
]);

/** \x93NUMPY */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const ALIGNMENT = 64;
/** What NumPy itself refuses to read. */
const LONGEST_HEADER = 10_000;

/**
 * The bytes of a .npy file, as `numpy.save` writes it: C order, little-endian, of the array's own type. A tensor is written as
 * float32 or int32.
 * @param array a tensor, or values with their shape
 * @throws OptionError for another kind of array, or a shape of another size
 */
export function saveNpy(array: Values): Uint8Array {
  const { data, shape } = (array ?? {}) as Partial<Values>;
  const descr = DESCRS.get(data?.constructor);
  if (data === undefined || descr === undefined || !Array.isArray(shape))
    throw new OptionError(`saveNpy: expected a tensor or { data, shape }, got ${text(array)}`);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw new OptionError(`saveNpy: a shape has integers ≥ 0, got ${show(shape)}`);
  if (sizeOf(shape) !== data.length) {
    throw new OptionError(`saveNpy: ${show(shape)} are ${sizeOf(shape)} values, got ${data.length}`);
  }
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const start = Math.ceil((MAGIC.length + 4 + header.length + 1) / ALIGNMENT) * ALIGNMENT;
  const file = new Uint8Array(start + data.byteLength).fill(0x20, 0, start);
  file.set([...MAGIC, 1, 0]);
  new DataView(file.buffer).setUint16(MAGIC.length + 2, start - MAGIC.length - 4, true);
  file.set(new TextEncoder().encode(header), MAGIC.length + 4);
  file[start - 1] = 0x0a;
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return file;
}

/**
 * The array of a .npy file as a typed array of its type in C order, and its shape: what `tensor` takes by its `shape` option,
 * and `dataset`. float16 becomes a Float32Array, int64 an Int32Array, bool a Uint8Array.
 * It allocates at most 8 bytes for each byte of the file: those of the values, and in Fortran order 6 for the place of each.
 * @throws FormatError for bytes that are no .npy file, another type, or an integer beyond 32 bits
 */
export function loadNpy(bytes: Uint8Array | ArrayBuffer): Values {
  return read("loadNpy", bytes);
}

/** @throws FormatError after `op` */
export function read(op: string, given: Uint8Array | ArrayBuffer): Values {
  const bytes = given instanceof ArrayBuffer ? new Uint8Array(given) : given;
  const refuse = (message: string): never => {
    throw new FormatError(`${op}: ${message}`);
  };
  if (!(bytes instanceof Uint8Array)) return refuse(`expected a Uint8Array, got ${text(given)}`);
  const { descr, isFortran, shape, start } = readHeader(bytes, refuse);
  const code = descr.slice(1);
  const type = Object.hasOwn(TYPES, code) ? TYPES[code] : undefined;
  if (type === undefined || !"<>|=".includes(descr[0]!)) {
    return refuse(`the type "${descr}" is none of ${Object.keys(TYPES).join(", ")}`);
  }
  const itemBytes = Number(descr.slice(2));
  const count = sizeOf(shape);
  if (bytes.length - start !== count * itemBytes) {
    refuse(`${show(shape)} of ${descr} take ${count * itemBytes} bytes, got ${bytes.length - start}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
  const data = type.make(count);
  const order = isFortran && count > 0 ? fortranOrder(shape) : undefined;
  for (let i = 0; i < count; i++) {
    const value = type.read(view, (order?.[i] ?? i) * itemBytes, descr[0] !== ">");
    data[i] = value;
    if (descr.endsWith("i8") && data[i] !== value) {
      refuse(`int64 becomes 32-bit integers, which have no ${value}`);
    }
  }
  return { data, shape };
}

type Refuse = (message: string) => never;

interface Header {
  descr: string;
  isFortran: boolean;
  shape: number[];
  /** Of the values. */
  start: number;
}

function readHeader(bytes: Uint8Array, refuse: Refuse): Header {
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte))
    return refuse("it does not begin with \\x93NUMPY");
  const version = bytes[6]!;
  if (version < 1 || version > 3) refuse(`version ${version} is not known`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const begin = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = begin + length;
  if (start > bytes.length || length > LONGEST_HEADER) {
    refuse(
      `the header's length is ${length}, but there is room for ${Math.min(bytes.length - begin, LONGEST_HEADER)}`,
    );
  }
  const header = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(begin, start));
  const descr = /'descr': *'([<>|=]\w+)'/.exec(header)?.[1];
  const order = /'fortran_order': *(True|False)/.exec(header)?.[1];
  const sizes = /'shape': *\((|(?:\d+, *)+(?:\d+ *)?)\)/.exec(header)?.[1];
  if (descr === undefined || order === undefined || sizes === undefined || !isWhole(header)) {
    return refuse(
      `the header has no descr, fortran_order and shape that could be read: ${header.trim().slice(0, 200)}`,
    );
  }
  const shape = (sizes.match(/\d+/g) ?? []).map(Number);
  if (!shape.every((size) => Number.isSafeInteger(size))) refuse(`the sizes ${sizes} are no integers`);
  return { descr, isFortran: order === "True", shape, start };
}

/** Whether the text is a dictionary with three keys and nothing else. */
function isWhole(header: string): boolean {
  const entry = "'(?:descr|fortran_order|shape)': *(?:'[^']*'|True|False|\\([\\d, ]*\\))";
  return new RegExp(`^\\{ *${entry}, *${entry}, *${entry},? *\\}\\s*$`).test(header);
}

/**
 * For each value in C order its place in Fortran order, in which the first dimension runs fastest. With a size of 0 there are
 * none, but the sizes before it could be any.
 */
function fortranOrder(shape: Shape): Uint32Array {
  let order = Uint32Array.of(0);
  let stride = 1;
  // Sizes of 1, of which a header has room for thousands, change nothing.
  for (const size of shape.filter((size) => size > 1)) {
    const outer = order;
    order = new Uint32Array(outer.length * size);
    for (let i = 0; i < outer.length; i++)
      for (let j = 0; j < size; j++) order[i * size + j] = outer[i]! + j * stride;
    stride *= size;
  }
  return order;
}

function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}
