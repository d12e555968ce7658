// Exponentials e^(x − m) along rows with the maximum m.
import { Lanes } from "./lanes";
import { Math4 } from "./math";
import { highHalf, lanesSum, lowHalf } from "./moments";
import { rowMax } from "./reduce";

/** Exponentials that are added in float32 before float64 takes over: few, as sums of equal numbers round one way. */
const FEW = 64;

/**
 * m = far + near. A float32 x − m may be off by 2^-18, and its exponential by 64 ULP. Beyond ±256 m is far: x − m is exact
 * for every x whose exponential is not 0. Else it is near, of which x keeps −high and −low beside it until the exponent is
 * reduced, as in Math4.liftedExpOfThree.
 */
@inline
export function farPart(m: f32): f32 {
  return abs(m) <= 256 ? 0 : m;
}

@inline
export function nearPart(m: f32): f32 {
  return abs(m) <= 256 ? m : 0;
}

/** −near, rounded to a multiple of 2^-14. */
@inline
export function highPart(near: f32): v128 {
  return f32x4.splat(768 - (near + 768));
}

/** −near without its high part. */
@inline
export function lowPart(near: f32): v128 {
  return f32x4.splat(near + 768 - 768 - near);
}

/** The least x − far whose exponential counts. */
@inline
export function leastNear(near: f32): v128 {
  return f32x4.splat(near - 128);
}

/** Exponentials are formed as 2^64 e^x, a normal number for all x ≥ −128, and lowered at the end. */
const LIFT: f32 = 1.8446744e+19;
export const LOWER: f32 = 5.4210109e-20;

/** In rows longer than this `excess` forms the exponentials first and looks for ties only if their sum is small. */
export const LONG = 32;

/**
 * e = 2^64 e^(x − m) of a row with maximum m = rowMax, two vectors in lock-step. Returns Σ e^(x − m). On the way it reads
 * what lies `ahead` bytes on, the next row, so that looking for its maximum finds it in the cache.
 */
export function exponentials(x: usize, e: usize, cols: i32, m: f32, ahead: usize): f64 {
  if (!(abs(m) < Infinity)) return limits(x, e, cols, m);
  if (farPart(m) != 0) {
    subtractRow(x, e, m, cols);
    x = e;
    m = 0;
  }
  const least = leastNear(m);
  const high = highPart(m);
  const low = lowPart(m);
  let total = f64x2.splat(0);
  while (cols > 0) {
    let sum = f32x4.splat(0);
    let block = min(cols, FEW);
    cols -= block;
    for (; block >= 8; block -= 8, x += 32, e += 32) {
      load<i32>(x + ahead);
      const e0 = Math4.liftedExpOfThree(f32x4.pmax(v128.load(x), least), high, low);
      const e1 = Math4.liftedExpOfThree(f32x4.pmax(v128.load(x, 16), least), high, low);
      sum = f32x4.add(sum, f32x4.add(e0, e1));
      v128.store(e, e0);
      v128.store(e, e1, 16);
    }
    for (; block > 0; block -= 4, x += 16, e += 16) {
      const e0 = Math4.liftedExpOfThree(f32x4.pmax(v128.load(x), least), high, low);
      sum = f32x4.add(sum, v128.and(e0, Lanes.mask(min(block, 4))));
      if (block >= 4) v128.store(e, e0);
      else Lanes.store(e, e0, block);
    }
    total = f64x2.add(total, f64x2.add(lowHalf(sum), highHalf(sum)));
  }
  return lanesSum(total) * <f64>LOWER;
}

/**
 * The exponentials where m is not finite: elements equal to it count as 1, so that a row with +∞ comes to its limit and
 * one of nothing but −∞ to the even distribution. Stores none if e is 0.
 */
function limits(x: usize, e: usize, cols: i32, m: f32): f64 {
  let total: f64 = 0;
  for (; cols > 0; cols--, x += 4) {
    const v = load<f32>(x);
    const one: f32 = v == m ? 1 : v < m ? 0 : NaN;
    total += one;
    if (!e) continue;
    store<f32>(e, LIFT * one);
    e += 4;
  }
  return total;
}

/** y = x − m */
function subtractRow(x: usize, y: usize, m: f32, n: i32): void {
  const v = f32x4.splat(m);
  for (; n > 0; n -= 4, x += 16, y += 16) {
    const d = f32x4.sub(v128.load(x), v);
    if (n >= 4) v128.store(y, d);
    else Lanes.store(y, d, n);
  }
}

