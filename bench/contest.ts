import { summarize, type Timing } from "./stats";

export interface Answers {
  wasm: ArrayLike<number>;
  js: ArrayLike<number>;
}

/** Seconds per call of a function, several times within so many seconds. */
export type Sample = (fn: () => void, maxTime: number) => number[];

/** Sides that are timed in turns. */
export interface Rounds<Side extends string> {
  /** Times each side for so many seconds. */
  round(maxTime: number): void;
  /** Of all rounds up to now. */
  timings(): Record<Side, Timing>;
}

export interface Effort {
  rounds: number;
  /** Seconds for each side in each round. */
  maxTime: number;
}

export const THOROUGH: Effort = { rounds: 5, maxTime: 0.15 };
export const QUICK: Effort = { rounds: 2, maxTime: 0.03 };

/** Seconds for each side, before the first round. */
export const WARM_UP = 0.1;

/**
 * All sides, ready to be timed in turns: what slows the machine down slows each of them. Before that each runs untimed,
 * so that the engine has compiled it.
 * @throws Error if the answers of `check` differ
 */
export function contest<Side extends string>(
  name: string,
  sides: Record<Side, () => void>,
  check: () => Answers,
  sample: Sample,
): Rounds<Side> {
  assertSame(name, check());
  const runs = Object.entries<() => void>(sides).map(([side, fn]) => ({ side, fn, samples: [] as number[] }));
  for (const { fn } of runs) sample(fn, WARM_UP);
  return {
    round(maxTime) {
      for (const { fn, samples } of runs) samples.push(...sample(fn, maxTime));
    },
    timings() {
      const timings = runs.map(({ side, samples }) => [side, summarize(samples)]);
      return Object.fromEntries(timings) as Record<Side, Timing>;
    },
  };
}

/** Float32 sums taken in another order differ in their last digits, not by one part in ten thousand. */
function assertSame(name: string, { wasm, js }: Answers): void {
  if (wasm.length !== js.length)
    throw new Error(`${name}: ${wasm.length} numbers in wasm, ${js.length} in JS`);
  for (let i = 0; i < js.length; i++) {
    const same = Math.abs(wasm[i]! - js[i]!) <= 1e-4 * Math.max(1, Math.abs(js[i]!));
    if (!same) throw new Error(`${name}: element ${i} is ${wasm[i]} in wasm, ${js[i]} in JS`);
  }
}
