import {
  EXPM1,
  EXP_MAX,
  EXP_MIN,
  INFINITE,
  LIFTED_EXP_MIN,
  LIFTED_ROUND,
  LN2_HIGH,
  LN2_LOW,
  LOG,
  LOG1P,
  LOG2_E,
  MINUS_ONE,
  MIN_NORMAL,
  ONE,
  ROUND,
  SIGMOID_MAX,
  SIGN,
  SIGN_AND_EXPONENT,
  SQRT_HALF,
  SQUARE_ROUNDS,
  SUBNORMAL_SHIFT,
  TANH_MIN,
  TWO,
  TWO_127,
  TWO_24,
  TWO_64,
  TWO_MINUS_64,
  TWO_MIN_NORMAL,
} from "./constants";

/** Entry `index` of a table of constants, in all lanes. */
// @ts-ignore: decorator
@inline
export function splat(table: usize, index: usize = 0): v128 {
  return v128.load32_splat(table + (index << 2));
}

/**
 * Elementary functions of four float32 lanes, without branches but for the arguments where `log` and `log1p`
 * are special. Errors are the largest over all of float32, in units of the spacing at the true value;
 * subnormal arguments and results count as any other, and NaN stays NaN: `pmin(x, c)` is c only if c < x,
 * `pmax(x, c)` only if x < c.
 */
export class Math4 {
  /** a b + c: fused and rounded once in the relaxed binary, with two roundings in the baseline. */
  @inline static madd(a: v128, b: v128, c: v128): v128 {
    return f32x4.relaxed_madd(a, b, c);
  }

  /** madd, or, unless `fused`, two roundings and the same bits in both binaries. */
  @inline static multiplyAdd(fused: bool, a: v128, b: v128, c: v128): v128 {
    return fused ? Math4.madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
  }

  /** Whether madd rounds once: for x = 1 + 2^-12, x x - r(x x) is the 2^-24 that rounding took away. */
  @inline static isFused(): bool {
    const x = splat(SQUARE_ROUNDS), square = f32x4.mul(x, x);
    return v128.any_true(f32x4.ne(Math4.madd(x, x, f32x4.neg(square)), f32x4.splat(0)));
  }

  /** e^x. 1.1 ULP. */
  @inline static exp(x: v128): v128 {
    return Math4.scaledExp(f32x4.pmax(f32x4.pmin(x, splat(EXP_MAX)), splat(EXP_MIN)));
  }

  /** e^x for x <= 0. 1.1 ULP. */
  @inline static expNonPositive(x: v128): v128 {
    return Math4.lower(Math4.liftedExp(f32x4.pmax(x, splat(EXP_MIN))));
  }

  /** 2^64 e^x for x <= 0, not below 2^-121. 1.1 ULP. */
  @inline static liftedExpNonPositive(x: v128): v128 {
    return Math4.liftedExp(f32x4.pmax(x, splat(LIFTED_EXP_MIN)));
  }

  /**
   * 2^64 e^x for x in [-128, 43], a normal number also where e^x is not: what is multiplied by it before `lower`
   * takes the 2^64 off is rounded to a subnormal number once. 1.1 ULP.
   */
  @inline static liftedExp(x: v128): v128 {
    const t = Math4.exponent(x, LIFTED_ROUND);
    return Math4.lifted(Math4.expm1Reduced(x, t, LIFTED_ROUND), t);
  }

  /** liftedExp of an exponent that is the exact sum of x and a small `low`, which a float32 does not hold. */
  @inline static liftedExpOfSum(x: v128, low: v128): v128 {
    const t = Math4.exponent(f32x4.add(x, low), LIFTED_ROUND);
    const minusN = f32x4.sub(splat(LIFTED_ROUND), t);
    const r = f32x4.add(Math4.madd(minusN, splat(LN2_HIGH), x), Math4.madd(minusN, splat(LN2_LOW), low));
    return Math4.lifted(Math4.expm1Near0(r), t);
  }

