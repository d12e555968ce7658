// Kernels and plans on all threads of a pool.
import { OutOfMemoryError } from "../errors";
import type { Parallel, Place, Stage } from "../plan/parallel";
import type { Call } from "../plan/recording";
import { type Kernels, kernels, setKernels } from "../wasm";
import { clock, type Judge, Site } from "./judge";
import type { Pool } from "./pool";
import { Run, reserved } from "./run";
import { splitOf } from "./split";
import type { Split } from "./walk";

/** Nanoseconds that a piece takes at least, if the work is enough for it, and pieces for each thread at most. */
const PIECE = 5000;
const PIECES_PER_THREAD = 16;

/** Nanoseconds for a unit of work of which nothing is known: an element, or a multiply-add of a product. */
const GUESS = 1;
const GUESS_PRODUCT = 0.05;

type Kernel = (...args: number[]) => unknown;

/** A kernel whose calls can be divided. */
class Divisible {
  /** Units from which a call may be worth dividing. */
  least: number;
  private readonly sites = new Map<number, Site>();
  /** Nanoseconds for a unit, where it took longest. */
  private slowest: number;

  constructor(
    name: string,
    readonly split: Split,
    readonly kernel: Kernel,
    private readonly judge: Judge,
  ) {
    this.slowest = name === "matmul" ? GUESS_PRODUCT : GUESS;
    this.least = judge.least / this.slowest;
  }

  unitsOf(args: readonly number[]): number {
    return this.split.work.reduce((units, k) => units * args[k]!, 1);
  }

  /** The calls with sizes like these, each to within a factor of 2. */
  siteOf(args: readonly number[]): Site {
    const key = this.split.work.reduce((key, k) => 32 * key + Math.clz32(args[k]!), 0);
    let site = this.sites.get(key);
    if (site === undefined) {
      site = new Site(this.judge);
      this.sites.set(key, site);
    }
    return site;
  }

  /** Nanoseconds that a call is expected to take. */
  expected(args: readonly number[]): number {
    return this.unitsOf(args) * (this.siteOf(args).ns || this.slowest);
  }

  /** Does a call on this thread, and looks how long it takes. */
  time(site: Site, units: number, args: readonly number[]): void {
    const start = clock();
    this.kernel(...args);
    site.timed(units, clock() - start);
    if (site.ns <= this.slowest) return;
    this.slowest = site.ns;
    this.least = this.judge.least / this.slowest;
  }
}

export class Crew implements Parallel {
  private readonly divisible = new Map<string, Divisible>();
  /** The kernels as they are, each on one thread. */
  readonly real: Kernels = kernels;
  private readonly run = new Run(reserved);

  constructor(
    readonly pool: Pool,
    private readonly judge: Judge,
  ) {
    const entries = Object.entries(this.real).map(([name, kernel]) => {
      const split = splitOf(name);
      if (split === undefined) return [name, kernel];
      const divisible = new Divisible(name, split, kernel as Kernel, judge);
      this.divisible.set(name, divisible);
      return [name, this.dividing(divisible)];
    });
    setKernels(Object.fromEntries(entries) as Kernels);
  }

  /**
   * The kernel; where it pays, on all threads. Those that small networks live on are written out by the number of their
   * parameters: a call with a list of arguments would take half as long again.
   */
  private dividing(divisible: Divisible): Kernel {
    const { kernel, split } = divisible;
    const [p, q, r] = split.work as [number, number?, number?];
    const divide = (units: number, args: number[]) => this.divide(divisible, units, args);
    if (kernel.length === 3 && p === 2) {
      return (a, b, n) => {
        if (n! >= divisible.least && divide(n!, [a!, b!, n!])) return;
        kernel(a!, b!, n!);
      };
    }
    if (kernel.length === 4 && p + Number(q !== undefined) === 3) {
      return (a, b, c, d) => {
        const units = q === undefined ? d! : c! * d!;
        if (units >= divisible.least && divide(units, [a!, b!, c!, d!])) return;
        kernel(a!, b!, c!, d!);
      };
    }
    if (kernel.length === 9 && p === 3 && q === 4) {
      return (a, b, c, d, e, f, g, h, i) => {
        const units = d! * e! * (r === undefined ? 1 : f!);
        if (units >= divisible.least && divide(units, [a!, b!, c!, d!, e!, f!, g!, h!, i!])) return;
        kernel(a!, b!, c!, d!, e!, f!, g!, h!, i!);
      };
    }
    if (kernel.length === 10 && p === 4 && q === 5) {
      return (a, b, c, d, e, f, g, h, i, j) => {
        const units = e! * f! * (r === undefined ? 1 : g!);
        if (units >= divisible.least && divide(units, [a!, b!, c!, d!, e!, f!, g!, h!, i!, j!])) return;
        kernel(a!, b!, c!, d!, e!, f!, g!, h!, i!, j!);
      };
    }
    return (...args) => {
      let units = args[p]!;
      if (q !== undefined) units *= args[q]!;
      if (r !== undefined) units *= args[r]!;
      if (units >= divisible.least && divide(units, args)) return;
      kernel(...args);
    };
  }

