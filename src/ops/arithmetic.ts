import { expectTensor, type Tensor } from "../tensor";
import { binary } from "./binary";
import type { Operand } from "./operand";
import { unary } from "./unary";

/**
 * a + b, element by element.
 * @param a a tensor [...] or a number
 * @param b a tensor or a number; shapes broadcast as in NumPy, aligned at the last dimension
 * @throws ShapeError for shapes that do not broadcast
 */
export const add = binary("add");

/**
 * a − b, element by element; operands as of `add`.
 * @throws ShapeError for shapes that do not broadcast
 */
export const sub = binary("sub");

/**
 * a · b, element by element (`matmul` for matrices); operands as of `add`.
 * @throws ShapeError for shapes that do not broadcast
 */
export const mul = binary("mul", { a: "b", b: "a" });

/**
 * a / b, element by element; operands as of `add`. ±∞ over 0, NaN for 0 / 0.
 * @throws ShapeError for shapes that do not broadcast
 */
export const div = binary("div", { a: "b", b: "ab" });

const power = binary("pow", { a: "ab", b: "ab" });

/**
 * a to the power of b, element by element; operands as of `add`. NaN for a negative base and a fraction. The
 * derivative by b is 0 where a = 0 and b ≥ 0, as in PyTorch, or a = ∞ and b < 0; pow(x, 2) is square(x).
 * @throws ShapeError for shapes that do not broadcast
 */
export function pow(a: Operand, b: Operand): Tensor {
  if (b !== 2 || typeof a === "number") return power(a, b);
  expectTensor("pow", a).use("pow");
  return square(a);
}

/** −x, elementwise. */
export const neg = unary("neg", "nothing");

/** e^x, elementwise, within 2.5 ULP over all of float32; ∞ above 88.72, subnormals below −87.33. */
export const exp = unary("exp", "output");

/** The natural logarithm, elementwise, within 2.5 ULP: −∞ at 0, NaN below. */
export const log = unary("log", "input");

/** The error function, 2/√π ∫ e^(−t²) dt from 0 to x, elementwise, within 2.5 ULP. */
export const erf = unary("erf", "input");

/** √x, elementwise: NaN below 0; the derivative is infinite at 0. */
export const sqrt = unary("sqrt", "output");

/** x², elementwise. */
export const square = unary("square", "input");

/** |x|, elementwise; the derivative is 0 at 0. */
export const abs = unary("abs", "input");
