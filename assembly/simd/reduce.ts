// What a row of n contiguous elements comes to.
import { Lanes } from "./lanes";
import { Math4 } from "./math";

// Elements that are added in float32 before float64 takes over: no lane sees more than 32 additions in between.
const BLOCK = 512;

/** Σ x of n contiguous elements. */
export function rowSum(x: usize, n: i32): f64 {
  let total: f64 = 0;
  let p = x;
  let left = n;
  for (; left > BLOCK; left -= BLOCK, p += BLOCK << 2) total += blockSum(p, BLOCK);
  total += blockSum(p, left);
  return isFinite(total) ? total : stridedSum(x, n, 4);
}

/** Σ x of n elements `stride` bytes apart, in float64 throughout: where a block exceeds the range of float32. */
export function stridedSum(x: usize, n: i32, stride: usize): f64 {
  let total: f64 = 0;
  for (; n > 0; n--, x += stride) total += <f64>load<f32>(x);
  return total;
}

function blockSum(x: usize, n: i32): f64 {
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  let s2 = f32x4.splat(0);
  let s3 = f32x4.splat(0);
  for (; n >= 16; n -= 16, x += 64) {
    s0 = f32x4.add(s0, v128.load(x));
    s1 = f32x4.add(s1, v128.load(x, 16));
    s2 = f32x4.add(s2, v128.load(x, 32));
    s3 = f32x4.add(s3, v128.load(x, 48));
  }
  for (; n >= 4; n -= 4, x += 16) s0 = f32x4.add(s0, v128.load(x));
  if (n > 0) s1 = f32x4.add(s1, v128.and(v128.load(x), Lanes.mask(n)));
  return <f64>Lanes.sum(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
}

/**
 * The largest of n ≥ 1 contiguous elements; NaN if one is NaN. f32x4.max, which keeps NaN, is a chain of seven
 * instructions; pmax is one and drops NaN, so that is looked for beside it.
 */
export function greatest(x: usize, n: i32): f32 {
  const first = v128.load32_splat(x);
  let m0 = first;
  let m1 = first;
  let nan = f32x4.ne(first, first);
  for (; n >= 8; n -= 8, x += 32) {
    const a = v128.load(x);
    const b = v128.load(x, 16);
    m0 = f32x4.pmax(m0, a);
    m1 = f32x4.pmax(m1, b);
    nan = v128.or(nan, v128.or(f32x4.ne(a, a), f32x4.ne(b, b)));
  }
  for (; n > 0; n -= 4, x += 16) {
    const a = n >= 4 ? v128.load(x) : v128.bitselect(v128.load(x), first, Lanes.mask(n));
    m0 = f32x4.pmax(m0, a);
    nan = v128.or(nan, f32x4.ne(a, a));
  }
  return v128.any_true(nan) ? NaN : Lanes.max(f32x4.pmax(m0, m1));
}

/** The smallest of n ≥ 1 contiguous elements; NaN if one is NaN. */
export function least(x: usize, n: i32): f32 {
  const first = v128.load32_splat(x);
  let m = first;
  let nan = f32x4.ne(first, first);
  for (; n > 0; n -= 4, x += 16) {
    const a = n >= 4 ? v128.load(x) : v128.bitselect(v128.load(x), first, Lanes.mask(n));
    m = f32x4.pmin(m, a);
    nan = v128.or(nan, f32x4.ne(a, a));
  }
  return v128.any_true(nan) ? NaN : Lanes.min(m);
}

/** The largest of n ≥ 1 contiguous elements but NaN, or NaN: for rows whose sums show a NaN anyway. */
@inline
export function rowMax(x: usize, n: i32): f32 {
  const first = v128.load32_splat(x);
  let m0 = first;
  let m1 = first;
  let m2 = first;
  let m3 = first;
  for (; n >= 16; n -= 16, x += 64) {
    m0 = f32x4.pmax(m0, v128.load(x));
    m1 = f32x4.pmax(m1, v128.load(x, 16));
    m2 = f32x4.pmax(m2, v128.load(x, 32));
    m3 = f32x4.pmax(m3, v128.load(x, 48));
  }
  for (; n >= 4; n -= 4, x += 16) m0 = f32x4.pmax(m0, v128.load(x));
  if (n > 0) m1 = f32x4.pmax(m1, v128.bitselect(v128.load(x), first, Lanes.mask(n)));
  const pairs = f32x4.pmax(f32x4.pmax(m0, m1), f32x4.pmax(m2, m3));
  const ends = f32x4.pmax(pairs, v128.shuffle<f64>(pairs, pairs, 1, 0));
  return f32x4.extract_lane(f32x4.pmax(ends, v128.shuffle<f32>(ends, ends, 1, 0, 3, 2)), 0);
}

/** Exponentials are formed as 2^64 e^x, a normal number for all x ≥ −128, and lowered at the end. */
const LIFT: f32 = 1.8446744e+19;
export const LOWER: f32 = 5.4210109e-20;

/** In rows longer than this `excess` forms the exponentials first and looks for ties only if their sum is small. */
export const LONG = 32;

/**
 * e = 2^64 e^(x − m) of a row with maximum m = rowMax, two vectors in lock-step. Returns Σ e^(x − m). On the way it reads
 * what lies `ahead` bytes on, the next row, so that looking for its maximum finds it in the cache.
 */
export function exponentials(x: usize, e: usize, cols: i32, m: f32, ahead: usize): f64 {
  if (!(abs(m) < Infinity)) return limits(x, e, cols, m);
  const vm = f32x4.splat(m);
  let total: f64 = 0;
  while (cols > 0) {
    let sum = f32x4.splat(0);
    let block = min(cols, BLOCK);
    cols -= block;
    for (; block >= 8; block -= 8, x += 32, e += 32) {
      load<i32>(x + ahead);
      const e0 = Math4.liftedExpNonPositive(f32x4.sub(v128.load(x), vm));
      const e1 = Math4.liftedExpNonPositive(f32x4.sub(v128.load(x, 16), vm));
      sum = f32x4.add(sum, f32x4.add(e0, e1));
      v128.store(e, e0);
      v128.store(e, e1, 16);
    }
    for (; block > 0; block -= 4, x += 16, e += 16) {
      const e0 = Math4.liftedExpNonPositive(f32x4.sub(v128.load(x), vm));
      sum = f32x4.add(sum, v128.and(e0, Lanes.mask(min(block, 4))));
      if (block >= 4) v128.store(e, e0);
      else Lanes.store(e, e0, block);
    }
    total += <f64>Lanes.sum(sum);
  }
  return total * <f64>LOWER;
}

/**
 * The exponentials where m is not finite: elements equal to it count as 1, so that a row with +∞ comes to its limit and
 * one of nothing but −∞ to the even distribution.
 */
function limits(x: usize, e: usize, cols: i32, m: f32): f64 {
  let total: f64 = 0;
  for (; cols > 0; cols--, x += 4, e += 4) {
    const v = load<f32>(x);
    const one: f32 = v == m ? 1 : v < m ? 0 : NaN;
    total += one;
    store<f32>(e, LIFT * one);
  }
  return total;
}

/**
 * The maximum m of a row and its excess Σ e^(x − m) − 1, the sum without one of the largest elements, as lanes 0 and 1.
 * log Σ e^x is then m + log1p(excess), with full relative precision when one element dominates. Stores 2^64 e^(x − m)
 * to e unless e is 0.
 */
export function excess(x: usize, e: usize, cols: i32, ahead: usize = 0): v128 {
  const m = rowMax(x, cols);
  let more: f64;
  if (e && cols > LONG) {
    const total = exponentials(x, e, cols, m, ahead);
    // Taking 1 off a total above 3 magnifies its relative error by less than 1.5.
    more = total > 3 ? total - 1 : storedExcess(e, cols);
  } else {
    more = excessBelow(x, e, cols, m);
  }
  return f32x4.replace_lane(f32x4.splat(m), 1, <f32>more);
}

/**
 * The excess of a row with maximum m in one pass. Elements equal to m count as 1, infinite ones too, as in `limits`.
 */
@inline
function excessBelow(x: usize, e: usize, cols: i32, m: f32): f64 {
  const vm = f32x4.splat(m);
  let rest: f64 = 0;
  let ties: i32 = 0;
  while (cols > 0) {
    let sum = f32x4.splat(0);
    let equal = i32x4.splat(0);
    let block = min(cols, BLOCK);
    cols -= block;
    for (; block > 0; block -= 4, x += 16) {
      const v = v128.load(x);
      const inside = Lanes.mask(min(block, 4));
      const tie = f32x4.eq(v, vm);
      const e0 = Math4.liftedExpNonPositive(belowMax(v, vm));
      sum = f32x4.add(sum, v128.and(v128.andnot(e0, tie), inside));
      equal = i32x4.sub(equal, v128.and(tie, inside));
      if (e) {
        if (block >= 4) v128.store(e, e0);
        else Lanes.store(e, e0, block);
        e += 16;
      }
    }
    rest += Lanes.sum(sum);
    ties += laneSum(equal);
  }
  return rest * <f64>LOWER + <f64>(ties - 1);
}

/** The excess of a row from its exponentials. */
@inline
function storedExcess(e: usize, cols: i32): f64 {
  let rest: f64 = 0;
  let ties: i32 = 0;
  while (cols > 0) {
    let sum = f32x4.splat(0);
    let equal = i32x4.splat(0);
    let block = min(cols, BLOCK);
    cols -= block;
    for (; block > 0; block -= 4, e += 16) {
      const inside = v128.and(v128.load(e), Lanes.mask(min(block, 4)));
      const tie = f32x4.eq(inside, f32x4.splat(LIFT));
      sum = f32x4.add(sum, v128.andnot(inside, tie));
      equal = i32x4.sub(equal, tie);
    }
    rest += Lanes.sum(sum);
    ties += laneSum(equal);
  }
  return rest * <f64>LOWER + <f64>(ties - 1);
}

@inline
function laneSum(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

/** y = y 2^-64 scale over n elements that need not be aligned. */
export function lowerRow(y: usize, scale: f32, n: i32): void {
  // Both factors in one, unless that is below the normal numbers.
  const both = scale * LOWER;
  const isNormal = abs(both) >= f32.MIN_NORMAL_VALUE;
  if (!isNormal) multiplyRow(y, LOWER, n);
  multiplyRow(y, isNormal ? both : scale, n);
}

function multiplyRow(y: usize, factor: f32, n: i32): void {
  const v = f32x4.splat(factor);
  for (; n >= 8; n -= 8, y += 32) {
    const y0 = f32x4.mul(v128.load(y), v);
    const y1 = f32x4.mul(v128.load(y, 16), v);
    v128.store(y, y0);
    v128.store(y, y1, 16);
  }
  for (; n > 0; n -= 4, y += 16) {
    const y0 = f32x4.mul(v128.load(y), v);
    if (n >= 4) v128.store(y, y0);
    else Lanes.store(y, y0, n);
  }
}

/** x − m in a row with maximum m, where ∞ − ∞ is 0. */
@inline
export function belowMax(x: v128, m: v128): v128 {
  return v128.andnot(f32x4.sub(x, m), f32x4.eq(x, m));
}

/** log1p of one number by the four-lane function. */
@inline
export function log1p(x: f32): f32 {
  return f32x4.extract_lane(Math4.log1p(f32x4.splat(x)), 0);
}
