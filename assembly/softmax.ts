// Softmax and its relatives along rows, all from the row's maximum m and its excess (simd/exponentials.ts).
import {
  belowMax, excess, exponentials, farPart, highPart, leastNear, log1p, LONG, lowerRow, lowPart, nearPart,
} from "./simd/exponentials";
import { Lanes } from "./simd/lanes";
import { Math4 } from "./simd/math";
import { highHalf, lowHalf, narrow } from "./simd/moments";
import { rowMax } from "./simd/reduce";
import { besideAndAt } from "./simd/surplus";

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

/**
 * dx += dy − p Σ dy for p = softmax(x) = e^(x − m) e^Y, where Y is the largest y: e^y would carry the rounding of y. At the
 * maximum it is formed as in simd/surplus.ts, with Σ dy (e^Y − 1).
 */
export function logSoftmaxBackward(x: usize, y: usize, dy: usize, dx: usize, rows: i32, cols: i32): void {
  const stride = <usize>cols << 2;
  for (let r = 0; r < rows; r++, x += stride, y += stride, dy += stride, dx += stride) {
    logSoftmaxRow(x, rowMax(x, cols), rowMax(y, cols), dy, dx, cols);
  }
}

function logSoftmaxRow(x: usize, m: f32, most: f32, dy: usize, dx: usize, cols: i32): void {
  const far = f32x4.splat(farPart(m));
  const near = nearPart(m);
  const least = leastNear(near);
  const high = highPart(near);
  const low = lowPart(near);
  const sums = besideAndAt(x, dy, m, cols);
  const beside = f64x2.extract_lane(sums, 0);
  const at = f64x2.extract_lane(sums, 1);
  const minus = expm1(most);
  const share = f32x4.splat(<f32>((beside + at) * (1 + minus)));
  const rest = f64x2.splat((beside + at) * minus + beside);
  for (; cols > 0; cols -= 4, x += 16, dy += 16, dx += 16) {
    const v = v128.load(x);
    const g = v128.load(dy);
    const e = Math4.lower(Math4.liftedExpOfThree(f32x4.pmax(belowMax(v, far), least), high, low));
    const tie = f32x4.eq(v, f32x4.splat(m));
    let d = f32x4.sub(g, f32x4.mul(e, share));
    if (v128.any_true(tie)) d = v128.bitselect(atMost(g, f64x2.splat(at), rest), d, tie);
    const sum = f32x4.add(v128.load(dx), d);
    if (cols >= 4) v128.store(dx, sum);
    else Lanes.store(dx, sum, cols);
  }
}

/** e^y − 1 for y ≤ 0, such that it and 1 more keep their relative precision. */
function expm1(y: f32): f64 {
  const v = f32x4.splat(y);
  if (y > -0.6931472) return <f64>f32x4.extract_lane(Math4.expm1(v), 0);
  return <f64>f32x4.extract_lane(Math4.expNonPositive(v), 0) - 1;
}

/** (dy − at) − rest in float64 */
@inline
function atMost(dy: v128, at: v128, rest: v128): v128 {
  return narrow(
    f64x2.sub(f64x2.sub(lowHalf(dy), at), rest),
    f64x2.sub(f64x2.sub(highHalf(dy), at), rest),
  );
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
  for (let r = 0; r < rows; r++, x += stride, dx += stride, dy += 4) {
    const row = excess(x, 0, cols);
    const m = f32x4.extract_lane(row, 0);
    const g = load<f32>(dy) / (1 + f32x4.extract_lane(row, 1));
    logSumExpRow(x, m, g, dx, cols);
  }
}

/** dx += g e^(x − m) */
function logSumExpRow(x: usize, m: f32, g: f32, dx: usize, cols: i32): void {
  const far = f32x4.splat(farPart(m));
  const near = nearPart(m);
  const least = leastNear(near);
  const high = highPart(near);
  const low = lowPart(near);
  for (; cols > 0; cols -= 4, x += 16, dx += 16) {
    const e = Math4.lower(Math4.liftedExpOfThree(f32x4.pmax(belowMax(v128.load(x), far), least), high, low));
    const sum = f32x4.add(v128.load(dx), f32x4.mul(f32x4.splat(g), e));
    if (cols >= 4) v128.store(dx, sum);
    else Lanes.store(dx, sum, cols);
  }
}
