import { LoadError } from "../errors";

/** No binary. @throws LoadError always: `init` gets one */
export function binary(): never {
  throw new LoadError(
    "nablas/slim carries no kernels: call await init({ module | bytes | url | response }) before the first tensor, with " +
      "nablas/baseline.wasm or nablas/relaxed.wasm",
  );
}