/**
 * The maximum m of a row and its excess Σ e^(x − m) − 1, the sum without one of the largest elements, as lanes 0 and 1.
 * log Σ e^x is then m + log1p(excess), with full relative precision when one element dominates. Stores 2^64 e^(x − m)
 * to e unless e is 0.
 */
export function excess(x: usize, e: usize, cols: i32, ahead: usize = 0): v128 {
  const m = rowMax(x, cols);
  let more: f64;
  if (e && cols > LONG) {
    const total = exponentials(x, e, cols, m, ahead);
    // Taking 1 off a total above 3 magnifies its relative error by less than 1.5.
    more = total > 3 ? total - 1 : storedExcess(e, cols);
  } else {
    more = excessBelow(x, e, cols, m);
  }
  return f32x4.replace_lane(f32x4.splat(m), 1, <f32>more);
}

/** The excess of a row with maximum m in one pass. */
@inline
function excessBelow(x: usize, e: usize, cols: i32, m: f32): f64 {
  if (!(abs(m) < Infinity)) return limits(x, e, cols, m) - 1;
  const vm = f32x4.splat(m);
  const far = f32x4.splat(farPart(m));
  const near = nearPart(m);
  const least = leastNear(near);
  const high = highPart(near);
  const low = lowPart(near);
  let rest: f64 = 0;
  let ties: i32 = 0;
  while (cols > 0) {
    let sum = f32x4.splat(0);
    let equal = i32x4.splat(0);
    let block = min(cols, FEW);
    cols -= block;
    for (; block > 0; block -= 4, x += 16) {
      const v = v128.load(x);
      const inside = Lanes.mask(min(block, 4));
      const tie = f32x4.eq(v, vm);
      const e0 = Math4.liftedExpOfThree(f32x4.pmax(f32x4.sub(v, far), least), high, low);
      sum = f32x4.add(sum, v128.and(v128.andnot(e0, tie), inside));
      equal = i32x4.sub(equal, v128.and(tie, inside));
      if (e) {
        if (block >= 4) v128.store(e, e0);
        else Lanes.store(e, e0, block);
        e += 16;
      }
    }
    rest += Lanes.sum(sum);
    ties += laneSum(equal);
  }
  return rest * <f64>LOWER + <f64>(ties - 1);
}

/** The excess of a row from its exponentials. */
@inline
function storedExcess(e: usize, cols: i32): f64 {
  let rest: f64 = 0;
  let ties: i32 = 0;
  while (cols > 0) {
    let sum = f32x4.splat(0);
    let equal = i32x4.splat(0);
    let block = min(cols, FEW);
    cols -= block;
    for (; block > 0; block -= 4, e += 16) {
      const inside = v128.and(v128.load(e), Lanes.mask(min(block, 4)));
      const tie = f32x4.eq(inside, f32x4.splat(LIFT));
      sum = f32x4.add(sum, v128.andnot(inside, tie));
      equal = i32x4.sub(equal, tie);
    }
    rest += Lanes.sum(sum);
    ties += laneSum(equal);
  }
  return rest * <f64>LOWER + <f64>(ties - 1);
}

@inline
function laneSum(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

/** y = y 2^-64 scale over n elements that need not be aligned. */
export function lowerRow(y: usize, scale: f32, n: i32): void {
  // Both factors in one, unless that is below the normal numbers.
  const both = scale * LOWER;
  const isNormal = abs(both) >= f32.MIN_NORMAL_VALUE;
  if (!isNormal) multiplyRow(y, LOWER, n);
  multiplyRow(y, isNormal ? both : scale, n);
}

function multiplyRow(y: usize, factor: f32, n: i32): void {
  const v = f32x4.splat(factor);
  for (; n >= 8; n -= 8, y += 32) {
    const y0 = f32x4.mul(v128.load(y), v);
    const y1 = f32x4.mul(v128.load(y, 16), v);
    v128.store(y, y0);
    v128.store(y, y1, 16);
  }
  for (; n > 0; n -= 4, y += 16) {
    const y0 = f32x4.mul(v128.load(y), v);
    if (n >= 4) v128.store(y, y0);
    else Lanes.store(y, y0, n);
  }
}

/** x − m in a row with maximum m, where ∞ − ∞ is 0. */
@inline
export function belowMax(x: v128, m: v128): v128 {
  return v128.andnot(f32x4.sub(x, m), f32x4.eq(x, m));
}

/** log1p of one number by the four-lane function. */
@inline
export function log1p(x: f32): f32 {
  return f32x4.extract_lane(Math4.log1p(f32x4.splat(x)), 0);
}
