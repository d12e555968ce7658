import type { Node } from "../autograd";
import { composed as composedOf } from "../scope";
import { Tensor } from "../tensor";

/** Runs an op that is made of ops: its intermediates live no longer than a backward pass may need them. */
export function composed<T extends Tensor | readonly Tensor[]>(fn: () => T): T {
  return composedOf(fn, recordedIn);
}

// Runs in every forward pass of a module: no array methods, which cost more here than a small kernel.
function recordedIn(result: unknown): Node[] {
  if (result instanceof Tensor) return result.node === undefined ? [] : [result.node];
  const nodes: Node[] = [];
  if (Array.isArray(result)) for (const t of result) nodes.push(...recordedIn(t));
  return nodes;
}
