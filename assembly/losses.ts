// Elementwise losses of regression: formula and derivative by the prediction side by side. `pmin(x, c)` and `pmax(x, c)`
// are one instruction and keep a NaN in x.
import { Lanes } from "./simd/lanes";
import { lossBackward, lossForward } from "./simd/loss";
import { Math4 } from "./simd/math";

// Keras clips here: https://github.com/keras-team/keras (losses.py, backend.epsilon()).
const EPSILON: f64 = 1e-7;

/** −1, 0 or 1 by the sign of x. */
@inline
function sign(x: v128): v128 {
  const one = v128.or(v128.and(x, f64x2.splat(-0.0)), f64x2.splat(1));
  return v128.and(one, f64x2.ne(x, f64x2.splat(0)));
}

/** (p − t)²;  dp = 2 dy · (p − t), where 2 (p − t) could overflow */
@unmanaged
class Mse {
  @inline forward(p: v128, t: v128): v128 {
    const d = f64x2.sub(p, t);
    return f64x2.mul(d, d);
  }
  @inline slope(p: v128, t: v128): v128 {
    const d = f64x2.sub(p, t);
    return f64x2.add(d, d);
  }
}
export function mseLossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64,
): void {
  lossForward<Mse>(pred, target, y, n, each, scale);
}
export function mseLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64,
): void {
  lossBackward<Mse>(pred, target, dy, dpred, n, dyStep, scale);
}

/** |p − t|;  dp = sign(p − t), 0 at 0 */
@unmanaged
class L1 {
  @inline forward(p: v128, t: v128): v128 {
    return f64x2.abs(f64x2.sub(p, t));
  }
  @inline slope(p: v128, t: v128): v128 {
    return sign(f64x2.sub(p, t));
  }
}
export function l1LossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64,
): void {
  lossForward<L1>(pred, target, y, n, each, scale);
}
export function l1LossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64,
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
    const half = f64x2.splat(0.5);
    const d = f64x2.abs(f64x2.sub(p, t));
    const inner = f64x2.mul(f64x2.mul(half, d), f64x2.div(d, beta));
    return v128.bitselect(inner, f64x2.sub(d, f64x2.mul(half, beta)), f64x2.lt(d, beta));
  }
  @inline slope(p: v128, t: v128, beta: v128, _: v128): v128 {
    const d = f64x2.sub(p, t);
    const slope = f64x2.pmax(f64x2.pmin(f64x2.div(d, beta), f64x2.splat(1)), f64x2.splat(-1));
    return v128.andnot(slope, f64x2.eq(d, f64x2.splat(0)));
  }
}
export function smoothL1LossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64, beta: f64,
): void {
  lossForward<SmoothL1>(pred, target, y, n, each, scale, beta);
}
export function smoothL1LossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64, beta: f64,
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
    const half = f64x2.splat(0.5);
    const d = f64x2.abs(f64x2.sub(p, t));
    const outer = f64x2.mul(delta, f64x2.sub(d, f64x2.mul(half, delta)));
    return v128.bitselect(f64x2.mul(f64x2.mul(half, d), d), outer, f64x2.le(d, delta));
  }
  @inline slope(p: v128, t: v128, delta: v128, _: v128): v128 {
    return f64x2.pmax(f64x2.pmin(f64x2.sub(p, t), delta), f64x2.neg(delta));
  }
}
export function huberLossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64, delta: f64,
): void {
  lossForward<Huber>(pred, target, y, n, each, scale, delta);
}
export function huberLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64, delta: f64,
): void {
  lossBackward<Huber>(pred, target, dy, dpred, n, dyStep, scale, delta);
}

/**
 * log cosh d, d = p − t:  dp = tanh d. As |d| + log(1 + e^−2|d|) − ln 2 it cancels near 0; below |d| = 1 it is
 * log1p(v² / 2(1 + v)) with v = e^−|d| − 1, for cosh d − 1 = (1 − e^−|d|)² / 2e^−|d|.
 */
