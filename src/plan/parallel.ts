// Where plans learn that there are threads.
import type { Fate } from "../memory";
import type { Call } from "./recording";

/** A piece of linear memory. */
export interface Place {
  readonly ptr: number;
  free(fate: Fate): void;
}

/** Neighbouring calls of a plan: on one thread, or on all. */
export interface Stage {
  /** The first of them, and how many. */
  readonly from: number;
  readonly count: number;
  /** Does them on all threads or, where that is not worth it, by calling `alone`. Without it they are done on this one. */
  readonly run: ((alone: () => void) => void) | undefined;
}

/** Several threads. */
export interface Parallel {
  /**
   * How to replay these calls.
   * @param take gives memory for lists of pieces, which lives as long as the plan
   */
  stages(calls: readonly Call[], take: (bytes: number) => Place): Stage[];
}

/** The threads, while there are several. */
export let parallel: Parallel | undefined;

export function setParallel(next: Parallel | undefined): void {
  parallel = next;
}
