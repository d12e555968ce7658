// Elementwise losses of a margin, for targets ±1: formula and derivative by the prediction side by side.
import { lossBackward, lossForward } from "./simd/elementwise";
import { Math4 } from "./simd/math";

/** max(0, 1 − t p), t = ±1;  dp = −t where 1 − t p > 0 */
@unmanaged
class Hinge {
  @inline forward(p: v128, t: v128): v128 {
    return f32x4.max(f32x4.sub(f32x4.splat(1), f32x4.mul(t, p)), f32x4.splat(0));
  }
  @inline backward(p: v128, t: v128, dy: v128): v128 {
    const inside = f32x4.gt(f32x4.sub(f32x4.splat(1), f32x4.mul(t, p)), f32x4.splat(0));
    return v128.and(f32x4.neg(f32x4.mul(dy, t)), inside);
  }
}
export function hingeLossForward(pred: usize, target: usize, y: usize, n: i32): void {
  lossForward<Hinge>(pred, target, y, n);
}
export function hingeLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<Hinge>(pred, target, dy, dpred, n, dyStep, scale);
}

/** max(0, 1 − t p)², t = ±1;  dp = −2 t max(0, 1 − t p) */
@unmanaged
class SquaredHinge {
  @inline excess(p: v128, t: v128): v128 {
    return f32x4.max(f32x4.sub(f32x4.splat(1), f32x4.mul(t, p)), f32x4.splat(0));
  }
  @inline forward(p: v128, t: v128): v128 {
    const m = this.excess(p, t);
    return f32x4.mul(m, m);
  }
  @inline backward(p: v128, t: v128, dy: v128): v128 {
    const m = this.excess(p, t);
    return f32x4.neg(f32x4.mul(f32x4.mul(dy, t), f32x4.add(m, m)));
  }
}
export function squaredHingeLossForward(pred: usize, target: usize, y: usize, n: i32): void {
  lossForward<SquaredHinge>(pred, target, y, n);
}
export function squaredHingeLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<SquaredHinge>(pred, target, dy, dpred, n, dyStep, scale);
}

/** e^(−t p), t = ±1;  dp = −t e^(−t p) */
@unmanaged
class Exponential {
  @inline forward(p: v128, t: v128): v128 {
    return Math4.exp(f32x4.neg(f32x4.mul(t, p)));
  }
  @inline backward(p: v128, t: v128, dy: v128): v128 {
    return f32x4.neg(f32x4.mul(f32x4.mul(dy, t), Math4.exp(f32x4.neg(f32x4.mul(t, p)))));
  }
}
export function exponentialLossForward(pred: usize, target: usize, y: usize, n: i32): void {
  lossForward<Exponential>(pred, target, y, n);
}
export function exponentialLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<Exponential>(pred, target, dy, dpred, n, dyStep, scale);
}

/** log(1 + e^(−t p)), t = ±1;  dp = −t σ(−t p) */
@unmanaged
class SoftMargin {
  @inline forward(p: v128, t: v128): v128 {
    return Math4.softplus(f32x4.neg(f32x4.mul(t, p)));
  }
  @inline backward(p: v128, t: v128, dy: v128): v128 {
    return f32x4.neg(f32x4.mul(f32x4.mul(dy, t), Math4.sigmoid(f32x4.neg(f32x4.mul(t, p)))));
  }
}
export function softMarginLossForward(pred: usize, target: usize, y: usize, n: i32): void {
  lossForward<SoftMargin>(pred, target, y, n);
}
export function softMarginLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
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
