import { packed, size, unpacker } from "../../build/binary";
import type { Simd } from "../wasm";
import { fuse } from "./fuse";

interface Unpacker {
  memory: WebAssembly.Memory;
  /** The address to write the LZMA stream to. */
  input: WebAssembly.Global<"i32">;
  unpack(output: number, size: number): void;
}

/** The bytes that base64 stands for. */
function decoded(base64: string): Uint8Array<ArrayBuffer> {
  const chars = atob(base64);
  const bytes = new Uint8Array(chars.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = chars.charCodeAt(i);
  return bytes;
}

/** The binary that the package carries, unpacked. */
export function binary(simd: Simd): Uint8Array<ArrayBuffer> {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(decoded(unpacker)));
  const { memory, input, unpack } = exports as unknown as Unpacker;
  const stream = decoded(packed);
  const output = input.value + stream.length;
  new Uint8Array(memory.buffer, input.value).set(stream);
  unpack(output, size);
  const bytes = new Uint8Array(memory.buffer as ArrayBuffer, output, size);
  if (simd === "relaxed") fuse(bytes);
  return bytes;
}
