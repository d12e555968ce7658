// Losses with one value per row: of a class against the others, and of the angle between two rows.

/** The first of n class indices outside 0 … classes − 1, else −1. */
export function firstNoClass(target: usize, n: i32, classes: i32): i32 {
  for (let i = 0; i < n; i++, target += 4) {
    if (load<u32>(target) >= <u32>classes) return i;
  }
  return -1;
}

/**
 * With z_i = max(0, margin − x[t] + x_i) for the classes i other than the target t and w its classWeight (1 without):
 * y[r] = w / C Σ z_i, or Σ z_i² if `squared`; and the gradient dx[r, :], saved for backward: w / C times 1 or 2 z_i
 * where z_i > 0, and at t minus the sum of the others.
 */
export function multiMarginLossForward(
  x: usize, target: usize, classWeight: usize, dx: usize, y: usize,
  rows: i32, cols: i32, margin: f32, squared: i32,
): void {
  const stride = <usize>cols << 2;
  for (let r = 0; r < rows; r++, x += stride, dx += stride, target += 4, y += 4) {
    const t = <usize>load<i32>(target) << 2;
    const scale = (classWeight ? load<f32>(classWeight + t) : 1) / <f32>cols;
    const own = load<f32>(x + t);
    let sum: f64 = 0;
    let slopes: f64 = 0;
    for (let i: usize = 0; i < stride; i += 4) {
      // The difference first: it is exact where the margin decides.
      const z = max<f32>(load<f32>(x + i) - own + margin, 0);
      const inside: f32 = i == t ? 0 : z;
      const slope: f32 = squared ? inside + inside : inside > 0 ? 1 : 0;
      sum += squared ? <f64>inside * <f64>inside : <f64>inside;
      slopes += <f64>slope;
      store<f32>(dx + i, scale * slope);
    }
    store<f32>(dx + t, <f32>(<f64>-scale * slopes));
    store<f32>(y, <f32>(<f64>scale * sum));
  }
}

/**
 * y[r] = max(0, 1 + max_i (1 − t_i) x_i − Σ t_i x_i), and the gradient dx[r, :], saved for backward: where y > 0, −t_i
 * and, at the first i that attains the maximum, 1 − t_i more.
 */
export function categoricalHingeLossForward(x: usize, target: usize, dx: usize, y: usize, rows: i32, cols: i32): void {
  const stride = <usize>cols << 2;
  for (let r = 0; r < rows; r++, x += stride, target += stride, dx += stride, y += 4) {
    let own: f64 = 0;
    let most: f32 = -Infinity;
    let at: usize = 0;
    for (let i: usize = 0; i < stride; i += 4) {
      const t = load<f32>(target + i);
      const v = load<f32>(x + i);
      const other = (<f32>1 - t) * v;
      own += <f64>t * <f64>v;
      if (other > most || (other != other && most == most)) {
        most = other;
        at = i;
      }
    }
    const value = max<f64>(1 + (<f64>most - own), 0);
    store<f32>(y, <f32>value);
    for (let i: usize = 0; i < stride; i += 4) store<f32>(dx + i, value > 0 ? -load<f32>(target + i) : 0);
    if (value > 0) store<f32>(dx + at, load<f32>(dx + at) + (<f32>1 - load<f32>(target + at)));
  }
}

/** What torch adds to each squared length (cosine_embedding_loss in ATen/native/Loss.cpp). */
const EPSILON: f64 = 1e-12;

/** x · y in float64, where products of float32 are exact: 1 − cos keeps its precision next to 0. */
function dot(x: usize, y: usize, n: i32): f64 {
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  for (; n >= 4; n -= 4, x += 16, y += 16) {
    s0 = f64x2.add(s0, f64x2.mul(wide(x), wide(y)));
    s1 = f64x2.add(s1, f64x2.mul(wide(x + 8), wide(y + 8)));
  }
  s0 = f64x2.add(s0, s1);
  let sum = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  for (; n > 0; n--, x += 4, y += 4) sum += <f64>load<f32>(x) * <f64>load<f32>(y);
  return sum;
}

/** Two float32 as float64. */
@inline
function wide(x: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(x));
}

/** With c = a·b / √((a·a + ε)(b·b + ε)) of two rows: y[r] = t = 1 ? 1 − c : max(0, c − margin). */
export function cosineEmbeddingLossForward(
  a: usize, b: usize, target: usize, y: usize, rows: i32, cols: i32, margin: f32,
): void {
  const stride = <usize>cols << 2;
  for (let r = 0; r < rows; r++, a += stride, b += stride, target += 4, y += 4) {
    const lengths = sqrt(dot(a, a, cols) + EPSILON) * sqrt(dot(b, b, cols) + EPSILON);
    const c = dot(a, b, cols) / lengths;
    store<f32>(y, <f32>(load<f32>(target) > 0 ? 1 - c : max<f64>(c - <f64>margin, 0)));
  }
}

/**
 * da[r, :] += dy[r] · scale · dy/dc · (b / √(AB) − c a / A) with A = a·a + ε, B = b·b + ε, in float64 as the two terms
 * cancel where a and b are parallel; one dy for all rows if dyStep = 0. c is symmetric: the gradient by b is this one
 * with a and b exchanged.
 */
export function cosineEmbeddingLossBackward(
  a: usize, b: usize, target: usize, dy: usize, da: usize,
  rows: i32, cols: i32, dyStep: i32, scale: f32, margin: f32,
): void {
  const stride = <usize>cols << 2;
  for (let r = 0; r < rows; r++, a += stride, b += stride, da += stride, target += 4, dy += dyStep << 2) {
    const square = dot(a, a, cols) + EPSILON;
    const lengths = sqrt(square) * sqrt(dot(b, b, cols) + EPSILON);
    const c = dot(a, b, cols) / lengths;
    const slope: f64 = load<f32>(target) > 0 ? -1 : c <= <f64>margin ? 0 : 1;
    if (slope == 0) continue;
    const g = slope * <f64>load<f32>(dy) * <f64>scale;
    const ofB = g / lengths;
    const ofA = (g * c) / square;
    for (let i: usize = 0; i < stride; i += 4) {
      const d = ofB * <f64>load<f32>(b + i) - ofA * <f64>load<f32>(a + i);
      store<f32>(da + i, load<f32>(da + i) + <f32>d);
    }
  }
}
