import Benchmark from "benchmark";

/** Seconds per call. `rme` is the margin of error of the mean, in percent of it, at 95 % confidence. */
export interface Timing {
  median: number;
  min: number;
  mean: number;
  rme: number;
}

export interface Comparison {
  wasm: Timing;
  js: Timing;
}

export interface Answers {
  wasm: ArrayLike<number>;
  js: ArrayLike<number>;
}

export interface Effort {
  rounds: number;
  /** Seconds for each side in each round. */
  maxTime: number;
}

export const THOROUGH: Effort = { rounds: 5, maxTime: 0.15 };
export const QUICK: Effort = { rounds: 2, maxTime: 0.03 };

/**
 * Times both sides in turns, in several short rounds: what slows the machine down slows both.
 * @throws Error before the first round if the answers of `check` differ.
 */
export function compare(
  name: string,
  sides: { wasm: () => void; js: () => void },
  check: () => Answers,
  effort: Effort = THOROUGH,
): Comparison {
  assertSame(name, check());
  const wasm: number[] = [];
  const js: number[] = [];
  for (let round = 0; round < effort.rounds; round++) {
    wasm.push(...sample(sides.wasm, effort.maxTime));
    js.push(...sample(sides.js, effort.maxTime));
  }
  return { wasm: summarize(wasm), js: summarize(js) };
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

/** Seconds per call, several times: benchmark.js repeats `fn` until a clock tick is small beside a sample. */
function sample(fn: () => void, maxTime: number): number[] {
  const benchmark = new Benchmark({ fn, maxTime, minTime: maxTime / 5, minSamples: 3 }).run({ async: false });
  const { error } = benchmark as { error?: Error };
  if (error) throw error;
  return benchmark.stats.sample;
}

function summarize(samples: number[]): Timing {
  const sorted = [...samples].sort((a, b) => a - b);
  const count = sorted.length;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / count;
  const variance = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const marginOfError = 1.96 * Math.sqrt(variance / count);
  return {
    median: (sorted[Math.ceil(count / 2) - 1]! + sorted[Math.floor(count / 2)]!) / 2,
    min: sorted[0]!,
    mean,
    rme: (100 * marginOfError) / mean,
  };
}
