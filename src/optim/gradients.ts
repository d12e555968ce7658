import type { Buffer } from "../memory";
import { expectTensor, type Tensor } from "../tensor";

/**
 * The memory of the gradient of `t`, undefined if it is frozen or has none.
 * @throws DisposedError if an assigned gradient was given back
 */
export function gradientOf(op: string, t: Tensor): Buffer | undefined {
  const held = expectTensor(op, t).leaf?.held() ?? null;
  if (held === null || !t.requiresGrad) return undefined;
  if (held === "own") return t.leaf!.own;
  held.use(op);
  return held.buffer;
}
