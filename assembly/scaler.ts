// Rows brought to like sizes by statistics that are given, in float64 up to the rounding of the result.
import { storeNarrow, widen } from "./simd/moments";

/** y = (x · unit − shift) / scale in float64, column by column of x [rows, cols]; stats = unit, shift, scale [cols] each. */
export function rescale(x: usize, stats: usize, y: usize, rows: i32, cols: i32): void {
  const width = <usize>cols << 3;
  for (; rows > 0; rows--, x += width >> 1, y += width >> 1) {
    for (let i = 0, p = stats; i < cols; i += 2, p += 16) {
      const d = f64x2.sub(f64x2.mul(widen(x + (<usize>i << 2)), v128.load(p)), v128.load(p + width));
      storeNarrow(y + (<usize>i << 2), f64x2.div(d, v128.load(p + 2 * width)), cols - i);
    }
  }
}
