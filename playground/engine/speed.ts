// The benchmark of bench/, in a worker: one binary, on one thread or several, against plain JavaScript.
import { init, manualSeed, threads } from "nablas";
import { sample } from "../../bench/batches";
import { contest, type Rounds } from "../../bench/contest";
import { rows } from "../../bench/rows/index";
import type { Timing } from "../../bench/stats";

/** What the library runs on in a worker: this cannot be changed there afterwards. */
export interface Binary {
  simd: "baseline" | "relaxed";
  threads: number;
}

/** What there is in this browser. */
export interface Machine {
  /** The best binary that the engine can run, and the number of threads. */
  best: Binary;
  /** Why there is only one thread, if so, in the library's words. */
  reason: string | undefined;
  /** The names of all rows. */
  rows: string[];
}

/** Seconds per call. */
export type Timings = Record<"wasm" | "js", Timing>;

let running: Rounds<"wasm" | "js"> | undefined;

export const speed = {
  async look(): Promise<Machine> {
    const best = await init({ threads: "auto" });
    return { best, reason: threads().reason, rows: rows.map(({ name }) => name) };
  },

  async start({ simd, threads }: Binary): Promise<void> {
    await init({ simd, threads });
  },

  /**
   * Makes the operands of a row, checks its answers and lets both sides run for a while.
   * @throws Error if wasm and plain JavaScript do not agree
   */
  prepare(name: string): void {
    const { prepare } = rows.find((row) => row.name === name)!;
    manualSeed(0);
    const { wasm, js, check } = prepare();
    running = contest(name, { wasm, js }, check, sample);
  },

  /** Times wasm and plain JavaScript once each, for so many seconds. */
  round(maxTime: number): void {
    running!.round(maxTime);
  },

  /** Of all rounds of the row, whose operands it lets go. */
  finish(): Timings {
    const timings = running!.timings();
    running = undefined;
    return timings;
  },
};
