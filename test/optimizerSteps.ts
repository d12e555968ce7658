// Steps of an optimizer beside those of a reference.
import type { Tensor } from "../src/index";
import { type AnyOptimizer, expectClose, GRADIENTS, START, type Step, setGradient } from "./optimizers";

/** Steps along GRADIENTS, compared with the reference after each; `before` runs before each step. */
export function expectSteps(optimizer: AnyOptimizer, reference: Step, before?: (t: number) => void): void {
  const [w] = optimizer.parameters as readonly [Tensor];
  let want = START;
  for (const [i, g] of GRADIENTS.entries()) {
    before?.(i + 1);
    setGradient(w, g);
    optimizer.step();
    want = reference(want, g, i + 1);
    expectClose(w, want);
  }
}
