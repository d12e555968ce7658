import { OptionError, text, withDefaults } from "../errors";
import type { Tensor } from "../tensor";
import { unary } from "./unary";

/** x σ(x), elementwise, also called swish (with β = 1). Elfwing et al. 2017. */
export const silu = unary("silu", "input");

/** x tanh(log(1 + e^x)), elementwise. Misra 2019. */
export const mish = unary("mish", "input");

/**
 * x · min(max((x + 3) / 6, 0), 1), elementwise; the derivative is 0 at −3 and 1 at 3. Howard et al. 2019. The
 * same in PyTorch, Keras 3 and ONNX.
 */
export const hardswish = unary("hardswish", "input");

/** The options of `gelu`. */
export interface GeluOptions {
  /** "none" for x Φ(x), "tanh" for x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))). */
  approximate: "none" | "tanh";
}

const gelus = { none: unary("gelu", "input"), tanh: unary("geluTanh", "input") };
const geluDefaults: GeluOptions = { approximate: "none" };

/**
 * x Φ(x), elementwise, with Φ the normal distribution function, (1 + erf(x / √2)) / 2. Hendrycks and Gimpel
 * 2016.
 *
 * `approximate`: "none", the default as in PyTorch, Keras and ONNX, or "tanh", JAX's default and that of
 * GPT-2.
 * @throws OptionError for another `approximate`
 */
export const gelu = Object.assign(
  (x: Tensor, options?: Partial<GeluOptions>): Tensor => {
    const { approximate } = withDefaults("gelu", geluDefaults, options);
    if (!Object.hasOwn(gelus, approximate)) {
      throw new OptionError(`gelu: approximate is "none" or "tanh", got ${text(approximate)}`);
    }
    return gelus[approximate](x);
  },
  { defaults: geluDefaults },
);
