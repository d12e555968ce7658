// IDX, the format of MNIST (LeCun, Cortes and Burges): two zero bytes, a code for the type, the number of dimensions,
// the sizes as 32-bit integers, then the values; everything big-endian.
import { FormatError, show } from "../errors";
import type { TypedArray } from "../tensor";
import type { Values } from "./column";

interface Type {
  bytes: number;
  make: (length: number) => TypedArray;
  read: (view: DataView, offset: number) => number;
}

const TYPES: Record<number, Type> = {
  8: { bytes: 1, make: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
  9: { bytes: 1, make: (n) => new Int8Array(n), read: (view, at) => view.getInt8(at) },
  11: { bytes: 2, make: (n) => new Int16Array(n), read: (view, at) => view.getInt16(at) },
  12: { bytes: 4, make: (n) => new Int32Array(n), read: (view, at) => view.getInt32(at) },
  13: { bytes: 4, make: (n) => new Float32Array(n), read: (view, at) => view.getFloat32(at) },
  14: { bytes: 8, make: (n) => new Float64Array(n), read: (view, at) => view.getFloat64(at) },
};

/**
 * Reads an IDX file, plain or gzipped, such as `train-images-idx3-ubyte.gz`: the values as a typed array of
 * their type, and their shape, [60000, 28, 28]. `dataset` and, by its `shape` option, `tensor` take both.
 * What it unpacks is at most 1,032 times the size of the file, which is what deflate can make of it.
 * @throws FormatError naming the offset where the bytes cease to be an IDX file
 */
export async function readIdx(bytes: Uint8Array | ArrayBuffer): Promise<Values> {
  const given = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
  if (!(given instanceof Uint8Array)) {
    throw new FormatError(`readIdx: expected a Uint8Array or an ArrayBuffer, got ${typeof bytes}`);
  }
  const gzipped = given[0] === 0x1f && given[1] === 0x8b;
  return parse(gzipped ? await gunzip(given) : given);
}

function parse(file: Uint8Array): Values {
  const { type, shape, start } = parseHeader(file);
  let length = 1;
  for (const n of shape) length *= n;
  const end = start + length * type.bytes;
  if (end !== file.length) {
    const how = file.length < end ? "ends" : "goes on";
    throw new FormatError(
      `readIdx: the header promises ${show(shape)} of ${type.bytes}-byte values, up to offset ${end}, but the file ` +
        `${how} ${file.length < end ? "at" : "to"} offset ${file.length}`,
    );
  }
  if (type.bytes === 1) {
    const data = type.make(length);
    data.set(
      new (data.constructor as typeof Uint8Array)(
        file.buffer as ArrayBuffer,
        file.byteOffset + start,
        length,
      ),
    );
    return { data, shape };
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const data = type.make(length);
  for (let i = 0; i < length; i++) data[i] = type.read(view, start + i * type.bytes);
  return { data, shape };
}

function parseHeader(file: Uint8Array): { type: Type; shape: number[]; start: number } {
  if (file.length < 4) {
    throw new FormatError(`readIdx: expected a header of at least 4 bytes, got ${file.length} in all`);
  }
  const [zero, zeroToo, code, rank] = file as unknown as [number, number, number, number];
  if (zero !== 0 || zeroToo !== 0) {
    throw new FormatError(`readIdx: expected two zero bytes at offset 0, got ${hex(zero)} ${hex(zeroToo)}`);
  }
  const type = TYPES[code];
  if (type === undefined) {
    throw new FormatError(
      `readIdx: expected a type at offset 2, one of ${Object.keys(TYPES).map(Number).map(hex).join(" ")}, got ${hex(code)}`,
    );
  }
  if (rank === 0) throw new FormatError("readIdx: expected at least one dimension at offset 3, got 0");
  const start = 4 + 4 * rank;
  if (file.length < start) {
    throw new FormatError(
      `readIdx: the sizes of ${rank} dimensions end at offset ${start}, but the file at offset ${file.length}`,
    );
  }
  const view = new DataView(file.buffer, file.byteOffset, start);
  return { type, shape: Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i)), start };
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

async function gunzip(bytes: Uint8Array): Promise<Uint8Array> {
  if (typeof DecompressionStream === "undefined") {
    throw new FormatError(
      "readIdx: this engine has no DecompressionStream for gzipped data; decompress it first",
    );
  }
  try {
    const plain = new Blob([bytes as Uint8Array<ArrayBuffer>])
      .stream()
      .pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(plain).arrayBuffer());
  } catch (error) {
    const { message } = ((error as Error).cause as Error | undefined) ?? (error as Error);
    throw new FormatError(`readIdx: the gzip data is damaged (${message})`);
  }
}
