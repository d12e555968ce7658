// Elementwise losses of regression: formula and derivative by the prediction side by side.
import { lossBackward, lossForward } from "./simd/elementwise";
import { Lanes } from "./simd/lanes";
import { Math4 } from "./simd/math";

// Keras clips here: https://github.com/keras-team/keras (losses.py, backend.epsilon()).
const EPSILON: f32 = 1e-7;

/** (p − t)²;  dp = 2 dy · (p − t), where 2 (p − t) could overflow */
@unmanaged
class Mse {
  @inline forward(p: v128, t: v128): v128 {
    const d = f32x4.sub(p, t);
    return f32x4.mul(d, d);
  }
  @inline backward(p: v128, t: v128, dy: v128): v128 {
    return f32x4.mul(f32x4.add(dy, dy), f32x4.sub(p, t));
  }
}
export function mseLossForward(pred: usize, target: usize, y: usize, n: i32): void {
  lossForward<Mse>(pred, target, y, n);
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
  lossForward<L1>(pred, target, y, n);
}
export function l1LossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<L1>(pred, target, dy, dpred, n, dyStep, scale);
}

/**
 * With d = |p − t|: d < β ? d² / 2β : d − β/2, formed as d/2 · d/β, which neither overflows nor underflows early;
 * dp = (p − t) / β clipped to [−1, 1], 0 at d = 0
 */
@unmanaged
class SmoothL1 {
  @inline get parameters(): bool {
    return true;
  }
  @inline forward(p: v128, t: v128, beta: v128, _: v128): v128 {
    const half = f32x4.splat(0.5);
    const d = f32x4.abs(f32x4.sub(p, t));
    const inner = f32x4.mul(f32x4.mul(half, d), f32x4.div(d, beta));
    return v128.bitselect(inner, f32x4.sub(d, f32x4.mul(half, beta)), f32x4.lt(d, beta));
  }
  @inline backward(p: v128, t: v128, dy: v128, beta: v128, _: v128): v128 {
    const d = f32x4.sub(p, t);
    const slope = f32x4.max(f32x4.min(f32x4.div(d, beta), f32x4.splat(1)), f32x4.splat(-1));
    return f32x4.mul(dy, v128.andnot(slope, f32x4.eq(d, f32x4.splat(0))));
  }
}
export function smoothL1LossForward(pred: usize, target: usize, y: usize, n: i32, beta: f32): void {
  lossForward<SmoothL1>(pred, target, y, n, beta);
}
export function smoothL1LossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32, beta: f32,
): void {
  lossBackward<SmoothL1>(pred, target, dy, dpred, n, dyStep, scale, beta);
}

/** With d = |p − t|: d ≤ δ ? d² / 2 : δ (d − δ/2);  dp = p − t clipped to [−δ, δ] */
@unmanaged
class Huber {
  @inline get parameters(): bool {
    return true;
  }
  @inline forward(p: v128, t: v128, delta: v128, _: v128): v128 {
    const half = f32x4.splat(0.5);
    const d = f32x4.abs(f32x4.sub(p, t));
    const outer = f32x4.mul(delta, f32x4.sub(d, f32x4.mul(half, delta)));
    return v128.bitselect(f32x4.mul(f32x4.mul(half, d), d), outer, f32x4.le(d, delta));
  }
  @inline backward(p: v128, t: v128, dy: v128, delta: v128, _: v128): v128 {
    return f32x4.mul(dy, f32x4.max(f32x4.min(f32x4.sub(p, t), delta), f32x4.neg(delta)));
  }
}
export function huberLossForward(pred: usize, target: usize, y: usize, n: i32, delta: f32): void {
  lossForward<Huber>(pred, target, y, n, delta);
}
export function huberLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32, delta: f32,
): void {
  lossBackward<Huber>(pred, target, dy, dpred, n, dyStep, scale, delta);
}

/**
 * log cosh d, d = p − t:  dp = tanh d. As |d| + log(1 + e^−2|d|) − ln 2 it cancels near 0; below |d| = 1 it is
 * log1p(v² / 2(1 + v)) with v = e^−|d| − 1, for cosh d − 1 = (1 − e^−|d|)² / 2e^−|d|.
 */
@unmanaged
class LogCosh {
  @inline forward(p: v128, t: v128): v128 {
    const one = f32x4.splat(1);
    const d = f32x4.abs(f32x4.sub(p, t));
    const v = Math4.expm1(f32x4.neg(d));
    const u = f32x4.add(one, v);
    const near = Math4.log1p(f32x4.div(f32x4.mul(f32x4.mul(f32x4.splat(0.5), v), v), u));
    const rest = Math4.softplus(f32x4.mul(f32x4.splat(-2), d));
    const far = f32x4.add(f32x4.sub(d, f32x4.splat(0.693147182)), rest);
    return v128.bitselect(near, far, f32x4.lt(d, one));
  }
  @inline backward(p: v128, t: v128, dy: v128): v128 {
    return f32x4.mul(dy, Math4.tanh(f32x4.sub(p, t)));
  }
}
export function logCoshLossForward(pred: usize, target: usize, y: usize, n: i32): void {
  lossForward<LogCosh>(pred, target, y, n);
}
export function logCoshLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<LogCosh>(pred, target, dy, dpred, n, dyStep, scale);
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
  lossForward<Msle>(pred, target, y, n);
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
  lossForward<Mape>(pred, target, y, n);
}
export function mapeLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<Mape>(pred, target, dy, dpred, n, dyStep, scale);
}
