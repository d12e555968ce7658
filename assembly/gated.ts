// Activations x g(x) with a gate g from 0 to 1. Where g vanishes, it is formed as 2^64 g and lowered after the product
// with x, which then has full precision even where g is subnormal. Arguments are clamped to where g is neither 0 nor 1,
// so that infinite ones come to their limit.
import { backward, forward } from "./simd/elementwise";
import { Math4 } from "./simd/math";
import { Normal4 } from "./simd/normal";

/** x within [low, high]; NaN stays. */
@inline
function clamp(x: v128, low: f32, high: f32): v128 {
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(low)), f32x4.splat(high));
}

/** c g for the clamped x, and x itself above the limit `high` from which g rounds to 1. */
@inline
function gated(x: v128, c: v128, liftedGate: v128, high: f32): v128 {
  return v128.bitselect(x, Math4.lower(f32x4.mul(c, liftedGate)), f32x4.gt(x, f32x4.splat(high)));
}

const LOW: f32 = -110;
const HIGH: f32 = 20;

/** y = x σ(x) = x e / (1 + e) with e = e^x;  dx = dy · σ(x) (1 + x σ(−x)) */
@unmanaged
class Silu {
  @inline forward(x: v128): v128 {
    const c = clamp(x, LOW, HIGH);
    const lifted = Math4.liftedExp(c);
    const s = f32x4.add(Math4.lower(lifted), f32x4.splat(1));
    return gated(x, c, f32x4.div(lifted, s), HIGH);
  }
  @inline backward(x: v128, dy: v128): v128 {
    const c = clamp(x, LOW, HIGH);
    const lifted = Math4.liftedExp(c);
    const one = f32x4.splat(1);
    const r = f32x4.div(one, f32x4.add(Math4.lower(lifted), one));
    const slope = f32x4.mul(f32x4.mul(lifted, r), Math4.madd(c, r, one));
    return f32x4.mul(dy, Math4.lower(slope));
  }
}
export function siluForward(x: usize, y: usize, n: i32): void { forward<Silu>(x, y, n); }
export function siluBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<Silu>(x, dy, dx, n); }

/**
 * y = x tanh(log(1 + e)) = x p / q with e = e^x, p = e² + 2e and q = p + 2;
 * dx = dy · e / q (e + 2 + 4x (e + 1) / q)
 */
@unmanaged
class Mish {
  @inline forward(x: v128): v128 {
    const c = clamp(x, LOW, HIGH);
    const lifted = Math4.liftedExp(c);
    const e = Math4.lower(lifted);
    const p = Math4.madd(lifted, e, f32x4.add(lifted, lifted));
    return gated(x, c, f32x4.div(p, f32x4.add(Math4.lower(p), f32x4.splat(2))), HIGH);
  }
  @inline backward(x: v128, dy: v128): v128 {
    const c = clamp(x, LOW, HIGH);
    const lifted = Math4.liftedExp(c);
    const e = Math4.lower(lifted);
    const e2 = f32x4.add(e, f32x4.splat(2));
    const r = f32x4.div(f32x4.splat(1), Math4.madd(e, e2, f32x4.splat(2)));
    const t = f32x4.mul(f32x4.mul(f32x4.splat(4), c), f32x4.mul(f32x4.add(e, f32x4.splat(1)), r));
    return f32x4.mul(dy, Math4.lower(f32x4.mul(f32x4.mul(lifted, r), f32x4.add(e2, t))));
  }
}
export function mishForward(x: usize, y: usize, n: i32): void { forward<Mish>(x, y, n); }
export function mishBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<Mish>(x, dy, dx, n); }

/**
 * y = x Φ(x) = max(x, 0) − a (1 − Φ(a)) with a = |x|, where nothing cancels;
 * dx = dy · (Φ(x) + x φ(x)), which is g = 1 − Φ(a) − a φ(a) for x < 0 and 1 − g elsewhere
 */
@unmanaged
class Gelu {
  @inline forward(x: v128): v128 {
    const a = f32x4.pmin(f32x4.abs(x), f32x4.splat(14.75));
    const bell = Normal4.liftedBell(a, f32x4.splat(-0.5));
    const below = Math4.lower(f32x4.mul(Normal4.scaledTail(a), bell));
    return f32x4.sub(f32x4.pmax(x, f32x4.splat(-0.0)), below);
  }
  @inline backward(x: v128, dy: v128): v128 {
    const a = f32x4.pmin(f32x4.abs(x), f32x4.splat(14.75));
    const bell = Normal4.liftedBell(a, f32x4.splat(-0.5));
    const g = Math4.lower(f32x4.mul(Normal4.tailSlope(a), bell));
    const slope = v128.bitselect(g, f32x4.sub(f32x4.splat(1), g), f32x4.lt(x, f32x4.splat(0)));
    return f32x4.mul(dy, slope);
  }
}
export function geluForward(x: usize, y: usize, n: i32): void { forward<Gelu>(x, y, n); }
export function geluBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<Gelu>(x, dy, dx, n); }

