import { expectTensor, type Tensor } from "../tensor";
import { binary } from "./binary";
import type { Operand } from "./operand";
import { unary } from "./unary";

/** a + b, broadcasting as NumPy does; numbers are operands too. */
export const add = binary("add", "nothing");

/** a − b, broadcasting. */
export const sub = binary("sub", "nothing");

/** a · b element by element, broadcasting. */
export const mul = binary("mul", "inputs");

/** a / b element by element, broadcasting. */
export const div = binary("div", "inputs");

const power = binary("pow", "inputs");

/** a to the power of b, broadcasting. The derivative by b is 0 where a = 0 and b ≥ 0, as in PyTorch. */
export function pow(a: Operand, b: Operand): Tensor {
  if (b !== 2 || typeof a === "number") return power(a, b);
  expectTensor("pow", a).use("pow");
  return square(a);
}

/** −x */
export const neg = unary("neg", "input");

/** e^x, within 2.5 ULP over all of float32. */
export const exp = unary("exp", "output");

/** Natural logarithm: −∞ at 0, NaN below. */
export const log = unary("log", "input");

/** The error function, 2/√π ∫ e^(−t²) dt from 0 to x. */
export const erf = unary("erf", "input");

/** √x: NaN below 0; the derivative is infinite at 0. */
export const sqrt = unary("sqrt", "output");

/** x² */
export const square = unary("square", "input");

/** |x|; the derivative is 0 at 0. */
export const abs = unary("abs", "input");
