// Reductions over the middle of [outer, size, inner]. Sums run in float32 within short blocks and in float64 across
// them, in an order that depends on nothing but the shape. `stride` is `inner`, from row to row of x and of what x comes
// to; where a call takes a part of the columns, x, y and scratch moved on, `inner` says how many.
import { BLOCK } from "./blocks";
import { Lanes } from "./simd/lanes";
import { columnSquares, columnTotals, highHalf, lowHalf, rowSquares, rowTotal } from "./simd/moments";
import { greatest, least, rowSum, stridedSum } from "./simd/reduce";

// Rows that are added in float32 before float64 takes over.
const ROW_BLOCK = 32;

/**
 * y = scale · Σ x over `size`; added to y if `accumulate`.
 * @param totals scratch of `inner` float64 where stride > 1
 */
export function sumForward(
  x: usize, y: usize, totals: usize, outer: i32, size: i32, inner: i32, scale: f64, accumulate: i32, stride: i32,
): void {
  if (stride == 1) {
    sumRows(x, y, outer, size, scale, accumulate);
    return;
  }
  const width = <usize>stride << 2;
  for (let o = 0; inner > 0 && o < outer; o++, x += <usize>size * width, y += width) {
    columnSums(x, y, totals, size, inner, scale, accumulate, width);
  }
}

function sumRows(x: usize, y: usize, rows: i32, cols: i32, scale: f64, accumulate: i32): void {
  for (const end = y + (<usize>rows << 2); y < end; y += 4, x += <usize>cols << 2) {
    const total = <f32>(scale * (cols > BLOCK ? sumOfBlocks(x, cols) : rowSum(x, cols)));
    store<f32>(y, accumulate ? load<f32>(y) + total : total);
  }
}

/** Σ x of n contiguous elements. */
function sumOfBlocks(x: usize, n: i32): f64 {
  let total: f64 = 0;
  for (; n > 0; n -= BLOCK, x += BLOCK << 2) total += rowSum(x, min(n, BLOCK));
  return total;
}

/** sums[i] = Σ x of block i of n elements, float64: with `addBlocks` the sumForward of them all. */
export function blockSums(x: usize, sums: usize, n: i32): void {
  for (; n > 0; n -= BLOCK, x += BLOCK << 2, sums += 8) store<f64>(sums, rowSum(x, min(n, BLOCK)));
}

/** y = scale · Σ sums, float64 sums of blocks, in order; added to y if `accumulate`. */
export function addBlocks(sums: usize, y: usize, count: i32, scale: f64, accumulate: i32): void {
  let total: f64 = 0;
  for (; count > 0; count--, sums += 8) total += load<f64>(sums);
  const sum = <f32>(scale * total);
  store<f32>(y, accumulate ? load<f32>(y) + sum : sum);
}

