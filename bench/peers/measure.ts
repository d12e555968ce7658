import type { Side } from "./adapters/adapter";
import type { Effort } from "./protocol";

/** Seconds of one batch of calls, so that the clock's tick is small beside it. */
const BATCH = 0.002;
const WARM_UP = 0.3;
/** The part of a batch that the process must have had the core for. */
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
  const undisturbed = batches.filter(({ share }) => share >= LEAST_SHARE);
  return (undisturbed.length > 0 ? undisturbed : batches).map(({ seconds }) => seconds / calls);
}

async function batch(run: Side["run"], calls: number): Promise<{ seconds: number; share: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let i = 0; i < calls; i++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  const seconds = (performance.now() - start) / 1e3;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, share: (user + system) / 1e6 / seconds };
}