  /** Does a call on all threads, or timed on this one, or nothing if neither is worth it. */
  private divide(divisible: Divisible, units: number, args: readonly number[]): boolean {
    const { pool, run } = this;
    if (units === 0 || pool.size === 1) return false;
    const site = divisible.siteOf(args);
    const way = site.next(units, pool.asleep);
    if (way === "alone") return false;
    if (way === "timed") {
      divisible.time(site, units, args);
      return true;
    }
    const start = clock();
    run.clear();
    if (!this.fits(run, () => this.add(run, divisible, args)) || run.count < 2) return false;
    pool.execute(run);
    site.divided(units, clock() - start);
    return true;
  }

  /** Fills a run; where memory does not suffice for what that takes, one thread does the work. */
  private fits(run: Run, fill: () => void): boolean {
    try {
      fill();
      this.pool.reserveScratch(run.scratch);
      return true;
    } catch (error) {
      if (error instanceof OutOfMemoryError) return false;
      throw error;
    }
  }

  private add(run: Run, divisible: Divisible, args: readonly number[]): void {
    const { size } = this.pool;
    const least = this.judge.always ? size : 2;
    const pieces = Math.max(least, Math.floor(divisible.expected(args) / PIECE));
    run.wait();
    divisible.split.cut(run, args, Math.min(PIECES_PER_THREAD * size, pieces), size);
  }

  stages(calls: readonly Call[], take: (bytes: number) => Place): Stage[] {
    const stages: Stage[] = [];
    for (let from = 0; from < calls.length; ) {
      const count = this.stretch(calls, from);
      const last = stages.at(-1);
      if (count > 0) stages.push({ from, count, run: this.stage(calls.slice(from, from + count), take) });
      else if (last === undefined || last.run !== undefined) stages.push({ from, count: 1, run: undefined });
      else stages[stages.length - 1] = { ...last, count: last.count + 1 };
      from += Math.max(1, count);
    }
    return stages;
  }

  /** How many calls from here on make a run: from one that is worth dividing to the last such before a search. */
  private stretch(calls: readonly Call[], from: number): number {
    if (!this.isWorth(calls[from]!)) return 0;
    let end = from + 1;
    for (let i = end; i < calls.length && calls[i]!.fault === undefined; i++) {
      if (this.isWorth(calls[i]!)) end = i + 1;
    }
    return end - from;
  }

  /** Whether a call of a plan is worth several pieces where the threads are at work anyway. */
  private isWorth({ name, args }: Call): boolean {
    const expected = this.divisible.get(name)?.expected(args) ?? 0;
    return expected >= 2 * PIECE || (this.judge.always && expected > 0);
  }

  /** Neighbouring calls of a plan as one run, one kernel after the other. */
  private stage(calls: readonly Call[], take: (bytes: number) => Place): Stage["run"] {
    const { pool, judge } = this;
    const run = new Run(take);
    const fill = () => {
      for (const call of calls) {
        if (this.isWorth(call)) this.add(run, this.divisible.get(call.name)!, call.args);
        else {
          run.wait();
          run.add(call.name, call.args);
        }
      }
    };
    const fits = this.fits(run, fill);
    const site = new Site(judge);
    return (alone) => {
      const way = pool.size === 1 || !fits ? "alone" : site.next(1, pool.asleep);
      const start = clock();
      if (way === "divided") pool.execute(run);
      else alone();
      if (way === "divided") site.divided(1, clock() - start);
      else if (way === "timed") site.timed(1, clock() - start);
    };
  }

  /** Divides whatever can be divided, for tests. */
  divideAll(): void {
    this.judge.always = true;
    for (const divisible of this.divisible.values()) divisible.least = 0;
  }

  /** Puts the kernels back. */
  end(): void {
    setKernels(this.real);
    this.run.dispose();
  }
}
