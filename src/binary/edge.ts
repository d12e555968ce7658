// Runtimes at the edge compile wasm when code is deployed, from a static import, and forbid it afterwards.
import module from "./baseline.wasm";

/** The baseline, compiled. */
export function binary(): WebAssembly.Module {
  return module;
}
