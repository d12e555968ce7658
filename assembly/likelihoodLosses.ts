// Elementwise losses that are likelihoods: of probabilities, logits, log-probabilities and rates.
import { lossBackward, lossForward } from "./simd/loss";
import { Math4 } from "./simd/math";
import { highHalf, lowHalf, narrow } from "./simd/moments";
import { Wide } from "./simd/wide";

/**
 * −(t log p + (1 − t) log(1 − p)), logarithms clamped to ≥ −100;  dp = (p − t) / max(p (1 − p), 1e-12):
 * the clamps of PyTorch's binary_cross_entropy
 */
@unmanaged
class Bce {
  @inline get weighted(): bool {
    return true;
  }
  @inline inner(p: v128, t: v128, _a: v128, _b: v128): v128 {
    const floor = f32x4.splat(-100);
    const logP = f32x4.max(Math4.log(p), floor);
    const logQ = f32x4.max(Math4.log1p(f32x4.neg(p)), floor);
    return f32x4.neg(f32x4.add(f32x4.mul(t, logP), f32x4.mul(f32x4.sub(f32x4.splat(1), t), logQ)));
  }
  @inline innerSlope(p: v128, _t: v128, _a: v128, _b: v128): v128 {
    return p;
  }
  @inline forward(_p: v128, _t: v128, u: v128, _w: v128, _a: v128, _b: v128): v128 {
    return u;
  }
  @inline slope(p: v128, t: v128, _u: v128, _w: v128, _a: v128, _b: v128): v128 {
    const variance = f64x2.mul(p, f64x2.sub(f64x2.splat(1), p));
    return f64x2.div(f64x2.sub(p, t), f64x2.pmax(variance, f64x2.splat(1e-12)));
  }
}
export function bceLossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64, weight: usize,
): void {
  lossForward<Bce>(pred, target, y, n, each, scale, 0, 0, 0, weight);
}
export function bceLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64, weight: usize,
): void {
  lossBackward<Bce>(pred, target, dy, dpred, n, dyStep, scale, 0, 0, 0, weight);
}

/** c a, 0 where c is 0: the limit of a loss at an infinite logit that is right. */
@inline
function share(c: v128, a: v128): v128 {
  return v128.andnot(f32x4.mul(c, a), f32x4.eq(c, f32x4.splat(0)));
}

/**
 * Binary cross-entropy of logits x: t softplus(−x) + (1 − t) softplus(x). As softplus(±x) = max(±x, 0) + l with
 * l = log1p(e^−|x|), this is l + |x| (x > 0 ? 1 − t : t), a sum of terms of one sign, where 0 |x| is 0 even for an
 * infinite logit;  dx = (1 − t) σ(x) − t σ(−x), which does not cancel at t = 0 and t = 1.
 */
@unmanaged
class BceWithLogits {
  @inline inner(x: v128, t: v128, _a: v128, _b: v128): v128 {
    const a = f32x4.abs(x);
    const q = f32x4.sub(f32x4.splat(1), t);
    const linear = share(v128.bitselect(q, t, f32x4.gt(x, f32x4.splat(0))), a);
    return f32x4.add(Math4.softplus(f32x4.neg(a)), linear);
  }
  @inline innerSlope(x: v128, t: v128, _a: v128, _b: v128): v128 {
    const one = f32x4.splat(1);
    const e = Math4.expNonPositive(f32x4.neg(f32x4.abs(x)));
    const above = f32x4.gt(x, f32x4.splat(0));
    const up = f32x4.mul(f32x4.sub(one, t), v128.bitselect(one, e, above));
    const down = f32x4.mul(t, v128.bitselect(e, one, above));
    return f32x4.div(f32x4.sub(up, down), f32x4.add(one, e));
  }
  @inline forward(_x: v128, _t: v128, u: v128, _w: v128, _a: v128, _b: v128): v128 {
    return u;
  }
  @inline slope(_x: v128, _t: v128, u: v128, _w: v128, _a: v128, _b: v128): v128 {
    return u;
  }
}

/** From here on log1p(e^−|x|) is e^−|x| in float32. */
const FAR: f32 = 17;

/**
 * The same with a factor w of the positive part, P = t w: (P + 1 − t) l + |x| (x > 0 ? 1 − t : P);
 * dx = (1 − t) σ(x) − P σ(−x). In float64, where no weight takes it out of range.
 */
