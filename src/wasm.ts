import type { instantiate as bindings } from "../build/release";
import { ownBinary } from "./binary/compile";

type Exports = Awaited<ReturnType<typeof bindings>>;

/** The kernels of assembly/, by name, typed from the declarations that the compiler wrote. */
export type Kernels = Omit<Exports, "heapBase" | "table">;

/** Set by `instantiate`, which the first allocation calls: whoever has a pointer to pass has kernels. */
export let kernels: Kernels;

/** What runs: its exports are the kernels themselves, whatever stands in their place. */
export let instance: WebAssembly.Instance;

/** The places of the kernels in the function table; none before somebody asks. */
const places = new Map<string, number>();

/** The kernel's place in the function table, through which other kernels can call it. */
export function placeOf(name: string): number {
  if (places.size === 0) fillTable();
  return places.get(name)!;
}

/** Puts the kernels into the table, in the order of the exports: every instance has them in the same places. */
function fillTable(): void {
  const functions = Object.entries(instance.exports).filter(([, item]) => typeof item === "function");
  const table = instance.exports.table as WebAssembly.Table;
  const first = table.grow(functions.length);
  for (const [i, [name, kernel]] of functions.entries()) {
    table.set(first + i, kernel);
    places.set(name, first + i);
  }
}

/** Puts other functions in the kernels' place, which call them, for as long as a recording takes. */
export function setKernels(next: Kernels): void {
  kernels = next;
}

/** The kernels of the instance itself. */
export let own: Kernels;
let divided: Kernels | undefined;
let checks: ((kernels: Kernels) => Kernels) | undefined;

/** Puts kernels that divide their work in the place of the instance's own, until called without. */
export function setDivided(next?: Kernels): void {
  divided = next;
  settle();
}

/** Puts what `next` makes of all kernels, divided ones too, in their place, until called without. */
export function setChecks(next?: typeof checks): void {
  checks = next;
  settle();
}

function settle(): void {
  if (running === undefined) return;
  const bare = divided ?? own;
  kernels = checks?.(bare) ?? bare;
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
  /** Compiles the same for memory that threads share; nothing where a compiled module was brought. */
  readonly share: (() => Promise<WebAssembly.Module>) | undefined;
}

/** A binary with the memory that it works on. */
export interface Loaded extends Binary {
  readonly memory: WebAssembly.Memory;
  readonly instance: WebAssembly.Instance;
}

let chosen: Loaded | undefined;

/** The binary that runs, to make others of. */
export let binary: Binary;

/** Says what will run, instead of the best binary that the package carries. */
export function choose(loaded: Loaded): void {
  chosen = loaded;
}

/** Instantiates without blocking; old Chromium instantiates no more than 4 kB synchronously. */
export async function loadAsync(binary: Binary, memory = newMemory()): Promise<Loaded> {
  return { ...binary, memory, instance: await WebAssembly.instantiate(binary.module, { env: { memory } }) };
}

function load(binary: Binary): Loaded {
  const memory = newMemory();
  return { ...binary, memory, instance: new WebAssembly.Instance(binary.module, { env: { memory } }) };
}

/** With half a megabyte for tensors, as `space.ts` grows it by: a small program meets no view that growth has left stale. */
function newMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 9, maximum: MAX_PAGES });
}

/** Memory that threads share: engines with little address space grant no 4 GiB. */
export function sharedMemory(initial = 1): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial, maximum: MAX_PAGES, shared: true });
  } catch {
    return new WebAssembly.Memory({ initial, maximum: Math.max(initial, MAX_PAGES / 8), shared: true });
  }
}

/** Takes the binary into use, which it compiles synchronously unless `init` has. Returns the first free byte of memory. */
export function instantiate(): number {
  use(chosen ?? load(ownBinary()));
  return (instance.exports as unknown as Exports).heapBase.value;
}

/** Runs `loaded` from now on. */
export function use(loaded: Loaded): void {
  const { heapBase, table, ...rest } = loaded.instance.exports as unknown as Exports;
  const wasFilled = places.size > 0;
  [own, binary, instance, memory, running] = [rest, loaded, loaded.instance, loaded.memory, loaded.simd];
  settle();
  places.clear();
  if (wasFilled) fillTable();
}
