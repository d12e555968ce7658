// Long work on a thread that has other things to do: a page that paints, a server that answers.

/** Milliseconds to work at a stretch: with the batch under way, a task stays below the 50 ms that people notice. */
const STRETCH = 10;

/** Lets the event loop run once every few milliseconds. */
export class Pace {
  private last = performance.now();

  /** Whether it is time to `rest`. */
  get due(): boolean {
    return performance.now() - this.last > STRETCH;
  }

  /** Resolves in a task of its own, as soon as those that wait have run. */
  async rest(): Promise<void> {
    await nextTask();
    this.last = performance.now();
  }
}

/** Calls of `Budget.due` for each look at the clock: that takes 45 ns, and a small step 1,500. */
const STRIDE = 16;

/** Work beside the main one that takes no more than a share of the time. */
export class Budget {
  private next = 0;
  private calls = 0;

  constructor(private readonly share: number) {}

  /** Whether there is time for it again; to be asked once a step. */
  due(): boolean {
    return this.calls++ % STRIDE === 0 && performance.now() >= this.next;
  }

  /** Does it, and puts the next time off by what it took, divided by the share. */
  spend<T>(fn: () => T): T {
    const start = performance.now();
    try {
      return fn();
    } finally {
      const end = performance.now();
      this.next = end + (end - start) / this.share;
    }
  }
}

/** Without the delay that browsers add to nested timers, unless there is nothing but timers. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
    } else if (typeof MessageChannel === "function") {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    } else {
      setTimeout(resolve, 0);
    }
  });
}
