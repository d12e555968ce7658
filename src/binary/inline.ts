import { packed, size, unpacker } from "../../build/binary";
import type { Simd } from "../wasm";
import { fuse } from "./fuse";

interface Unpacker {
  memory: WebAssembly.Memory;
  /** Where the LZMA stream is to be, in base64. */
  input: WebAssembly.Global<"i32">;
  unpack(chars: number, output: number, size: number): void;
}

/** The binary that the package carries, unpacked. */
export function binary(simd: Simd): Uint8Array<ArrayBuffer> {
  const decoder = Uint8Array.from(atob(unpacker), (char) => char.charCodeAt(0));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(decoder));
  const { memory, input, unpack } = exports as unknown as Unpacker;
  const output = input.value + packed.length;
  new TextEncoder().encodeInto(packed, new Uint8Array(memory.buffer, input.value));
  unpack(packed.length, output, size);
  const bytes = new Uint8Array(memory.buffer as ArrayBuffer, output, size);
  if (simd === "relaxed") fuse(bytes);
  return bytes;
}
