// The micro-kernel: a tile of C stays in registers while k runs over a block of A and B.
// After Goto & van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), and BLIS.
import { Lanes } from "../simd/lanes";
import { Math4 } from "../simd/math";

/** 6 x 8 sums are 12 vectors; with 2 of B and 1 of A they fill the 15 registers that V8 allocates on x64. */
const MR: i32 = 6;
/**
 * Where multiply-adds are not fused, a product needs a register, too. With 6 rows a sum would then go through memory in each
 * turn, which takes longer than 24 products and sums where four of them start in a cycle: 1.3 to 1.5 times as long (Zen 4).
 */
const MR_UNFUSED: i32 = 4;
export const NR: i32 = 8;
/**
 * A strip of A and a panel of B of this depth, 15 kB, fit in the L1 cache together, and the cache lines of a transposed A that is
 * packed stay for the next strip.
 */
export const KC: i32 = 264;

/** The rows of a tile. */
export function tileRows(): i32 {
  return Math4.isFused() ? MR : MR_UNFUSED;
}

/**
 * C[rows, cols] = A[rows, kc] · B[kc, cols], or += if `add`: the sum over kc starts from 0 and is added to C at the end.
 * Strides are in bytes: A[i, k] is at a + i aRow + k aCol, B[k, j] at b + k bRow + 4 j and C[i, j] at
 * c + i cRow + 4 j, so that packed panels and matrices in place are the same to a kernel.
 */
export type Tile = (
  a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32,
  c: usize, cRow: i32, kc: i32, cols: i32, add: i32,
) => void;

class Kernel {
  /** NR columns if `wide`, else min(cols, 4). Inlining resolves the branches on `rows` and `wide`. */
  @inline static tile(
    rows: i32, wide: bool,
    a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32,
    c: usize, cRow: i32, kc: i32, cols: i32, add: i32,
  ): void {
    let a0 = a, a1 = a0 + aRow, a2 = a1 + aRow, a3 = a2 + aRow, a4 = a3 + aRow, a5 = a4 + aRow;
    let x0 = f32x4.splat(0), x1 = x0, x2 = x0, x3 = x0, x4 = x0, x5 = x0; // columns 0..3 of each row
    let y0 = x0, y1 = x0, y2 = x0, y3 = x0, y4 = x0, y5 = x0; // columns 4..7

    // A counted loop that is not unrolled is the form that V8 keeps in registers.
    for (let k = 0; k < kc; k++) {
      const x = v128.load(b), y = wide ? v128.load(b, 16) : x;
      let s = v128.load32_splat(a0);
      x0 = Math4.madd(s, x, x0);
      if (wide) y0 = Math4.madd(s, y, y0);
      a0 += aCol;
      if (rows > 1) {
        s = v128.load32_splat(a1);
        x1 = Math4.madd(s, x, x1);
        if (wide) y1 = Math4.madd(s, y, y1);
        a1 += aCol;
      }
      if (rows > 2) {
        s = v128.load32_splat(a2);
        x2 = Math4.madd(s, x, x2);
        if (wide) y2 = Math4.madd(s, y, y2);
        a2 += aCol;
      }
      if (rows > 3) {
        s = v128.load32_splat(a3);
        x3 = Math4.madd(s, x, x3);
        if (wide) y3 = Math4.madd(s, y, y3);
        a3 += aCol;
      }
      if (rows > 4) {
        s = v128.load32_splat(a4);
        x4 = Math4.madd(s, x, x4);
        if (wide) y4 = Math4.madd(s, y, y4);
        a4 += aCol;
      }
      if (rows > 5) {
        s = v128.load32_splat(a5);
        x5 = Math4.madd(s, x, x5);
        if (wide) y5 = Math4.madd(s, y, y5);
        a5 += aCol;
      }
      b += bRow;
    }

    Kernel.finish(rows, wide, c, cRow, x0, y0, x1, y1, x2, y2, x3, y3, x4, y4, x5, y5, cols, add);
  }

