// Elementwise losses that are likelihoods: of probabilities, logits, log-probabilities and rates.
import { lossBackward, lossForward } from "./simd/elementwise";
import { Math4 } from "./simd/math";
import { pow } from "./simd/pow";

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
  lossForward<Bce>(pred, target, y, n);
}
export function bceLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<Bce>(pred, target, dy, dpred, n, dyStep, scale);
}

/** c a, 0 where c is 0: the limit of a loss at an infinite logit that is right. */
@inline
function share(c: v128, a: v128): v128 {
  return v128.andnot(f32x4.mul(c, a), f32x4.eq(c, f32x4.splat(0)));
}

/**
 * Binary cross-entropy of logits x with a factor of the positive part, P = t · factor where there is one and t where
 * not: P softplus(−x) + (1 − t) softplus(x). As softplus(±x) = max(±x, 0) + l with l = log1p(e^−|x|), this is
 * (P + 1 − t) l + |x| (x > 0 ? 1 − t : P), a sum of terms of one sign.
 */
export function bceWithLogitsLossForward(logits: usize, target: usize, y: usize, n: i32, positive: usize): void {
  const bytes = <usize>n << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(logits + i);
    const p = v128.load(positive + i);
    const q = f32x4.sub(f32x4.splat(1), v128.load(target + i));
    const a = f32x4.abs(x);
    const l = Math4.softplus(f32x4.neg(a));
    const linear = share(v128.bitselect(q, p, f32x4.gt(x, f32x4.splat(0))), a);
    v128.store(y + i, f32x4.add(f32x4.mul(f32x4.add(p, q), l), linear));
  }
}

/** dlogits += dy · scale · ((1 − t) σ(x) − P σ(−x)), which does not cancel at t = 0 and t = 1; dyStep as elsewhere. */
export function bceWithLogitsLossBackward(
  logits: usize, target: usize, dy: usize, dlogits: usize, n: i32, dyStep: i32, scale: f32, positive: usize,
): void {
  const vscale = f32x4.splat(scale);
  const bytes = <usize>n << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(logits + i);
    const q = f32x4.sub(f32x4.splat(1), v128.load(target + i));
    const e = Math4.expNonPositive(f32x4.neg(f32x4.abs(x)));
    const larger = f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), e));
    const smaller = f32x4.mul(e, larger);
    const above = f32x4.gt(x, f32x4.splat(0));
    const up = f32x4.mul(q, v128.bitselect(larger, smaller, above));
    const down = f32x4.mul(v128.load(positive + i), v128.bitselect(smaller, larger, above));
    const g = f32x4.mul(vscale, dyStep ? v128.load(dy + i) : v128.load32_splat(dy));
    v128.store(dlogits + i, Math4.madd(g, f32x4.sub(up, down), v128.load(dlogits + i)));
  }
}

/**
 * The focal loss of logits x (Lin et al., "Focal loss for dense object detection", 2017): α_t m^γ CE with
 * CE = t softplus(−x) + (1 − t) softplus(x), m = 1 − p_t = t σ(−x) + (1 − t) σ(x) and α_t = α t + (1 − α)(1 − t), or 1
 * where α < 0;  dx = α_t m^γ (γ (1 − 2t) CE v/m + (1 − t) σ(x) − t σ(−x)), v = σ(x) σ(−x).
 *
 * With e = e^−|x|, the larger of the two sigmoids L = 1 / (1 + e) and τ = x > 0 ? 1 − t : t, all of it are sums of
 * terms of one sign: CE = log1p(e) + τ |x|, m = L (τ + (1 − τ) e) and v/m = L e / (τ + (1 − τ) e), L where τ = 0.
 */
