// Elementwise losses of prediction and target: formula and derivative by the prediction side by side.
import { binary, lossBackward } from "./simd/elementwise";
import { Lanes } from "./simd/lanes";
import { Math4 } from "./simd/math";

// Keras clips here: https://github.com/keras-team/keras (losses.py, backend.epsilon()).
const EPSILON: f32 = 1e-7;

@inline
function loss<Op>(pred: usize, target: usize, y: usize, n: i32): void {
  binary<Op>(pred, target, y, 1, n, 0, 1, 0, 1);
}

/** (p − t)²;  dp = 2 (p − t) */
@unmanaged
class Mse {
  @inline forward(p: v128, t: v128): v128 {
    const d = f32x4.sub(p, t);
    return f32x4.mul(d, d);
  }
  @inline backward(p: v128, t: v128, dy: v128): v128 {
    const d = f32x4.sub(p, t);
    return f32x4.mul(dy, f32x4.add(d, d));
  }
}
export function mseLossForward(pred: usize, target: usize, y: usize, n: i32): void {
  loss<Mse>(pred, target, y, n);
}
export function mseLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<Mse>(pred, target, dy, dpred, n, dyStep, scale);
}

/** |p − t|;  dp = sign(p − t), 0 at 0 */
@unmanaged
class L1 {
  @inline forward(p: v128, t: v128): v128 {
    return f32x4.abs(f32x4.sub(p, t));
  }
  @inline backward(p: v128, t: v128, dy: v128): v128 {
    return f32x4.mul(dy, Lanes.sign(f32x4.sub(p, t)));
  }
}
export function l1LossForward(pred: usize, target: usize, y: usize, n: i32): void {
  loss<L1>(pred, target, y, n);
}
export function l1LossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<L1>(pred, target, dy, dpred, n, dyStep, scale);
}

/**
 * (log(1 + p̂) − log(1 + t̂))² with p̂ = max(p, ε). The difference is sign(p̂ − t̂) log1p(|p̂ − t̂| / (1 + min(p̂, t̂))),
 * which cancels neither for close nor for distant values;  dp = 2 (difference) / (1 + p), 0 where p < ε
 */
@unmanaged
class Msle {
  @inline difference(p: v128, t: v128): v128 {
    const pc = f32x4.max(p, f32x4.splat(EPSILON));
    const tc = f32x4.max(t, f32x4.splat(EPSILON));
    const d = f32x4.sub(pc, tc);
    const least = f32x4.add(f32x4.splat(1), f32x4.min(pc, tc));
    return f32x4.mul(Lanes.sign(d), Math4.log1p(f32x4.div(f32x4.abs(d), least)));
  }
  @inline forward(p: v128, t: v128): v128 {
    const d = this.difference(p, t);
    return f32x4.mul(d, d);
  }
  @inline backward(p: v128, t: v128, dy: v128): v128 {
    const d = this.difference(p, t);
    const g = f32x4.mul(dy, f32x4.div(f32x4.add(d, d), f32x4.add(f32x4.splat(1), p)));
    return v128.andnot(g, f32x4.lt(p, f32x4.splat(EPSILON)));
  }
}
export function msleLossForward(pred: usize, target: usize, y: usize, n: i32): void {
  loss<Msle>(pred, target, y, n);
}
export function msleLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<Msle>(pred, target, dy, dpred, n, dyStep, scale);
}

/**
 * 100 |t − p| / max(|t|, ε);  dp = 100 sign(p − t) / max(|t|, ε). The difference is taken of the halves, which cannot
 * overflow where the result does not.
 */
@unmanaged
class Mape {
  @inline scale(t: v128): v128 {
    return f32x4.max(f32x4.abs(t), f32x4.splat(EPSILON));
  }
  @inline forward(p: v128, t: v128): v128 {
    const half = f32x4.splat(0.5);
    const d = f32x4.abs(f32x4.sub(f32x4.mul(half, p), f32x4.mul(half, t)));
    return f32x4.mul(f32x4.splat(200), f32x4.div(d, this.scale(t)));
  }
  @inline backward(p: v128, t: v128, dy: v128): v128 {
    return f32x4.mul(f32x4.div(f32x4.mul(dy, f32x4.splat(100)), this.scale(t)), Lanes.sign(f32x4.sub(p, t)));
  }
}
export function mapeLossForward(pred: usize, target: usize, y: usize, n: i32): void {
  loss<Mape>(pred, target, y, n);
}
export function mapeLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<Mape>(pred, target, dy, dpred, n, dyStep, scale);
}

