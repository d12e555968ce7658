/** How many ticks of the clock a batch of calls lasts at least: so one is 5 % of it at most. */
const TICKS = 20;

/**
 * Seconds per call, several times, for pages: batches of calls, each so long that a tick of the clock is small beside it.
 * There benchmark.js reads the date, whose ticks are milliseconds, compiles its loops from text, which a
 * Content-Security-Policy may forbid, and weighs 37 kB, gzipped.
 */
export function sample(fn: () => void, maxTime: number): number[] {
  const least = Math.max(maxTime / 5, TICKS * tick());
  const end = now() + maxTime;
  let calls = 1;
  let seconds = batch(fn, calls);
  while (seconds < least) {
    calls *= 2;
    seconds = batch(fn, calls);
  }
  const samples = [seconds / calls];
  while (now() < end) samples.push(batch(fn, calls) / calls);
  return samples;
}

function batch(fn: () => void, calls: number): number {
  const start = now();
  for (let i = 0; i < calls; i++) fn();
  return now() - start;
}

function now(): number {
  return performance.now() / 1e3;
}

let smallest: number | undefined;

/** The clock's resolution: nanoseconds in Node, 5 µs to 100 ms in pages, by browser, headers and settings. */
function tick(): number {
  smallest ??= Math.min(...[0, 1, 2].map(step));
  return smallest;
}

/** The time from one reading of the clock to the next different one. */
function step(): number {
  const start = now();
  let end = start;
  while (end === start) end = now();
  return end - start;
}
