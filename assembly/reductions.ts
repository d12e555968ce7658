// Reductions over the middle of [outer, size, inner]. Sums run in float32 within blocks and in float64 across
// them, in an order that depends on nothing but the shape.
import { Lanes } from "./simd/lanes";
import {
  columnSquares, columnTotals, highHalf, lowHalf, narrow, rowSquares, rowTotal,
} from "./simd/moments";
import { greatest, least, rowSum, stridedSum } from "./simd/reduce";

// Rows that are added in float32 before float64 takes over.
const ROW_BLOCK = 32;

/** y = scale · Σ x over `size`; added to y if `accumulate`. */
export function sumForward(
  x: usize, y: usize, outer: i32, size: i32, inner: i32, scale: f64, accumulate: i32,
): void {
  const stride = <usize>size * inner << 2;
  for (let o = 0; o < outer; o++) {
    if (inner == 1) {
      const total = <f32>(scale * rowSum(x, size));
      store<f32>(y, accumulate ? load<f32>(y) + total : total);
    } else {
      columnSums(x, y, size, inner, scale, accumulate);
    }
    x += stride;
    y += <usize>inner << 2;
  }
}

/** dx += scale · dy, repeated over `size`. */
export function sumBackward(dy: usize, dx: usize, outer: i32, size: i32, inner: i32, scale: f64): void {
  for (let o = 0; o < outer; o++) {
    for (let s = 0; s < size; s++) {
      if (inner == 1) {
        store<f32>(dx, load<f32>(dx) + <f32>(scale * <f64>load<f32>(dy)));
      } else {
        addScaled(dy, dx, inner, <f32>scale);
      }
      dx += <usize>inner << 2;
    }
    dy += <usize>inner << 2;
  }
}

/** dx += scale · dy over n elements that need not be aligned. */
function addScaled(dy: usize, dx: usize, n: i32, scale: f32): void {
  const body = <usize>(n & ~3) << 2;
  const vscale = f32x4.splat(scale);
  for (let i: usize = 0; i < body; i += 16) {
    v128.store(dx + i, f32x4.add(v128.load(dx + i), f32x4.mul(vscale, v128.load(dy + i))));
  }
  if (n & 3) {
    const v = f32x4.add(v128.load(dx + body), f32x4.mul(vscale, v128.load(dy + body)));
    Lanes.store(dx + body, v, n & 3);
  }
}

/** y[c] = scale · Σ over rows of x[r, c]: four columns at a time, down the rows. */
function columnSums(x: usize, y: usize, rows: i32, cols: i32, scale: f64, accumulate: i32): void {
  const stride = <usize>cols << 2;
  const vscale = f64x2.splat(scale);
  for (let c = 0; c < cols; c += 4, x += 16, y += 16) {
    const inside = Lanes.mask(min(cols - c, 4));
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    let p = x;
    for (let r = 0; r < rows; ) {
      let block = f32x4.splat(0);
      const end = min(r + ROW_BLOCK, rows);
      for (; r < end; r++, p += stride) block = f32x4.add(block, v128.load(p));
      block = v128.and(block, inside);
      low = f64x2.add(low, lowHalf(block));
      high = f64x2.add(high, highHalf(block));
    }
    if (!finite(low) || !finite(high)) {
      low = f64x2(stridedSum(x, rows, stride), stridedSum(x + 4, rows, stride));
      high = f64x2(stridedSum(x + 8, rows, stride), stridedSum(x + 12, rows, stride));
    }
    let v = narrow(f64x2.mul(vscale, low), f64x2.mul(vscale, high));
    if (accumulate) v = f32x4.add(v, v128.load(y));
    if (cols - c >= 4) v128.store(y, v);
    else Lanes.store(y, v, cols - c);
  }
}

@inline
function finite(x: v128): bool {
  return !v128.any_true(f64x2.ne(f64x2.sub(x, x), f64x2.splat(0)));
}

/** Which of two is the more extreme: `beats` and `over` mean more, `extreme` finds it in a row. */
@unmanaged
class Largest {
  @inline beats(x: f32, y: f32): bool {
    return x > y;
  }
  @inline over(x: v128, y: v128): v128 {
    return f32x4.gt(x, y);
  }
  @inline extreme(x: usize, n: i32): f32 {
    return greatest(x, n);
  }
}

@unmanaged
class Smallest {
  @inline beats(x: f32, y: f32): bool {
    return x < y;
  }
  @inline over(x: v128, y: v128): v128 {
    return f32x4.lt(x, y);
  }
  @inline extreme(x: usize, n: i32): f32 {
    return least(x, n);
  }
}

/** y = max x over `size`, index (i32) = where it stands first. A NaN is larger than everything, as in PyTorch. */
export function maxForward(x: usize, y: usize, index: usize, outer: i32, size: i32, inner: i32): void {
  extremes<Largest>(x, y, index, outer, size, inner);
}

