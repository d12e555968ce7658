import type { Side } from "./adapters/adapter";
import type { Effort } from "./protocol";

/** Seconds of one batch of calls, so that the clock's tick is small beside it. */
const BATCH = 0.002;
const WARM_UP = 0.3;
/** The part of a batch that the process has to have the core for. */
const LEAST_SHARE = 0.9;

/** Seconds per call of each side, in rounds in which they take turns; a side has run for a while before. */
export async function interleave(sides: readonly Side[], { rounds, time }: Effort): Promise<number[][]> {
  const runs = [];
  for (const { run } of sides) runs.push({ run, calls: await warmUp(run), samples: [] as number[] });
  for (let round = 0; round < rounds; round++) {
    for (const { run, calls, samples } of runs) samples.push(...(await sample(run, calls, time)));
  }
  return runs.map(({ samples }) => samples);
}

/** Returns how many calls make a batch. */
async function warmUp(run: Side["run"]): Promise<number> {
  let calls = 1;
  const end = performance.now() + 1e3 * WARM_UP;
  while (performance.now() < end) {
    const { seconds } = await batch(run, calls);
    if (seconds < BATCH) calls *= 2;
    else if (seconds > 4 * BATCH && calls > 1) calls /= 2;
  }
  return calls;
}

async function sample(run: Side["run"], calls: number, time: number): Promise<number[]> {
  const batches = [];
  const end = performance.now() + 1e3 * time;
  do batches.push(await batch(run, calls));
  while (performance.now() < end);
  const undisturbed = batches.filter(({ seconds, cpu }) => cpu >= LEAST_SHARE * seconds);
  // Long calls are always disturbed on a busy machine: then the time that they had the core for counts.
  const times =
    undisturbed.length > 0 ? undisturbed.map(({ seconds }) => seconds) : batches.map(({ cpu }) => cpu);
  return times.map((seconds) => seconds / calls);
}

async function batch(run: Side["run"], calls: number): Promise<{ seconds: number; cpu: number }> {
  const before = process.cpuUsage();
  const start = performance.now();
  for (let i = 0; i < calls; i++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  const seconds = (performance.now() - start) / 1e3;
  const { user, system } = process.cpuUsage(before);
  return { seconds, cpu: (user + system) / 1e6 };
}
