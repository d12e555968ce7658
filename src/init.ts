import { OptionError, text, withDefaults } from "./errors";
import { debugMemory, start } from "./memory";
import { choose, hasRelaxedSimd, running, type Simd } from "./wasm";

export interface InitOptions {
  /**
   * Which binary to run: "relaxed" has fused multiply-add, which not every engine has; default: the best that there is.
   * Its results differ from those of "baseline", and from machine to machine, in the last bits.
   */
  simd?: Simd;
  /** Keep to the baseline, whose results are the same bits on every machine; default false. */
  deterministic?: boolean;
  /** Remember where each tensor is made, for `memory()`; default false. It makes every op slower. */
  debug?: boolean;
}

const defaults = { simd: undefined as Simd | undefined, deterministic: false, debug: false };

/**
 * Settings for those who want others than the defaults; nobody has to call it. Tells what is in use.
 * @throws OptionError for a binary that the engine cannot run, or if another one is running already
 */
export async function init(options?: InitOptions): Promise<{ simd: Simd; threads: 1 }> {
  const { debug, ...rest } = withDefaults("init", defaults, options);
  const simd = wantedBinary(rest);
  if (simd !== undefined) {
    if (running !== undefined && running !== simd) {
      throw new OptionError(
        `init: expected to be called before the first tensor is made, to choose the ${simd} binary; ${running} is running`,
      );
    }
    choose(simd);
  }
  debugMemory(debug);
  start();
  return { simd: running!, threads: 1 };
}

function wantedBinary({
  simd,
  deterministic,
}: {
  simd: Simd | undefined;
  deterministic: boolean;
}): Simd | undefined {
  if (simd !== undefined && simd !== "baseline" && simd !== "relaxed") {
    throw new OptionError(`init: simd is "baseline" or "relaxed", got ${text(simd)}`);
  }
  if (simd === "relaxed" && deterministic) {
    throw new OptionError('init: deterministic keeps to the baseline; drop it or simd: "relaxed"');
  }
  if (simd === "relaxed" && !hasRelaxedSimd()) {
    throw new OptionError(
      "init: this engine has no relaxed SIMD; leave simd out, or in Node 20 pass --experimental-wasm-relaxed-simd",
    );
  }
  return deterministic ? "baseline" : simd;
}
