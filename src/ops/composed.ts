import { composed as composedOf } from "../memory";
import { Tensor } from "../tensor";

/** Runs an op that is made of ops: its intermediates live no longer than a backward pass may need them. */
export function composed<T>(fn: () => T): T {
  return composedOf(fn, (result) =>
    [result].flat().flatMap((t) => (t instanceof Tensor && t.node !== undefined ? [t.node] : [])),
  );
}
