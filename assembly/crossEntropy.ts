// Losses of classes along rows of [rows, classes]: cross-entropy over logits, likelihood of log-probabilities. Values and
// their sums are float64. By `each`, y = scale · Σ over the rows (TOTAL), y[r] is the value of a row (VALUES), or y has the
// sums of blocks of ROWS rows, float64 and without the scale (BLOCKS); gradients saved are those of the total.
import { ROWS, TOTAL, VALUES } from "./blocks";
import { Lanes } from "./simd/lanes";
import { Math4 } from "./simd/math";
import { excess, log1p, LOWER, lowerRow } from "./simd/exponentials";
import { highHalf, lanesSum, lowHalf, narrow, withBlock } from "./simd/moments";
import { besideAndAt, isZero, surplus } from "./simd/surplus";

/**
 * Row weights of class targets, float64: weights[r] = classWeight[target[r]] (1 without), 0 where target[r] =
 * ignoreIndex; divided by their sum if `mean`, unless that is 0. Returns the first row whose target is neither a class
 * nor ignored, else −1.
 */
export function classWeights(
  target: usize, classWeight: usize, weights: usize, rows: i32, classes: i32, ignoreIndex: i32, mean: i32,
): i32 {
  let total: f64 = 0;
  for (let r = 0; r < rows; r++) {
    const t = load<i32>(target + (<usize>r << 2));
    if (t != ignoreIndex && <u32>t >= <u32>classes) return r;
    const w: f64 = t == ignoreIndex ? 0 : classWeight ? <f64>load<f32>(classWeight + (<usize>t << 2)) : 1;
    store<f64>(weights + (<usize>r << 3), w);
    total += w;
  }
  if (mean && total != 0) {
    for (let r = 0; r < rows; r++) {
      const i = weights + (<usize>r << 3);
      store<f64>(i, load<f64>(i) / total);
    }
  }
  return -1;
}

/**
 * Cross-entropy with class targets, over logits: the value of a row is w[r] (log Σ e^x − x[target]), and its gradient
 * dlogits[r] = w[r] (softmax(x) − onehot(target)), saved for backward. With m the row's maximum and the excess of
 * simd/exponentials.ts, it is w ((m − x[target]) + log1p(excess)), which adds terms of one sign; the target's softmax − 1 is
 * −excess / total when the target is the maximum. Neither cancels, and no logarithm of zero is formed.
 */
export function crossEntropyLossForward(
  logits: usize, target: usize, weights: usize, dlogits: usize, y: usize, rows: i32, cols: i32, each: i32,
): void {
  const stride = <usize>cols << 2;
  let total: f64 = 0;
  for (let start = 0; start < rows; start += ROWS) {
    const end = min(start + ROWS, rows);
    let sum: f64 = 0;
    for (let r = start; r < end; r++, logits += stride, dlogits += stride) {
      const w = load<f64>(weights + (<usize>r << 3));
      const at = <usize>load<i32>(target + (<usize>r << 2)) << 2;
      const value = crossEntropyRow(logits, at, w, dlogits, cols, r + 1 < rows ? stride : 0);
      if (each == VALUES) store<f32>(y + (<usize>r << 2), <f32>value);
      sum += value;
    }
    total = withBlock(total, sum, y, start / ROWS, each);
  }
  if (each == TOTAL) store<f32>(y, <f32>total);
}

/** The value of a row whose target lies `at` bytes on, and its gradient. The next row lies `ahead` bytes on. */
@inline
function crossEntropyRow(logits: usize, at: usize, w: f64, dlogits: usize, cols: i32, ahead: usize): f64 {
  if (w == 0) {
    memory.fill(dlogits, 0, <usize>cols << 2);
    return 0;
  }
  const row = excess(logits, dlogits, cols, ahead);
  const m = f32x4.extract_lane(row, 0);
  const more = f32x4.extract_lane(row, 1);
  const x = load<f32>(logits + at);
  const e = load<f32>(dlogits + at) * LOWER;
  const share = w / (1 + <f64>more);
  lowerRow(dlogits, <f32>share, cols);
  store<f32>(dlogits + at, <f32>(x == m ? -share * <f64>more : share * <f64>e - w));
  return w * (below(x, m) + <f64>log1p(more));
}

