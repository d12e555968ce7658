// What the sweep over every float32 spends its time in: the true values in float64, and the comparison. One class for each
// op, value and derivative side by side; options are a and b.
import { bell, erf, erfc, exp, expm1, log, sigmoid, softplus, splat, where } from "./math";

export { erfcTable } from "./math";

/** x[0 … n) = the float32 with the bits from, from + 1, … */
export function fill(x: usize, from: u32, n: i32): void {
  for (let i = 0; i < n; i++, x += 4) store<u32>(x, from + <u32>i);
}

/** Whether y[0 … n) is one number, or x times a power of two. */
export function isSmooth(x: usize, y: usize, n: i32): bool {
  const slope: i32 = load<i32>(y) == load<i32>(y, 4) ? 0 : 1;
  const factor = i32x4.splat(-slope);
  const base = load<i32>(y) - slope * load<i32>(x);
  if (slope && base & 0x7fffff) return false;
  const all = i32x4.splat(base);
  for (const end = x + (<usize>n << 2); x < end; x += 16, y += 16) {
    const d = i32x4.sub(v128.load(y), v128.and(v128.load(x), factor));
    if (!i32x4.all_true(i32x4.eq(d, all))) return false;
  }
  return true;
}

const SPACING_MIN: f64 = 1.401298464324817e-45; // 2^−149
const SPACING_MAX: f64 = 2.028240960365167e31; // 2^104
const OVERFLOW: f64 = 3.402823669209385e38; // 2^128
const MIN_NORMAL: f64 = 1.1754943508222875e-38;

/** |y − t| in units of the float32 spacing at t; where float32 overflows it goes on as if the exponent range had no end. */
function ulp(y: v128, t: v128): v128 {
  const most = splat(OVERFLOW);
  const least = splat(-OVERFLOW);
  const d = f64x2.sub(f64x2.pmax(f64x2.pmin(y, most), least), f64x2.pmax(f64x2.pmin(t, most), least));
  const power = f64x2.mul(v128.and(t, i64x2.splat(0x7ff0000000000000)), splat(1.1920928955078125e-7));
  const spacing = f64x2.pmin(f64x2.pmax(power, splat(SPACING_MIN)), splat(SPACING_MAX));
  return f64x2.div(f64x2.abs(d), spacing);
}

/** Relative, and absolute below the normal numbers; 0 if correctly rounded. */
function relative(y: v128, t: v128): v128 {
  const rounded = f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(t));
  const scale = f64x2.pmax(f64x2.abs(t), splat(MIN_NORMAL));
  return v128.andnot(f64x2.div(f64x2.abs(f64x2.sub(y, t)), scale), f64x2.eq(rounded, y));
}

/**
 * The largest error of y[0 … n) against the float64 t, if it exceeds `most`, else `most`; its place goes to `place`. x from
 * `low` to `high` is left out. NaN against a number is an infinite error.
 */
export function largest(
  x: usize, y: usize, t: usize, n: i32, most: f64, place: usize, isRelative: i32, low: f32, high: f32,
): f64 {
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 8) {
    const got = f64x2.promote_low_f32x4(v128.load64_zero(y + i));
    const want = v128.load(t + i + i);
    const error = isRelative ? relative(got, want) : ulp(got, want);
    if (i64x2.all_true(f64x2.le(error, splat(most)))) continue;
    for (let lane: usize = 0; lane < 2; lane++) {
      const at = load<f32>(x + i + (lane << 2));
      if (at >= low && at <= high) continue;
      let e = lane ? f64x2.extract_lane(error, 1) : f64x2.extract_lane(error, 0);
      if (e != e) e = Infinity;
      if (e <= most || i + (lane << 2) >= end) continue;
      most = e;
      store<i32>(place, <i32>(i >> 2) + <i32>lane);
    }
  }
  return most;
}

@inline
function map<Op>(x: usize, t: usize, n: i32, a: f64, b: f64, slope: bool): void {
  const va = splat(a);
  const vb = splat(b);
  for (const end = x + (<usize>n << 2); x < end; x += 8, t += 16) {
    const v = f64x2.promote_low_f32x4(v128.load64_zero(x));
    v128.store(t, slope ? changetype<Op>(0).slope(v, va, vb) : changetype<Op>(0).value(v, va, vb));
  }
}

/** t = op(x), or its derivative, in float64. */
function truth<Op>(x: usize, t: usize, n: i32, a: f64, b: f64, slope: i32): void {
  if (slope) map<Op>(x, t, n, a, b, true);
  else map<Op>(x, t, n, a, b, false);
}

/** x > 0 ? a : b */
@inline
function above(x: v128, a: v128, b: v128): v128 {
  return v128.bitselect(a, b, f64x2.gt(x, splat(0)));
}

/** 1 where the mask is set, else 0 */
@inline
function one(mask: v128): v128 {
  return v128.and(splat(1), mask);
}