/** y = min x over `size`, index (i32) = where it stands first. A NaN is smaller than everything, as in PyTorch. */
export function minForward(x: usize, y: usize, index: usize, outer: i32, size: i32, inner: i32): void {
  extremes<Smallest>(x, y, index, outer, size, inner);
}

function extremes<Most>(x: usize, y: usize, index: usize, outer: i32, size: i32, inner: i32): void {
  for (let o = 0; o < outer; o++) {
    if (inner == 1) rowExtreme<Most>(x, y, index, size);
    else columnExtremes<Most>(x, y, index, size, inner);
    x += <usize>size * inner << 2;
    y += <usize>inner << 2;
    index += <usize>inner << 2;
  }
}

/** dx[index] += dy, the gradient of min as well */
export function maxBackward(index: usize, dy: usize, dx: usize, outer: i32, size: i32, inner: i32): void {
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < inner; c++) {
      const p = dx + (<usize>(load<i32>(index) * inner + c) << 2);
      store<f32>(p, load<f32>(p) + load<f32>(dy));
      index += 4;
      dy += 4;
    }
    dx += <usize>size * inner << 2;
  }
}

// Below this size the detour through vectors costs more than it saves.
const SHORT = 16;

function rowExtreme<Most>(x: usize, y: usize, index: usize, n: i32): void {
  let best = load<f32>(x);
  let at = 0;
  if (n < SHORT) {
    for (let i = 1; i < n; i++) {
      const v = load<f32>(x + (<usize>i << 2));
      const more = i32(changetype<Most>(0).beats(v, best)) | (i32(v != v) & i32(best == best));
      best = select(v, best, more);
      at = select(i, at, more);
    }
  } else {
    best = changetype<Most>(0).extreme(x, n);
    const sought = f32x4.splat(best);
    for (;; at += 4) {
      const v = v128.load(x + (<usize>at << 2));
      const found = i32x4.bitmask(v128.or(f32x4.eq(v, sought), f32x4.ne(v, v)));
      if (found == 0) continue;
      at += ctz(found);
      break;
    }
  }
  store<f32>(y, best);
  store<i32>(index, at);
}

function columnExtremes<Most>(x: usize, y: usize, index: usize, rows: i32, cols: i32): void {
  const stride = <usize>cols << 2;
  for (let c = 0; c < cols; c += 4, x += 16, y += 16, index += 16) {
    let best = v128.load(x);
    let where = i32x4.splat(0);
    let p = x + stride;
    for (let r = 1; r < rows; r++, p += stride) {
      const v = v128.load(p);
      const more = v128.and(
        v128.or(changetype<Most>(0).over(v, best), f32x4.ne(v, v)),
        f32x4.eq(best, best),
      );
      best = v128.bitselect(v, best, more);
      where = v128.bitselect(i32x4.splat(r), where, more);
    }
    if (cols - c >= 4) {
      v128.store(y, best);
      v128.store(index, where);
    } else {
      Lanes.store(y, best, cols - c);
      Lanes.store(index, where, cols - c);
    }
  }
}

/**
 * y = Σ (x − mean)² / divisor over `size`, from the mean in a second pass, all in float64.
 * @param mean saved for backward, float64 [outer, inner]
 * @param squares scratch of `inner` float64
 */
export function varianceForward(
  x: usize, mean: usize, squares: usize, y: usize, outer: i32, size: i32, inner: i32, divisor: f64,
): void {
  const stride = <usize>inner << 2;
  const width = <usize>inner << 3;
  for (let o = 0; o < outer; o++, mean += width, y += stride) {
    if (inner == 1) {
      const m = rowTotal(x, size) / <f64>size;
      store<f64>(mean, m);
      store<f32>(y, <f32>(rowSquares(x, m, size) / divisor));
      x += <usize>size << 2;
      continue;
    }
    memory.fill(mean, 0, width);
    memory.fill(squares, 0, width);
    for (let s: usize = 0; s < <usize>size; s++) columnTotals(x + s * stride, mean, inner);
    for (let c: usize = 0; c < width; c += 8) store<f64>(mean + c, load<f64>(mean + c) / <f64>size);
    for (let s = 0; s < size; s++, x += stride) columnSquares(x, mean, squares, inner);
    for (let c = 0; c < inner; c++) {
      store<f32>(y + (<usize>c << 2), <f32>(load<f64>(squares + (<usize>c << 3)) / divisor));
    }
  }
}

/** dx += dy · 2 (x − mean) / divisor */
export function varianceBackward(
  x: usize, mean: usize, dy: usize, dx: usize, outer: i32, size: i32, inner: i32, divisor: f64,
): void {
  for (let o = 0; o < outer; o++, mean += <usize>inner << 3, dy += <usize>inner << 2) {
    for (let s = 0; s < size; s++) {
      for (let c = 0; c < inner; c++, x += 4, dx += 4) {
        const d = <f64>load<f32>(x) - load<f64>(mean + (<usize>c << 3));
        const g = <f64>load<f32>(dy + (<usize>c << 2)) * 2 * d / divisor;
        store<f32>(dx, <f32>(<f64>load<f32>(dx) + g));
      }
    }
  }
}
