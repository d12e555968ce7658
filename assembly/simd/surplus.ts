// p Σ q − q of rows with p = softmax(x): the gradient of a distribution's cross-entropy, and of logSoftmax. At the maximum,
// p = 1 / (1 + excess), it is (Σ q − q) − Σ q · excess / (1 + excess), where Σ q − q is formed of the others so that it does
// not cancel. Elements that tie for the maximum share two sums, whatever their number.
import { Lanes } from "./lanes";
import { highHalf, lanesSum, lowHalf } from "./moments";

/** Whether n ≥ 1 contiguous elements all are 0. */
export function isZero(q: usize, n: i32): bool {
  for (; n > 0; n -= 4, q += 16) {
    const v = v128.load(q);
    if (v128.any_true(v128.and(f32x4.ne(v, f32x4.splat(0)), Lanes.mask(min(n, 4))))) return false;
  }
  return true;
}

/** Σ q where x is below the maximum m, and where it is m, as lanes 0 and 1 of float64. One element alone is its sum. */
export function besideAndAt(x: usize, q: usize, m: f32, n: i32): v128 {
  const vm = f32x4.splat(m);
  let beside = f64x2.splat(0);
  let at = f64x2.splat(0);
  for (; n > 0; n -= 4, x += 16, q += 16) {
    const v = v128.and(v128.load(q), Lanes.mask(min(n, 4)));
    const tie = f32x4.eq(v128.load(x), vm);
    const b = v128.andnot(v, tie);
    const a = v128.and(v, tie);
    beside = f64x2.add(beside, f64x2.add(lowHalf(b), highHalf(b)));
    at = f64x2.add(at, f64x2.add(lowHalf(a), highHalf(a)));
  }
  return f64x2.replace_lane(f64x2.splat(lanesSum(beside)), 1, lanesSum(at));
}

/**
 * p Σ q − q of two elements: e · share − q with share = Σ q / (1 + excess), and at a tie most + (tied − q) with
 * most = Σ beside − share · excess and tied = Σ at.
 */
@inline
export function surplus(e: v128, q: v128, tie: v128, share: v128, most: v128, tied: v128): v128 {
  const own = v128.bitselect(most, f64x2.mul(e, share), tie);
  return f64x2.add(own, f64x2.sub(v128.and(tied, tie), q));
}
