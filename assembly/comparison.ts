// Bounds, and the larger or smaller of two.
import { backward, binary, binaryBackwardA, binaryBackwardB, forward } from "./simd/elementwise";

/** min(max(x, low), high);  dx = low ≤ x ≤ high ? dy : 0 */
@unmanaged
class Clip {
  @inline get parameters(): bool {
    return true;
  }
  @inline forward(x: v128, low: v128, high: v128): v128 {
    return f32x4.min(f32x4.max(x, low), high);
  }
  @inline backward(x: v128, dy: v128, low: v128, high: v128): v128 {
    return v128.and(dy, v128.and(f32x4.ge(x, low), f32x4.le(x, high)));
  }
}
export function clipForward(x: usize, y: usize, n: i32, low: f32, high: f32): void {
  forward<Clip>(x, y, n, low, high);
}
export function clipBackward(x: usize, dy: usize, dx: usize, n: i32, low: f32, high: f32): void {
  backward<Clip>(x, dy, dx, n, low, high);
}

/** dy where `lost` is not set, half of it where a = b. */
@inline
function share(a: v128, b: v128, dy: v128, lost: v128): v128 {
  const half = f32x4.mul(dy, f32x4.splat(0.5));
  return v128.andnot(v128.bitselect(half, dy, f32x4.eq(a, b)), lost);
}

/** max(a, b), NaN if one is NaN;  the larger one gets dy, equal ones half each */
@unmanaged
class Maximum {
  @inline forward(a: v128, b: v128): v128 {
    return f32x4.max(a, b);
  }
  @inline backwardA(a: v128, b: v128, dy: v128): v128 {
    return share(a, b, dy, f32x4.lt(a, b));
  }
  @inline backwardB(a: v128, b: v128, dy: v128): v128 {
    return share(a, b, dy, f32x4.gt(a, b));
  }
}
export function maximumForward(
  a: usize, b: usize, y: usize, rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binary<Maximum>(a, b, y, rows, cols, aRow, aCol, bRow, bCol);
}
export function maximumBackwardA(
  a: usize, b: usize, dy: usize, da: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackwardA<Maximum>(a, b, dy, da, rows, cols, aRow, aCol, bRow, bCol);
}
export function maximumBackwardB(
  a: usize, b: usize, dy: usize, db: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackwardB<Maximum>(a, b, dy, db, rows, cols, aRow, aCol, bRow, bCol);
}

/** min(a, b), NaN if one is NaN;  the smaller one gets dy, equal ones half each */
@unmanaged
class Minimum {
  @inline forward(a: v128, b: v128): v128 {
    return f32x4.min(a, b);
  }
  @inline backwardA(a: v128, b: v128, dy: v128): v128 {
    return share(a, b, dy, f32x4.gt(a, b));
  }
  @inline backwardB(a: v128, b: v128, dy: v128): v128 {
    return share(a, b, dy, f32x4.lt(a, b));
  }
}
export function minimumForward(
  a: usize, b: usize, y: usize, rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binary<Minimum>(a, b, y, rows, cols, aRow, aCol, bRow, bCol);
}
export function minimumBackwardA(
  a: usize, b: usize, dy: usize, da: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackwardA<Minimum>(a, b, dy, da, rows, cols, aRow, aCol, bRow, bCol);
}
export function minimumBackwardB(
  a: usize, b: usize, dy: usize, db: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackwardB<Minimum>(a, b, dy, db, rows, cols, aRow, aCol, bRow, bCol);
}