/** m − x for the maximum m of a row, where ∞ − ∞ is 0 */
@inline
function below(x: f32, m: f32): f64 {
  return x == m ? 0 : <f64>m - <f64>x;
}

/**
 * Cross-entropy with a distribution q per row (any weights folded in): the value of a row is Σ q (log Σ e^x − x), its
 * gradient dlogits[r] = softmax(x) Σ q − q (simd/surplus.ts), saved for backward, both times `scale`. A row of zeros, an ignored one, has no gradient,
 * whatever its logits are.
 */
export function softCrossEntropyLossForward(
  logits: usize, target: usize, dlogits: usize, y: usize, rows: i32, cols: i32, each: i32, scale: f64,
): void {
  const stride = <usize>cols << 2;
  let total: f64 = 0;
  for (let start = 0; start < rows; start += ROWS) {
    const end = min(start + ROWS, rows);
    let sum: f64 = 0;
    for (let r = start; r < end; r++, logits += stride, target += stride, dlogits += stride) {
      const value = softCrossEntropyRow(logits, target, dlogits, cols, scale);
      if (each == VALUES) store<f32>(y + (<usize>r << 2), <f32>value);
      sum += value;
    }
    total = withBlock(total, sum, y, start / ROWS, each);
  }
  if (each == TOTAL) store<f32>(y, <f32>(scale * total));
}

/** The value of a row, and `scale` times its gradient. */
@inline
function softCrossEntropyRow(logits: usize, target: usize, dlogits: usize, cols: i32, scale: f64): f64 {
  if (isZero(target, cols)) {
    memory.fill(dlogits, 0, <usize>cols << 2);
    return 0;
  }
  const row = excess(logits, dlogits, cols);
  const m = f32x4.extract_lane(row, 0);
  const more = f32x4.extract_lane(row, 1);
  const log = <f64>log1p(more);
  const sums = besideAndAt(logits, target, m, cols);
  const beside = scale * f64x2.extract_lane(sums, 0);
  const at = scale * f64x2.extract_lane(sums, 1);
  const share = (beside + at) / (1 + <f64>more);
  const lowered = f64x2.splat(share * <f64>LOWER);
  const most = f64x2.splat(beside - share * <f64>more);
  const tied = f64x2.splat(at);
  const factor = f64x2.splat(scale);
  let sum = f64x2.splat(0);
  for (let c = 0; c < cols; c += 4) {
    const i = <usize>c << 2;
    const x = v128.load(logits + i);
    const q = v128.and(v128.load(target + i), Lanes.mask(min(cols - c, 4)));
    const e = v128.load(dlogits + i);
    const tie = f32x4.eq(x, f32x4.splat(m));
    const lowTie = i64x2.extend_low_i32x4_s(tie);
    const highTie = i64x2.extend_high_i32x4_s(tie);
    sum = f64x2.add(sum, weighted(lowHalf(q), lowHalf(x), lowTie, m, log));
    sum = f64x2.add(sum, weighted(highHalf(q), highHalf(x), highTie, m, log));
    const low = surplus(lowHalf(e), f64x2.mul(factor, lowHalf(q)), lowTie, lowered, most, tied);
    const high = surplus(highHalf(e), f64x2.mul(factor, highHalf(q)), highTie, lowered, most, tied);
    if (cols - c >= 4) v128.store(dlogits + i, narrow(low, high));
    else Lanes.store(dlogits + i, narrow(low, high), cols - c);
  }
  return lanesSum(sum);
}

/** q ((m − x) + log), 0 where q is; m − x is 0 at a tie, also of infinities. */
@inline
function weighted(q: v128, x: v128, tie: v128, m: f32, log: f64): v128 {
  const distance = v128.andnot(f64x2.sub(f64x2.splat(<f64>m), x), tie);
  return v128.andnot(f64x2.mul(q, f64x2.add(distance, f64x2.splat(log))), f64x2.eq(q, f64x2.splat(0)));
}

