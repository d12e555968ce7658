// C = op(A) · op(B): the loops jc, pc, ir, jr around the micro-kernel, and when other loops are faster.
// Names and loops are those of Goto & van de Geijn (2008) and BLIS, without ic and MC: a strip of A is packed
// just before its use, if at all.
//
// A sum over K is one of blocks of at most KC terms, or KD in four lanes, each of which starts from 0, and beyond GROUP terms one of
// groups of blocks: its error grows with KC + GROUP / KC + K / GROUP and not with K (Higham, "Accuracy and Stability of Numerical
// Algorithms", 4.2). Where blocks and groups end depends on the shape alone.
import { dotProducts, dotRows } from "./dots";
import { KC, NR, tileRows } from "./kernel";
import { PANEL_ROW, packPanel, packPanels, packPanelsTransposed, panelBytes } from "./pack";
import { addRows, block, blocks, clear, strip } from "./parts";
import { rowsScratch, streams, sumRows } from "./rows";

/** Sums of more terms are those of groups, each summed apart. */
const GROUP: i32 = 32 * KC;
const NC: i32 = 512; // KC x NC floats of B, 540 kB, stay in the L2 cache
const IN_L2: i32 = 1 << 18; // floats of B, 1 MB, that the L2 cache keeps while A and C pass

/**
 * C[M, N] = op(A) · op(B), or += if `accumulate`; all are row-major and contiguous.
 * A is stored [M, K], or [K, M] if `transposeA`; B is stored [K, N], or [N, K] if `transposeB`.
 * `scratch` has matmulScratch(...) bytes and is 16-byte aligned. Up to 28 bytes behind A and B, and 12 behind
 * C, are read; nothing outside of C and `scratch` is written.
 */
export function matmul(
  a: usize, b: usize, c: usize, scratch: usize, M: i32, N: i32, K: i32,
  transposeA: i32, transposeB: i32, accumulate: i32,
): void {
  if (K > GROUP) matmulTile(a, b, c, scratch, M, N, K, transposeA, transposeB, accumulate, 0, M, 0, N);
  else product(a, b, c, N << 2, scratch, M, N, K, transposeA, transposeB, accumulate, M, N, K);
}

/**
 * C[iFrom..iTo, jFrom..jTo] of the product, with the bits that matmul gives these elements: what is summed in which
 * order depends on M, N and K alone. Pointers are those of the whole matrices. Tiles begin at multiples of 8 rows and
 * 16 columns, and end there or with C. `scratch` has matmulTileScratch(...) bytes; nothing outside of it and the tile
 * is written.
 */
export function matmulTile(
  a: usize, b: usize, c: usize, scratch: usize, M: i32, N: i32, K: i32,
  transposeA: i32, transposeB: i32, accumulate: i32, iFrom: i32, iTo: i32, jFrom: i32, jTo: i32,
): void {
  const rows = iTo - iFrom, cols = jTo - jFrom, cRow = N << 2;
  if (rows <= 0 || cols <= 0) return;
  a += (transposeA ? iFrom : iFrom * K) << 2;
  b += (transposeB ? jFrom * K : jFrom) << 2;
  c += (iFrom * N + jFrom) << 2;
  const bytes = groupBytes(rows, cols, K);
  let from = 0;
  do {
    const kg = bytes ? block(K - from, GROUP, 4) : K;
    const to = from ? scratch : c, toRow = from ? cols << 2 : cRow, add = from ? 0 : accumulate;
    product(a, b, to, toRow, scratch + bytes, M, N, K, transposeA, transposeB, add, rows, cols, kg);
    if (from) addRows(c, cRow, scratch, toRow, rows, cols);
    a += (transposeA ? kg * M : kg) << 2;
    b += (transposeB ? kg : kg * N) << 2;
    from += kg;
  } while (from < K);
}

/**
 * C[rows, cols] of the first `depth` terms, with the first element that it needs of each at a, b and c. Inlined, as `multiply` and
 * `scalar` are: a call with 14 arguments takes 5 % of 8 x 8 x 8.
 */
@inline
function product(
  a: usize, b: usize, c: usize, cRow: i32, scratch: usize, M: i32, N: i32, K: i32,
  transposeA: i32, transposeB: i32, accumulate: i32, rows: i32, cols: i32, depth: i32,
): void {
  if (rows <= 0 || cols <= 0) return;
  if (K == 0 && !accumulate) clear(c, cRow, rows, cols);
  else if (M + N + K <= 6) scalar(a, b, c, M, N, K, transposeA, transposeB, accumulate); // all of C is one tile
  else if (M == 1 && transposeB) dotRows(b, K << 2, a, c, cols, depth, accumulate);
  else if (M == 1 && N > 1) sumRows(b, N << 2, a, c, cols, depth, accumulate, scratch);
  else if (M > 1 && transposeA && N == 1) sumRows(a, M << 2, b, c, rows, depth, accumulate, scratch);
  else if (N == 1) dotRows(a, K << 2, b, c, rows, depth, accumulate);
  else if (isDots(M, N, K, transposeA, transposeB)) {
    dotProducts(a, b, K << 2, c, cRow, rows, cols, depth, accumulate);
  } else if (isStreams(M, N, K, transposeB)) {
    const aRow = (transposeA ? 1 : K) << 2, aCol = (transposeA ? M : 1) << 2;
    streams(a, aRow, aCol, b, N << 2, c, cRow, rows, cols, depth, accumulate, scratch);
  } else multiply(a, b, c, cRow, scratch, M, N, K, transposeA, transposeB, accumulate, rows, cols, depth);
}

