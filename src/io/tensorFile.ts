// Tensors as a safetensors file, for other programs.
import { FormatError, OptionError, text } from "../errors";
import { scope } from "../scope";
import { expectDict } from "../stateDict";
import { Tensor } from "../tensor";
import { decode, encode, METADATA, readStored } from "./safetensors";

/** What is in a safetensors file. */
export interface Safetensors {
  /** By name; they belong to the caller. */
  tensors: Record<string, Tensor>;
  metadata: Record<string, string>;
  /** How the file holds those that had to be converted: f16 and bf16 to f32, which has all their values, i64 to i32. */
  converted: Record<string, "f16" | "bf16" | "i64">;
}

/**
 * The bytes of a safetensors file, which PyTorch, transformers and others read: f32 and i32, bit by bit. The names and layouts
 * of `model.stateDict()` are PyTorch's.
 * @param tensors by name
 * @param metadata texts by name, as { format: "pt" }; default none
 * @throws OptionError for what is no tensor or no text, DisposedError for a tensor that is gone
 */
export function saveSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const op = "saveSafetensors";
  expectDict(op, tensors);
  expectDict(`${op}: metadata`, metadata);
  for (const [name, value] of Object.entries(tensors)) {
    if (!(value instanceof Tensor))
      throw new OptionError(`${op}: "${name}": expected a tensor, got ${text(value)}`);
    if (name === METADATA) throw new OptionError(`${op}: the name ${METADATA} belongs to the format`);
    value.use(`${op}: "${name}"`, value.dtype);
  }
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value !== "string")
      throw new OptionError(`${op}: metadata "${name}": expected a string, got ${text(value)}`);
  }
  return encode(new Map(Object.entries(tensors)), metadata);
}

/**
 * The tensors of a safetensors file, such as `model.loadStateDict` takes. f32 and i32 are read bit by bit, f16, bf16 and i64
 * converted. A file is read whole or not at all. Beside the tensors, of four bytes for each value, it takes at most 64 bytes for
 * each byte of the header.
 * @throws FormatError where the bytes are not what the format asks for: offsets that overlap, leave a gap or do not fit
 *   the shape, a header that is longer than the file or has a key twice, another dtype, an integer beyond 32 bits
 */
export function loadSafetensors(bytes: Uint8Array | ArrayBuffer): Safetensors {
  const op = "loadSafetensors";
  const file = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
  if (!(file instanceof Uint8Array))
    throw new FormatError(`${op}: expected a Uint8Array, got ${text(bytes)}`);
  const contents = decode(op, file);
  const stored = [...contents.tensors.values()];
  const tensors = scope(() => Object.fromEntries(stored.map((one) => [one.name, readStored(op, one)])));
  const converted = stored.filter(({ type }) => type.read !== undefined);
  return {
    tensors,
    metadata: { ...contents.metadata },
    converted: Object.fromEntries(
      converted.map(({ name, type }) => [name, type.name]),
    ) as Safetensors["converted"],
  };
}
