import type { Signal } from "@preact/signals";

/**
 * Calls of which only the newest matters: one runs at a time, and those overtaken while they waited are dropped.
 * `problem` gets what the last one that ran failed with, undefined where it did not.
 */
export function newest<A>(
  run: (argument: A) => Promise<void>,
  problem: Signal<string | undefined>,
): (argument: A) => void {
  let waiting: { argument: A } | undefined;
  let running = false;
  return async (argument) => {
    waiting = { argument };
    if (running) return;
    running = true;
    while (waiting !== undefined) {
      const next = waiting.argument;
      waiting = undefined;
      try {
        await run(next);
        problem.value = undefined;
      } catch (error) {
        problem.value = String(error);
      }
    }
    running = false;
  };
}
