// Batch and layer normalization. Statistics are float64 and so is what is done with them, up to the rounding of the
// result: neither a mean far from 0 nor a gradient that nearly cancels, as in a batch of two, costs digits.
//
// What forward saves is the mean and 1/√(variance + eps) of each group, all float64. `weight` and `bias` are 0 where
// there are none; backward leaves out the gradients whose pointer is 0.
import { addNarrow, addWide, columnSquares, columnTotals, lanesSum, rowSquares, rowTotal, storeNarrow, widen } from "./simd/moments";

/** Statistics with a value for each column. */
@unmanaged
class PerColumn {
  @inline at(p: usize, i: i32): v128 {
    return v128.load(p + (<usize>i << 3));
  }
}

/** Statistics with one value for the whole row. */
@unmanaged
class PerRow {
  @inline at(p: usize, _i: i32): v128 {
    return v128.load64_splat(p);
  }
}

/** Weights with a value for each column. */
@unmanaged
class WeightPerColumn {
  @inline at(p: usize, i: i32): v128 {
    return widen(p + (<usize>i << 2));
  }
}

/** Weights with one value for the whole row. */
@unmanaged
class WeightPerRow {
  @inline at(p: usize, _i: i32): v128 {
    return f64x2.splat(<f64>load<f32>(p));
  }
}

/** (x[i] − mean) · rstd */
@inline
function normalised<S>(x: usize, mean: usize, rstd: usize, i: i32): v128 {
  const d = f64x2.sub(widen(x + (<usize>i << 2)), changetype<S>(0).at(mean, i));
  return f64x2.mul(d, changetype<S>(0).at(rstd, i));
}

/** y = (x − mean) · rstd · weight + bias over one row. */
function normalise<S, W>(
  x: usize, mean: usize, rstd: usize, weight: usize, bias: usize, y: usize, n: i32,
): void {
  for (let i = 0; i < n; i += 2) {
    let v = normalised<S>(x, mean, rstd, i);
    if (weight) v = f64x2.mul(v, changetype<W>(0).at(weight, i));
    if (bias) v = f64x2.add(v, changetype<W>(0).at(bias, i));
    storeNarrow(y + (<usize>i << 2), v, n - i);
  }
}

/** shift[c] += dy[c], spread[c] += dy[c] · x̂[c] in float64, for one row. */
function addParameterGradients<S>(
  x: usize, mean: usize, rstd: usize, dy: usize, shift: usize, spread: usize, n: i32,
): void {
  for (let i = 0; i < n; i += 2) {
    const g = widen(dy + (<usize>i << 2));
    addWide(shift + (<usize>i << 3), g, n - i);
    addWide(spread + (<usize>i << 3), f64x2.mul(g, normalised<S>(x, mean, rstd, i)), n - i);
  }
}

/** shift += Σ g, spread += Σ g · x̂ over one row with one mean, where g = dy · weight. */
function addRowSums(
  x: usize, mean: usize, rstd: usize, weight: usize, dy: usize, shift: usize, spread: usize, n: i32,
): void {
  let s = f64x2.splat(0);
  let p = f64x2.splat(0);
  for (let i = 0; i < n; i += 2) {
    let g = widen(dy + (<usize>i << 2));
    if (weight) g = f64x2.mul(g, widen(weight + (<usize>i << 2)));
    let gx = f64x2.mul(g, normalised<PerRow>(x, mean, rstd, i));
    if (i + 1 == n) {
      g = f64x2.replace_lane(g, 1, 0);
      gx = f64x2.replace_lane(gx, 1, 0);
    }
    s = f64x2.add(s, g);
    p = f64x2.add(p, gx);
  }
  store<f64>(shift, load<f64>(shift) + lanesSum(s));
  store<f64>(spread, load<f64>(spread) + lanesSum(p));
}

/** dx += rstd · (g − shift − x̂ · spread) over one row, where g = dy · weight; spread = 0: dx += rstd · g, whatever x is. */
function addInputGradient<S, W>(
  x: usize, mean: usize, rstd: usize, weight: usize, dy: usize, shift: usize, spread: usize, dx: usize, n: i32,
): void {
  for (let i = 0; i < n; i += 2) {
    let g = widen(dy + (<usize>i << 2));
    if (weight) g = f64x2.mul(g, changetype<W>(0).at(weight, i));
    if (spread) {
      const pull = f64x2.mul(normalised<S>(x, mean, rstd, i), changetype<S>(0).at(spread, i));
      g = f64x2.sub(f64x2.sub(g, changetype<S>(0).at(shift, i)), pull);
    }
    const p = dx + (<usize>i << 2);
    storeNarrow(p, f64x2.add(widen(p), f64x2.mul(changetype<S>(0).at(rstd, i), g)), n - i);
  }
}

