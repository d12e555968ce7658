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
  for (; left >= BLOCK; left -= BLOCK, p += BLOCK << 2) total += blockSum(p, BLOCK);
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

/**
 * Σ e^(x − m) − 1 of a row with maximum m, the sum without one of its largest elements: log Σ e^x is then
 * m + log1p(excess), with full relative precision when one element dominates. Elements equal to m count as
 * e^0 = 1, infinite ones too: a row with +∞ comes to its limit, one of nothing but −∞ to the even distribution.
 * Stores e^(x − m) to e unless e is 0.
 */
@inline
export function excess(x: usize, e: usize, cols: i32, m: f32): f32 {
  const vm = f32x4.splat(m);
  const one = f32x4.splat(1);
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
      const below = v128.andnot(Math4.expNonPositive(f32x4.sub(v, vm)), tie);
      sum = f32x4.add(sum, v128.and(below, inside));
      equal = i32x4.sub(equal, v128.and(tie, inside));
      if (e) {
        const ex = v128.or(below, v128.and(one, tie));
        if (block >= 4) v128.store(e, ex);
        else Lanes.store(e, ex, block);
        e += 16;
      }
    }
    rest += Lanes.sum(sum);
    ties += i32x4.extract_lane(equal, 0) + i32x4.extract_lane(equal, 1);
    ties += i32x4.extract_lane(equal, 2) + i32x4.extract_lane(equal, 3);
  }
  return <f32>(rest + <f64>(ties - 1));
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
