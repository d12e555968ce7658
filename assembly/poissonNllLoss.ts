// The elementwise loss of counts: the negative log-likelihood of a Poisson distribution, of rates or their logarithms.
import { lossBackward, lossForward } from "./simd/loss";
import { Math4 } from "./simd/math";

/** Where log t! is wanted: for t > 1, if `full` is not 0. */
@inline
function wanted(t: v128, full: v128): v128 {
  return v128.and(f64x2.gt(t, f64x2.splat(1)), f64x2.ne(full, f64x2.splat(0)));
}

/** log(2πt) / 2, what Stirling's formula for log t! has beyond t log t − t. */
@inline
function stirling(logT: v128): v128 {
  return f64x2.mul(f64x2.splat(0.5), f64x2.add(logT, f64x2.splat(1.8378770664093454)));
}

/** y, but p where t is 0, whatever the logarithm; NaN for p = NaN */
@inline
function unlessZero(t: v128, p: v128, y: v128): v128 {
  return v128.bitselect(p, y, f64x2.eq(t, f64x2.splat(0)));
}

/**
 * e^p − t p, p the logarithm of the rate, and log t! by Stirling's formula where `full` and t > 1;  dp = e^p − t. Near
 * the optimum the parts of the full value cancel; with r = p − log t < 1 it is t (e^r − 1 − r) + log(2πt) / 2, and
 * e^p − t (1 + r) + log(2πt) / 2 elsewhere. log t is rounded to float32.
 */
@unmanaged
class PoissonNll {
  /** √e^p, or e^r − 1 where the full value is formed from it */
  @inline inner(p: v128, t: v128, full: v128, _: v128): v128 {
    const root = Math4.exp(f32x4.mul(f32x4.splat(0.5), p));
    if (f32x4.extract_lane(full, 0) == 0) return root;
    const r = f32x4.sub(p, Math4.log(t));
    const near = v128.and(f32x4.gt(t, f32x4.splat(1)), f32x4.lt(r, f32x4.splat(1)));
    return v128.bitselect(Math4.expm1(r), root, near);
  }
  /** log t, if it is needed */
  @inline inner2(p: v128, t: v128, full: v128, _: v128): v128 {
    return f32x4.extract_lane(full, 0) == 0 ? p : Math4.log(t);
  }
  @inline innerSlope(p: v128, _t: v128, _full: v128, _: v128): v128 {
    return Math4.exp(f32x4.mul(f32x4.splat(0.5), p));
  }
  @inline forward(p: v128, t: v128, u: v128, logT: v128, full: v128, _: v128): v128 {
    const zero = f64x2.splat(0);
    const one = f64x2.splat(1);
    const e = f64x2.mul(u, u);
    const y = f64x2.sub(e, v128.andnot(f64x2.mul(t, p), v128.and(f64x2.eq(t, zero), f64x2.eq(p, p))));
    const more = wanted(t, full);
    if (!v128.any_true(more)) return y;
    // r as it was for u
    const rounded = f32x4.sub(f32x4.demote_f64x2_zero(p), f32x4.demote_f64x2_zero(logT));
    const r = f64x2.promote_low_f32x4(rounded);
    const near = f64x2.mul(t, f64x2.sub(u, r));
    const far = f64x2.sub(e, f64x2.mul(t, f64x2.add(one, r)));
    const all = f64x2.add(v128.bitselect(near, far, f64x2.lt(r, one)), stirling(logT));
    return v128.bitselect(all, y, more);
  }
  @inline slope(_p: v128, t: v128, u: v128, _w: v128, _full: v128, _: v128): v128 {
    return f64x2.sub(f64x2.mul(u, u), t);
  }
}
export function poissonNllLossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64, full: f64,
): void {
  lossForward<PoissonNll>(pred, target, y, n, each, scale, full);
}
export function poissonNllLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64, full: f64,
): void {
  lossBackward<PoissonNll>(pred, target, dy, dpred, n, dyStep, scale, full);
}

/**
 * p − t log(p + ε), p the rate, and log t! as above;  dp = (p − t + ε) / (p + ε), 1 at t = 0. Where p > t/4 the full
 * value is t (v − log1p(v)) − ε + log(2πt) / 2 with v = (p − t + ε) / t, and t (log t − 1 − log(p + ε)) + p +
 * log(2πt) / 2 elsewhere.
 */
@unmanaged
class PoissonRateNll {
  /** log(p + ε), p + ε rounded to float32, or log1p(v) where the full value is formed from it */
  @inline inner(p: v128, t: v128, full: v128, eps: v128): v128 {
    const log = Math4.log(f32x4.add(p, eps));
    if (f32x4.extract_lane(full, 0) == 0) return log;
    const v = f32x4.div(f32x4.add(f32x4.sub(p, t), eps), t);
    const near = v128.and(f32x4.gt(t, f32x4.splat(1)), f32x4.gt(p, f32x4.mul(t, f32x4.splat(0.25))));
    return v128.bitselect(Math4.log1p(v), log, near);
  }
  /** log t, if it is needed */
  @inline inner2(p: v128, t: v128, full: v128, _eps: v128): v128 {
    return f32x4.extract_lane(full, 0) == 0 ? p : Math4.log(t);
  }
  @inline innerSlope(p: v128, _t: v128, _full: v128, _eps: v128): v128 {
    return p;
  }
  @inline forward(p: v128, t: v128, u: v128, logT: v128, full: v128, eps: v128): v128 {
    // log(p + ε) is that of the rounded sum s and the part that the rounding took: next to 1 that part is all of it.
    const sum = f32x4.add(f32x4.demote_f64x2_zero(p), f32x4.demote_f64x2_zero(eps));
    const s = f64x2.promote_low_f32x4(sum);
    const lost = f64x2.div(f64x2.add(f64x2.sub(p, s), eps), s);
    const log = f64x2.add(u, v128.and(lost, f64x2.eq(lost, lost)));
    const y = unlessZero(t, p, f64x2.sub(p, f64x2.mul(t, log)));
    const more = wanted(t, full);
    if (!v128.any_true(more)) return y;
    const v = f64x2.div(f64x2.add(f64x2.sub(p, t), eps), t);
    const near = f64x2.sub(f64x2.mul(t, f64x2.sub(v, u)), eps);
    const far = f64x2.add(f64x2.mul(t, f64x2.sub(f64x2.sub(logT, f64x2.splat(1)), log)), p);
    const close = f64x2.gt(p, f64x2.mul(t, f64x2.splat(0.25)));
    const all = f64x2.add(v128.bitselect(near, far, close), stirling(logT));
    return v128.bitselect(all, y, more);
  }
  @inline slope(p: v128, t: v128, _u: v128, _w: v128, _full: v128, eps: v128): v128 {
    const rate = f64x2.add(p, eps);
    const slope = f64x2.div(f64x2.add(f64x2.sub(p, t), eps), rate);
    const neither = f64x2.eq(f64x2.add(rate, t), f64x2.splat(0));
    return v128.bitselect(f64x2.splat(1), slope, neither);
  }
}
export function poissonRateNllLossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64, full: f64, eps: f64,
): void {
  lossForward<PoissonRateNll>(pred, target, y, n, each, scale, full, eps);
}
export function poissonRateNllLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64, full: f64, eps: f64,
): void {
  lossBackward<PoissonRateNll>(pred, target, dy, dpred, n, dyStep, scale, full, eps);
}
