/**
 * Calls of which only the newest matters: one runs at a time, and those overtaken while they waited are dropped.
 * `done` is told of each that ran, with what it failed with, if it did.
 */
export function newest<A>(
  run: (argument: A) => Promise<void>,
  done: (error?: Error) => void,
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
        done();
      } catch (error) {
        done(error as Error);
      }
    }
    running = false;
  };
}