/** dx += scale · dy, repeated over `size`. */
export function sumBackward(dy: usize, dx: usize, outer: i32, size: i32, inner: i32, scale: f64): void {
  for (let o = 0; inner > 0 && o < outer; o++) {
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

/** y[c] = scale · Σ over rows of x[r, c]: blocks of rows go by as streams, sixteen columns of a block at a time. */
function columnSums(
  x: usize, y: usize, totals: usize, rows: i32, cols: i32, scale: f64, accumulate: i32, stride: usize,
): void {
  memory.fill(totals, 0, <usize>cols << 3);
  for (let r = 0; r < rows; r += ROW_BLOCK) {
    const block = min(ROW_BLOCK, rows - r);
    const rowsAt = x + <usize>r * stride;
    let c = 0;
    for (; c + 16 <= cols; c += 16) addSixteen(rowsAt + (<usize>c << 2), totals + (<usize>c << 3), block, stride);
    for (; c < cols; c += 4) addFour(rowsAt + (<usize>c << 2), totals + (<usize>c << 3), block, stride, cols - c);
  }
  for (let c = 0; c < cols; c++, x += 4, y += 4, totals += 8) {
    let total = load<f64>(totals);
    if (!isFinite(total)) total = stridedSum(x, rows, stride);
    const sum = <f32>(scale * total);
    store<f32>(y, accumulate ? load<f32>(y) + sum : sum);
  }
}

/** totals[0 … 15] += the sums of sixteen columns over a block of rows */
function addSixteen(p: usize, totals: usize, rows: i32, stride: usize): void {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  for (let r = 0; r < rows; r++, p += stride) {
    s0 = f32x4.add(s0, v128.load(p));
    s1 = f32x4.add(s1, v128.load(p, 16));
    s2 = f32x4.add(s2, v128.load(p, 32));
    s3 = f32x4.add(s3, v128.load(p, 48));
  }
  addWide(totals, s0);
  addWide(totals + 32, s1);
  addWide(totals + 64, s2);
  addWide(totals + 96, s3);
}

/** totals[0 … 3] += the sums of up to four columns */
function addFour(p: usize, totals: usize, rows: i32, stride: usize, cols: i32): void {
  let sum = f32x4.splat(0);
  for (let r = 0; r < rows; r++, p += stride) sum = f32x4.add(sum, v128.load(p));
  if (cols >= 4) {
    addWide(totals, sum);
    return;
  }
  for (; cols > 0; cols--, totals += 8) {
    store<f64>(totals, load<f64>(totals) + <f64>f32x4.extract_lane(sum, 0));
    sum = i8x16.shuffle(sum, sum, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3);
  }
}

/** Four float64 += four float32. */
@inline
function addWide(totals: usize, x: v128): void {
  v128.store(totals, f64x2.add(v128.load(totals), lowHalf(x)));
  v128.store(totals, f64x2.add(v128.load(totals, 16), highHalf(x)), 16);
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
export function maxForward(x: usize, y: usize, index: usize, outer: i32, size: i32, inner: i32, stride: i32): void {
  extremes<Largest>(x, y, index, outer, size, inner, stride);
}

/** y = min x over `size`, index (i32) = where it stands first. A NaN is smaller than everything, as in PyTorch. */
export function minForward(x: usize, y: usize, index: usize, outer: i32, size: i32, inner: i32, stride: i32): void {
  extremes<Smallest>(x, y, index, outer, size, inner, stride);
}

function extremes<Most>(x: usize, y: usize, index: usize, outer: i32, size: i32, inner: i32, stride: i32): void {
  for (let o = 0; inner > 0 && o < outer; o++) {
    if (stride == 1) rowExtreme<Most>(x, y, index, size);
    else columnExtremes<Most>(x, y, index, size, inner, <usize>stride << 2);
    x += <usize>size * stride << 2;
    y += <usize>stride << 2;
    index += <usize>stride << 2;
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

/** Row after row streams past the best values and their places. */
function columnExtremes<Most>(x: usize, y: usize, index: usize, rows: i32, cols: i32, stride: usize): void {
  const body = <usize>(cols & ~3) << 2;
  const tail = cols & 3;
  memory.copy(y, x, <usize>cols << 2);
  memory.fill(index, 0, <usize>cols << 2);
  for (let r = 1; r < rows; r++) {
    x += stride;
    for (let i: usize = 0; i < body; i += 16) {
      const v = v128.load(x + i), best = v128.load(y + i);
      const more = exceeds<Most>(v, best);
      v128.store(y + i, v128.bitselect(v, best, more));
      v128.store(index + i, v128.bitselect(i32x4.splat(r), v128.load(index + i), more));
    }
    if (tail) {
      const v = v128.load(x + body), best = v128.load(y + body);
      const more = exceeds<Most>(v, best);
      Lanes.store(y + body, v128.bitselect(v, best, more), tail);
      Lanes.store(index + body, v128.bitselect(i32x4.splat(r), v128.load(index + body), more), tail);
    }
  }
}

/** Where v is more than the best so far: a NaN is more than everything but a NaN. */
@inline
function exceeds<Most>(v: v128, best: v128): v128 {
  return v128.and(v128.or(changetype<Most>(0).over(v, best), f32x4.ne(v, v)), f32x4.eq(best, best));
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
  for (let o = 0; inner > 0 && o < outer; o++, mean += width, y += stride) {
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
  for (let o = 0; inner > 0 && o < outer; o++, mean += <usize>inner << 3, dy += <usize>inner << 2) {
    for (let s = 0; s < size; s++) {
      for (let c = 0; c < inner; c++, x += 4, dx += 4) {
        const d = <f64>load<f32>(x) - load<f64>(mean + (<usize>c << 3));
        const g = <f64>load<f32>(dy + (<usize>c << 2)) * 2 * d / divisor;
        store<f32>(dx, <f32>(<f64>load<f32>(dx) + g));
      }
    }
  }
}