@unmanaged
class LogCosh {
  /** The loss, but from |d| = 1 on without |d|, and then negative */
  @inline inner(p: v128, t: v128, _a: v128, _b: v128): v128 {
    const one = f32x4.splat(1);
    const d = f32x4.abs(f32x4.sub(p, t));
    const v = Math4.expm1(f32x4.neg(d));
    const u = f32x4.add(one, v);
    const near = Math4.log1p(f32x4.div(f32x4.mul(f32x4.mul(f32x4.splat(0.5), v), v), u));
    const rest = f32x4.sub(Math4.softplus(f32x4.mul(f32x4.splat(-2), d)), f32x4.splat(0.693147182));
    return v128.bitselect(near, rest, f32x4.lt(d, one));
  }
  @inline innerSlope(p: v128, t: v128, _a: v128, _b: v128): v128 {
    return Math4.tanh(f32x4.sub(p, t));
  }
  @inline forward(p: v128, t: v128, u: v128, _w: v128, _a: v128, _b: v128): v128 {
    const d = f64x2.abs(f64x2.sub(p, t));
    return f64x2.add(u, v128.and(d, f64x2.lt(u, f64x2.splat(0))));
  }
  @inline slope(_p: v128, _t: v128, u: v128, _w: v128, _a: v128, _b: v128): v128 {
    return u;
  }
}
export function logCoshLossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64,
): void {
  lossForward<LogCosh>(pred, target, y, n, each, scale);
}
export function logCoshLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64,
): void {
  lossBackward<LogCosh>(pred, target, dy, dpred, n, dyStep, scale);
}

/**
 * (log(1 + p̂) − log(1 + t̂))² with p̂ = max(p, ε). The difference is sign(p̂ − t̂) log1p(|p̂ − t̂| / (1 + min(p̂, t̂))),
 * which cancels neither for close nor for distant values;  dp = 2 (difference) / (1 + p), 0 where p < ε
 */
@unmanaged
class Msle {
  @inline inner(p: v128, t: v128, _a: v128, _b: v128): v128 {
    const pc = f32x4.max(p, f32x4.splat(<f32>EPSILON));
    const tc = f32x4.max(t, f32x4.splat(<f32>EPSILON));
    const d = f32x4.sub(pc, tc);
    const least = f32x4.add(f32x4.splat(1), f32x4.min(pc, tc));
    return f32x4.mul(Lanes.sign(d), Math4.log1p(f32x4.div(f32x4.abs(d), least)));
  }
  @inline forward(_p: v128, _t: v128, u: v128, _w: v128, _a: v128, _b: v128): v128 {
    return f64x2.mul(u, u);
  }
  @inline slope(p: v128, _t: v128, u: v128, _w: v128, _a: v128, _b: v128): v128 {
    const g = f64x2.div(f64x2.add(u, u), f64x2.add(f64x2.splat(1), p));
    return v128.andnot(g, v128.or(f64x2.lt(p, f64x2.splat(EPSILON)), f64x2.eq(p, f64x2.splat(Infinity))));
  }
}
export function msleLossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64,
): void {
  lossForward<Msle>(pred, target, y, n, each, scale);
}
export function msleLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64,
): void {
  lossBackward<Msle>(pred, target, dy, dpred, n, dyStep, scale);
}

/** 100 |t − p| / max(|t|, ε);  dp = 100 sign(p − t) / max(|t|, ε) */
@unmanaged
class Mape {
  @inline share(x: v128, t: v128): v128 {
    const scale = f64x2.pmax(f64x2.abs(t), f64x2.splat(EPSILON));
    return f64x2.div(f64x2.mul(f64x2.splat(100), x), scale);
  }
  @inline forward(p: v128, t: v128): v128 {
    return this.share(f64x2.abs(f64x2.sub(p, t)), t);
  }
  @inline slope(p: v128, t: v128): v128 {
    return this.share(sign(f64x2.sub(p, t)), t);
  }
}
export function mapeLossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64,
): void {
  lossForward<Mape>(pred, target, y, n, each, scale);
}
export function mapeLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64,
): void {
  lossBackward<Mape>(pred, target, dy, dpred, n, dyStep, scale);
}