/**
 * −(t log p + (1 − t) log(1 − p)), logarithms clamped to ≥ −100;  dp = (p − t) / max(p (1 − p), 1e-12):
 * the clamps of PyTorch's binary_cross_entropy
 */
@unmanaged
class Bce {
  @inline forward(p: v128, t: v128): v128 {
    const floor = f32x4.splat(-100);
    const logP = f32x4.max(Math4.log(p), floor);
    const logQ = f32x4.max(Math4.log1p(f32x4.neg(p)), floor);
    return f32x4.neg(f32x4.add(f32x4.mul(t, logP), f32x4.mul(f32x4.sub(f32x4.splat(1), t), logQ)));
  }
  @inline backward(p: v128, t: v128, dy: v128): v128 {
    const variance = f32x4.mul(p, f32x4.sub(f32x4.splat(1), p));
    return f32x4.mul(dy, f32x4.div(f32x4.sub(p, t), f32x4.max(variance, f32x4.splat(1e-12))));
  }
}
export function bceLossForward(pred: usize, target: usize, y: usize, n: i32): void {
  loss<Bce>(pred, target, y, n);
}
export function bceLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<Bce>(pred, target, dy, dpred, n, dyStep, scale);
}

/**
 * max(x, 0) − x t + log1p(e^−|x|);  dx = σ(x) − t, formed as (1 − t) σ(x) − t σ(−x), which does not cancel at
 * t = 0 and t = 1
 */
@unmanaged
class BceWithLogits {
  @inline forward(x: v128, t: v128): v128 {
    const linear = f32x4.sub(f32x4.max(x, f32x4.splat(0)), f32x4.mul(x, t));
    return f32x4.add(linear, Math4.softplus(f32x4.neg(f32x4.abs(x))));
  }
  @inline backward(x: v128, t: v128, dy: v128): v128 {
    const e = Math4.expNonPositive(f32x4.neg(f32x4.abs(x)));
    const larger = f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), e));
    const smaller = f32x4.mul(e, larger);
    const positive = f32x4.gt(x, f32x4.splat(0));
    const s = v128.bitselect(larger, smaller, positive);
    const q = v128.bitselect(smaller, larger, positive);
    return f32x4.mul(dy, f32x4.sub(f32x4.mul(f32x4.sub(f32x4.splat(1), t), s), f32x4.mul(t, q)));
  }
}
export function bceWithLogitsLossForward(pred: usize, target: usize, y: usize, n: i32): void {
  loss<BceWithLogits>(pred, target, y, n);
}
export function bceWithLogitsLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<BceWithLogits>(pred, target, dy, dpred, n, dyStep, scale);
}

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
  loss<Hinge>(pred, target, y, n);
}
export function hingeLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<Hinge>(pred, target, dy, dpred, n, dyStep, scale);
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
  loss<Exponential>(pred, target, y, n);
}
export function exponentialLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<Exponential>(pred, target, dy, dpred, n, dyStep, scale);
}

/** The first of n elements outside [low, high], else −1. A NaN counts as inside: it shows in the result. */
export function firstOutside(x: usize, n: i32, low: f32, high: f32): i32 {
  for (let i = 0; i < n; i++, x += 4) {
    const v = load<f32>(x);
    if (v < low || v > high) return i;
  }
  return -1;
}

/** The first of n elements that is neither −1 nor 1, else −1; a NaN counts as neither. */
export function firstUnsigned(x: usize, n: i32): i32 {
  for (let i = 0; i < n; i++, x += 4) {
    if (abs(load<f32>(x)) != 1) return i;
  }
  return -1;
}
