import { composed as composedOf } from "../scope";
import type { Tensor } from "../tensor";

/** Runs an op that is made of ops: its intermediates live no longer than a backward pass may need them. */
export function composed(fn: () => Tensor): Tensor {
  return composedOf(fn, (result) => result.node);
}
