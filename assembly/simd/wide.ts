// Elementary functions of two lanes in float64, for what float32 cannot hold in between: an argument that is a product or a
// quotient, whose rounding an exponential would magnify, or a power beyond float32's range. Relative errors are below
// 2^-33; what is rounded to float32 afterwards is off by 0.5 ULP. NaN stays NaN.
// Constants in static memory, as in math.ts: LN2 has 1/ln 2 and ln 2, ROUND 1.5 · 2^52 + 1023, which rounds to an integer n
// when it is added and leaves n + 1023, the exponent bits of 2^n, in the low bits, and EXP_MAX what e^x is clamped at.
const LN2: usize = memory.data<f64>([1.4426950408889634, 0.6931471805599453]);
const ROUND: usize = memory.data<f64>([6755399441056767]);
const EXP_MAX: usize = memory.data<f64>([700, -700]);
/** Taylor's series of (e^r − 1 − r) / r²: 1/2!, 1/3!, … */
const EXPM1: usize = memory.data<f64>([
  0.5, 0.16666666666666666, 0.041666666666666664, 0.008333333333333333, 0.001388888888888889,
  0.0001984126984126984, 0.0000248015873015873, 0.0000027557319223985893,
]);
/** Taylor's series of artanh(s) / s in s²: 1, 1/3, 1/5, … */
const ARTANH: usize = memory.data<f64>([
  1, 0.3333333333333333, 0.2, 0.14285714285714285, 0.1111111111111111, 0.09090909090909091, 0.07692307692307693,
  0.06666666666666667, 0.058823529411764705, 0.05263157894736842, 0.047619047619047616,
]);
const SQRT_HALF: usize = memory.data<f64>([0.7071067811865476]);
const SIGN_AND_EXPONENT: usize = memory.data<u64>([0xfff0000000000000]);
/** 1.5 · 2^52: its bits plus an integer are those of the sum. */
const INTEGER: usize = memory.data<f64>([6755399441055744]);

/** Entry `index` of a table of constants, in both lanes. */
@inline
function entry(table: usize, index: usize = 0): v128 {
  return v128.load64_splat(table + (index << 3));
}

@inline
function splat(x: f64): v128 {
  return f64x2.splat(x);
}

@inline
function madd(a: v128, b: v128, c: v128): v128 {
  return f64x2.add(f64x2.mul(a, b), c);
}

/** e^x − 1 + one for |x| ≤ 700, and as at ±700 beyond: with r = x − n ln 2, (e^r − 1) 2^n + (2^n − 1 + one). */
function power(x: v128, one: f64): v128 {
  const a = f64x2.pmax(f64x2.pmin(x, entry(EXP_MAX)), entry(EXP_MAX, 1));
  const t = madd(a, entry(LN2), entry(ROUND));
  const r = madd(f64x2.sub(entry(ROUND), t), entry(LN2, 1), a);
  const z = f64x2.mul(r, r);
  const p0 = madd(entry(EXPM1, 1), r, entry(EXPM1));
  const p2 = madd(entry(EXPM1, 3), r, entry(EXPM1, 2));
  const p4 = madd(entry(EXPM1, 5), r, entry(EXPM1, 4));
  const p6 = madd(entry(EXPM1, 7), r, entry(EXPM1, 6));
  const p = madd(madd(p6, z, p4), f64x2.mul(z, z), madd(p2, z, p0));
  const s = i64x2.shl(t, 52);
  return madd(madd(p, z, r), s, f64x2.sub(s, splat(1 - one)));
}

/** ln((1 + s) / (1 − s)) = 2s (1 + s²/3 + s⁴/5 + …) for |s| ≤ 1/3 */
@inline
function twiceArtanh(s: v128): v128 {
  const z = f64x2.mul(s, s);
  const z2 = f64x2.mul(z, z);
  const p0 = madd(entry(ARTANH, 1), z, entry(ARTANH));
  const p2 = madd(entry(ARTANH, 3), z, entry(ARTANH, 2));
  const p4 = madd(entry(ARTANH, 5), z, entry(ARTANH, 4));
  const p6 = madd(entry(ARTANH, 7), z, entry(ARTANH, 6));
  const p8 = madd(entry(ARTANH, 9), z, entry(ARTANH, 8));
  const low = madd(madd(p4, z2, p2), z2, p0);
  const high = madd(madd(entry(ARTANH, 10), z2, p8), z2, p6);
  return f64x2.mul(f64x2.add(s, s), madd(high, f64x2.mul(f64x2.mul(z2, z2), z2), low));
}