  /**
   * liftedExp of x + high + low, where |high| ≤ 256 is a multiple of 2^-14: high − n LN2_HIGH is exact, and so near −x that
   * adding x rounds no more than the reduced exponent. 1.3 ULP.
   */
  @inline static liftedExpOfThree(x: v128, high: v128, low: v128): v128 {
    const t = Math4.exponent(f32x4.add(x, high), LIFTED_ROUND);
    const minusN = f32x4.sub(splat(LIFTED_ROUND), t);
    const r = f32x4.add(x, Math4.madd(minusN, splat(LN2_HIGH), high));
    return Math4.lifted(Math4.expm1Near0(f32x4.add(r, Math4.madd(minusN, splat(LN2_LOW), low))), t);
  }

  /** y 2^-64 */
  @inline static lower(y: v128): v128 {
    return f32x4.mul(y, splat(TWO_MINUS_64));
  }

  /**
   * e^x - 1 = q 2^n + (2^n - 1). 1.8 ULP. As 2^128 is not a float32, the two powers of scaledExp share n:
   * (q 2^h + (2^h - 2^(h-n))) 2^(n-h). At n = 0 this is q = x + x² P(x), which is x itself near zero.
   */
  @inline static expm1(x: v128): v128 {
    const a = f32x4.pmax(f32x4.pmin(x, splat(EXP_MAX)), splat(EXP_MIN));
    const t = Math4.exponent(a);
    const h = i32x4.shr_u(t, 1);
    const s = i32x4.shl(h, 23);
    const rest = i32x4.shl(i32x4.sub(t, h), 23);
    const minusOne = f32x4.sub(s, i32x4.sub(splat(TWO_127), rest));
    const y = f32x4.mul(Math4.madd(Math4.expm1Reduced(a, t), s, minusOne), rest);
    return Math4.withSign(y, x);
  }

  /** 1 / (1 + e^-x) as e / (e + 2^64) with e = 2^64 e^x, which is right down to subnormal results. 2.5 ULP. */
  @inline static sigmoid(x: v128): v128 {
    const e = Math4.liftedExp(f32x4.pmax(f32x4.pmin(x, splat(SIGMOID_MAX)), splat(EXP_MIN)));
    return f32x4.div(e, f32x4.add(e, splat(TWO_64)));
  }

  /**
   * tanh |x| = y / (2 - y) with y = 1 - e^(-2|x|), and the sign of x. 2.5 ULP. Near zero y = 2|x| and 2 - y = 2, so
   * that tanh x = x. (y = e^(2|x|) - 1 and 2 + y would lie just above powers of two where tanh lies just below one,
   * and their roundings weigh double.)
   */
  @inline static tanh(x: v128): v128 {
    const minus = v128.or(x, splat(SIGN));
    const y = Math4.oneMinusExp(f32x4.pmax(f32x4.add(minus, minus), splat(TANH_MIN)));
    return Math4.withSign(f32x4.div(y, f32x4.sub(splat(TWO), y)), x);
  }

  /**
   * 1 - e^x = (1 - 2^n) - q 2^n for x in [-87, 0]. Subtracting the bits of -1 from the exponent n + 254 of
   * t takes one bias off and sets the sign: -2^n.
   */
  @inline static oneMinusExp(x: v128): v128 {
    const t = Math4.exponent(x);
    const minusS = i32x4.sub(i32x4.shl(t, 23), splat(MINUS_ONE));
    return Math4.madd(Math4.expm1Reduced(x, t), minusS, f32x4.add(minusS, splat(ONE)));
  }

  /** The natural logarithm; -inf at ±0 and NaN below. 1.0 ULP. */
  @inline static log(x: v128): v128 {
    // The bits of a positive normal number plus 2^23 are at least 2^24 as a signed integer. Zero and
    // subnormal numbers stay below it; infinity, NaN and the negative numbers wrap around.
    const special = i32x4.lt_s(i32x4.add(x, splat(MIN_NORMAL)), splat(TWO_MIN_NORMAL));
    if (v128.any_true(special)) return Math4.logSpecial(x);
    return Math4.logNormal(x, f32x4.splat(0));
  }

