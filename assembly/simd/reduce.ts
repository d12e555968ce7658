// What a row of n contiguous elements comes to.
import { Lanes } from "./lanes";

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
