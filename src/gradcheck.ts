import { noGrad } from "./autograd";
import { tensor } from "./create";
import { expectFunction, GradientError, OptionError, show, text, withDefaults } from "./errors";
import { mul } from "./ops/arithmetic";
import { sum } from "./ops/reductions";
import { ended, scopeOf } from "./scope";
import { expectTensor, sizeOf, type Tensor } from "./tensor";

/** The options of `gradcheck`. */
export interface GradcheckOptions {
  /** Step of the differences, relative to max(1, |x|); default 0.01. */
  eps?: number;
  /** Relative tolerance; default 0.01. */
  rtol?: number;
  /** Absolute tolerance; default 0.001. */
  atol?: number;
}

/**
 * Compares the gradients of `fn` with finite differences. Steps and tolerances are for float32: differences
 * of fourth order over a step of 0.01 leave some 1e-5 of rounding. Points within two steps of a kink are not
 * differentiable this way. The gradients of the inputs are left as they were.
 * @param inputs arguments of `fn`; those with requiresGrad are checked
 * @returns true
 * @throws GradientError naming the input, the element, and both values
 */
export function gradcheck(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options?: GradcheckOptions,
): true {
  expectFunction("gradcheck", fn);
  const call = (x: readonly Tensor[]) => expectTensor("gradcheck: fn", fn(...x));
  if (!Array.isArray(inputs))
    throw new OptionError(`gradcheck: expected an array of tensors, got ${text(inputs)}`);
  const { eps, rtol, atol } = withDefaults("gradcheck", { eps: 0.01, rtol: 0.01, atol: 0.001 }, options);
  scopeOf(ended("the function of gradcheck"), () => {
    const shape = noGrad(() => call(inputs)).shape;
    // Of different size for each element, and no random numbers, so that the generator stays where it was.
    const golden = (Math.sqrt(5) - 1) / 2;
    const spread = Array.from({ length: sizeOf(shape) }, (_, i) => 0.5 + ((i * golden) % 1));
    const weights = tensor(spread, { shape });
    const leaves = inputs.map((x) => expectTensor("gradcheck", x).detach().clone());
    for (const [i, leaf] of leaves.entries()) leaf.requiresGrad = inputs[i]!.requiresGrad;
    sum(mul(call(leaves), weights)).backward();
    const value = () =>
      scopeOf(ended("the function of gradcheck"), () => {
        const [y, w] = [noGrad(() => call(leaves)).data, weights.data];
        let total = 0;
        for (let i = 0; i < y.length; i++) total += y[i]! * w[i]!;
        return total;
      });
    for (const [i, leaf] of leaves.entries()) {
      if (!leaf.requiresGrad) continue;
      for (let e = 0; e < leaf.size; e++) {
        const numeric = slope(leaf, e, eps, value);
        const analytic = leaf.grad?.data[e] ?? 0;
        if (Math.abs(numeric - analytic) <= atol + rtol * Math.abs(numeric)) continue;
        throw new GradientError(
          `gradcheck: input ${i} ${show(leaf.shape)}, element ${e}: backward gives ${analytic}, differences ${numeric}`,
        );
      }
    }
  });
  return true;
}

/** (f(x − 2h) − 8 f(x − h) + 8 f(x + h) − f(x + 2h)) / 12h, with the steps as float32 has them. */
function slope(x: Tensor, element: number, eps: number, value: () => number): number {
  const at = x.data[element]!;
  const h = eps * Math.max(1, Math.abs(at));
  const f = (steps: number) => {
    x.data[element] = at + steps * h;
    return value();
  };
  const differences = f(-2) - 8 * f(-1) + 8 * f(1) - f(2);
  x.data[element] = at;
  return differences / (12 * h);
}
