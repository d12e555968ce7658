import type { instantiate as bindings } from "../build/release";
import { ownBinary } from "./binary/compile";

type Exports = Awaited<ReturnType<typeof bindings>>;

/** The kernels of assembly/, by name, typed from the declarations that the compiler wrote. */
export type Kernels = Omit<Exports, "heapBase" | "table">;

/** Set by `instantiate`, which the first allocation calls: whoever has a pointer to pass has kernels. */
export let kernels: Kernels;

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

/** A compiled binary. */
export interface Binary {
  readonly simd: Simd;
  readonly module: WebAssembly.Module;
}

/** A binary with the memory that it works on. */
export interface Loaded extends Binary {
  readonly memory: WebAssembly.Memory;
  readonly instance: WebAssembly.Instance;
}

let chosen: Loaded | undefined;

/** Says what will run, instead of the best binary that the package carries. */
export function choose(loaded: Loaded): void {
  chosen = loaded;
}

/** Instantiates without blocking; old Chromium instantiates no more than 4 kB synchronously. */
export async function loadAsync(binary: Binary): Promise<Loaded> {
  const memory = newMemory();
  return { ...binary, memory, instance: await WebAssembly.instantiate(binary.module, { env: { memory } }) };
}

function load(binary: Binary): Loaded {
  const memory = newMemory();
  return { ...binary, memory, instance: new WebAssembly.Instance(binary.module, { env: { memory } }) };
}

function newMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES });
}

/** Takes the binary into use, which it compiles synchronously unless `init` has. Returns the first free byte of memory. */
export function instantiate(): number {
  const loaded = chosen ?? load(ownBinary());
  const {
    heapBase,
    table: functions,
    ...rest
  } = loaded.instance.exports as unknown as Exports & {
    table: WebAssembly.Table;
  };
  [kernels, table, memory, running] = [rest, functions, loaded.memory, loaded.simd];
  return heapBase.value;
}
