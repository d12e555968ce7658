// Elements and rows chosen by i32 indices. Forward moves any 4-byte dtype; backward adds float32, where an index
// occurs twice in the order of the indices.
import { addTo } from "./simd/elementwise";

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

/** dx[o, index[o, j, k], k] += dy[o, j, k] */
export function gatherBackward(
  index: usize, dy: usize, dx: usize, outer: i32, size: i32, inner: i32, count: i32,
): void {
  if (inner == 0) return; // the other sizes may be anything
  for (let o = 0; o < outer; o++, dx += <usize>size * inner << 2) {
    for (let j = 0; j < count; j++) {
      for (let k = 0; k < inner; k++, index += 4, dy += 4) {
        const p = dx + ((<usize>load<i32>(index) * inner + k) << 2);
        store<f32>(p, load<f32>(p) + load<f32>(dy));
      }
    }
  }
}

/** y[i, :] = weight[index[i], :], n rows. */
export function embeddingForward(index: usize, weight: usize, y: usize, n: i32, dim: i32): void {
  const bytes = <usize>dim << 2;
  for (; n > 0; n--, index += 4, y += bytes) memory.copy(y, weight + <usize>load<i32>(index) * bytes, bytes);
}

/** dweight[index[i], :] += dy[i, :] where index[i] is not `padding`, the index of a row without a gradient or −1. */
export function embeddingBackward(
  index: usize, dy: usize, dweight: usize, n: i32, dim: i32, padding: i32,
): void {
  const bytes = <usize>dim << 2;
  for (; n > 0; n--, index += 4, dy += bytes) {
    const row = load<i32>(index);
    if (row != padding) addTo(dweight + <usize>row * bytes, dy, dim);
  }
}
