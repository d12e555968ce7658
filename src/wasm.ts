import type { instantiate as bindings } from "../build/release";
import { baseline, pointerMasks, relaxed, signatureNumbers } from "../build/wasm";

type Exports = Awaited<ReturnType<typeof bindings>>;

/** The kernels of assembly/, by name, typed from the declarations that the compiler wrote. */
export type Kernels = Omit<Exports, "heapBase" | "table">;

/** Set by `instantiate`, which the first allocation calls: whoever has a pointer to pass has kernels. */
export let kernels: Kernels;

/** Which parameters of each kernel are pointers: a bit for each, the first the lowest. */
export const pointers: Record<string, number> = {};

/** The number of each kernel's signature in assembly/replay.ts. */
export const signatures: Record<string, number> = {};

let table: WebAssembly.Table;
const places = new Map<string, number>();

/** The kernel's place in the function table, through which other kernels can call it. */
export function placeOf(name: string): number {
  let at = places.get(name);
  if (at === undefined) {
    at = table.grow(1, kernels[name as keyof Kernels]);
    places.set(name, at);
  }
  return at;
}

/** Puts other functions in the kernels' place, which call them. */
export function setKernels(next: Kernels): void {
  kernels = next;
}

/** Linear memory. It grows: views are for memory.ts to make, one per use. */
export let memory: WebAssembly.Memory;

/** Bytes in a page of linear memory, and pages in its 4 GiB. */
export const PAGE = 65_536;
const MAX_PAGES = 65_536;

/** Which of the two binaries: "relaxed" has fused multiply-add, as relaxed SIMD offers it. */
export type Simd = "baseline" | "relaxed";

/** The binary that runs, once the first allocation has been made. */
export let running: Simd | undefined;

let chosen: Simd | undefined;

/** Says which binary will run, instead of the best that there is. */
export function choose(simd: Simd): void {
  chosen = simd;
}

// (module (func (result v128) (f32x4.relaxed_madd (i8x16.splat (i32.const 0)) …)))
const PROBE = [
  [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  [0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0xfd, 0x85, 2, 0x0b],
];

/** Whether the engine has relaxed SIMD. */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(Uint8Array.from(PROBE.flat()));
}

/** Compiles and instantiates the embedded binary, synchronously. Returns the first free byte of memory. */
export function instantiate(): number {
  const simd = chosen ?? (hasRelaxedSimd() ? "relaxed" : "baseline");
  const bytes = Uint8Array.from(atob(simd === "relaxed" ? relaxed : baseline), (c) => c.charCodeAt(0));
  memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES });
  const module = new WebAssembly.Module(bytes);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const names = WebAssembly.Module.exports(module).filter(({ kind }) => kind === "function");
  for (const [i, { name }] of names.entries()) {
    pointers[name] = pointerMasks[i]!;
    signatures[name] = signatureNumbers[i]!;
  }
  const {
    heapBase,
    table: functionTable,
    ...functions
  } = exports as unknown as Exports & {
    table: WebAssembly.Table;
  };
  table = functionTable;
  kernels = functions;
  running = simd;
  return heapBase.value;
}
