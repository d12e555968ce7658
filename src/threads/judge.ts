// When threads are worth it. Nothing is known of the machine beforehand, and another process may take a processor at any
// time: what a kernel takes on one thread is timed, again and again, and what it takes on all is held against that.

/** Milliseconds that something takes, from a start. */
export const clock = (): number => performance.now();

/** How to do what could be divided. */
export type Way = "alone" | "timed" | "divided";

/** Nanoseconds of work of which half is more than what it takes to divide it. */
const LEAST = 10_000;

/** Calls of which one is done on one thread and timed. The first is, too, and some soon after it, of short work: code is slow at first. */
const PROBE = 64;
const SOON = [3, 9, 27];
const SHORT = 2e6;

/** Share of the time on one thread that is to be gained at least: workers that look out take some that is not seen. */
const WORTH = 0.9;

/**
 * Milliseconds of loss, and once what the work takes on one thread, after which a site is left alone: anybody is held up at
 * times. And milliseconds of gain that count against it.
 */
const LOSS = 2;
const CREDIT = 10;

/** Milliseconds of a pause at most, and for each that was lost: so little of the time is lost again. */
const LONGEST_PAUSE = 1000;
const PAUSE_PER_LOSS = 16;

/** What all sites share. */
export class Judge {
  /** Nanoseconds from which work is divided: while workers look out for it, and while they sleep. */
  readonly least: number;
  private readonly leastAsleep: number;
  /** Nanoseconds of work for which nobody was worth waking, one after the other. */
  private passed = 0;
  /** Whether to divide whatever can be divided, for tests. */
  always = false;

  /**
   * @param awake nanoseconds until a worker has what there is, while it looks out for work
   * @param asleep the same while it sleeps
   */
  constructor(awake: number, asleep: number) {
    this.least = Math.max(LEAST, 8 * awake);
    this.leastAsleep = Math.max(this.least, 4 * asleep);
  }

  /** Whether to wake somebody for work of so many nanoseconds, and for what was passed over before it. */
  wakes(ns: number): boolean {
    this.passed += ns;
    if (this.passed < this.leastAsleep) return false;
    this.passed = 0;
    return true;
  }
}

/** Calls of a kernel with sizes alike, or a part of a plan: what gains or loses alike. */
export class Site {
  /** Nanoseconds for a unit of work on one thread; 0 until it has been timed, and where the clock is too coarse to tell. */
  ns = 0;
  private isKnown = false;
  private calls = 0;
  /** Milliseconds, below 0 for a gain. */
  private lost = 0;
  private until = 0;
  private pause = 0;

  constructor(private readonly judge: Judge) {}

  /** How to do so many units of work. */
  next(units: number, asleep: boolean): Way {
    const { judge } = this;
    const expected = units * this.ns;
    if (judge.always) return "divided";
    if (this.isKnown && expected < judge.least) return "alone";
    const n = ++this.calls;
    if (n === 1 || n % PROBE === 0 || (expected < SHORT && SOON.includes(n))) return "timed";
    if (asleep && !judge.wakes(expected)) return "alone";
    if (this.until === 0) return "divided";
    if (clock() < this.until) return "timed";
    this.until = 0;
    return "divided";
  }

  /** Learns what so many units have taken on one thread, in milliseconds. Late code is faster, a thread may be held up. */
  timed(units: number, ms: number): void {
    const ns = (1e6 * ms) / units;
    if (!this.isKnown) this.ns = ns;
    else this.ns += ns < this.ns ? (ns - this.ns) / 2 : Math.min(ns - this.ns, this.ns / 2) / 4;
    this.isKnown = true;
  }

  /** Learns what so many units have taken on all threads, in milliseconds. */
  divided(units: number, ms: number): void {
    if (!this.isKnown) return;
    const alone = 1e-6 * units * this.ns;
    this.lost = Math.max(-CREDIT, this.lost + ms - WORTH * alone);
    if (this.lost > LOSS + alone) {
      const pause = Math.min(LONGEST_PAUSE, Math.max(this.pause, PAUSE_PER_LOSS * this.lost));
      this.until = clock() + pause;
      this.pause = 2 * pause;
      this.lost = 0;
    } else if (this.lost < 0) {
      this.pause = 0;
    }
  }
}
