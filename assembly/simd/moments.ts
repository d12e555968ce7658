// Float32 seen as float64, two lanes at a time: sums, and squares of distances from a mean, that do not cancel.
import { BLOCKS } from "../blocks";

/** Two neighbouring numbers. */
@inline
export function widen(x: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(x));
}

/** The first two of four lanes. */
@inline
export function lowHalf(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

/** The last two of four lanes. */
@inline
export function highHalf(x: v128): v128 {
  return f64x2.promote_low_f32x4(i8x16.shuffle(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15));
}

/** Four lanes from two halves, rounded to float32. */
@inline
export function narrow(low: v128, high: v128): v128 {
  const a = f32x4.demote_f64x2_zero(low);
  const b = f32x4.demote_f64x2_zero(high);
  return i8x16.shuffle(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
}

/** Stores the first `count` lanes, 1 or more, rounded to float32. */
@inline
export function storeNarrow(y: usize, v: v128, count: i32): void {
  const narrow = f32x4.demote_f64x2_zero(v);
  if (count > 1) v128.store64_lane(y, narrow, 0);
  else v128.store32_lane(y, narrow, 0);
}

/** Adds the first `count` lanes, 1 or more, of v to float64. */
@inline
export function addWide(y: usize, v: v128, count: i32): void {
  const sum = f64x2.add(v128.load(y), v);
  if (count > 1) v128.store(y, sum);
  else v128.store64_lane(y, sum, 0);
}

/** d[i] += sums[i], rounded to float32. */
export function addNarrow(sums: usize, d: usize, n: i32): void {
  for (; n > 0; n--, sums += 8, d += 4) store<f32>(d, <f32>(<f64>load<f32>(d) + load<f64>(sums)));
}

@inline
export function lanesSum(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** The total with the sum of one more block, which goes to y if y has the blocks. */
@inline
export function withBlock(total: f64, sum: f64, y: usize, block: i32, each: i32): f64 {
  if (each == BLOCKS) store<f64>(y + (<usize>block << 3), sum);
  return total + sum;
}

/** Σ x of n contiguous elements. */
export function rowTotal(x: usize, n: i32): f64 {
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  for (; n >= 4; n -= 4, x += 16) {
    s0 = f64x2.add(s0, widen(x));
    s1 = f64x2.add(s1, widen(x + 8));
  }
  let total = lanesSum(f64x2.add(s0, s1));
  for (; n > 0; n--, x += 4) total += <f64>load<f32>(x);
  return total;
}

/** Σ (x − mean)² of n contiguous elements. */
export function rowSquares(x: usize, mean: f64, n: i32): f64 {
  const m = f64x2.splat(mean);
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  for (; n >= 4; n -= 4, x += 16) {
    const d0 = f64x2.sub(widen(x), m);
    const d1 = f64x2.sub(widen(x + 8), m);
    s0 = f64x2.add(s0, f64x2.mul(d0, d0));
    s1 = f64x2.add(s1, f64x2.mul(d1, d1));
  }
  let total = lanesSum(f64x2.add(s0, s1));
  for (; n > 0; n--, x += 4) {
    const d = <f64>load<f32>(x) - mean;
    total += d * d;
  }
  return total;
}

/** total[c] += x[c] in float64, for one row of columns. */
export function columnTotals(x: usize, total: usize, cols: i32): void {
  for (; cols > 0; cols -= 2, x += 8, total += 16) addWide(total, widen(x), cols);
}

/** total[c] += (x[c] − mean[c])² in float64, for one row of columns. */
export function columnSquares(x: usize, mean: usize, total: usize, cols: i32): void {
  for (; cols > 0; cols -= 2, x += 8, mean += 16, total += 16) {
    const d = f64x2.sub(widen(x), v128.load(mean));
    addWide(total, f64x2.mul(d, d), cols);
  }
}
