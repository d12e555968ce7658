// Gradient clipping. The norm of all gradients together gathers in float64 cells of linear memory, so that no square
// overflows and nothing has to be read in between.
import { BLOCK, TOTAL } from "./blocks";
import { Lanes } from "./simd/lanes";
import { Math4 } from "./simd/math";
import { lanesSum, withBlock } from "./simd/moments";
import { Wide } from "./simd/wide";

/** largest = max(largest, |x|) over n elements; a NaN stays. `largest` is a float64 cell. */
export function absMax(x: usize, largest: usize, n: i32): void {
  store<f64>(largest, max(load<f64>(largest), <f64>magnitudes(x, n)));
}

/** y[i] = max |x| of block i of n elements, NaN if one is NaN; the absMax of y is that of them all. */
export function blockMaxima(x: usize, y: usize, n: i32): void {
  for (; n > 0; n -= BLOCK, x += BLOCK << 2, y += 4) store<f32>(y, magnitudes(x, min(n, BLOCK)));
}

/** max |x| over n elements. */
@inline
function magnitudes(x: usize, n: i32): f32 {
  let m = f32x4.splat(0);
  for (let left = n; left > 0; left -= 4, x += 16) m = f32x4.max(m, magnitude(x, left));
  return Lanes.max(m);
}

/**
 * sum += Σ (|x| / largest)^p over n elements, for p = 1 and 2 without the division: they cannot overflow in float64.
 * `sum` and `largest` are float64 cells. With `each` = BLOCKS `sum` is the first of as many cells as there are blocks, which
 * get the sum of each; with `gather` that comes to the same.
 */
export function powerSum(x: usize, largest: usize, sum: usize, n: i32, p: f64, each: i32): void {
  let total = load<f64>(sum);
  for (let start = 0; start < n; start += BLOCK, x += BLOCK << 2) {
    total = withBlock(total, powers(x, largest, min(n - start, BLOCK), p), sum, start / BLOCK, each);
  }
  if (each == TOTAL) store<f64>(sum, total);
}

/** sum += Σ sums in order, all float64. */
export function gather(sums: usize, sum: usize, count: i32): void {
  let total = load<f64>(sum);
  for (; count > 0; count--, sums += 8) total += load<f64>(sums);
  store<f64>(sum, total);
}

/** Σ (|x| / largest)^p over n elements. */
@inline
function powers(x: usize, largest: usize, n: i32, p: f64): f64 {
  let total = f64x2.splat(0);
  const scale = f32x4.splat(<f32>load<f64>(largest));
  const exponent = f32x4.splat(<f32>p);
  for (; n > 0; n -= 4, x += 16) {
    let v = magnitude(x, n);
    if (p != 1 && p != 2) v = Math4.exp(f32x4.mul(exponent, Math4.log(f32x4.div(v, scale))));
    let low = f64x2.promote_low_f32x4(v);
    let high = f64x2.promote_low_f32x4(i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15));
    if (p == 2) {
      low = f64x2.mul(low, low);
      high = f64x2.mul(high, high);
    }
    total = f64x2.add(total, f64x2.add(low, high));
  }
  return lanesSum(total);
}

/** |x| of the next four elements, 0 beyond the last of `left`. */
@inline
function magnitude(x: usize, left: i32): v128 {
  return v128.and(f32x4.abs(v128.load(x)), Lanes.mask(min(left, 4)));
}

/**
 * y = the p-norm of what `absMax` and `powerSum` have gathered: `largest` for p = ∞, sum, √sum, and
 * else largest · sum^(1/p). Left in the cell `largest`, too, in float64.
 */
export function powerRoot(largest: usize, sum: usize, y: usize, p: f64): void {
  const total = load<f64>(sum);
  let norm = load<f64>(largest);
  if (p == 1) norm = total;
  else if (p == 2) norm = sqrt(total);
  else if (p < Infinity && norm > 0 && norm < Infinity) {
    norm *= f64x2.extract_lane(Wide.pow(f64x2.splat(total), f64x2.splat(1 / p)), 0);
  }
  store<f64>(largest, norm);
  store<f32>(y, <f32>norm);
}

/** x *= min(1, maxNorm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_. `norm` is a float64 cell. */
export function clipNorm(x: usize, norm: usize, n: i32, maxNorm: f64): void {
  const factor = maxNorm / (load<f64>(norm) + 1e-6);
  if (factor >= 1) return;
  const scale = f32x4.splat(<f32>factor);
  for (const end = x + (<usize>n << 2); x < end; x += 16) v128.store(x, f32x4.mul(v128.load(x), scale));
}

/** x = min(max(x, −limit), limit); NaN stays. */
export function clipValue(x: usize, n: i32, limit: f32): void {
  const high = f32x4.splat(limit);
  const low = f32x4.splat(-limit);
  for (const end = x + (<usize>n << 2); x < end; x += 16) {
    v128.store(x, f32x4.min(f32x4.max(v128.load(x), low), high));
  }
}
