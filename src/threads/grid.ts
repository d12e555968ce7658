// How a product is cut into tiles. Each tile packs what it needs of B, and of a transposed A, for itself.

/** What tiles begin at multiples of. */
const ROWS = 8;
const COLS = 16;

/** Packing a row of B takes as long as its products with this many rows of A: 2 unfused, 3 to 4 fused. */
const PACK_B = 3;
/** Packing a column of a transposed A, in columns of B: 4 for 128 rows, 9 for 512 and up to 16 for 1024. */
const PACK_A = 8;
/** Passing on to the next row of an operand that is read in place, once and in long rows: in its columns, 20 to 200. */
const NEXT_ROW = 64;

/** More tiles balance better, if all of them take no more than this much longer. */
const BALANCE = 1.03;

/** Rows and columns of a tile of C; at its end tiles may be smaller. */
export interface Grid {
  rows: number;
  cols: number;
}

/**
 * The tiles in which so many threads compute a product soonest: as many as there are threads, or up to four times as many
 * where that costs less than 3 %, for a thread that comes late; fewer if C is too small. Rows are a multiple of 8 or M,
 * columns one of 16 or N. Sizes and flags are those of the kernel; neither M nor N is 0.
 */
export function gridOf(
  M: number,
  N: number,
  K: number,
  transposeA: boolean,
  transposeB: boolean,
  threads: number,
): Grid {
  const { perRow, perCol } = costs(M, N, K, transposeA, transposeB);
  const most = threads > 1 ? 4 * threads : 1;
  const grids: { grid: Grid; tiles: number; time: number }[] = [];
  for (let r = 1; r <= most; r++) {
    const rows = evenly(M, r, ROWS);
    for (let c = 1; r * c <= most; c++) {
      const cols = evenly(N, c, COLS);
      const tiles = Math.ceil(M / rows) * Math.ceil(N / cols);
      const time = Math.ceil(tiles / threads) * (rows * cols + perRow * rows + perCol * cols);
      grids.push({ grid: { rows, cols }, tiles, time });
    }
  }
  const soon = BALANCE * Math.min(...grids.map(({ time }) => time));
  const [best] = grids
    .filter(({ time }) => time <= soon)
    .sort((p, q) => q.tiles - p.tiles || p.time - q.time);
  return best!.grid;
}

/** What a tile takes beside its products, for each of its rows and columns, in products of one of them. */
function costs(M: number, N: number, K: number, transposeA: boolean, transposeB: boolean) {
  // By the paths of assembly/matmul/matmul.ts. Few rows of B in place count as packed: columns are the better cut there, too.
  if (transposeB && !transposeA && Math.min(M, N) <= 12 && K >= 64) return { perRow: 0, perCol: 0 };
  if (N === 1) return { perRow: 0, perCol: transposeA ? NEXT_ROW : 0 };
  if (!transposeB && (M === 1 || (M <= 12 && K * N > 1 << 18))) return { perRow: NEXT_ROW, perCol: 0 };
  return { perRow: transposeA && M > 64 ? PACK_A : 0, perCol: PACK_B };
}

/** `total` in so many parts, each a multiple of `unit`, or `total`. */
function evenly(total: number, parts: number, unit: number): number {
  return Math.min(total, Math.ceil(total / parts / unit) * unit);
}
