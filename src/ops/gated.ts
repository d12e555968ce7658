import { OptionError, withDefaults } from "../errors";
import type { Tensor } from "../tensor";
import { unary } from "./unary";

/** x σ(x), also called swish. Elfwing et al. 2017. */
export const silu = unary("silu", "input");

/** x tanh(log(1 + e^x)). Misra 2019. */
export const mish = unary("mish", "input");

/** x (x + 3) / 6 with the second factor clipped to [0, 1]; the derivative is 0 at −3 and 1 at 3. Howard et al. 2019. */
export const hardswish = unary("hardswish", "input");

export interface GeluOptions {
  /** "none" for x Φ(x), "tanh" for x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))). */
  approximate: "none" | "tanh";
}

const gelus = { none: unary("gelu", "input"), tanh: unary("geluTanh", "input") };
const geluDefaults: GeluOptions = { approximate: "none" };

/** x Φ(x) with the normal distribution function Φ, or close to it by tanh. Hendrycks & Gimpel 2016. */
export const gelu = Object.assign(
  (x: Tensor, options?: Partial<GeluOptions>): Tensor => {
    const { approximate } = withDefaults("gelu", geluDefaults, options);
    if (!Object.hasOwn(gelus, approximate)) {
      throw new OptionError(`gelu: approximate is "none" or "tanh", got ${JSON.stringify(approximate)}`);
    }
    return gelus[approximate](x);
  },
  { defaults: geluDefaults },
);