/** 2 √(2/π) (x + 0.044715 x³) of two lanes, in float64. */
@inline
function geluLogit(x: v128): v128 {
  const cubic = f64x2.mul(f64x2.mul(x, x), f64x2.splat(0.07135481627260025));
  return f64x2.mul(x, f64x2.add(cubic, f64x2.splat(1.5957691216057308)));
}

/** 2^64 e^z for z = geluLogit(x), whose rounding to float32 the exponential would magnify |z| times. */
@inline
function liftedGeluExp(x: v128): v128 {
  const z01 = geluLogit(f64x2.promote_low_f32x4(x));
  const z23 = geluLogit(f64x2.promote_low_f32x4(v128.shuffle<f64>(x, x, 1, 1)));
  const h01 = f32x4.demote_f64x2_zero(z01);
  const h23 = f32x4.demote_f64x2_zero(z23);
  const l01 = f32x4.demote_f64x2_zero(f64x2.sub(z01, f64x2.promote_low_f32x4(h01)));
  const l23 = f32x4.demote_f64x2_zero(f64x2.sub(z23, f64x2.promote_low_f32x4(h23)));
  return Math4.liftedExpOfSum(v128.shuffle<f64>(h01, h23, 0, 2), v128.shuffle<f64>(l01, l23, 0, 2));
}

/**
 * y = x/2 (1 + tanh(z/2)) = x σ(z) with z = 2 √(2/π) (x + 0.044715 x³);
 * dx = dy · σ(z) (1 + x z′ σ(−z)) with x z′ = 2 √(2/π) (x + 3 · 0.044715 x³)
 */
@unmanaged
class GeluTanh {
  @inline forward(x: v128): v128 {
    const c = clamp(x, -11, 6);
    const lifted = liftedGeluExp(c);
    const s = f32x4.add(Math4.lower(lifted), f32x4.splat(1));
    return gated(x, c, f32x4.div(lifted, s), 6);
  }
  @inline backward(x: v128, dy: v128): v128 {
    const c = clamp(x, -11, 6);
    const lifted = liftedGeluExp(c);
    const one = f32x4.splat(1);
    const r = f32x4.div(one, f32x4.add(Math4.lower(lifted), one));
    const cubic = f32x4.mul(f32x4.mul(c, c), f32x4.splat(0.21406444));
    const xdz = f32x4.mul(c, f32x4.add(cubic, f32x4.splat(1.59576912)));
    return f32x4.mul(dy, Math4.lower(f32x4.mul(f32x4.mul(lifted, r), Math4.madd(xdz, r, one))));
  }
}
export function geluTanhForward(x: usize, y: usize, n: i32): void { forward<GeluTanh>(x, y, n); }
export function geluTanhBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<GeluTanh>(x, dy, dx, n); }

/** y = x clip(x + 3, 0, 6) / 6;  dx = dy · (0 for x ≤ −3, 1 for x ≥ 3, (2x + 3) / 6 between), as current PyTorch's */
@unmanaged
class Hardswish {
  @inline forward(x: v128): v128 {
    const gate = f32x4.div(clamp(f32x4.add(x, f32x4.splat(3)), 0, 6), f32x4.splat(6));
    return f32x4.mul(f32x4.pmax(x, f32x4.splat(-f32.MAX_VALUE)), gate);
  }
  @inline backward(x: v128, dy: v128): v128 {
    const slope = f32x4.div(f32x4.add(f32x4.add(x, x), f32x4.splat(3)), f32x4.splat(6));
    const below = f32x4.le(x, f32x4.splat(-3));
    const inside = v128.bitselect(f32x4.splat(1), slope, f32x4.ge(x, f32x4.splat(3)));
    return f32x4.mul(dy, v128.andnot(inside, below));
  }
}
export function hardswishForward(x: usize, y: usize, n: i32): void { forward<Hardswish>(x, y, n); }
export function hardswishBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<Hardswish>(x, dy, dx, n); }
