// Softmax and its relatives along rows, all from the row's maximum m and its excess (simd/reduce.ts).
import { belowMax, excess, exponentials, log1p, LONG, lowerRow, rowMax } from "./simd/reduce";
import { Lanes } from "./simd/lanes";
import { Math4 } from "./simd/math";

/** y = e^(x − m) / Σ e^(x − m) */
export function softmaxForward(x: usize, y: usize, rows: i32, cols: i32): void {
  const stride = <usize>cols << 2;
  for (let r = 0; r < rows; r++, x += stride, y += stride) {
    const total = exponentials(x, y, cols, rowMax(x, cols), r + 1 < rows ? stride : 0);
    lowerRow(y, <f32>(1 / total), cols);
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

/** y = (x − m) − log1p(excess), where y is not x: in long rows it holds the exponentials first */
export function logSoftmaxForward(x: usize, y: usize, rows: i32, cols: i32): void {
  const stride = <usize>cols << 2;
  for (let r = 0; r < rows; r++, x += stride, y += stride) {
    const row = excess(x, cols > LONG ? y : 0, cols, r + 1 < rows ? stride : 0);
    const m = lane(row, 0);
    const log = Math4.log1p(lane(row, 1));
    let i: usize = 0;
    let n = cols;
    for (; n >= 8; n -= 8, i += 32) {
      const y0 = f32x4.sub(belowMax(v128.load(x + i), m), log);
      const y1 = f32x4.sub(belowMax(v128.load(x + i, 16), m), log);
      v128.store(y + i, y0);
      v128.store(y + i, y1, 16);
    }
    for (; n > 0; n -= 4, i += 16) {
      const y0 = f32x4.sub(belowMax(v128.load(x + i), m), log);
      if (n >= 4) v128.store(y + i, y0);
      else Lanes.store(y + i, y0, n);
    }
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

/** Lane i of v in all lanes. */
@inline
function lane(v: v128, i: i32): v128 {
  return i ? v128.shuffle<f32>(v, v, 1, 1, 1, 1) : v128.shuffle<f32>(v, v, 0, 0, 0, 0);
}

/** y[r] = m + log1p(excess);  ±∞ in a row gives ±∞ where there is no NaN, a row of nothing log 0 = −∞. */
export function logSumExpForward(x: usize, y: usize, rows: i32, cols: i32): void {
  const stride = <usize>cols << 2;
  for (let r = 0; r < rows; r++, x += stride, y += 4) {
    const row = cols > 0 ? excess(x, 0, cols) : f32x4(-Infinity, -1, 0, 0);
    store<f32>(y, f32x4.extract_lane(row, 0) + log1p(f32x4.extract_lane(row, 1)));
  }
}

/** dx[r, c] += dy[r] · e^(x[r, c] − m) / (1 + excess):  e^(x − y) would carry the rounding of y. */
export function logSumExpBackward(x: usize, dy: usize, dx: usize, rows: i32, cols: i32): void {
  const stride = <usize>cols << 2;
  const body = <usize>(cols & ~3) << 2;
  for (let r = 0; r < rows; r++, x += stride, dx += stride, dy += 4) {
    const row = excess(x, 0, cols);
    const vm = lane(row, 0);
    const g = f32x4.splat(load<f32>(dy) / (1 + f32x4.extract_lane(row, 1)));
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
