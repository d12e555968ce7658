// What all ways to divide a call have in common.
import { isPointer } from "../plan/abi";
import type { Run } from "./run";

/** A way to divide the calls of a kernel. */
export interface Split {
  /** The arguments whose product is the work: elements, or multiply-adds. */
  readonly work: readonly number[];
  /** Adds the call to a run, in about so many pieces for so many threads. */
  cut(run: Run, args: readonly number[], pieces: number, threads: number): void;
}

/**
 * Pieces begin at multiples of so many elements, a cache line, so that few lines have two writers. Tests go down to what the kernels
 * allow, 8: vectors may be written whole, and two blocks of random numbers make eight normal ones.
 */
export const finest = { grain: 16 };

/** What of a call goes on from unit to unit. */
export interface Walk {
  /** The argument that counts the units. */
  count: number;
  /** By how much each argument goes on for a unit; a null pointer stays. */
  steps: readonly number[];
  /** Pieces begin at multiples of so many units. */
  grain: number;
  /** The argument that is the thread's own scratch, and how many bytes of it. */
  scratch?: number;
  bytes?: number;
}

/** Adds calls on ranges of units. */
export function along(run: Run, name: string, args: readonly number[], walk: Walk, pieces: number): void {
  const { count, steps, grain, scratch = -1, bytes = 0 } = walk;
  const units = args[count]!;
  const size = Math.max(grain, Math.ceil(units / pieces / grain) * grain);
  const part = args.slice();
  const moving: number[] = [];
  for (let k = 0; k < steps.length; k++) {
    if (steps[k] !== 0 && (args[k] !== 0 || !isPointer(name, k))) moving.push(k);
  }
  for (let from = 0; from < units; from += size) {
    const n = Math.min(size, units - from);
    part[count] = n;
    for (let i = 0; i < moving.length; i++) {
      const k = moving[i]!;
      part[k] = args[k]! + from * steps[k]!;
    }
    run.add(name, part, scratch + 1, bytes);
  }
}
