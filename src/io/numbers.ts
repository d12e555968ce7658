// How files hold numbers, little-endian, and what becomes of them here: f32 or i32.
import { zeros } from "../create";
import { FormatError } from "../errors";
import type { DType, Shape, Tensor } from "../tensor";
import { half } from "./half";

/** A way to hold a number. */
export interface NumberType {
  readonly name: string;
  /** Of a number. */
  readonly bytes: number;
  /** What a tensor has instead. */
  readonly dtype: DType;
  /** One number; undefined if the tensor holds the same bytes. */
  readonly read?: (view: DataView, offset: number) => number;
}

const type = (name: string, bytes: number, dtype: DType, read?: NumberType["read"]): NumberType => ({
  ...{ name, bytes, dtype },
  ...(read && { read }),
});

export const numberTypes = {
  f32: type("f32", 4, "f32"),
  i32: type("i32", 4, "i32"),
  f16: type("f16", 2, "f32", (view, at) => half(view.getUint16(at, true))),
  /** The upper half of a float32. */
  bf16: type("bf16", 2, "f32", (view, at) => upperHalf(view.getUint16(at, true))),
  f64: type("f64", 8, "f32", (view, at) => view.getFloat64(at, true)),
  i64: type("i64", 8, "i32", (view, at) => Number(view.getBigInt64(at, true))),
};

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

function upperHalf(bits: number): number {
  word[0] = bits << 16;
  return float[0]!;
}

/**
 * A tensor of the numbers in these bytes.
 * @throws FormatError, after `where`, for an integer beyond 32 bits
 */
export function readNumbers(where: string, type: NumberType, shape: Shape, bytes: Uint8Array): Tensor {
  const t = zeros(shape, { dtype: type.dtype });
  const { data } = t;
  if (type.read === undefined) {
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(bytes);
    return t;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < data.length; i++) {
    const value = type.read(view, i * type.bytes);
    data[i] = value;
    if (type.dtype === "i32" && data[i] !== value) {
      t.dispose();
      throw new FormatError(`${where}: integers become 32-bit ones, which have no ${value}`);
    }
  }
  return t;
}