/** Bytes of scratch that matmul needs for these arguments. */
export function matmulScratch(M: i32, N: i32, K: i32, transposeA: i32, transposeB: i32): i32 {
  return matmulTileScratch(M, N, K, transposeA, transposeB, M, N);
}

/**
 * Bytes of scratch for a tile of at most `rows` and `cols`: its sum over a group, and rows of the sum over a block, or a strip
 * of A and the panels of as many columns of B.
 */
export function matmulTileScratch(
  M: i32, N: i32, K: i32, transposeA: i32, transposeB: i32, rows: i32, cols: i32,
): i32 {
  if (rows <= 0 || cols <= 0 || K == 0) return 0;
  const group = groupBytes(rows, cols, K);
  if (M == 1 ? N > 1 && !transposeB : N == 1 && transposeA) return group + rowsScratch(1, rows * cols);
  if (M == 1 || N == 1 || isDots(M, N, K, transposeA, transposeB)) return group;
  if (isStreams(M, N, K, transposeB)) return group + rowsScratch(rows, cols);
  const packA = packsA(M, N, transposeA);
  // Of two tiles the narrower one can have the wider block: 512 columns are one, 528 are two of 264.
  const nc = cols < N ? min(cols, NC) : block(N, NC, NR);
  const panelsOfB = packsB(M, N, K, transposeB) ? blocks(nc, NR) : 0;
  return group + panelBytes(min(K, KC)) * (i32(packA) + panelsOfB);
}

/** Bytes of scratch for the sum of a tile over a group, 0 if all terms are one. */
function groupBytes(rows: i32, cols: i32, K: i32): i32 {
  return K > GROUP ? ((rows * cols + 3) & ~3) << 2 : 0;
}

/** Dot products need neither packing nor a fourth column, but sum four lanes for each element. */
function isDots(M: i32, N: i32, K: i32, transposeA: i32, transposeB: i32): bool {
  return transposeB && !transposeA && min(M, N) <= 12 && K >= 64;
}

/** A larger B than the L2 cache is best read in long rows, if a few rows of C stay in the L1 cache meanwhile. */
function isStreams(M: i32, N: i32, K: i32, transposeB: i32): bool {
  return !transposeB && M <= 12 && N >= 64 && K * N > IN_L2;
}

/** In place, each k of a strip is in another cache line: no loss for a narrow A or for few columns of C. */
function packsA(M: i32, N: i32, transposeA: i32): bool {
  return transposeA && M > 64 && N > 16;
}

/** Packing pays when many strips use a panel, or when a few do and B in place would not stay in the cache. */
function packsB(M: i32, N: i32, K: i32, transposeB: i32): bool {
  return transposeB || M > 40 || (M > 12 && K * N > IN_L2);
}

/** The product of a few elements, sooner than a tile would be set up. */
@inline
function scalar(a: usize, b: usize, c: usize, M: i32, N: i32, K: i32, transposeA: i32, transposeB: i32, add: i32): void {
  for (let i = 0; i < M; i++) {
    for (let j = 0; j < N; j++) {
      let sum: f32 = 0;
      for (let k = 0; k < K; k++) {
        const p = transposeA ? k * M + i : i * K + k, q = transposeB ? j * K + k : k * N + j;
        sum += load<f32>(a + (p << 2)) * load<f32>(b + (q << 2));
      }
      store<f32>(c, add ? load<f32>(c) + sum : sum);
      c += 4;
    }
  }
}

/** `product` by the blocked loops. */
@inline
function multiply(
  a: usize, b: usize, c: usize, cRow: i32, scratch: usize, M: i32, N: i32, K: i32,
  transposeA: i32, transposeB: i32, accumulate: i32, rows: i32, cols: i32, depth: i32,
): void {
  const MR = tileRows();
  const packA = packsA(M, N, transposeA), packB = packsB(M, N, K, transposeB);
  // Bytes from row to row and from column to column of op(A) and op(B).
  const aRow = (transposeA ? 1 : K) << 2, aCol = (transposeA ? M : 1) << 2;
  const bRow = (transposeB ? 1 : N) << 2, bCol = (transposeB ? K : 1) << 2;

  for (let jc = 0, nc = 0; jc < cols; jc += nc) {
    nc = block(cols - jc, NC, NR);
    for (let pc = 0, kc = 0; pc < depth; pc += kc) {
      kc = block(depth - pc, KC, 4);
      const add = i32(accumulate || pc > 0);
      const bBlock = b + pc * bRow + jc * bCol;
      const panel = panelBytes(kc);
      if (transposeB) packPanelsTransposed(scratch, bBlock, bCol, kc, nc);
      else if (packB) packPanels(scratch, bBlock, bRow, kc, nc);
      const aPanel = packB ? scratch + panel * blocks(nc, NR) : scratch;

      for (let ir = 0, mr = 0; ir < rows; ir += mr) {
        mr = block(rows - ir, MR, 1);
        const aStrip = a + ir * aRow + pc * aCol;
        if (packA) packPanel(aPanel, aStrip, aCol, kc);
        strip(
          mr, packA ? aPanel : aStrip, packA ? 4 : aRow, packA ? PANEL_ROW : aCol,
          packB ? scratch : bBlock, packB ? PANEL_ROW : bRow, packB ? panel : NR << 2,
          c + ir * cRow + (jc << 2), cRow, kc, nc, add,
        );
      }
    }
  }
}
