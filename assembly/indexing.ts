// Elements and rows chosen by i32 indices. Forward moves any 4-byte dtype; backward adds float32. Where
// an index occurs often, its gradients are summed in float64.
import { addNarrow, columnTotals } from "./simd/moments";

/** The first of n indices outside [0, size), else −1. */
export function firstBeyond(index: usize, n: i32, size: i32): i32 {
  for (let i = 0; i < n; i++, index += 4) {
    if (load<u32>(index) >= <u32>size) return i;
  }
  return -1;
}

/** x [outer, size, inner], index and y [outer, count, inner]: y[o, j, k] = x[o, index[o, j, k], k] */
export function gatherForward(
  x: usize, index: usize, y: usize, outer: i32, size: i32, inner: i32, count: i32,
): void {
  if (inner == 0) return; // the other sizes may be anything
  for (let o = 0; o < outer; o++, x += <usize>size * inner << 2) {
    for (let j = 0; j < count; j++) {
      for (let k = 0; k < inner; k++, index += 4, y += 4) {
        store<u32>(y, load<u32>(x + ((<usize>load<i32>(index) * inner + k) << 2)));
      }
    }
  }
}

/**
 * dx[o, index[o, j, k], k] += dy[o, j, k]
 * @param totals scratch of size · inner float64, or 0 where no sum is long
 */
export function gatherBackward(
  index: usize, dy: usize, dx: usize, totals: usize, outer: i32, size: i32, inner: i32, count: i32,
): void {
  if (inner == 0) return; // the other sizes may be anything
  for (let o = 0; o < outer; o++, dx += <usize>size * inner << 2) {
    if (totals) memory.fill(totals, 0, <usize>size * inner << 3);
    for (let j = 0; j < count; j++) {
      for (let k = 0; k < inner; k++, index += 4, dy += 4) {
        const at = <usize>(load<i32>(index) * inner + k);
        if (totals) {
          const p = totals + (at << 3);
          store<f64>(p, load<f64>(p) + <f64>load<f32>(dy));
        } else {
          const p = dx + (at << 2);
          store<f32>(p, load<f32>(p) + load<f32>(dy));
        }
      }
    }
    if (totals) addNarrow(totals, dx, size * inner);
  }
}

/** y[i, :] = weight[index[i], :], n rows. */
export function embeddingForward(index: usize, weight: usize, y: usize, n: i32, dim: i32): void {
  const bytes = <usize>dim << 2;
  for (; n > 0; n--, index += 4, y += bytes) memory.copy(y, weight + <usize>load<i32>(index) * bytes, bytes);
}

/**
 * dweight[index[i], :] += dy[i, :] where index[i] is not `padding`, the index of a row without a gradient or −1.
 * @param places scratch of an i32 for each of the `num` rows: the place of its sum, counted from 1
 * @param totals scratch of min(n, num) · dim float64
 */
export function embeddingBackward(
  index: usize, dy: usize, dweight: usize, places: usize, totals: usize, n: i32, num: i32, dim: i32, padding: i32,
): void {
  const bytes = <usize>dim << 2;
  memory.fill(places, 0, <usize>num << 2);
  let count = 0;
  for (let i = 0; i < n; i++, dy += bytes) {
    const row = load<i32>(index + (<usize>i << 2));
    if (row == padding) continue;
    const place = places + (<usize>row << 2);
    if (!load<i32>(place)) {
      memory.fill(totals + 2 * <usize>count * bytes, 0, 2 * bytes);
      store<i32>(place, ++count);
    }
    columnTotals(dy, totals + 2 * <usize>(load<i32>(place) - 1) * bytes, dim);
  }
  for (let i = 0, next = 1; next <= count; i++) {
    const row = load<i32>(index + (<usize>i << 2));
    if (row == padding || load<i32>(places + (<usize>row << 2)) != next) continue;
    addNarrow(totals + 2 * <usize>(next++ - 1) * bytes, dweight + <usize>row * bytes, dim);
  }
}