@unmanaged
class WeightedBceWithLogits {
  @inline get weighted(): bool {
    return true;
  }
  /** l, but √l = e^(−|x|/2) where |x| > FAR: its square in float64 is far from underflow. */
  @inline inner(x: v128, _t: v128, _a: v128, _b: v128): v128 {
    const a = f32x4.abs(x);
    const root = Math4.expNonPositive(f32x4.mul(f32x4.splat(-0.5), a));
    return v128.bitselect(root, Math4.log1pOfShare(f32x4.mul(root, root)), f32x4.gt(a, f32x4.splat(FAR)));
  }
  @inline innerSlope(x: v128, _t: v128, _a: v128, _b: v128): v128 {
    return Math4.expNonPositive(f32x4.mul(f32x4.splat(-0.5), f32x4.abs(x)));
  }
  @inline forward(x: v128, t: v128, u: v128, w: v128, _a: v128, _b: v128): v128 {
    const zero = f64x2.splat(0);
    const a = f64x2.abs(x);
    const p = f64x2.mul(t, w);
    const q = f64x2.sub(f64x2.splat(1), t);
    const l = v128.bitselect(f64x2.mul(u, u), u, f64x2.gt(a, f64x2.splat(<f64>FAR)));
    const share = v128.bitselect(q, p, f64x2.gt(x, zero));
    const linear = v128.andnot(f64x2.mul(share, a), f64x2.eq(share, zero));
    return f64x2.add(f64x2.mul(f64x2.add(p, q), l), linear);
  }
  @inline slope(x: v128, t: v128, u: v128, w: v128, _a: v128, _b: v128): v128 {
    const one = f64x2.splat(1);
    const p = f64x2.mul(t, w);
    const q = f64x2.sub(one, t);
    const e = f64x2.mul(u, u);
    const above = f64x2.gt(x, f64x2.splat(0));
    const up = f64x2.mul(q, v128.bitselect(one, e, above));
    const down = f64x2.mul(p, v128.bitselect(e, one, above));
    return f64x2.div(f64x2.sub(up, down), f64x2.add(one, e));
  }
}
export function bceWithLogitsLossForward(
  logits: usize, target: usize, y: usize, n: i32, each: i32, scale: f64, posWeight: usize, weight: usize,
): void {
  if (posWeight | weight) {
    lossForward<WeightedBceWithLogits>(logits, target, y, n, each, scale, 0, 0, posWeight, weight);
  } else {
    lossForward<BceWithLogits>(logits, target, y, n, each, scale);
  }
}
export function bceWithLogitsLossBackward(
  logits: usize, target: usize, dy: usize, dlogits: usize, n: i32, dyStep: i32, scale: f64,
  posWeight: usize, weight: usize,
): void {
  if (posWeight | weight) {
    lossBackward<WeightedBceWithLogits>(logits, target, dy, dlogits, n, dyStep, scale, 0, 0, posWeight, weight);
  } else {
    lossBackward<BceWithLogits>(logits, target, dy, dlogits, n, dyStep, scale);
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
  /** α_t m^γ c, as a product of √m^γ twice: m^γ alone may underflow where a large CE makes up for it. */
  @inline focused(t: v128, m: v128, c: v128, alpha: v128, gamma: v128): v128 {
    const one = f32x4.splat(1);
    const rest = f32x4.mul(f32x4.sub(one, alpha), f32x4.sub(one, t));
    const balance = f32x4.add(f32x4.mul(alpha, t), rest);
    const root = f32x4.extract_lane(gamma, 0) == 2 ? m : this.power(m, f64x2.mul(f64x2.splat(0.5), lowHalf(gamma)));
    const product = f32x4.mul(f32x4.mul(root, c), root);
    return f32x4.mul(product, v128.bitselect(balance, one, f32x4.ge(alpha, f32x4.splat(0))));
  }
  @inline power(m: v128, exponent: v128): v128 {
    return narrow(Wide.pow(lowHalf(m), exponent), Wide.pow(highHalf(m), exponent));
  }
  @inline blend(tau: v128, e: v128): v128 {
    return f32x4.add(tau, f32x4.mul(f32x4.sub(f32x4.splat(1), tau), e));
  }
  @inline tau(x: v128, t: v128): v128 {
    return v128.bitselect(f32x4.sub(f32x4.splat(1), t), t, f32x4.gt(x, f32x4.splat(0)));
  }
  @inline inner(x: v128, t: v128, alpha: v128, gamma: v128): v128 {
    const a = f32x4.abs(x);
    const tau = this.tau(x, t);
    const e = Math4.expNonPositive(f32x4.neg(a));
    const m = f32x4.div(this.blend(tau, e), f32x4.add(f32x4.splat(1), e));
    return this.focused(t, m, f32x4.add(Math4.log1p(e), share(tau, a)), alpha, gamma);
  }
  @inline innerSlope(x: v128, t: v128, alpha: v128, gamma: v128): v128 {
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
    return this.focused(t, f32x4.mul(larger, blend), f32x4.add(focus, f32x4.sub(up, down)), alpha, gamma);
  }
  @inline forward(_x: v128, _t: v128, u: v128, _w: v128, _a: v128, _b: v128): v128 {
    return u;
  }
  @inline slope(_x: v128, _t: v128, u: v128, _w: v128, _a: v128, _b: v128): v128 {
    return u;
  }
}
export function focalLossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64, alpha: f64, gamma: f64,
): void {
  lossForward<Focal>(pred, target, y, n, each, scale, alpha, gamma);
}
export function focalLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64, alpha: f64, gamma: f64,
): void {
  lossBackward<Focal>(pred, target, dy, dpred, n, dyStep, scale, alpha, gamma);
}

