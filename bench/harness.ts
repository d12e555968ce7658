import Benchmark from "benchmark";
import { type Answers, contest, type Effort, THOROUGH } from "./contest";
import type { Timing } from "./stats";

/**
 * Times all sides in several short rounds.
 * @throws Error before the first round if the answers of `check` differ.
 */
export function compare<Side extends string>(
  name: string,
  sides: Record<Side, () => void>,
  check: () => Answers,
  { rounds, maxTime }: Effort = THOROUGH,
): Record<Side, Timing> {
  const { round, timings } = contest(name, sides, check, sample);
  for (let i = 0; i < rounds; i++) round(maxTime);
  return timings();
}

/** Seconds per call, several times: benchmark.js repeats `fn` until a clock tick is small beside a sample. */
export function sample(fn: () => void, maxTime: number): number[] {
  const benchmark = new Benchmark({ fn, maxTime, minTime: maxTime / 5, minSamples: 1 }).run({ async: false });
  const { error } = benchmark as { error?: Error };
  if (error) throw error;
  return benchmark.stats.sample;
}
