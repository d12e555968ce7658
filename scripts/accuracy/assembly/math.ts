// Elementary functions of two lanes in float64 to about 1e-15, for arguments that float32 has. NaN stays NaN.

const LN2: f64 = 0.6931471805599453;
/** 1.5 · 2^52 + 1023: adding it rounds to an integer n, and the low bits are n + 1023. */
const ROUND: f64 = 6755399441056767;

@inline
export function splat(x: f64): v128 {
  return f64x2.splat(x);
}

/** x ≥ 0 ? a : b */
@inline
export function where(x: v128, a: v128, b: v128): v128 {
  return v128.bitselect(a, b, f64x2.ge(x, splat(0)));
}

@inline
function madd(a: v128, b: v128, c: v128): v128 {
  return f64x2.add(f64x2.mul(a, b), c);
}

/** e^x − 1 + one, for one 0 or 1: with r = x − n ln 2, (e^r − 1) 2^n + (2^n − 1 + one) */
@inline
function power(x: v128, one: f64): v128 {
  const a = f64x2.pmax(f64x2.pmin(x, splat(700)), splat(-700));
  const t = madd(a, splat(1 / LN2), splat(ROUND));
  const n = f64x2.sub(t, splat(ROUND));
  const r = madd(n, splat(-1.9082149292705877e-10), madd(n, splat(-0.6931471803691238), a));
  let p = splat(1.0 / 6227020800);
  p = madd(p, r, splat(1.0 / 479001600));
  p = madd(p, r, splat(1.0 / 39916800));
  p = madd(p, r, splat(1.0 / 3628800));
  p = madd(p, r, splat(1.0 / 362880));
  p = madd(p, r, splat(1.0 / 40320));
  p = madd(p, r, splat(1.0 / 5040));
  p = madd(p, r, splat(1.0 / 720));
  p = madd(p, r, splat(1.0 / 120));
  p = madd(p, r, splat(1.0 / 24));
  p = madd(p, r, splat(1.0 / 6));
  p = madd(p, r, splat(0.5));
  const s = i64x2.shl(t, 52);
  return madd(madd(p, f64x2.mul(r, r), r), s, f64x2.sub(s, splat(1 - one)));
}

@inline
export function exp(x: v128): v128 {
  return power(x, 1);
}

@inline
export function expm1(x: v128): v128 {
  return power(x, 0);
}

@inline
export function log(x: v128): v128 {
  return logNormal(x);
}

/** ln x for normal x > 0, as k ln 2 + 2 artanh((m − 1) / (m + 1)) with x = 2^k m */
function logNormal(x: v128): v128 {
  const d = i64x2.sub(x, i64x2.splat(0x3fe6a09e667f3bcd)); // √½
  const k = f64x2.sub(i64x2.add(i64x2.shr_s(d, 52), i64x2.splat(0x4338000000000000)), splat(6755399441055744));
  const m = i64x2.sub(x, v128.and(d, i64x2.splat(0xfff0000000000000)));
  const f = f64x2.sub(m, splat(1));
  const s = f64x2.div(f, f64x2.add(f, splat(2)));
  const z = f64x2.mul(s, s);
  let p = splat(1.0 / 21);
  p = madd(p, z, splat(1.0 / 19));
  p = madd(p, z, splat(1.0 / 17));
  p = madd(p, z, splat(1.0 / 15));
  p = madd(p, z, splat(1.0 / 13));
  p = madd(p, z, splat(1.0 / 11));
  p = madd(p, z, splat(1.0 / 9));
  p = madd(p, z, splat(1.0 / 7));
  p = madd(p, z, splat(1.0 / 5));
  p = madd(p, z, splat(1.0 / 3));
  const twoS = f64x2.add(s, s);
  return madd(k, splat(LN2), madd(f64x2.mul(p, z), twoS, twoS));
}

/** log(1 + u) for u in [0, 1], with what rounding took from 1 + u */
@inline
function log1p(u: v128): v128 {
  const sum = f64x2.add(u, splat(1));
  return f64x2.add(log(sum), f64x2.div(f64x2.sub(u, f64x2.sub(sum, splat(1))), sum));
}

/** log(1 + e^x) */
@inline
export function softplus(x: v128): v128 {
  return f64x2.add(f64x2.pmax(x, splat(0)), log1p(exp(f64x2.neg(f64x2.abs(x)))));
}

/** 1 / (1 + e^−x) */
@inline
export function sigmoid(x: v128): v128 {
  const e = exp(f64x2.neg(f64x2.abs(x)));
  return f64x2.div(where(x, splat(1), e), f64x2.add(splat(1), e));
}

/** e^(−x²) */
@inline
export function bell(x: v128): v128 {
  return exp(f64x2.neg(f64x2.mul(x, x)));
}

export const TERMS: i32 = 10;
export const CELLS: i32 = 513;
/** For each multiple of 1/32 up to 16 the Taylor polynomial of erfc(t) e^(t²), filled by normal.ts. */
export const erfcTable: usize = memory.data(CELLS * TERMS * 8, 16);

function scaledErfc(t: f64): f64 {
  const cell = nearest(t * 32);
  const h = t - cell / 32;
  const row = erfcTable + <usize>(<i32>cell * TERMS * 8);
  let w = load<f64>(row, 72);
  w = w * h + load<f64>(row, 64);
  w = w * h + load<f64>(row, 56);
  w = w * h + load<f64>(row, 48);
  w = w * h + load<f64>(row, 40);
  w = w * h + load<f64>(row, 32);
  w = w * h + load<f64>(row, 24);
  w = w * h + load<f64>(row, 16);
  w = w * h + load<f64>(row, 8);
  return w * h + load<f64>(row);
}

/** 1 − erf t */
@inline
export function erfc(t: v128): v128 {
  const a = f64x2.pmin(f64x2.abs(t), splat(16));
  const w = f64x2(scaledErfc(f64x2.extract_lane(a, 0)), scaledErfc(f64x2.extract_lane(a, 1)));
  const y = f64x2.mul(w, bell(a));
  return where(t, y, f64x2.sub(splat(2), y));
}

/** 2/√π Σ (−1)ⁿ t²ⁿ⁺¹ / n! (2n + 1) near 0, and 1 − erfc t elsewhere */
@inline
export function erf(t: v128): v128 {
  const z = f64x2.neg(f64x2.mul(t, t));
  let p = splat(1.0 / (479001600.0 * 25));
  p = madd(p, z, splat(1.0 / (39916800.0 * 23)));
  p = madd(p, z, splat(1.0 / (3628800.0 * 21)));
  p = madd(p, z, splat(1.0 / (362880.0 * 19)));
  p = madd(p, z, splat(1.0 / (40320.0 * 17)));
  p = madd(p, z, splat(1.0 / (5040.0 * 15)));
  p = madd(p, z, splat(1.0 / (720.0 * 13)));
  p = madd(p, z, splat(1.0 / (120.0 * 11)));
  p = madd(p, z, splat(1.0 / (24.0 * 9)));
  p = madd(p, z, splat(1.0 / (6.0 * 7)));
  p = madd(p, z, splat(1.0 / 10));
  p = madd(p, z, splat(1.0 / 3));
  p = madd(p, z, splat(1));
  const near = f64x2.mul(splat(1.1283791670955126), f64x2.mul(t, p));
  return v128.bitselect(near, f64x2.sub(splat(1), erfc(t)), f64x2.lt(f64x2.abs(t), splat(0.5)));
}