@unmanaged
class Focal {
  @inline get parameters(): bool {
    return true;
  }
  @inline factor(t: v128, m: v128, alpha: v128, gamma: v128): v128 {
    const one = f32x4.splat(1);
    const rest = f32x4.mul(f32x4.sub(one, alpha), f32x4.sub(one, t));
    const balance = f32x4.add(f32x4.mul(alpha, t), rest);
    const power = f32x4.extract_lane(gamma, 0) == 2 ? f32x4.mul(m, m) : pow(m, gamma);
    return f32x4.mul(power, v128.bitselect(balance, one, f32x4.ge(alpha, f32x4.splat(0))));
  }
  @inline blend(tau: v128, e: v128): v128 {
    return f32x4.add(tau, f32x4.mul(f32x4.sub(f32x4.splat(1), tau), e));
  }
  @inline tau(x: v128, t: v128): v128 {
    return v128.bitselect(f32x4.sub(f32x4.splat(1), t), t, f32x4.gt(x, f32x4.splat(0)));
  }
  @inline forward(x: v128, t: v128, alpha: v128, gamma: v128): v128 {
    const a = f32x4.abs(x);
    const tau = this.tau(x, t);
    const e = Math4.expNonPositive(f32x4.neg(a));
    const m = f32x4.div(this.blend(tau, e), f32x4.add(f32x4.splat(1), e));
    return f32x4.mul(this.factor(t, m, alpha, gamma), f32x4.add(Math4.log1p(e), share(tau, a)));
  }
  @inline backward(x: v128, t: v128, dy: v128, alpha: v128, gamma: v128): v128 {
    const one = f32x4.splat(1);
    const a = f32x4.abs(x);
    const tau = this.tau(x, t);
    const e = Math4.expNonPositive(f32x4.neg(a));
    const larger = f32x4.div(one, f32x4.add(one, e));
    const smaller = f32x4.mul(e, larger);
    const blend = this.blend(tau, e);
    const ratio = v128.bitselect(larger, f32x4.div(smaller, blend), f32x4.eq(tau, f32x4.splat(0)));
    const finite = f32x4.pmin(a, f32x4.splat(f32.MAX_VALUE));
    const entropy = f32x4.add(Math4.log1p(e), f32x4.mul(tau, finite));
    const q = f32x4.sub(one, t);
    const focus = f32x4.mul(f32x4.mul(gamma, f32x4.sub(q, t)), f32x4.mul(entropy, ratio));
    const above = f32x4.gt(x, f32x4.splat(0));
    const up = f32x4.mul(q, v128.bitselect(larger, smaller, above));
    const down = f32x4.mul(t, v128.bitselect(smaller, larger, above));
    const slope = f32x4.add(focus, f32x4.sub(up, down));
    return f32x4.mul(f32x4.mul(dy, this.factor(t, f32x4.mul(larger, blend), alpha, gamma)), slope);
  }
}
export function focalLossForward(pred: usize, target: usize, y: usize, n: i32, alpha: f32, gamma: f32): void {
  lossForward<Focal>(pred, target, y, n, alpha, gamma);
}
export function focalLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32, alpha: f32, gamma: f32,
): void {
  lossBackward<Focal>(pred, target, dy, dpred, n, dyStep, scale, alpha, gamma);
}

/** 0 where the target is, unless the prediction is NaN: for products of zero with an infinite logarithm. */
@inline
function zeroWhere(zero: v128, p: v128, y: v128): v128 {
  return v128.andnot(y, v128.and(zero, f32x4.eq(p, p)));
}

/** t (log t − p) of log-probabilities p, 0 at t = 0;  dp = −t */
@unmanaged
class KlDiv {
  @inline forward(p: v128, t: v128): v128 {
    return zeroWhere(f32x4.eq(t, f32x4.splat(0)), p, f32x4.mul(t, f32x4.sub(Math4.log(t), p)));
  }
  @inline backward(_p: v128, t: v128, dy: v128): v128 {
    return f32x4.neg(f32x4.mul(dy, t));
  }
}
export function klDivLossForward(pred: usize, target: usize, y: usize, n: i32): void {
  lossForward<KlDiv>(pred, target, y, n);
}
export function klDivLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<KlDiv>(pred, target, dy, dpred, n, dyStep, scale);
}

/** e^t (t − p) of log-probabilities p and t, 0 where e^t is;  dp = −e^t */
@unmanaged
class KlDivLogTarget {
  @inline forward(p: v128, t: v128): v128 {
    const e = Math4.exp(t);
    return zeroWhere(f32x4.eq(e, f32x4.splat(0)), p, f32x4.mul(e, f32x4.sub(t, p)));
  }
  @inline backward(_p: v128, t: v128, dy: v128): v128 {
    return f32x4.neg(f32x4.mul(dy, Math4.exp(t)));
  }
}
export function klDivLogTargetLossForward(pred: usize, target: usize, y: usize, n: i32): void {
  lossForward<KlDivLogTarget>(pred, target, y, n);
}
export function klDivLogTargetLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32,
): void {
  lossBackward<KlDivLogTarget>(pred, target, dy, dpred, n, dyStep, scale);
}

