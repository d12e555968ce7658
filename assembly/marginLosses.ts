// Elementwise losses of a margin, for targets ±1: formula and derivative by the prediction side by side.
import { lossBackward, lossForward } from "./simd/loss";
import { Math4 } from "./simd/math";

/** 1 − t p where positive, else 0; NaN stays. */
@inline
function excess(p: v128, t: v128): v128 {
  return f64x2.pmax(f64x2.sub(f64x2.splat(1), f64x2.mul(t, p)), f64x2.splat(0));
}

/** max(0, 1 − t p), t = ±1;  dp = −t where 1 − t p > 0 */
@unmanaged
class Hinge {
  @inline forward(p: v128, t: v128): v128 {
    return excess(p, t);
  }
  @inline slope(p: v128, t: v128): v128 {
    return v128.and(f64x2.neg(t), f64x2.gt(excess(p, t), f64x2.splat(0)));
  }
}
export function hingeLossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64,
): void {
  lossForward<Hinge>(pred, target, y, n, each, scale);
}
export function hingeLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64,
): void {
  lossBackward<Hinge>(pred, target, dy, dpred, n, dyStep, scale);
}

/** max(0, 1 − t p)², t = ±1;  dp = −2 t max(0, 1 − t p) */
@unmanaged
class SquaredHinge {
  @inline forward(p: v128, t: v128): v128 {
    const m = excess(p, t);
    return f64x2.mul(m, m);
  }
  @inline slope(p: v128, t: v128): v128 {
    const m = excess(p, t);
    return f64x2.neg(f64x2.mul(t, f64x2.add(m, m)));
  }
}
export function squaredHingeLossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64,
): void {
  lossForward<SquaredHinge>(pred, target, y, n, each, scale);
}
export function squaredHingeLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64,
): void {
  lossBackward<SquaredHinge>(pred, target, dy, dpred, n, dyStep, scale);
}

/** e^(−t p), t = ±1;  dp = −t e^(−t p), as the square of u = e^(−t p / 2), which is a float32 where this is none */
@unmanaged
class Exponential {
  @inline inner(p: v128, t: v128, _a: v128, _b: v128): v128 {
    return Math4.exp(f32x4.mul(f32x4.splat(-0.5), f32x4.mul(t, p)));
  }
  @inline forward(_p: v128, _t: v128, u: v128, _w: v128, _a: v128, _b: v128): v128 {
    return f64x2.mul(u, u);
  }
  @inline slope(_p: v128, t: v128, u: v128, _w: v128, _a: v128, _b: v128): v128 {
    return f64x2.neg(f64x2.mul(t, f64x2.mul(u, u)));
  }
}
export function exponentialLossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64,
): void {
  lossForward<Exponential>(pred, target, y, n, each, scale);
}
export function exponentialLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64,
): void {
  lossBackward<Exponential>(pred, target, dy, dpred, n, dyStep, scale);
}

/** log(1 + e^(−t p)), t = ±1;  dp = −t σ(−t p), by e^−|p| = u² */
@unmanaged
class SoftMargin {
  @inline inner(p: v128, t: v128, _a: v128, _b: v128): v128 {
    return Math4.softplus(f32x4.neg(f32x4.mul(t, p)));
  }
  @inline innerSlope(p: v128, _t: v128, _a: v128, _b: v128): v128 {
    return Math4.expNonPositive(f32x4.mul(f32x4.splat(-0.5), f32x4.abs(p)));
  }
  @inline forward(_p: v128, _t: v128, u: v128, _w: v128, _a: v128, _b: v128): v128 {
    return u;
  }
  @inline slope(p: v128, t: v128, u: v128, _w: v128, _a: v128, _b: v128): v128 {
    const one = f64x2.splat(1);
    const e = f64x2.mul(u, u);
    const right = f64x2.gt(f64x2.mul(t, p), f64x2.splat(0));
    return f64x2.neg(f64x2.div(f64x2.mul(t, v128.bitselect(e, one, right)), f64x2.add(one, e)));
  }
}
export function softMarginLossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64,
): void {
  lossForward<SoftMargin>(pred, target, y, n, each, scale);
}
export function softMarginLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64,
): void {
  lossBackward<SoftMargin>(pred, target, dy, dpred, n, dyStep, scale);
}

/** The first of n elements that is neither −1 nor 1, else −1; a NaN counts as neither. */
export function firstUnsigned(x: usize, n: i32): i32 {
  for (let i = 0; i < n; i++, x += 4) {
    if (abs(load<f32>(x)) != 1) return i;
  }
  return -1;
}