/**
 * y = (x − mean) / √(var + eps) · weight + bias over x [N, C, L], statistics for each of the C channels: in training
 * those of the N · L values, with the biased variance; else the running ones. stats = mean [C], 1/√(var + eps) [C].
 *
 * In training, running = (1 − m) running + m · batch with the unbiased variance, · n / (n − 1), unless there are none.
 * A constant channel with eps 0 has 0 for 1/√0, as in PyTorch.
 * m is `momentum`, or 1 / batches where that is negative; `batches`, an i32 cell if there is one, counts first.
 */
export function batchNormForward(
  x: usize, weight: usize, bias: usize, runningMean: usize, runningVar: usize, batches: usize,
  stats: usize, y: usize, N: i32, C: i32, L: i32, training: i32, momentum: f64, eps: f64,
): void {
  if (L == 0) N = 0; // whatever N was
  const rstd = stats + (<usize>C << 3);
  if (training) {
    const n = <f64>N * <f64>L;
    batchStatistics(x, stats, rstd, N, C, L);
    if (batches) store<i32>(batches, load<i32>(batches) + 1);
    const m = momentum < 0 ? 1 / <f64>load<i32>(batches) : momentum;
    if (runningMean) moveTowards(runningMean, stats, C, m, 1);
    if (runningVar) moveTowards(runningVar, rstd, C, m, n / (n - 1));
  } else {
    for (let c = 0; c < C; c++) {
      store<f64>(stats + (<usize>c << 3), <f64>load<f32>(runningMean + (<usize>c << 2)));
      store<f64>(rstd + (<usize>c << 3), <f64>load<f32>(runningVar + (<usize>c << 2)));
    }
  }
  for (let p = rstd, end = rstd + (<usize>C << 3); p < end; p += 8) {
    const v = load<f64>(p) + eps;
    store<f64>(p, training && v == 0 ? 0 : 1 / sqrt(v));
  }
  for (let r = 0; r < N; r++) {
    if (L == 1) {
      normalise<PerColumn, WeightPerColumn>(x, stats, rstd, weight, bias, y, C);
      x += <usize>C << 2;
      y += <usize>C << 2;
      continue;
    }
    for (let c = 0; c < C; c++, x += <usize>L << 2, y += <usize>L << 2) {
      const s = <usize>c << 3;
      const w = <usize>c << 2;
      normalise<PerRow, WeightPerRow>(
        x, stats + s, rstd + s, weight ? weight + w : 0, bias ? bias + w : 0, y, L,
      );
    }
  }
}

/** mean and biased variance (float64) of each channel of x [N, C, L]. */
function batchStatistics(x: usize, mean: usize, variance: usize, N: i32, C: i32, L: i32): void {
  const n = <f64>N * <f64>L;
  memory.fill(mean, 0, <usize>C << 3);
  memory.fill(variance, 0, <usize>C << 3);
  let p = x;
  for (let r = 0; r < N; r++) {
    if (L == 1) {
      columnTotals(p, mean, C);
      p += <usize>C << 2;
      continue;
    }
    for (let c: usize = 0; c < <usize>C << 3; c += 8, p += <usize>L << 2) {
      store<f64>(mean + c, load<f64>(mean + c) + rowTotal(p, L));
    }
  }
  for (let c: usize = 0; c < <usize>C << 3; c += 8) store<f64>(mean + c, load<f64>(mean + c) / n);
  p = x;
  for (let r = 0; r < N; r++) {
    if (L == 1) {
      columnSquares(p, mean, variance, C);
      p += <usize>C << 2;
      continue;
    }
    for (let c: usize = 0; c < <usize>C << 3; c += 8, p += <usize>L << 2) {
      store<f64>(variance + c, load<f64>(variance + c) + rowSquares(p, load<f64>(mean + c), L));
    }
  }
  for (let c: usize = 0; c < <usize>C << 3; c += 8) store<f64>(variance + c, load<f64>(variance + c) / n);
}

/** running = (1 − m) running + m · scale · batch */
function moveTowards(running: usize, batch: usize, C: i32, m: f64, scale: f64): void {
  for (; C > 0; C--, running += 4, batch += 8) {
    store<f32>(running, <f32>((1 - m) * <f64>load<f32>(running) + m * scale * load<f64>(batch)));
  }
}

/**
 * dbias = Σ dy, dweight = Σ dy · x̂ over a channel, x̂ = (x − mean) · rstd;
 * dx = weight · rstd · (dy − dbias / n − x̂ · dweight / n) in training, weight · rstd · dy else.
 * @param sums scratch of 2 C float64
 */
