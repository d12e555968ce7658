// Losses with one value per row: of a class against the others, and of the angle between two rows. Values and their sums
// are float64. By `each`, y = scale · Σ over the rows (TOTAL), y[r] is the value of a row (VALUES), or y has the sums of
// blocks of ROWS rows, float64 and without a scale that values do not have (BLOCKS); gradients saved are those of the total.
import { ROWS, TOTAL, VALUES } from "./blocks";
import { lanesSum, widen, withBlock } from "./simd/moments";

/** The first of n class indices outside 0 … classes − 1, else −1. */
export function firstNoClass(target: usize, n: i32, classes: i32): i32 {
  for (let i = 0; i < n; i++, target += 4) {
    if (load<u32>(target) >= <u32>classes) return i;
  }
  return -1;
}

/**
 * With z_i = max(0, margin − x[t] + x_i) for the classes i other than the target t and w its classWeight (1 without):
 * the value of a row is w / C Σ z_i, or Σ z_i² if `squared`; and the gradient dx[r, :], saved for backward: w / C times
 * 1 or 2 z_i where z_i > 0, and at t minus the sum of the others; both times `scale`.
 */
export function multiMarginLossForward(
  x: usize, target: usize, classWeight: usize, dx: usize, y: usize,
  rows: i32, cols: i32, each: i32, scale: f64, margin: f32, squared: i32,
): void {
  const stride = <usize>cols << 2;
  let total: f64 = 0;
  for (let start = 0; start < rows; start += ROWS) {
    const end = min(start + ROWS, rows);
    let sum: f64 = 0;
    for (let r = start; r < end; r++, x += stride, dx += stride, target += 4) {
      const t = <usize>load<i32>(target) << 2;
      const factor = (classWeight ? scale * <f64>load<f32>(classWeight + t) : scale) / <f64>cols;
      const value = multiMarginRow(x, t, factor, dx, stride, margin, squared);
      if (each == VALUES) store<f32>(y + (<usize>r << 2), <f32>value);
      sum += value;
    }
    total = withBlock(total, sum, y, start / ROWS, each);
  }
  if (each == TOTAL) store<f32>(y, <f32>total);
}

/** The value of a row of `bytes`, whose target lies t bytes on, and its gradient, both times `factor`. */
@inline
function multiMarginRow(x: usize, t: usize, factor: f64, dx: usize, bytes: usize, margin: f32, squared: i32): f64 {
  const own = <f64>load<f32>(x + t);
  let sum: f64 = 0;
  let slopes: f64 = 0;
  for (let i: usize = 0; i < bytes; i += 4) {
    // The difference first: it is exact where the margin decides.
    const z = max<f64>(<f64>load<f32>(x + i) - own + <f64>margin, 0);
    const inside: f64 = i == t ? 0 : z;
    const slope: f64 = squared ? inside + inside : inside > 0 ? 1 : 0;
    sum += squared ? inside * inside : inside;
    slopes += slope;
    store<f32>(dx + i, <f32>(factor * slope));
  }
  store<f32>(dx + t, <f32>(-factor * slopes));
  return factor * sum;
}

/**
 * The value of a row is max(0, 1 + max_i (1 − t_i) x_i − Σ t_i x_i); its gradient dx[r, :], saved for backward, where it
 * is above 0, −t_i and, at the first i that attains the maximum, 1 − t_i more; both times `scale`.
 */
export function categoricalHingeLossForward(
  x: usize, target: usize, dx: usize, y: usize, rows: i32, cols: i32, each: i32, scale: f64,
): void {
  const stride = <usize>cols << 2;
  let total: f64 = 0;
  for (let start = 0; start < rows; start += ROWS) {
    const end = min(start + ROWS, rows);
    let sum: f64 = 0;
    for (let r = start; r < end; r++, x += stride, target += stride, dx += stride) {
      const value = categoricalHingeRow(x, target, dx, stride, scale);
      if (each == VALUES) store<f32>(y + (<usize>r << 2), <f32>value);
      sum += value;
    }
    total = withBlock(total, sum, y, start / ROWS, each);
  }
  if (each == TOTAL) store<f32>(y, <f32>(scale * total));
}

/** The value of a row of `bytes`, and `scale` times its gradient. */
@inline
function categoricalHingeRow(x: usize, target: usize, dx: usize, bytes: usize, scale: f64): f64 {
  let own: f64 = 0;
  let most: f64 = -Infinity;
  let at: usize = 0;
  for (let i: usize = 0; i < bytes; i += 4) {
    const t = <f64>load<f32>(target + i);
    const v = <f64>load<f32>(x + i);
    const other = (1 - t) * v;
    own += t * v;
    if (other > most || (other != other && most == most)) {
      most = other;
      at = i;
    }
  }
  const value = max<f64>(1 + (most - own), 0);
  const slope = value > 0 ? scale : 0;
  for (let i: usize = 0; i < bytes; i += 4) {
    const t = <f64>load<f32>(target + i);
    store<f32>(dx + i, <f32>(slope * (i == at ? 1 - t - t : -t)));
  }
  return value;
}

