// The loops of losses of pairs. Values, derivatives and their sums are float64, and rounded once: the mean of a square
// that is no float32 may be one, and so the derivative of a mean.
//
// An op is an unmanaged class with @inline methods on two lanes of float64 or, if their names begin with `inner`, on
// four of float32: for functions that would be slow in float64, and for all of a loss that cannot leave float32's range.
//   forward(p, t)  the loss;  slope(p, t)  its derivative by p
// with splats a, b as further arguments if it has a getter `parameters`. With an `inner` they are forward(p, t, u, w, a, b)
// and slope(p, t, u, w, a, b) for u = inner(p, t, a, b), or innerSlope in the slope's case, and w = inner2(p, t, a, b) in
// forward. With a getter `weighted` w is a third operand `extra`, and the loss is times `weight`; both are 1 where the
// pointer is 0.
import { BLOCK, TOTAL, VALUES } from "../blocks";
import { highHalf, lanesSum, lowHalf, narrow, widen, withBlock } from "./moments";
import { Lanes } from "./lanes";

/**
 * By `each`, y = scale · Σ op(pred, target) (TOTAL), op(pred, target) (VALUES), or Σ op(pred, target) of each block, float64
 * (BLOCKS).
 */
export function lossForward<Op>(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64,
  a: f64 = 0, b: f64 = 0, extra: usize = 0, weight: usize = 0,
): void {
  const a4 = f32x4.splat(<f32>a);
  const b4 = f32x4.splat(<f32>b);
  const a2 = f64x2.splat(a);
  const b2 = f64x2.splat(b);
  let total: f64 = 0;
  const bytes = <usize>n << 2;
  for (let start: usize = 0; start < bytes; start += BLOCK << 2) {
    let s0 = f64x2.splat(0);
    let s1 = f64x2.splat(0);
    const end = min(start + (BLOCK << 2), bytes);
    for (let i = start; i < end; i += 16) {
      const p = v128.load(pred + i);
      const t = v128.load(target + i);
      const u = inner<Op>(p, t, a4, b4);
      const w = second<Op>(p, t, a4, b4, extra, i);
      let low = value<Op>(widen(pred + i), widen(target + i), lowHalf(u), lowHalf(w), a2, b2);
      let high = value<Op>(widen(pred + i + 8), widen(target + i + 8), highHalf(u), highHalf(w), a2, b2);
      if (isDefined(changetype<Op>(0).weighted)) {
        if (weight) {
          low = f64x2.mul(low, widen(weight + i));
          high = f64x2.mul(high, widen(weight + i + 8));
        }
      }
      if (each == VALUES) {
        v128.store(y + i, narrow(low, high));
        continue;
      }
      if (end - i < 16) {
        const inside = Lanes.mask(n & 3);
        low = v128.and(low, i64x2.extend_low_i32x4_s(inside));
        high = v128.and(high, i64x2.extend_high_i32x4_s(inside));
      }
      s0 = f64x2.add(s0, low);
      s1 = f64x2.add(s1, high);
    }
    total = withBlock(total, lanesSum(f64x2.add(s0, s1)), y, <i32>(start / (BLOCK << 2)), each);
  }
  if (each == TOTAL) store<f32>(y, <f32>(scale * total));
}

/** dpred += ∂op/∂pred · dy · scale, where dy is one number for all (dyStep = 0) or one per element (1). */
export function lossBackward<Op>(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64,
  a: f64 = 0, b: f64 = 0, extra: usize = 0, weight: usize = 0,
): void {
  const a4 = f32x4.splat(<f32>a);
  const b4 = f32x4.splat(<f32>b);
  const a2 = f64x2.splat(a);
  const b2 = f64x2.splat(b);
  const factor = f64x2.splat(scale);
  const g = f64x2.mul(factor, f64x2.splat(<f64>load<f32>(dy)));
  const bytes = <usize>n << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const p = v128.load(pred + i);
    const t = v128.load(target + i);
    const u = innerSlope<Op>(p, t, a4, b4);
    const w = third<Op>(p, extra, i);
    let low = g;
    let high = g;
    if (dyStep) {
      low = f64x2.mul(factor, widen(dy + i));
      high = f64x2.mul(factor, widen(dy + i + 8));
    }
    if (isDefined(changetype<Op>(0).weighted)) {
      if (weight) {
        low = f64x2.mul(low, widen(weight + i));
        high = f64x2.mul(high, widen(weight + i + 8));
      }
    }
    low = f64x2.mul(low, slope<Op>(widen(pred + i), widen(target + i), lowHalf(u), lowHalf(w), a2, b2));
    high = f64x2.mul(high, slope<Op>(widen(pred + i + 8), widen(target + i + 8), highHalf(u), highHalf(w), a2, b2));
    v128.store(dpred + i, f32x4.add(v128.load(dpred + i), narrow(low, high)));
  }
}

@inline
function inner<Op>(p: v128, t: v128, a: v128, b: v128): v128 {
  if (isDefined(changetype<Op>(0).inner)) return changetype<Op>(0).inner(p, t, a, b);
  return p;
}

@inline
function innerSlope<Op>(p: v128, t: v128, a: v128, b: v128): v128 {
  if (isDefined(changetype<Op>(0).innerSlope)) return changetype<Op>(0).innerSlope(p, t, a, b);
  return inner<Op>(p, t, a, b);
}

@inline
function second<Op>(p: v128, t: v128, a: v128, b: v128, extra: usize, i: usize): v128 {
  if (isDefined(changetype<Op>(0).inner2)) return changetype<Op>(0).inner2(p, t, a, b);
  return third<Op>(p, extra, i);
}

@inline
function third<Op>(p: v128, extra: usize, i: usize): v128 {
  if (isDefined(changetype<Op>(0).weighted)) return extra ? v128.load(extra + i) : f32x4.splat(1);
  return p;
}

@inline
function value<Op>(p: v128, t: v128, u: v128, w: v128, a: v128, b: v128): v128 {
  if (isDefined(changetype<Op>(0).inner)) return changetype<Op>(0).forward(p, t, u, w, a, b);
  if (isDefined(changetype<Op>(0).parameters)) return changetype<Op>(0).forward(p, t, a, b);
  return changetype<Op>(0).forward(p, t);
}

@inline
function slope<Op>(p: v128, t: v128, u: v128, w: v128, a: v128, b: v128): v128 {
  if (isDefined(changetype<Op>(0).inner)) return changetype<Op>(0).slope(p, t, u, w, a, b);
  if (isDefined(changetype<Op>(0).parameters)) return changetype<Op>(0).slope(p, t, a, b);
  return changetype<Op>(0).slope(p, t);
}
