// How near results have to be, and gradients as differences.
import { ulpError } from "../ulp";

/** How far a value may be off: all given parts together. */
export interface Tolerance {
  /** Units of the float32 spacing at the true value. */
  ulp?: number;
  rtol?: number;
  atol?: number;
}

/** The first value beyond the tolerance, in words; undefined if there is none. Zeros must agree in sign. */
export function mismatch(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { ulp = 0, rtol = 0, atol = 0 }: Tolerance,
  slack: ArrayLike<number> = [],
): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} values instead of ${expected.length}`;
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    const zeros = a === 0 && e === 0;
    if (zeros ? Object.is(a, e) || atol > 0 || slack.length > 0 : ulpError(a, e) <= ulp) continue;
    if (Math.abs(a - e) <= atol + rtol * Math.abs(e) + (slack[i] ?? 0)) continue;
    return `element ${i}: got ${a}, expected ${e}, ${ulpError(a, e).toFixed(2)} ULP apart`;
  }
  return undefined;
}

/** A power of two: x ± h is exact for a float32 x. Near the cube root of 2^−52, where errors balance. */
const h = 2 ** -17;

/**
 * Σ dy ∂y/∂x by central differences, and the noise that the rounding of y leaves in it.
 * @param f y as a function of x
 */
export function differences(
  f: (x: Float64Array) => Float64Array,
  x: Float64Array,
  dy: ArrayLike<number>,
): { gradient: Float64Array; noise: Float64Array } {
  const gradient = new Float64Array(x.length);
  const rounding = 2 ** -50 / h;
  // Where y is too flat to move at all, one rounding of a number near 1 hides it.
  const noise = new Float64Array(x.length).fill(2 * rounding);
  for (let e = 0; e < x.length; e++) {
    const [more, less] = [f(x.with(e, x[e]! + h)), f(x.with(e, x[e]! - h))];
    for (let i = 0; i < more.length; i++) {
      if (more[i] === less[i]) continue;
      gradient[e]! += (dy[i]! * (more[i]! - less[i]!)) / (2 * h);
      noise[e]! += Math.abs(dy[i]!) * Math.max(1, Math.abs(more[i]!)) * rounding;
    }
  }
  return { gradient, noise };
}
