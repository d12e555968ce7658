// From bytes to a compiled binary, and why there may be none.
import { version } from "../../build/abi";
import { LoadError } from "../errors";
import type { Binary, Simd } from "../wasm";
import { canCompile, hasRelaxedSimd, hasSimd } from "./engine";
import { binary } from "./inline";

/** The faster of the two that the engine runs. */
function best(): Simd {
  return hasRelaxedSimd() ? "relaxed" : "baseline";
}

/** The binary that the package carries, compiled synchronously. */
export function ownBinary(simd = best()): Binary {
  return guarded(() => {
    const own = carried(simd);
    return isBytes(own) ? { simd, module: new WebAssembly.Module(own), share: () => share(simd) } : edge(own);
  });
}

/** The same without blocking; old Chromium compiles no more than 4 kB synchronously. */
export async function ownBinaryAsync(simd = best()): Promise<Binary> {
  const own = guarded(() => carried(simd));
  return isBytes(own) ? { simd, module: await compiled(own), share: () => share(simd) } : edge(own);
}

function isBytes(own: Bytes | WebAssembly.Module): own is Bytes {
  return own instanceof Uint8Array;
}

function edge(module: WebAssembly.Module): Binary {
  return { simd: "baseline", module, share: undefined };
}

function share(simd: Simd): Promise<WebAssembly.Module> {
  return compiled(shared(carried(simd) as Bytes));
}

type Bytes = Uint8Array<ArrayBuffer>;

// The import of the memory: its name's length and name, the kind, and limits with a maximum.
const MEMORY_IMPORT = [6, ...[..."memory"].map((char) => char.charCodeAt(0)), 2, 1];
const SHARED_LIMITS = 3;

/** The kernels for memory that threads share: one flag of the import differs. */
function shared(bytes: Bytes): Bytes {
  const copy = bytes.slice();
  const at = copy.findIndex((_, i) => MEMORY_IMPORT.every((byte, k) => copy[i + k] === byte));
  if (at >= 0) copy[at + MEMORY_IMPORT.length - 1] = SHARED_LIMITS;
  return copy;
}

/** Which of the two it is depends on the entry. */
const carried: (simd: Simd) => Bytes | WebAssembly.Module = binary;

/** @throws LoadError for bytes that this engine does not compile */
export async function compiled(bytes: BufferSource): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    throw loadError(error);
  }
}

/**
 * What `init` got, if it is a binary of this version.
 * @throws LoadError if it is something else
 */
export function identified(module: WebAssembly.Module, bytes?: Bytes): Binary {
  const [label] = WebAssembly.Module.customSections(module, "nablas");
  const [labelled, simd] = label === undefined ? [] : new TextDecoder().decode(label).split(" ");
  if (labelled === version && (simd === "baseline" || simd === "relaxed")) {
    return { simd, module, share: bytes && (() => compiled(shared(bytes))) };
  }
  const got = labelled === undefined ? "another WebAssembly module" : `the kernels of nablas ${labelled}`;
  throw new LoadError(`init: expected the baseline.wasm or relaxed.wasm of nablas ${version}, got ${got}`);
}

function guarded<T>(compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    throw error instanceof LoadError ? error : loadError(error);
  }
}

/** Why the engine compiles nothing. */
function loadError(cause: unknown): LoadError {
  return new LoadError(reason(cause), { cause });
}

function reason(cause: unknown): string {
  if (globalThis.WebAssembly === undefined) return "this engine has no WebAssembly, which nablas needs";
  if (!hasSimd()) {
    return "this engine has no WebAssembly SIMD, which nablas needs: Chrome 91, Firefox 89, Safari 16.4 and Node 16.4 have it";
  }
  if (!canCompile()) {
    return (
      "WebAssembly is forbidden here. In a page, add 'wasm-unsafe-eval' to script-src of the Content-Security-Policy; at " +
      "the edge, import nablas under its condition workerd or edge-light, or nablas/slim with init({ module })"
    );
  }
  if (cause instanceof RangeError) {
    return "this engine compiles so many bytes only asynchronously: call await init() before the first tensor";
  }
  const relaxed = hasRelaxedSimd() ? "" : "; this engine has no relaxed SIMD, and runs baseline.wasm alone";
  return `the kernels cannot be compiled: ${String(cause)}${relaxed}`;
}