  /** The natural logarithm of a normal x > 0, the same bits in both binaries. */
  @inline static logUnfused(x: v128): v128 {
    return Math4.logNormal(x, f32x4.splat(0), false);
  }

  /**
   * log(1 + x); -inf at -1 and NaN below. 1.6 ULP. The rounded 1 + x only chooses k. f = (1 + x) / 2^k - 1
   * comes from x, as x 2^-k + (2^-k - 1), rounded once and only where k is not 0; near zero f and the
   * logarithm are x itself. From 2^24 on log(1 + x) takes its argument as rounded.
   */
  @inline static log1p(x: v128): v128 {
    const u = f32x4.add(x, splat(ONE));
    const d = i32x4.sub(u, splat(SQRT_HALF));
    const k = f32x4.convert_i32x4_s(i32x4.shr_s(d, 23));
    const s = i32x4.sub(splat(ONE), v128.and(d, splat(SIGN_AND_EXPONENT)));
    const f = Math4.madd(x, s, f32x4.sub(s, splat(ONE)));
    const y = Math4.withSign(Math4.logReduced(f, k), x);
    const regular = v128.and(f32x4.gt(u, f32x4.splat(0)), f32x4.lt(x, splat(TWO_24)));
    if (i32x4.all_true(regular)) return y;
    return v128.bitselect(y, Math4.logSpecial(u), regular);
  }

