// Softmax and its relatives along rows, all from the row's maximum m and its excess (simd/reduce.ts).
import { belowMax, excess, greatest, log1p } from "./simd/reduce";
import { Lanes } from "./simd/lanes";
import { Math4 } from "./simd/math";

/** y = e^(x − m) / Σ e^(x − m) */
export function softmaxForward(x: usize, y: usize, rows: i32, cols: i32): void {
  const stride = <usize>cols << 2;
  for (let r = 0; r < rows; r++, x += stride, y += stride) {
    const total: f32 = excess(x, y, cols, greatest(x, cols)) + 1;
    const scale = f32x4.splat(1 / total);
    const body = <usize>(cols & ~3) << 2;
    for (let i: usize = 0; i < body; i += 16) v128.store(y + i, f32x4.mul(v128.load(y + i), scale));
    if (cols & 3) Lanes.store(y + body, f32x4.mul(v128.load(y + body), scale), cols & 3);
  }
}

/**
 * dx += y · (dy − Σ dy · y). As Σ y = 1 any c may be taken off dy first; with c near the sum neither difference cancels
 * when one class dominates.
 */
export function softmaxBackward(y: usize, dy: usize, dx: usize, rows: i32, cols: i32): void {
  const stride = <usize>cols << 2;
  const body = <usize>(cols & ~3) << 2;
  for (let r = 0; r < rows; r++, y += stride, dy += stride, dx += stride) {
    const c = shiftedDot(y, dy, 0, cols);
    const shift = f32x4.splat(c);
    const rest = f32x4.splat(shiftedDot(y, dy, c, cols));
    for (let i: usize = 0; i < body; i += 16) {
      const d = f32x4.sub(f32x4.sub(v128.load(dy + i), shift), rest);
      v128.store(dx + i, f32x4.add(v128.load(dx + i), f32x4.mul(v128.load(y + i), d)));
    }
    if (cols & 3) {
      const d = f32x4.sub(f32x4.sub(v128.load(dy + body), shift), rest);
      const v = f32x4.add(v128.load(dx + body), f32x4.mul(v128.load(y + body), d));
      Lanes.store(dx + body, v, cols & 3);
    }
  }
}

/** Σ a · (b − c) in float64. */
function shiftedDot(a: usize, b: usize, c: f32, n: i32): f32 {
  const vc = f64x2.splat(<f64>c);
  let sum = f64x2.splat(0);
  for (; n >= 2; n -= 2, a += 8, b += 8) {
    const va = f64x2.promote_low_f32x4(v128.load64_zero(a));
    const vb = f64x2.promote_low_f32x4(v128.load64_zero(b));
    sum = f64x2.add(sum, f64x2.mul(va, f64x2.sub(vb, vc)));
  }
  let total = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  if (n) total += <f64>load<f32>(a) * (<f64>load<f32>(b) - <f64>c);
  return <f32>total;
}

/** y = (x − m) − log1p(excess) */
export function logSoftmaxForward(x: usize, y: usize, rows: i32, cols: i32): void {
  const stride = <usize>cols << 2;
  const body = <usize>(cols & ~3) << 2;
  for (let r = 0; r < rows; r++, x += stride, y += stride) {
    const m = greatest(x, cols);
    const vm = f32x4.splat(m);
    const log = f32x4.splat(log1p(excess(x, 0, cols, m)));
    for (let i: usize = 0; i < body; i += 16) {
      v128.store(y + i, f32x4.sub(belowMax(v128.load(x + i), vm), log));
    }
    if (cols & 3) Lanes.store(y + body, f32x4.sub(belowMax(v128.load(x + body), vm), log), cols & 3);
  }
}

/** dx += dy − e^y · Σ dy */
export function logSoftmaxBackward(y: usize, dy: usize, dx: usize, rows: i32, cols: i32): void {
  const stride = <usize>cols << 2;
  const body = <usize>(cols & ~3) << 2;
  for (let r = 0; r < rows; r++, y += stride, dy += stride, dx += stride) {
    const total = f32x4.splat(rowTotal(dy, cols));
    for (let i: usize = 0; i < body; i += 16) {
      const g = logSoftmaxGradient(v128.load(y + i), v128.load(dy + i), total);
      v128.store(dx + i, f32x4.add(v128.load(dx + i), g));
    }
    if (cols & 3) {
      const g = logSoftmaxGradient(v128.load(y + body), v128.load(dy + body), total);
      Lanes.store(dx + body, f32x4.add(v128.load(dx + body), g), cols & 3);
    }
  }
}

/** Where e^y > 1/2 as (dy − total) − (e^y − 1) · total, exact when all of dy falls on one class. */
@inline
function logSoftmaxGradient(y: v128, dy: v128, total: v128): v128 {
  const unlikely = f32x4.sub(dy, f32x4.mul(Math4.expNonPositive(y), total));
  const likely = f32x4.sub(f32x4.sub(dy, total), f32x4.mul(Math4.expm1(y), total));
  return v128.bitselect(likely, unlikely, f32x4.gt(y, f32x4.splat(-0.6931472)));
}

/** Σ x in float64. */
function rowTotal(x: usize, n: i32): f32 {
  let total: f64 = 0;
  for (; n > 0; n--, x += 4) total += <f64>load<f32>(x);
  return <f32>total;
}

/** y[r] = m + log1p(excess);  ±∞ in a row gives ±∞ where there is no NaN, a row of nothing log 0 = −∞. */
export function logSumExpForward(x: usize, y: usize, rows: i32, cols: i32): void {
  const stride = <usize>cols << 2;
  for (let r = 0; r < rows; r++, x += stride, y += 4) {
    const m = cols > 0 ? greatest(x, cols) : -Infinity;
    store<f32>(y, abs(m) == Infinity ? m : m + log1p(excess(x, 0, cols, m)));
  }
}

/** dx[r, c] += dy[r] · e^(x[r, c] − m) / (1 + excess):  e^(x − y) would carry the rounding of y. */
export function logSumExpBackward(x: usize, dy: usize, dx: usize, rows: i32, cols: i32): void {
  const stride = <usize>cols << 2;
  const body = <usize>(cols & ~3) << 2;
  for (let r = 0; r < rows; r++, x += stride, dx += stride, dy += 4) {
    const m = greatest(x, cols);
    const vm = f32x4.splat(m);
    const g = f32x4.splat(load<f32>(dy) / (1 + excess(x, 0, cols, m)));
    for (let i: usize = 0; i < body; i += 16) {
      const e = Math4.expNonPositive(belowMax(v128.load(x + i), vm));
      v128.store(dx + i, f32x4.add(v128.load(dx + i), f32x4.mul(g, e)));
    }
    if (cols & 3) {
      const e = Math4.expNonPositive(belowMax(v128.load(x + body), vm));
      Lanes.store(dx + body, f32x4.add(v128.load(dx + body), f32x4.mul(g, e)), cols & 3);
    }
  }
}