/** min(max(x, a), b), whose derivative is 0 at a and b */
@unmanaged
class Bounded {
  @inline value(x: v128, a: v128, b: v128): v128 {
    return f64x2.pmin(f64x2.pmax(x, a), b);
  }
  @inline slope(x: v128, a: v128, b: v128): v128 {
    return one(v128.and(f64x2.gt(x, a), f64x2.lt(x, b)));
  }
}
export function bounded(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Bounded>(x, t, n, a, b, s); }

/** The same with a derivative of 1 at a and b */
@unmanaged
class Clip {
  @inline value(x: v128, a: v128, b: v128): v128 {
    return f64x2.pmin(f64x2.pmax(x, a), b);
  }
  @inline slope(x: v128, a: v128, b: v128): v128 {
    return one(v128.and(f64x2.ge(x, a), f64x2.le(x, b)));
  }
}
export function clip(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Clip>(x, t, n, a, b, s); }

@unmanaged
class Abs {
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.abs(x);
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    const sign = where(x, splat(1), splat(-1));
    return v128.and(sign, f64x2.ne(x, splat(0)));
  }
}
export function abs(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Abs>(x, t, n, a, b, s); }

@unmanaged
class Neg {
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.neg(x);
  }
  @inline slope(_x: v128, _a: v128, _b: v128): v128 {
    return splat(-1);
  }
}
export function neg(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Neg>(x, t, n, a, b, s); }

@unmanaged
class LeakyRelu {
  @inline value(x: v128, a: v128, _b: v128): v128 {
    return above(x, x, f64x2.mul(a, x));
  }
  @inline slope(x: v128, a: v128, _b: v128): v128 {
    return above(x, splat(1), a);
  }
}
export function leakyRelu(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<LeakyRelu>(x, t, n, a, b, s); }

@unmanaged
class Sigmoid {
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    return sigmoid(x);
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    const e = exp(f64x2.neg(f64x2.abs(x)));
    const s = f64x2.add(splat(1), e);
    return f64x2.div(e, f64x2.mul(s, s));
  }
}
export function sigmoidOf(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Sigmoid>(x, t, n, a, b, s); }

@unmanaged
class Tanh {
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    const y = expm1(f64x2.mul(splat(-2), f64x2.abs(x)));
    const positive = f64x2.div(f64x2.neg(y), f64x2.add(splat(2), y));
    return where(x, positive, f64x2.neg(positive));
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    const e = exp(f64x2.mul(splat(-2), f64x2.abs(x)));
    const s = f64x2.add(splat(1), e);
    return f64x2.div(f64x2.mul(splat(4), e), f64x2.mul(s, s));
  }
}
export function tanhOf(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Tanh>(x, t, n, a, b, s); }

@unmanaged
class Elu {
  @inline value(x: v128, a: v128, _b: v128): v128 {
    return above(x, x, f64x2.mul(a, expm1(x)));
  }
  @inline slope(x: v128, a: v128, _b: v128): v128 {
    return above(x, splat(1), f64x2.mul(a, exp(x)));
  }
}
export function elu(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Elu>(x, t, n, a, b, s); }

@unmanaged
class Celu {
  @inline value(x: v128, a: v128, _b: v128): v128 {
    return above(x, x, f64x2.mul(a, expm1(f64x2.div(x, a))));
  }
  @inline slope(x: v128, a: v128, _b: v128): v128 {
    return above(x, splat(1), exp(f64x2.div(x, a)));
  }
}
export function celu(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Celu>(x, t, n, a, b, s); }

@unmanaged
class Selu {
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.mul(splat(1.0507009873554805), above(x, x, f64x2.mul(splat(1.6732632423543772), expm1(x))));
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.mul(splat(1.0507009873554805), above(x, splat(1), f64x2.mul(splat(1.6732632423543772), exp(x))));
  }
}
export function selu(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Selu>(x, t, n, a, b, s); }

/** a is beta, b the threshold. */
@unmanaged
class Softplus {
  @inline value(x: v128, a: v128, b: v128): v128 {
    const z = f64x2.mul(a, x);
    return v128.bitselect(x, f64x2.div(softplus(z), a), f64x2.gt(z, b));
  }
  @inline slope(x: v128, a: v128, b: v128): v128 {
    const z = f64x2.mul(a, x);
    return v128.bitselect(splat(1), sigmoid(z), f64x2.gt(z, b));
  }
}
export function softplusOf(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Softplus>(x, t, n, a, b, s); }

@unmanaged
class LogSigmoid {
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.neg(softplus(f64x2.neg(x)));
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    return sigmoid(f64x2.neg(x));
  }
}
export function logSigmoid(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<LogSigmoid>(x, t, n, a, b, s); }

