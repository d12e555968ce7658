import { readFileSync } from "node:fs";
import type { Simd } from "./simd";

/** bench/peak/peak.ts */
interface Exports {
  memory: WebAssembly.Memory;
  peak(n: number, a: number, b: number): number;
  copy(to: number, from: number, bytes: number): void;
}

/** What a row is measured by beside plain JavaScript. A call of `run` works off `amount`. */
interface Yardstick {
  run: () => void;
  amount: number;
}

export interface Yardsticks {
  /** A loop of multiply-adds in registers; FLOP. */
  peak: () => Yardstick;
  /** A `memory.copy` of floats. */
  copy: (elements: number) => Yardstick;
}

const PEAK_STEPS = 20_000;
const FLOP_PER_STEP = 96;

/** As the binary of the library has it: with fused multiply-add, or without. */
export function createYardsticks(simd: Simd): Yardsticks {
  const bytes = readFileSync(new URL(`../build/peak-${simd}.wasm`, import.meta.url));
  const wasm = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Exports;
  return {
    peak: () => ({
      run: () => void wasm.peak(PEAK_STEPS, 0.999, 0.001),
      amount: PEAK_STEPS * FLOP_PER_STEP,
    }),
    copy: (elements) => {
      const size = 4 * elements;
      const missing = 2 * size - wasm.memory.buffer.byteLength;
      if (missing > 0) wasm.memory.grow(Math.ceil(missing / 65_536));
      // Pages that nobody has written are all the same one, and that is in the cache.
      new Uint8Array(wasm.memory.buffer).fill(1);
      return { run: () => wasm.copy(size, 0, size), amount: elements };
    },
  };
}
