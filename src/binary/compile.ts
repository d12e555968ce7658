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
    return own instanceof Uint8Array
      ? { simd, module: new WebAssembly.Module(own) }
      : { simd: "baseline", module: own };
  });
}

/** The same without blocking; old Chromium compiles no more than 4 kB synchronously. */
export async function ownBinaryAsync(simd = best()): Promise<Binary> {
  const own = guarded(() => carried(simd));
  return own instanceof Uint8Array
    ? { simd, module: await compiled(own) }
    : { simd: "baseline", module: own };
}

function carried(simd: Simd): Uint8Array<ArrayBuffer> | WebAssembly.Module {
  const own = binary(simd) as Uint8Array<ArrayBuffer> | WebAssembly.Module | undefined;
  if (own !== undefined) return own;
  throw new LoadError(
    "nablas/slim carries no kernels: call await init({ module | bytes | url | response }) before the first tensor, " +
      "with nablas/baseline.wasm or nablas/relaxed.wasm",
  );
}

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
export function identified(module: WebAssembly.Module): Binary {
  const [label] = WebAssembly.Module.customSections(module, "nablas");
  const [labelled, simd] = label === undefined ? [] : new TextDecoder().decode(label).split(" ");
  if (labelled === version && (simd === "baseline" || simd === "relaxed")) return { simd, module };
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
      "WebAssembly is forbidden here. In a page, add 'wasm-unsafe-eval' to script-src of the Content-Security-Policy; in an " +
      "edge runtime, import nablas under its condition workerd or edge-light, or nablas/slim with init({ module })"
    );
  }
  if (cause instanceof RangeError) {
    return "this engine compiles so many bytes only asynchronously: call await init() before the first tensor";
  }
  const relaxed = hasRelaxedSimd() ? "" : "; this engine has no relaxed SIMD, and runs baseline.wasm alone";
  return `the kernels cannot be compiled: ${String(cause)}${relaxed}`;
}