/** ln x for x ≥ 0: with x = 2^k m and m in [√½, √2] it is k ln 2 + ln((1 + s) / (1 − s)), s = (m − 1) / (m + 1). */
function log(x: v128): v128 {
  const d = i64x2.sub(x, entry(SQRT_HALF));
  const k = f64x2.sub(i64x2.add(i64x2.shr_s(d, 52), entry(INTEGER)), entry(INTEGER));
  const f = f64x2.sub(i64x2.sub(x, v128.and(d, entry(SIGN_AND_EXPONENT))), splat(1));
  const y = madd(k, entry(LN2, 1), twiceArtanh(f64x2.div(f, f64x2.add(f, splat(2)))));
  const finite = v128.bitselect(y, x, f64x2.lt(x, splat(Infinity)));
  return v128.bitselect(splat(-Infinity), finite, f64x2.eq(x, splat(0)));
}

/**
 * |a|^b, 1 where b is 0 or |a| is 1, for l = ln |a|: the square of e^(b l / 2), which leaves the range of float64 where
 * |a|^b does.
 */
@inline
function magnitude(a: v128, b: v128, l: v128): v128 {
  const root = power(f64x2.mul(f64x2.mul(splat(0.5), b), l), 1);
  const one = v128.or(f64x2.eq(b, splat(0)), f64x2.eq(f64x2.abs(a), splat(1)));
  return v128.bitselect(splat(1), f64x2.mul(root, root), one);
}

@inline
function isInteger(b: v128): v128 {
  return f64x2.eq(f64x2.floor(b), b);
}

/** y ≥ 0 with the sign bit of a where `mask` is set, and NaN where a finite a < 0 has a fraction as exponent b. */
@inline
function signed(y: v128, a: v128, b: v128, mask: v128): v128 {
  const sign = v128.and(v128.and(a, splat(-0.0)), mask);
  const negative = v128.and(f64x2.lt(a, splat(0)), f64x2.gt(a, splat(-Infinity)));
  return v128.or(v128.xor(y, sign), v128.andnot(negative, isInteger(b)));
}

@inline
function isEven(b: v128): v128 {
  return isInteger(f64x2.mul(splat(0.5), b));
}

export class Wide {
  /** e^x */
  @inline static exp(x: v128): v128 {
    return power(x, 1);
  }

  /** e^x − 1 */
  @inline static expm1(x: v128): v128 {
    return power(x, 0);
  }

  /** ln(1 + u) for 0 ≤ u ≤ 1 */
  @inline static log1p(u: v128): v128 {
    return twiceArtanh(f64x2.div(u, f64x2.add(u, splat(2))));
  }

  /** a^b */
  static pow(a: v128, b: v128): v128 {
    const y = magnitude(a, b, log(f64x2.abs(a)));
    return signed(y, a, b, v128.andnot(isInteger(b), isEven(b)));
  }

  /** b a^(b−1), 0 where b = 0. b − 1 is exact but for |b| > 2^53, which are even, and |b| < 2^-29, where a^(b−1) is 1/a. */
  static powByBase(a: v128, b: v128): v128 {
    const y = f64x2.mul(b, magnitude(a, f64x2.sub(b, splat(1)), log(f64x2.abs(a))));
    return v128.andnot(signed(y, a, b, isEven(b)), f64x2.eq(b, splat(0)));
  }

  /** a^b ln a, 0 where a = 0 and b ≥ 0 or a = ∞ and b < 0, NaN where a < 0 */
  static powByExponent(a: v128, b: v128): v128 {
    const zero = splat(0);
    const l = log(f64x2.abs(a));
    const vanishes = v128.or(
      v128.and(f64x2.eq(a, zero), f64x2.ge(b, zero)),
      v128.and(f64x2.eq(a, splat(Infinity)), f64x2.lt(b, zero)),
    );
    return v128.andnot(v128.or(f64x2.mul(magnitude(a, b, l), l), f64x2.lt(a, zero)), vanishes);
  }
}
