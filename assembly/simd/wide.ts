// Elementary functions of two lanes in float64, for what float32 cannot hold in between: an argument that is a product or a
// quotient, whose rounding an exponential would magnify, or a power beyond float32's range. Relative errors are below
// 2^-33; what is rounded to float32 afterwards is off by 0.5 ULP. NaN stays NaN.
const LN2: f64 = 0.6931471805599453;
/** 1.5 · 2^52 + 1023: adding it rounds to an integer n, and the low bits are n + 1023, the exponent bits of 2^n. */
const ROUND: f64 = 6755399441056767;

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
  const a = f64x2.pmax(f64x2.pmin(x, splat(700)), splat(-700));
  const t = madd(a, splat(1 / LN2), splat(ROUND));
  const r = madd(f64x2.sub(splat(ROUND), t), splat(LN2), a);
  // Taylor's series of (e^r − 1 − r) / r²
  let p = madd(splat(1.0 / 362880), r, splat(1.0 / 40320));
  p = madd(p, r, splat(1.0 / 5040));
  p = madd(p, r, splat(1.0 / 720));
  p = madd(p, r, splat(1.0 / 120));
  p = madd(p, r, splat(1.0 / 24));
  p = madd(p, r, splat(1.0 / 6));
  p = madd(p, r, splat(0.5));
  const s = i64x2.shl(t, 52);
  return madd(madd(p, f64x2.mul(r, r), r), s, f64x2.sub(s, splat(1 - one)));
}

/**
 * ln x; −∞ at 0 and NaN below. With x = 2^k m, m in [√½, √2], s = (m − 1) / (m + 1) and z = s²:
 * k ln 2 + 2s (1 + z/3 + z²/5 + …).
 */
function log(x: v128): v128 {
  const d = i64x2.sub(x, i64x2.splat(0x3fe6a09e667f3bcd));
  const k = i64x2.add(i64x2.shr_s(d, 52), i64x2.splat(0x4338000000000000));
  const m = i64x2.sub(x, v128.and(d, i64x2.splat(0xfff0000000000000)));
  const f = f64x2.sub(m, splat(1));
  const s = f64x2.div(f, f64x2.add(f, splat(2)));
  const z = f64x2.mul(s, s);
  let p = madd(splat(1.0 / 13), z, splat(1.0 / 11));
  p = madd(p, z, splat(1.0 / 9));
  p = madd(p, z, splat(1.0 / 7));
  p = madd(p, z, splat(1.0 / 5));
  p = madd(p, z, splat(1.0 / 3));
  p = madd(p, z, splat(1));
  const y = madd(f64x2.sub(k, splat(6755399441055744)), splat(LN2), f64x2.mul(f64x2.add(s, s), p));
  const finite = v128.bitselect(y, x, v128.and(f64x2.gt(x, splat(0)), f64x2.lt(x, splat(Infinity))));
  const below = v128.or(finite, f64x2.lt(x, splat(0)));
  return v128.bitselect(splat(-Infinity), below, f64x2.eq(x, splat(0)));
}

/** |a|^b: 1 where b is 0 or |a| is 1. The square of e^(b ln |a| / 2), which leaves the range of float64 where |a|^b does. */
@inline
function magnitude(a: v128, b: v128): v128 {
  const size = f64x2.abs(a);
  const one = splat(1);
  const root = power(f64x2.mul(f64x2.mul(splat(0.5), b), log(size)), 1);
  const exact = v128.or(f64x2.eq(b, splat(0)), f64x2.eq(size, one));
  return v128.bitselect(one, f64x2.mul(root, root), exact);
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

  /** ln x; −∞ at 0 and NaN below */
  @inline static log(x: v128): v128 {
    return log(x);
  }

  /** ln(1 + u) for 0 ≤ u ≤ 1: that of the rounded 1 + u, and what rounding took from it. */
  @inline static log1p(u: v128): v128 {
    const sum = f64x2.add(u, splat(1));
    return f64x2.add(log(sum), f64x2.div(f64x2.sub(u, f64x2.sub(sum, splat(1))), sum));
  }

  /** a^b */
  static pow(a: v128, b: v128): v128 {
    return signed(magnitude(a, b), a, b, v128.andnot(isInteger(b), isEven(b)));
  }

  /** b a^(b−1), 0 where b = 0. b − 1 is exact but for |b| > 2^53, which are even, and |b| < 2^-29, where a^(b−1) is 1/a. */
  static powByBase(a: v128, b: v128): v128 {
    const size = f64x2.mul(b, magnitude(a, f64x2.sub(b, splat(1))));
    return v128.andnot(signed(size, a, b, isEven(b)), f64x2.eq(b, splat(0)));
  }

  /** a^b ln a, 0 where a = 0 and b ≥ 0 or a = ∞ and b < 0 */
  static powByExponent(a: v128, b: v128): v128 {
    const zero = splat(0);
    const vanishes = v128.or(
      v128.and(f64x2.eq(a, zero), f64x2.ge(b, zero)),
      v128.and(f64x2.eq(a, splat(Infinity)), f64x2.lt(b, zero)),
    );
    return v128.andnot(f64x2.mul(magnitude(a, b), log(a)), vanishes);
  }
}
