// What the health checks ask of a tensor, in one call.
import { columnTotals, rowSquares, rowTotal } from "./simd/moments";

/**
 * Of x [rows, cols], seven float64: the mean; the standard deviation √(Σ (x − mean)² / n); the mean over the columns of the
 * squares of their means; the share of elements ≤ low or ≥ high; the share of columns whose sum is 0; the place of the
 * first element that is not finite, or −1; its value.
 * @param totals scratch of `cols` float64
 */
export function statistics(
  x: usize, totals: usize, out: usize, rows: i32, cols: i32, low: f32, high: f32,
): void {
  const n = rows * cols;
  const mean = rowTotal(x, n) / n;
  store<f64>(out, mean);
  store<f64>(out, Math.sqrt(rowSquares(x, mean, n) / n), 8);
  columnMeans(x, totals, out + 16, rows, cols);
  store<f64>(out, <f64>outside(x, n, low, high) / n, 24);
  const at = isFinite(mean) ? -1 : firstNonFinite(x, n);
  store<f64>(out, <f64>at, 40);
  store<f64>(out, at < 0 ? 0 : <f64>load<f32>(x + (<usize>at << 2)), 48);
}

/** out[0] = Σ (column sum / rows)² / cols, out[2] = share of the column sums that are 0 */
function columnMeans(x: usize, totals: usize, out: usize, rows: i32, cols: i32): void {
  memory.fill(totals, 0, <usize>cols << 3);
  for (let r = 0; r < rows; r++, x += <usize>cols << 2) columnTotals(x, totals, cols);
  let squares = 0.0, empty = 0;
  for (let c = 0; c < cols; c++, totals += 8) {
    const total = load<f64>(totals);
    squares += (total / rows) * (total / rows);
    empty += i32(total == 0);
  }
  store<f64>(out, squares / cols);
  store<f64>(out, <f64>empty / cols, 16);
}

/** How many of n elements are ≤ low or ≥ high. */
function outside(x: usize, n: i32, low: f32, high: f32): i32 {
  let counts = i32x4.splat(0);
  for (; n >= 4; n -= 4, x += 16) {
    const v = v128.load(x);
    const out = v128.or(f32x4.le(v, f32x4.splat(low)), f32x4.ge(v, f32x4.splat(high)));
    counts = i32x4.sub(counts, out);
  }
  let count = i32x4.extract_lane(counts, 0) + i32x4.extract_lane(counts, 1)
    + i32x4.extract_lane(counts, 2) + i32x4.extract_lane(counts, 3);
  for (; n > 0; n--, x += 4) count += i32(load<f32>(x) <= low || load<f32>(x) >= high);
  return count;
}

function firstNonFinite(x: usize, n: i32): i32 {
  for (let i = 0; i < n; i++, x += 4) if (!isFinite(load<f32>(x))) return i;
  return -1;
}