/** log(2πt) / 2, what Stirling's formula for log t! has beyond t log t − t. */
@inline
function stirling(t: v128): v128 {
  return f32x4.mul(f32x4.splat(0.5), Math4.log(f32x4.mul(f32x4.splat(6.28318531), t)));
}

/** t log t − t + log(2πt) / 2 */
@inline
function logFactorial(t: v128): v128 {
  return f32x4.add(f32x4.mul(t, f32x4.sub(Math4.log(t), f32x4.splat(1))), stirling(t));
}

/**
 * e^p − t p, p the logarithm of the rate, and log t! by Stirling's formula where `full` and t > 1;  dp = e^p − t. Near
 * the optimum the parts of the full value cancel; with r = p − log t < 1 it is t (e^r − 1 − r) + log(2πt) / 2.
 */
@unmanaged
class PoissonNll {
  @inline get parameters(): bool {
    return true;
  }
  @inline forward(p: v128, t: v128, full: v128, _: v128): v128 {
    const zero = f32x4.splat(0);
    const product = zeroWhere(f32x4.eq(t, zero), p, f32x4.mul(t, p));
    const y = f32x4.sub(Math4.exp(p), product);
    const wanted = v128.and(f32x4.gt(t, f32x4.splat(1)), f32x4.ne(full, zero));
    if (!v128.any_true(wanted)) return y;
    const r = f32x4.sub(p, Math4.log(t));
    const near = f32x4.add(f32x4.mul(t, f32x4.sub(Math4.expm1(r), r)), stirling(t));
    const close = f32x4.lt(r, f32x4.splat(1));
    return v128.bitselect(v128.bitselect(near, f32x4.add(y, logFactorial(t)), close), y, wanted);
  }
  @inline backward(p: v128, t: v128, dy: v128, _full: v128, _: v128): v128 {
    return f32x4.mul(dy, f32x4.sub(Math4.exp(p), t));
  }
}
export function poissonNllLossForward(pred: usize, target: usize, y: usize, n: i32, full: f32): void {
  lossForward<PoissonNll>(pred, target, y, n, full);
}
export function poissonNllLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32, full: f32,
): void {
  lossBackward<PoissonNll>(pred, target, dy, dpred, n, dyStep, scale, full);
}

/**
 * p − t log(p + ε), p the rate, and log t! as above;  dp = (p − t + ε) / (p + ε). With u = (p − t) / t > −3/4
 * the full value is t (u − log1p(u + ε/t)) + log(2πt) / 2.
 */
@unmanaged
class PoissonRateNll {
  @inline get parameters(): bool {
    return true;
  }
  @inline forward(p: v128, t: v128, full: v128, eps: v128): v128 {
    const zero = f32x4.splat(0);
    const product = f32x4.mul(t, Math4.log(f32x4.add(p, eps)));
    const y = f32x4.sub(p, zeroWhere(f32x4.eq(t, zero), p, product));
    const wanted = v128.and(f32x4.gt(t, f32x4.splat(1)), f32x4.ne(full, zero));
    if (!v128.any_true(wanted)) return y;
    const u = f32x4.div(f32x4.sub(p, t), t);
    const log = Math4.log1p(f32x4.add(u, f32x4.div(eps, t)));
    const near = f32x4.add(f32x4.mul(t, f32x4.sub(u, log)), stirling(t));
    const close = f32x4.gt(u, f32x4.splat(-0.75));
    return v128.bitselect(v128.bitselect(near, f32x4.add(y, logFactorial(t)), close), y, wanted);
  }
  @inline backward(p: v128, t: v128, dy: v128, _full: v128, eps: v128): v128 {
    return f32x4.mul(dy, f32x4.div(f32x4.add(f32x4.sub(p, t), eps), f32x4.add(p, eps)));
  }
}
export function poissonRateNllLossForward(pred: usize, target: usize, y: usize, n: i32, full: f32, eps: f32): void {
  lossForward<PoissonRateNll>(pred, target, y, n, full, eps);
}
export function poissonRateNllLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f32, full: f32, eps: f32,
): void {
  lossBackward<PoissonRateNll>(pred, target, dy, dpred, n, dyStep, scale, full, eps);
}

/** The first of n elements outside [low, high], else −1. A NaN counts as inside: it shows in the result. */
export function firstOutside(x: usize, n: i32, low: f32, high: f32): i32 {
  for (let i = 0; i < n; i++, x += 4) {
    const v = load<f32>(x);
    if (v < low || v > high) return i;
  }
  return -1;
}
