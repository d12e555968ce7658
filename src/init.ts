import { withDefaults } from "./errors";
import { debugMemory } from "./memory";

export interface InitOptions {
  /** Remember where each tensor is made, for `memory()`; default false. It makes every op slower. */
  debug?: boolean;
}

/** Settings for those who want others than the defaults; nobody has to call it. Tells what is in use. */
export async function init(options?: InitOptions): Promise<{ simd: "baseline"; threads: 1 }> {
  const { debug } = withDefaults("init", { debug: false }, options);
  debugMemory(debug);
  return { simd: "baseline", threads: 1 };
}