  /**
   * log(1 + e^x) = max(x, 0) + log(1 + u) with u = e^-|x|. 1.9 ULP. For very negative x the result is u itself.
   */
  @inline static softplus(x: v128): v128 {
    const y = Math4.log1pOfShare(Math4.expNonPositive(v128.or(x, splat(SIGN))));
    return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), y);
  }

  /**
   * log(1 + u) for u in [0, 1]. With s = u / (2 + u) at most 1/3 and z = s² it is 2s + s z Q(z) = u + s (z Q(z) - u), as in
   * logReduced.
   */
  @inline static log1pOfShare(u: v128): v128 {
    const s = f32x4.div(u, f32x4.add(u, splat(TWO)));
    const z = f32x4.mul(s, s);
    const high = Math4.madd(splat(LOG1P, 3), z, splat(LOG1P, 2));
    const low = Math4.madd(splat(LOG1P, 1), z, splat(LOG1P, 0));
    const q = Math4.madd(high, f32x4.mul(z, z), low);
    return Math4.madd(s, f32x4.sub(f32x4.mul(z, q), u), u);
  }

  /** round + n for n = round(x log2 e). */
  @inline private static exponent(x: v128, round: usize = ROUND): v128 {
    return Math4.madd(x, splat(LOG2_E), splat(round));
  }

  /**
   * q = e^r - 1 for r = x - n ln 2 in [-ln2/2, ln2/2] and t = exponent(x, round). The first step of the reduction
   * is exact, as n LN2_HIGH is and lies close to x. At n = 0 r is x.
   */
  @inline private static expm1Reduced(x: v128, t: v128, round: usize = ROUND): v128 {
    const minusN = f32x4.sub(splat(round), t);
    return Math4.expm1Near0(Math4.madd(minusN, splat(LN2_LOW), Math4.madd(minusN, splat(LN2_HIGH), x)));
  }

  /** e^r - 1 = r + r² P(r) for r in [-ln2/2, ln2/2]. */
  @inline private static expm1Near0(r: v128): v128 {
    const z = f32x4.mul(r, r);
    const low = Math4.madd(splat(EXPM1, 1), r, splat(EXPM1, 0));
    const high = Math4.madd(splat(EXPM1, 3), r, splat(EXPM1, 2));
    return Math4.madd(z, Math4.madd(z, Math4.madd(splat(EXPM1, 4), z, high), low), r);
  }

  /** (1 + q) 2^(n+64) for n in [-190, 63] and t = LIFTED_ROUND + n. */
  @inline private static lifted(q: v128, t: v128): v128 {
    const s = i32x4.shl(t, 23);
    return Math4.madd(q, s, s);
  }

  /**
   * e^x = (1 + q) 2^h 2^(n-h) for x in [EXP_MIN, EXP_MAX] with h = floor(n / 2): both powers are normal
   * numbers, and scaling is exact until the last product rounds a subnormal result or overflows. The low bits
   * of t hold n + 254: half of it is the biased exponent of the first power, the rest that of the second.
   * A product, unlike an addition to the exponent bits, keeps NaN.
   */
  @inline private static scaledExp(x: v128): v128 {
    const t = Math4.exponent(x);
    const h = i32x4.shr_u(t, 1);
    const s = i32x4.shl(h, 23);
    return f32x4.mul(Math4.madd(Math4.expm1Reduced(x, t), s, s), i32x4.shl(i32x4.sub(t, h), 23));
  }

  /**
   * k ln 2 + log(1 + f) for 1 + f in [√½, √2]. With s = f / (2 + f) and z = s², log(1 + f) = 2s + s z Q(z),
   * where 2s = f - s f: a small correction s (z Q(z) - f) of f, which is exact or rounded once. k LN2_HIGH is
   * exact and added last.
   */
  @inline private static logReduced(f: v128, k: v128, fused: bool = true): v128 {
    const s = f32x4.div(f, f32x4.add(f, splat(TWO)));
    const z = f32x4.mul(s, s);
    const high = Math4.multiplyAdd(fused, splat(LOG, 2), z, splat(LOG, 1)), q = Math4.multiplyAdd(fused, high, z, splat(LOG));
    const correction = f32x4.mul(s, f32x4.sub(f32x4.mul(z, q), f));
    const low = Math4.multiplyAdd(fused, k, splat(LN2_LOW), correction);
    return Math4.multiplyAdd(fused, k, splat(LN2_HIGH), f32x4.add(low, f));
  }

  /**
   * log(x 2^-shift) for positive normal x = 2^k (1 + f). The bits of √½ taken off those of x leave k in the
   * exponent, and taking k off the exponent of x leaves 1 + f in [√½, √2), from which subtracting 1 is exact.
   */
  @inline private static logNormal(x: v128, shift: v128, fused: bool = true): v128 {
    const d = i32x4.sub(x, splat(SQRT_HALF));
    const k = f32x4.sub(f32x4.convert_i32x4_s(i32x4.shr_s(d, 23)), shift);
    const m = i32x4.sub(x, v128.and(d, splat(SIGN_AND_EXPONENT)));
    return Math4.logReduced(f32x4.sub(m, splat(ONE)), k, fused);
  }

  /**
   * The logarithm of all of float32: subnormal numbers become normal by a factor of 2^24, and the rest is
   * selected. Rarely needed, so not inlined.
   */
  private static logSpecial(x: v128): v128 {
    const subnormal = f32x4.lt(x, splat(MIN_NORMAL));
    const normal = v128.bitselect(f32x4.mul(x, splat(TWO_24)), x, subnormal);
    let y = Math4.logNormal(normal, v128.and(subnormal, splat(SUBNORMAL_SHIFT)));
    y = v128.bitselect(y, x, f32x4.lt(x, splat(INFINITE)));
    y = v128.bitselect(f32x4.neg(splat(INFINITE)), y, f32x4.eq(x, f32x4.splat(0)));
    return v128.or(y, f32x4.lt(x, f32x4.splat(0)));
  }

  /** y >= 0 or of the sign of x, with the sign of x; a zero gets it, too. */
  @inline private static withSign(y: v128, x: v128): v128 {
    return v128.or(y, v128.and(x, splat(SIGN)));
  }
}