/** What torch adds to each squared length (cosine_embedding_loss in ATen/native/Loss.cpp). */
const EPSILON: f64 = 1e-12;

/** x · y in float64, where products of float32 are exact. */
function dot(x: usize, y: usize, n: i32): f64 {
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  for (; n >= 4; n -= 4, x += 16, y += 16) {
    s0 = f64x2.add(s0, f64x2.mul(widen(x), widen(y)));
    s1 = f64x2.add(s1, f64x2.mul(widen(x + 8), widen(y + 8)));
  }
  let sum = lanesSum(f64x2.add(s0, s1));
  for (; n > 0; n--, x += 4, y += 4) sum += <f64>load<f32>(x) * <f64>load<f32>(y);
  return sum;
}

/** Σ (p x − q y)² */
function squaredDistance(x: usize, p: f64, y: usize, q: f64, n: i32): f64 {
  const vp = f64x2.splat(p);
  const vq = f64x2.splat(q);
  let s = f64x2.splat(0);
  for (; n >= 2; n -= 2, x += 8, y += 8) {
    const d = f64x2.sub(f64x2.mul(vp, widen(x)), f64x2.mul(vq, widen(y)));
    s = f64x2.add(s, f64x2.mul(d, d));
  }
  const last = n > 0 ? p * <f64>load<f32>(x) - q * <f64>load<f32>(y) : 0;
  return lanesSum(s) + last * last;
}

/**
 * 1 − c for rows that point the same way, where the difference would cancel: with the rows a/√A and b/√B, A = a·a + ε
 * and B = b·b + ε, it is half of the square of their distance and of ε/A and ε/B, what they lack in length.
 */
@inline
function beyond(a: usize, p: f64, b: usize, q: f64, cols: i32): f64 {
  return 0.5 * (squaredDistance(a, p, b, q, cols) + EPSILON * (p * p + q * q));
}

/** With c = a·b / √(A B) of two rows, the value of a row is 1 − c where t = 1, else max(0, c − margin). */
export function cosineEmbeddingLossForward(
  a: usize, b: usize, target: usize, y: usize, rows: i32, cols: i32, each: i32, scale: f64, margin: f64,
): void {
  const stride = <usize>cols << 2;
  let total: f64 = 0;
  for (let start = 0; start < rows; start += ROWS) {
    const end = min(start + ROWS, rows);
    let sum: f64 = 0;
    for (let r = start; r < end; r++, a += stride, b += stride, target += 4) {
      const p = 1 / sqrt(dot(a, a, cols) + EPSILON);
      const q = 1 / sqrt(dot(b, b, cols) + EPSILON);
      const alike = load<f32>(target) > 0;
      const value = alike ? beyond(a, p, b, q, cols) : max<f64>(dot(a, b, cols) * p * q - margin, 0);
      if (each == VALUES) store<f32>(y + (<usize>r << 2), <f32>value);
      sum += value;
    }
    total = withBlock(total, sum, y, start / ROWS, each);
  }
  if (each == TOTAL) store<f32>(y, <f32>(scale * total));
}

/**
 * da[r, :] += dy[r] · scale · dy/dc · dc/da, one dy for all rows if dyStep = 0, with dc/da = (b/√B − c a/√A) / √A. Where
 * |c| > ½ the terms may cancel, and with ±b for the sign of c it is ((±b/√B − a/√A) + (1 − |c|) a/√A) / √A, ± again.
 * In float64. c is symmetric: the gradient by b is this one with a and b exchanged.
 */
export function cosineEmbeddingLossBackward(
  a: usize, b: usize, target: usize, dy: usize, da: usize,
  rows: i32, cols: i32, dyStep: i32, scale: f64, margin: f64,
): void {
  const stride = <usize>cols << 2;
  for (let r = 0; r < rows; r++, a += stride, b += stride, da += stride, target += 4, dy += dyStep << 2) {
    const p = 1 / sqrt(dot(a, a, cols) + EPSILON);
    let q = 1 / sqrt(dot(b, b, cols) + EPSILON);
    const c = dot(a, b, cols) * p * q;
    const slope: f64 = load<f32>(target) > 0 ? -1 : c <= margin ? 0 : 1;
    if (slope == 0) continue;
    const near = abs(c) > 0.5;
    if (c < 0) q = -q;
    const g = slope * <f64>load<f32>(dy) * scale * p * (c < 0 ? -1 : 1);
    const rest = near ? beyond(a, p, b, q, cols) : -abs(c);
    for (let i: usize = 0; i < stride; i += 4) {
      const u = p * <f64>load<f32>(a + i);
      const v = q * <f64>load<f32>(b + i);
      store<f32>(da + i, load<f32>(da + i) + <f32>(g * ((near ? v - u : v) + rest * u)));
    }
  }
}
