import type { instantiate as bindings } from "../build/release";
import { base64 } from "../build/wasm";

type Exports = Awaited<ReturnType<typeof bindings>>;

/** The kernels of assembly/, by name, typed from the declarations that the compiler wrote. */
export type Kernels = Omit<Exports, "heapBase">;

/** Set by `instantiate`, which the first allocation calls: whoever has a pointer to pass has kernels. */
export let kernels: Kernels;

/** Linear memory. It grows: views are for memory.ts to make, one per use. */
export let memory: WebAssembly.Memory;

/** Bytes in a page of linear memory, and pages in its 4 GiB. */
export const PAGE = 65_536;
const MAX_PAGES = 65_536;

/** Compiles and instantiates the embedded binary, synchronously. Returns the first free byte of memory. */
export function instantiate(): number {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const { heapBase, ...functions } = exports as unknown as Exports;
  kernels = functions;
  return heapBase.value;
}
