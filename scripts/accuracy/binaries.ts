// Both binaries and the true values in one memory, without the API above them.
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { hasRelaxedSimd } from "../../src/binary/engine";
import { table } from "./normal";

/** Numbers that a kernel gets at a time: those that have the first 16 bits in common. */
export const CHUNK = 65_536;

type Exports = Record<string, (...args: number[]) => number>;

// Node 20 has relaxed SIMD behind a flag.
if (!hasRelaxedSimd()) setFlagsFromString("--experimental-wasm-relaxed-simd");

const memory = new WebAssembly.Memory({ initial: 256, maximum: 65_536 });
const load = (name: string): WebAssembly.Exports => {
  const bytes = readFileSync(new URL(`../../build/${name}.wasm`, import.meta.url));
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports;
};

// The constants of both lie at the same place, and are the same.
export const binaries = ["baseline", "relaxed"] as const;
const kernels = binaries.map((simd) => load(simd) as unknown as Exports);
const truthExports = load("truth");
/** assembly/index.ts */
export const truths = truthExports as unknown as Exports;
new Float64Array(memory.buffer, (truthExports.erfcTable as WebAssembly.Global).value, table.length).set(
  table,
);

let free = 4 << 20;
/** Room for a chunk of numbers, each of `bytes` bytes. */
function room(bytes: number): number {
  const at = free;
  free += CHUNK * bytes + 64;
  return at;
}

/** Operands, gradients of 1, the result, values that a derivative is formed from, true values, and a number of the loop. */
export const [A, B, ONES, Y, SAVED, T, PLACE] = [4, 4, 4, 4, 4, 8, 4].map(room) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];
export const floats = (ptr: number, n = CHUNK) => new Float32Array(memory.buffer, ptr, n);
export const doubles = (ptr: number, n = CHUNK) => new Float64Array(memory.buffer, ptr, n);
export const words = (ptr: number, n = CHUNK) => new Uint32Array(memory.buffer, ptr, n);
floats(ONES).fill(1);

/** Which kernel is measured, and what its derivative is formed from. */
export interface Kernel {
  op: string;
  parameters: readonly number[];
  saves: "input" | "output";
}

/** Y = op(A) or its derivative, by the kernel of binary i. */
export function unary(i: number, { op, parameters, saves }: Kernel, slope: boolean): void {
  const kernel = kernels[i]!;
  if (!slope) {
    kernel[`${op}Forward`]!(A, Y, CHUNK, ...parameters);
    return;
  }
  if (saves === "output") kernel[`${op}Forward`]!(A, SAVED, CHUNK, ...parameters);
  kernel.zero!(Y, CHUNK);
  kernel[`${op}Backward`]!(saves === "output" ? SAVED : A, ONES, Y, CHUNK, ...parameters);
}

/** Y = op(A, B) or its derivative by A or B. */
export function binary(i: number, op: string, what: "Forward" | "BackwardA" | "BackwardB"): void {
  const kernel = kernels[i]!;
  kernel.zero!(Y, CHUNK);
  const pointers = what === "Forward" ? [A, B, Y] : [A, B, ONES, Y];
  kernel[`${op}${what}`]!(...pointers, 1, CHUNK, CHUNK, 1, CHUNK, 1);
}