/** dx[r, :] += dy[r] · saved[r, :], with one dy for all rows if dyStep = 0. */
export function crossEntropyLossBackward(
  saved: usize, dy: usize, dx: usize, rows: i32, cols: i32, dyStep: i32,
): void {
  const stride = <usize>cols << 2;
  const body = <usize>(cols & ~3) << 2;
  for (let r = 0; r < rows; r++, saved += stride, dx += stride, dy += dyStep << 2) {
    const g = v128.load32_splat(dy);
    for (let i: usize = 0; i < body; i += 16) {
      v128.store(dx + i, Math4.madd(g, v128.load(saved + i), v128.load(dx + i)));
    }
    if (cols & 3) {
      const v = Math4.madd(g, v128.load(saved + body), v128.load(dx + body));
      Lanes.store(dx + body, v, cols & 3);
    }
  }
}

/**
 * The distribution behind a smoothed class target, weights folded in: with s = smoothing,
 * q[r, c] = classWeight[c] ((1 − s) [c = target[r]] + s / C), 0 in ignored rows; divided by Σ classWeight[target[r]]
 * over the other rows if `mean`.
 */
export function smoothTargets(
  target: usize, classWeight: usize, q: usize, rows: i32, classes: i32, ignoreIndex: i32, smoothing: f64, mean: i32,
): void {
  let total: f64 = 0;
  for (let r = 0; r < rows; r++) {
    const t = load<i32>(target + (<usize>r << 2));
    if (t != ignoreIndex) total += classWeight ? <f64>load<f32>(classWeight + (<usize>t << 2)) : 1;
  }
  const scale: f64 = mean && total != 0 ? 1 / total : 1;
  const rest = smoothing / <f64>classes;
  for (let r = 0; r < rows; r++, target += 4) {
    const t = load<i32>(target);
    for (let c = 0; c < classes; c++, q += 4) {
      const w = classWeight ? scale * <f64>load<f32>(classWeight + (<usize>c << 2)) : scale;
      store<f32>(q, t == ignoreIndex ? 0 : <f32>(w * (c == t ? 1 - smoothing + rest : rest)));
    }
  }
}

/** Negative log-likelihood of log-probabilities x: the value of a row is −w[r] x[r, target[r]], 0 where w[r] = 0. */
export function nllLossForward(
  x: usize, target: usize, weights: usize, y: usize, rows: i32, cols: i32, each: i32,
): void {
  let total: f64 = 0;
  for (let start = 0; start < rows; start += ROWS) {
    const end = min(start + ROWS, rows);
    let sum: f64 = 0;
    for (let r = start; r < end; r++, x += <usize>cols << 2) {
      const w = load<f64>(weights + (<usize>r << 3));
      const at = <usize>load<i32>(target + (<usize>r << 2)) << 2;
      const value = w == 0 ? 0 : -w * <f64>load<f32>(x + at);
      if (each == VALUES) store<f32>(y + (<usize>r << 2), <f32>value);
      sum += value;
    }
    total = withBlock(total, sum, y, start / ROWS, each);
  }
  if (each == TOTAL) store<f32>(y, <f32>total);
}

/** dx[r, target[r]] += −w[r] · dy, with one dy for all rows if dyStep = 0. */
export function nllLossBackward(
  target: usize, weights: usize, dy: usize, dx: usize, rows: i32, cols: i32, dyStep: i32,
): void {
  for (let r = 0; r < rows; r++, dx += <usize>cols << 2, dy += dyStep << 2) {
    const w = load<f64>(weights + (<usize>r << 3));
    if (w == 0) continue;
    const p = dx + (<usize>load<i32>(target + (<usize>r << 2)) << 2);
    store<f32>(p, <f32>(<f64>load<f32>(p) - w * <f64>load<f32>(dy)));
  }
}