export function batchNormBackward(
  x: usize, weight: usize, stats: usize, dy: usize, dx: usize, dweight: usize, dbias: usize, sums: usize,
  N: i32, C: i32, L: i32, training: i32,
): void {
  if (L == 0) N = 0; // whatever N was
  const rstd = stats + (<usize>C << 3);
  const spread = sums + (<usize>C << 3);
  memory.fill(sums, 0, <usize>C << 4);
  channelSums(x, stats, rstd, dy, sums, spread, N, C, L);
  if (dbias) addNarrow(sums, dbias, C);
  if (dweight) addNarrow(spread, dweight, C);
  if (!dx) return;
  const share = 1 / (<f64>N * <f64>L);
  for (let c = 0; c < C; c++) {
    const factor = share * (weight ? <f64>load<f32>(weight + (<usize>c << 2)) : 1);
    const a = sums + (<usize>c << 3);
    const b = spread + (<usize>c << 3);
    store<f64>(a, load<f64>(a) * factor);
    store<f64>(b, load<f64>(b) * factor);
  }
  for (let r = 0; r < N; r++) {
    if (L == 1) {
      addInputGradient<PerColumn, WeightPerColumn>(x, stats, rstd, weight, dy, sums, training ? spread : 0, dx, C);
      x += <usize>C << 2;
      dy += <usize>C << 2;
      dx += <usize>C << 2;
      continue;
    }
    for (let c = 0; c < C; c++, x += <usize>L << 2, dy += <usize>L << 2, dx += <usize>L << 2) {
      const s = <usize>c << 3;
      const w = <usize>c << 2;
      addInputGradient<PerRow, WeightPerRow>(
        x, stats + s, rstd + s, weight ? weight + w : 0, dy, sums + s, training ? spread + s : 0, dx, L,
      );
    }
  }
}

/** shift = Σ dy, spread = Σ dy · x̂ of each channel. */
function channelSums(
  x: usize, mean: usize, rstd: usize, dy: usize, shift: usize, spread: usize, N: i32, C: i32, L: i32,
): void {
  for (let r = 0; r < N; r++) {
    if (L == 1) {
      addParameterGradients<PerColumn>(x, mean, rstd, dy, shift, spread, C);
      x += <usize>C << 2;
      dy += <usize>C << 2;
      continue;
    }
    for (let c: usize = 0; c < <usize>C << 3; c += 8, x += <usize>L << 2, dy += <usize>L << 2) {
      addRowSums(x, mean + c, rstd + c, 0, dy, shift + c, spread + c, L);
    }
  }
}

/**
 * y = (x − mean) / √(var + eps) · weight + bias with the mean and biased variance of each row.
 * stats = mean, 1/√(var + eps) of each row in turn.
 */
export function layerNormForward(
  x: usize, weight: usize, bias: usize, stats: usize, y: usize, rows: i32, cols: i32, eps: f64,
): void {
  for (let r = 0; r < rows; r++, stats += 16, x += <usize>cols << 2, y += <usize>cols << 2) {
    const mean = rowTotal(x, cols) / <f64>cols;
    store<f64>(stats, mean);
    store<f64>(stats, 1 / sqrt(rowSquares(x, mean, cols) / <f64>cols + eps), 8);
    normalise<PerRow, WeightPerColumn>(x, stats, stats + 8, weight, bias, y, cols);
  }
}

/**
 * dbias = Σ dy, dweight = Σ dy · x̂ over the rows;  dx = rstd · (g − Σ g / cols − x̂ · Σ (g x̂) / cols), g = dy · weight.
 * @param sums scratch of 2 cols + 2 float64
 */
export function layerNormBackward(
  x: usize, weight: usize, stats: usize, dy: usize, dx: usize, dweight: usize, dbias: usize, sums: usize,
  rows: i32, cols: i32,
): void {
  const width = <usize>cols << 3;
  const row = sums + 2 * width;
  memory.fill(sums, 0, 2 * width);
  for (let r = 0; r < rows; r++, stats += 16, x += <usize>cols << 2, dy += <usize>cols << 2) {
    if (dweight | dbias) addParameterGradients<PerRow>(x, stats, stats + 8, dy, sums, sums + width, cols);
    if (!dx) continue;
    memory.fill(row, 0, 16);
    addRowSums(x, stats, stats + 8, weight, dy, row, row + 8, cols);
    store<f64>(row, load<f64>(row) / <f64>cols);
    store<f64>(row, load<f64>(row, 8) / <f64>cols, 8);
    addInputGradient<PerRow, WeightPerColumn>(x, stats, stats + 8, weight, dy, row, row + 8, dx, cols);
    dx += <usize>cols << 2;
  }
  if (dbias) addNarrow(sums, dbias, cols);
  if (dweight) addNarrow(sums + width, dweight, cols);
}