  /** Stores the sums of the block, or adds them to C. */
  @inline static finish(
    rows: i32, wide: bool, c: usize, cRow: i32,
    x0: v128, y0: v128, x1: v128, y1: v128, x2: v128, y2: v128, x3: v128, y3: v128, x4: v128, y4: v128, x5: v128, y5: v128,
    cols: i32, add: i32,
  ): void {
    if (add && !wide) {
      // Before any is stored: what is read of a short row may be part of the next.
      x0 = f32x4.add(x0, v128.load(c));
      if (rows > 1) x1 = f32x4.add(x1, v128.load(c + cRow));
      if (rows > 2) x2 = f32x4.add(x2, v128.load(c + 2 * cRow));
      if (rows > 3) x3 = f32x4.add(x3, v128.load(c + 3 * cRow));
      if (rows > 4) x4 = f32x4.add(x4, v128.load(c + 4 * cRow));
      if (rows > 5) x5 = f32x4.add(x5, v128.load(c + 5 * cRow));
    }
    // From the last row to the first: V8 orders the loop by what follows it, and first to last it loads all of A, then spills.
    if (rows > 5) Kernel.finishRow(wide, c + 5 * cRow, x5, y5, cols, add);
    if (rows > 4) Kernel.finishRow(wide, c + 4 * cRow, x4, y4, cols, add);
    if (rows > 3) Kernel.finishRow(wide, c + 3 * cRow, x3, y3, cols, add);
    if (rows > 2) Kernel.finishRow(wide, c + 2 * cRow, x2, y2, cols, add);
    if (rows > 1) Kernel.finishRow(wide, c + cRow, x1, y1, cols, add);
    Kernel.finishRow(wide, c, x0, y0, cols, add);
  }

  /** One row of a tile: the sums of the block, stored or added; those of four columns have been added already. */
  @inline static finishRow(wide: bool, c: usize, x: v128, y: v128, cols: i32, add: i32): void {
    if (wide) {
      if (add) {
        x = f32x4.add(x, v128.load(c));
        y = f32x4.add(y, v128.load(c, 16));
      }
      v128.store(c, y, 16);
      v128.store(c, x);
    } else {
      Edge.store(c, x, cols);
    }
  }
}

export class Edge {
  /** Stores the first min(n, 4) lanes, n ≥ 1. */
  @inline static store(c: usize, x: v128, n: i32): void {
    if (n > 3) v128.store(c, x);
    else Lanes.store(c, x, n);
  }
}

/** The columns of a kernel: NR, or min(cols, 4) at an edge, where four columns of B are read. */
@unmanaged
export class Full {
  @inline get wide(): bool {
    return true;
  }
}

@unmanaged
export class Narrow {
  @inline get wide(): bool {
    return false;
  }
}

/**
 * The kernel of 1..MR rows. Being called through this value, it stays a function of its own: inlined into the
 * blocked loops it would lose a third of its speed to spilled registers.
 */
export function kernelOf<Columns>(rows: i32): Tile {
  switch (rows) {
    case 1:
      return (a, aRow, aCol, b, bRow, c, cRow, kc, cols, add) =>
        Kernel.tile(1, changetype<Columns>(0).wide, a, aRow, aCol, b, bRow, c, cRow, kc, cols, add);
    case 2:
      return (a, aRow, aCol, b, bRow, c, cRow, kc, cols, add) =>
        Kernel.tile(2, changetype<Columns>(0).wide, a, aRow, aCol, b, bRow, c, cRow, kc, cols, add);
    case 3:
      return (a, aRow, aCol, b, bRow, c, cRow, kc, cols, add) =>
        Kernel.tile(3, changetype<Columns>(0).wide, a, aRow, aCol, b, bRow, c, cRow, kc, cols, add);
    case 4:
      return (a, aRow, aCol, b, bRow, c, cRow, kc, cols, add) =>
        Kernel.tile(4, changetype<Columns>(0).wide, a, aRow, aCol, b, bRow, c, cRow, kc, cols, add);
    case 5:
      return (a, aRow, aCol, b, bRow, c, cRow, kc, cols, add) =>
        Kernel.tile(5, changetype<Columns>(0).wide, a, aRow, aCol, b, bRow, c, cRow, kc, cols, add);
    default:
      return (a, aRow, aCol, b, bRow, c, cRow, kc, cols, add) =>
        Kernel.tile(6, changetype<Columns>(0).wide, a, aRow, aCol, b, bRow, c, cRow, kc, cols, add);
  }
}
