// What the loops around the micro-kernel have in common.
import { addTo } from "../simd/elementwise";
import { Full, kernelOf, NR, Narrow } from "./kernel";

/** The number of blocks of at most `most` in `total`. */
export function blocks(total: i32, most: i32): i32 {
  return (total + most - 1) / most;
}

/** The first block when `total` is divided evenly into as few as possible, each a multiple of `unit`. */
export function block(total: i32, most: i32, unit: i32): i32 {
  if (total <= most) return total;
  const even = blocks(total, blocks(total, most));
  return min(blocks(even, unit) * unit, total);
}

/** C[rows, cols] = 0, with `cRow` bytes from row to row of C. */
export function clear(c: usize, cRow: i32, rows: i32, cols: i32): void {
  if (cols << 2 == cRow) {
    memory.fill(c, 0, rows * cRow);
    return;
  }
  for (let i = 0; i < rows; i++) memory.fill(c + i * cRow, 0, cols << 2);
}

/** C[rows, cols] += S, with `cRow` and `sRow` bytes from row to row. */
export function addRows(c: usize, cRow: i32, s: usize, sRow: i32, rows: i32, cols: i32): void {
  for (; rows > 0; rows--, c += cRow, s += sRow) addTo(c, s, cols);
}

/** The loop jr: C[rows, nc] = A[rows, kc] · B[kc, nc], or +=. Panels of B are `bPanel` bytes apart. */
export function strip(
  rows: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bPanel: i32,
  c: usize, cRow: i32, kc: i32, nc: i32, add: i32,
): void {
  const tile = kernelOf<Full>(rows), edge = kernelOf<Narrow>(rows);
  let jr = 0;
  for (; jr + NR <= nc; jr += NR) {
    tile(a, aRow, aCol, b, bRow, c + (jr << 2), cRow, kc, NR, add);
    b += bPanel;
  }
  for (; jr < nc; jr += 4) {
    edge(a, aRow, aCol, b, bRow, c + (jr << 2), cRow, kc, nc - jr, add);
    b += 16;
  }
}