/** 0 where the target is, unless the prediction is NaN: for products of zero with an infinite logarithm. */
@inline
function zeroWhere(zero: v128, p: v128, y: v128): v128 {
  return v128.andnot(y, v128.and(zero, f64x2.eq(p, p)));
}

/** t (log t − p) of log-probabilities p, 0 at t = 0;  dp = −t */
@unmanaged
class KlDiv {
  @inline inner(_p: v128, t: v128, _a: v128, _b: v128): v128 {
    return Math4.log(t);
  }
  @inline innerSlope(p: v128, _t: v128, _a: v128, _b: v128): v128 {
    return p;
  }
  @inline forward(p: v128, t: v128, u: v128, _w: v128, _a: v128, _b: v128): v128 {
    return zeroWhere(f64x2.eq(t, f64x2.splat(0)), p, f64x2.mul(t, f64x2.sub(u, p)));
  }
  @inline slope(_p: v128, t: v128, _u: v128, _w: v128, _a: v128, _b: v128): v128 {
    return f64x2.neg(t);
  }
}
export function klDivLossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64,
): void {
  lossForward<KlDiv>(pred, target, y, n, each, scale);
}
export function klDivLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64,
): void {
  lossBackward<KlDiv>(pred, target, dy, dpred, n, dyStep, scale);
}

/** e^t (t − p) of log-probabilities p and t, 0 where one of the factors is;  dp = −e^t. With u = e^(t/2), e^t is u². */
@unmanaged
class KlDivLogTarget {
  @inline inner(_p: v128, t: v128, _a: v128, _b: v128): v128 {
    return Math4.exp(f32x4.mul(f32x4.splat(0.5), t));
  }
  @inline forward(p: v128, t: v128, u: v128, _w: v128, _a: v128, _b: v128): v128 {
    const e = f64x2.mul(u, u);
    const zero = v128.or(f64x2.eq(e, f64x2.splat(0)), f64x2.eq(t, p));
    return zeroWhere(zero, p, f64x2.mul(e, f64x2.sub(t, p)));
  }
  @inline slope(_p: v128, _t: v128, u: v128, _w: v128, _a: v128, _b: v128): v128 {
    return f64x2.neg(f64x2.mul(u, u));
  }
}
export function klDivLogTargetLossForward(
  pred: usize, target: usize, y: usize, n: i32, each: i32, scale: f64,
): void {
  lossForward<KlDivLogTarget>(pred, target, y, n, each, scale);
}
export function klDivLogTargetLossBackward(
  pred: usize, target: usize, dy: usize, dpred: usize, n: i32, dyStep: i32, scale: f64,
): void {
  lossBackward<KlDivLogTarget>(pred, target, dy, dpred, n, dyStep, scale);
}

/** The first of n elements outside [low, high], else −1. A NaN counts as inside: it shows in the result. */
export function firstOutside(x: usize, n: i32, low: f32, high: f32): i32 {
  for (let i = 0; i < n; i++, x += 4) {
    const v = load<f32>(x);
    if (v < low || v > high) return i;
  }
  return -1;
}
