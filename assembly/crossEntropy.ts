// Losses of classes along rows of [rows, classes]: cross-entropy over logits, likelihood of log-probabilities.
import { Lanes } from "./simd/lanes";
import { Math4 } from "./simd/math";
import { excess, log1p, LOWER, lowerRow, rowSum } from "./simd/reduce";

/**
 * Row weights of class targets: weights[r] = classWeight[target[r]] (1 without), 0 where target[r] = ignoreIndex;
 * divided by their sum if `mean`, unless that is 0. Returns the first row whose target is neither a class nor
 * ignored, else −1.
 */
export function classWeights(
  target: usize, classWeight: usize, weights: usize, rows: i32, classes: i32, ignoreIndex: i32, mean: i32,
): i32 {
  for (let r = 0; r < rows; r++) {
    const i = <usize>r << 2;
    const t = load<i32>(target + i);
    if (t != ignoreIndex && <u32>t >= <u32>classes) return r;
    const w: f32 = t == ignoreIndex ? 0 : classWeight ? load<f32>(classWeight + (<usize>t << 2)) : 1;
    store<f32>(weights + i, w);
  }
  const total = rowSum(weights, rows);
  if (mean && total != 0) {
    for (let r = 0; r < rows; r++) {
      const i = weights + (<usize>r << 2);
      store<f32>(i, <f32>(<f64>load<f32>(i) / total));
    }
  }
  return -1;
}

/**
 * Cross-entropy with class targets, over logits: y[r] = w[r] (log Σ e^x − x[target]), and the gradient
 * dlogits[r] = w[r] (softmax(x) − onehot(target)), saved for backward. With m the row's maximum and the excess of
 * softmax.ts, y = (m − x[target]) + log1p(excess) adds terms of one sign; the target's softmax − 1 is
 * −excess / total when the target is the maximum. Neither cancels, and no logarithm of zero is formed.
 */
export function crossEntropyLossForward(
  logits: usize, target: usize, weights: usize, dlogits: usize, y: usize, rows: i32, cols: i32,
): void {
  const stride = <usize>cols << 2;
  for (let r = 0; r < rows; r++, logits += stride, dlogits += stride) {
    const i = <usize>r << 2;
    const w = load<f32>(weights + i);
    if (w == 0) {
      store<f32>(y + i, 0);
      memory.fill(dlogits, 0, stride);
      continue;
    }
    const at = <usize>load<i32>(target + i) << 2;
    const row = excess(logits, dlogits, cols);
    const m = f32x4.extract_lane(row, 0);
    const more = f32x4.extract_lane(row, 1);
    const x = load<f32>(logits + at);
    const e = load<f32>(dlogits + at) * LOWER;
    store<f32>(y + i, w * ((x == m ? 0 : m - x) + log1p(more)));
    lowerRow(dlogits, w / (1 + more), cols);
    store<f32>(dlogits + at, x == m ? (-w * more) / (1 + more) : (w * e) / (1 + more) - w);
  }
}

/**
 * Cross-entropy with a distribution q per row (any weights folded in): y[r] = Σ q (log Σ e^x − x), and
 * dlogits[r] = softmax(x) Σ q − q, saved for backward. At the maximum that is (Σ q − q) − Σ q · excess / total, where
 * Σ q − q is the sum of the others.
 */
export function softCrossEntropyLossForward(
  logits: usize, target: usize, dlogits: usize, y: usize, rows: i32, cols: i32,
): void {
  const stride = <usize>cols << 2;
  for (let r = 0; r < rows; r++, logits += stride, target += stride, dlogits += stride, y += 4) {
    const row = excess(logits, dlogits, cols);
    const m = f32x4.extract_lane(row, 0);
    const more = f32x4.extract_lane(row, 1);
    const log = log1p(more);
    const total = <f32>rowSum(target, cols);
    const scale = total / (1 + more);
    let sum: f64 = 0;
    for (let i: usize = 0; i < stride; i += 4) {
      const q = load<f32>(target + i);
      const x = load<f32>(logits + i);
      if (q != 0) sum += <f64>q * <f64>((x == m ? 0 : m - x) + log);
      const e = load<f32>(dlogits + i) * LOWER;
      store<f32>(dlogits + i, x == m ? rowSumBut(target, i, stride) - total * more / (1 + more) : e * scale - q);
    }
    store<f32>(y, <f32>sum);
  }
}

/** Σ q of a row of `bytes` without the element at `but`. */
function rowSumBut(q: usize, but: usize, bytes: usize): f32 {
  let sum: f64 = 0;
  for (let i: usize = 0; i < bytes; i += 4) if (i != but) sum += <f64>load<f32>(q + i);
  return <f32>sum;
}

/** dx[r, :] += dy[r] · scale · saved[r, :], with one dy for all rows if dyStep = 0. */
export function crossEntropyLossBackward(
  saved: usize, dy: usize, dx: usize, rows: i32, cols: i32, dyStep: i32, scale: f32,
): void {
  const stride = <usize>cols << 2;
  const body = <usize>(cols & ~3) << 2;
  for (let r = 0; r < rows; r++, saved += stride, dx += stride, dy += dyStep << 2) {
    const g = f32x4.splat(load<f32>(dy) * scale);
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
  target: usize, classWeight: usize, q: usize, rows: i32, classes: i32, ignoreIndex: i32, smoothing: f32, mean: i32,
): void {
  let total: f64 = 0;
  for (let r = 0; r < rows; r++) {
    const t = load<i32>(target + (<usize>r << 2));
    if (t != ignoreIndex) total += classWeight ? <f64>load<f32>(classWeight + (<usize>t << 2)) : 1;
  }
  const scale: f32 = mean && total != 0 ? <f32>(1 / total) : 1;
  const rest = smoothing / <f32>classes;
  for (let r = 0; r < rows; r++, target += 4) {
    const t = load<i32>(target);
    for (let c = 0; c < classes; c++, q += 4) {
      const w: f32 = classWeight ? load<f32>(classWeight + (<usize>c << 2)) : 1;
      store<f32>(q, t == ignoreIndex ? 0 : scale * w * (c == t ? 1 - smoothing + rest : rest));
    }
  }
}

/** Negative log-likelihood: y[r] = −w[r] x[r, target[r]] of log-probabilities x; 0 where w[r] = 0. */
export function nllLossForward(x: usize, target: usize, weights: usize, y: usize, rows: i32, cols: i32): void {
  for (let r = 0; r < rows; r++, x += <usize>cols << 2) {
    const i = <usize>r << 2;
    const w = load<f32>(weights + i);
    store<f32>(y + i, w == 0 ? 0 : -w * load<f32>(x + (<usize>load<i32>(target + i) << 2)));
  }
}

/** dx[r, target[r]] += −w[r] · dy, with one dy for all rows if dyStep = 0. */
export function nllLossBackward(
  target: usize, weights: usize, dy: usize, dx: usize, rows: i32, cols: i32, dyStep: i32,
): void {
  for (let r = 0; r < rows; r++, dx += <usize>cols << 2, dy += dyStep << 2) {
    const i = <usize>r << 2;
    const w = load<f32>(weights + i);
    if (w == 0) continue;
    const p = dx + (<usize>load<i32>(target + i) << 2);
    store<f32>(p, load<f32>(p) - w * load<f32>(dy));
  }
}