@unmanaged
class Softsign {
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.div(x, f64x2.add(splat(1), f64x2.abs(x)));
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    const r = f64x2.add(splat(1), f64x2.abs(x));
    return f64x2.div(splat(1), f64x2.mul(r, r));
  }
}
export function softsign(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Softsign>(x, t, n, a, b, s); }

@unmanaged
class Hardsigmoid {
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.div(f64x2.pmin(f64x2.pmax(f64x2.add(x, splat(3)), splat(0)), splat(6)), splat(6));
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    return v128.and(splat(1.0 / 6), f64x2.lt(f64x2.abs(x), splat(3)));
  }
}
export function hardsigmoid(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Hardsigmoid>(x, t, n, a, b, s); }

@unmanaged
class Hardswish {
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    const gate = f64x2.pmin(f64x2.pmax(f64x2.add(x, splat(3)), splat(0)), splat(6));
    return f64x2.div(f64x2.mul(x, gate), splat(6));
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    const inside = f64x2.div(f64x2.add(f64x2.add(x, x), splat(3)), splat(6));
    return v128.bitselect(inside, one(f64x2.ge(x, splat(3))), f64x2.lt(f64x2.abs(x), splat(3)));
  }
}
export function hardswish(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Hardswish>(x, t, n, a, b, s); }

@unmanaged
class Silu {
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.mul(x, sigmoid(x));
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.mul(sigmoid(x), f64x2.add(splat(1), f64x2.mul(x, sigmoid(f64x2.neg(x)))));
  }
}
export function silu(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Silu>(x, t, n, a, b, s); }

/** With e = e^x and q = e (e + 2): x q / (q + 2); its derivative is q / (q + 2) + 4 x e (e + 1) / (q + 2)². */
@unmanaged
class Mish {
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    const e = exp(f64x2.pmin(x, splat(60)));
    const q = f64x2.mul(e, f64x2.add(e, splat(2)));
    return f64x2.mul(x, f64x2.div(q, f64x2.add(q, splat(2))));
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    const c = f64x2.pmin(x, splat(60));
    const e = exp(c);
    const q = f64x2.mul(e, f64x2.add(e, splat(2)));
    const d = f64x2.add(q, splat(2));
    const rest = f64x2.mul(f64x2.mul(f64x2.mul(splat(4), c), e), f64x2.add(e, splat(1)));
    return f64x2.div(f64x2.add(q, f64x2.div(rest, d)), d);
  }
}
export function mish(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Mish>(x, t, n, a, b, s); }

@unmanaged
class Gelu {
  @inline cdf(x: v128): v128 {
    return f64x2.mul(splat(0.5), erfc(f64x2.mul(x, splat(-0.7071067811865476))));
  }
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.mul(x, this.cdf(x));
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    const density = f64x2.mul(splat(0.3989422804014327), bell(f64x2.mul(x, splat(0.7071067811865476))));
    return f64x2.add(this.cdf(x), f64x2.mul(x, density));
  }
}
export function gelu(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Gelu>(x, t, n, a, b, s); }

@unmanaged
class GeluTanh {
  @inline logit(x: v128): v128 {
    const cubic = f64x2.add(f64x2.mul(f64x2.mul(x, x), splat(0.044715)), splat(1));
    return f64x2.mul(f64x2.mul(splat(1.5957691216057308), x), cubic);
  }
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.mul(x, sigmoid(this.logit(x)));
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    const z = this.logit(x);
    const dz = f64x2.add(splat(1.5957691216057308), f64x2.mul(f64x2.mul(x, x), splat(1.5957691216057308 * 3 * 0.044715)));
    const rest = f64x2.mul(sigmoid(f64x2.neg(z)), f64x2.mul(x, dz));
    return f64x2.mul(sigmoid(z), f64x2.add(splat(1), rest));
  }
}
export function geluTanh(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<GeluTanh>(x, t, n, a, b, s); }

@unmanaged
class Exp {
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    return exp(x);
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    return exp(x);
  }
}
export function expOf(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Exp>(x, t, n, a, b, s); }

@unmanaged
class Log {
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    return v128.bitselect(splat(-Infinity), log(x), f64x2.eq(x, splat(0)));
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.div(splat(1), x);
  }
}
export function logOf(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Log>(x, t, n, a, b, s); }

@unmanaged
class Erf {
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    return erf(x);
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.mul(splat(1.1283791670955126), bell(x));
  }
}
export function erfOf(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Erf>(x, t, n, a, b, s); }

@unmanaged
class Sqrt {
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.sqrt(x);
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.div(splat(0.5), f64x2.sqrt(x));
  }
}
export function sqrtOf(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Sqrt>(x, t, n, a, b, s); }

@unmanaged
class Square {
  @inline value(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.mul(x, x);
  }
  @inline slope(x: v128, _a: v128, _b: v128): v128 {
    return f64x2.add(x, x);
  }
}
export function square(x: usize, t: usize, n: i32, a: f64, b: f64, s: i32): void { truth<Square>(x, t, n, a, b, s); }
