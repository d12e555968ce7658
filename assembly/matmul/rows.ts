// Products with one row or few rows of C, in which B is read once, in place, and in long streams.
import { Math4 } from "../simd/math";
import { Edge, KC, NR } from "./kernel";
import { addRows, block, clear, strip } from "./parts";

const NS: i32 = 2048; // columns of B that pass four rows of C in the L1 cache
const KS: i32 = 8; // rows of B that pass all rows of C

/** Bytes from row to row of the scratch in which n columns of C are summed. */
function scratchRow(n: i32): i32 {
  return (min(n, NS) + 31 & ~15) << 2;
}

/** Bytes of scratch that `sumRows` (M = 1) and `streams` need for M rows of N columns. */
export function rowsScratch(M: i32, N: i32): i32 {
  return M * scratchRow(N);
}

/**
 * c[n] = Σₖ v[k] S[k, n], or += if `add`, with `stride` bytes from row to row of S: eight rows at a time stream past c. Where a
 * row of S has four columns or fewer, the sums stay in registers. More than KC rows are summed in blocks, and more than KS apart from c.
 */
export function sumRows(s: usize, stride: i32, v: usize, c: usize, n: i32, K: i32, add: i32, scratch: usize): void {
  if (stride <= 16 && K <= KC) return sumShortRows(s, stride, v, c, n, K, add);
  if (K > KC || (add && K > KS)) return sumBlocks(s, stride, v, c, n, K, add, scratch);
  const size = n << 2;
  let k = 0;
  if (!add) memory.fill(c, 0, size);
  for (; k + KS <= K; k += KS) {
    const v0 = v128.load32_splat(v), v1 = v128.load32_splat(v, 4);
    const v2 = v128.load32_splat(v, 8), v3 = v128.load32_splat(v, 12);
    const v4 = v128.load32_splat(v, 16), v5 = v128.load32_splat(v, 20);
    const v6 = v128.load32_splat(v, 24), v7 = v128.load32_splat(v, 28);
    for (let j = 0; j < size; j += 16) {
      let p = s + j;
      let x = Math4.madd(v0, v128.load(p), v128.load(c + j));
      let y = f32x4.mul(v1, v128.load(p += stride)); // two sums, because one would wait for its additions
      x = Math4.madd(v2, v128.load(p += stride), x);
      y = Math4.madd(v3, v128.load(p += stride), y);
      x = Math4.madd(v4, v128.load(p += stride), x);
      y = Math4.madd(v5, v128.load(p += stride), y);
      x = Math4.madd(v6, v128.load(p += stride), x);
      y = Math4.madd(v7, v128.load(p += stride), y);
      Edge.store(c + j, f32x4.add(x, y), n - (j >> 2));
    }
    s += stride << 3;
    v += 32;
  }
  for (; k < K; k++) {
    const x = v128.load32_splat(v);
    for (let j = 0; j < size; j += 16) {
      Edge.store(c + j, Math4.madd(x, v128.load(s + j), v128.load(c + j)), n - (j >> 2));
    }
    s += stride;
    v += 4;
  }
}

/** `sumRows` for n ≤ 4: in four sums, because one would wait for its additions. */
function sumShortRows(s: usize, stride: i32, v: usize, c: usize, n: i32, K: i32, add: i32): void {
  let x0 = f32x4.splat(0), x1 = x0, x2 = x0, x3 = x0;
  for (; K > 3; K -= 4) {
    x0 = Math4.madd(v128.load32_splat(v), v128.load(s), x0);
    x1 = Math4.madd(v128.load32_splat(v, 4), v128.load(s += stride), x1);
    x2 = Math4.madd(v128.load32_splat(v, 8), v128.load(s += stride), x2);
    x3 = Math4.madd(v128.load32_splat(v, 12), v128.load(s += stride), x3);
    s += stride;
    v += 16;
  }
  for (; K > 0; K--, s += stride, v += 4) x0 = Math4.madd(v128.load32_splat(v), v128.load(s), x0);
  x0 = f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3));
  Edge.store(c, add ? f32x4.add(v128.load(c), x0) : x0, n);
}

/** `sumRows` in blocks of rows of S. */
function sumBlocks(s: usize, stride: i32, v: usize, c: usize, n: i32, K: i32, add: i32, scratch: usize): void {
  for (let jc = 0; jc < n; jc += NS) {
    const nc = min(NS, n - jc), to = c + (jc << 2);
    for (let from = 0, kc = 0; from < K; from += kc) {
      kc = block(K - from, KC, KS);
      const apart = add || from > 0;
      sumRows(s + from * stride + (jc << 2), stride, v + (from << 2), apart ? scratch : to, nc, kc, 0, scratch);
      if (apart) addRows(to, 0, scratch, 0, 1, nc);
    }
  }
}

/** The kernels of `streams` by their rows. */
class Stream {
  /** C[rows, n] += A[rows, kc] · B[kc, n] for multiples of 4 in n and 2 in kc; strides as in Tile. */
  @inline static pass(
    rows: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, c: usize, cRow: i32, n: i32, kc: i32,
  ): void {
    for (let k = 0; k < kc; k += 2) {
      let p = a;
      const r0 = v128.load32_splat(p), s0 = v128.load32_splat(p + aCol);
      if (rows > 1) p += aRow;
      const r1 = v128.load32_splat(p), s1 = v128.load32_splat(p + aCol);
      if (rows > 2) p += aRow;
      const r2 = v128.load32_splat(p), s2 = v128.load32_splat(p + aCol);
      if (rows > 3) p += aRow;
      const r3 = v128.load32_splat(p), s3 = v128.load32_splat(p + aCol);
      for (let j = 0; j < n << 2; j += 16) {
        const x = v128.load(b + j), y = v128.load(b + j + bRow);
        // All of C is read before any is stored: a load seems to depend on a store 4 kB away to the processor.
        const p0 = c + j, p1 = p0 + cRow, p2 = p1 + cRow, p3 = p2 + cRow;
        const c0 = v128.load(p0);
        const c1 = rows > 1 ? v128.load(p1) : c0;
        const c2 = rows > 2 ? v128.load(p2) : c0;
        const c3 = rows > 3 ? v128.load(p3) : c0;
        v128.store(p0, Math4.madd(s0, y, Math4.madd(r0, x, c0)));
        if (rows > 1) v128.store(p1, Math4.madd(s1, y, Math4.madd(r1, x, c1)));
        if (rows > 2) v128.store(p2, Math4.madd(s2, y, Math4.madd(r2, x, c2)));
        if (rows > 3) v128.store(p3, Math4.madd(s3, y, Math4.madd(r3, x, c3)));
      }
      a += aCol << 1;
      b += bRow << 1;
    }
  }
}

type Pass = (a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, c: usize, cRow: i32, n: i32, kc: i32) => void;

/** The pass of 2..4 rows, called through this value: inlined into its caller, V8 spills what that keeps for its loops. */
function passOf(rows: i32): Pass {
  switch (rows) {
    case 2:
      return (a, aRow, aCol, b, bRow, c, cRow, n, kc) => Stream.pass(2, a, aRow, aCol, b, bRow, c, cRow, n, kc);
    case 3:
      return (a, aRow, aCol, b, bRow, c, cRow, n, kc) => Stream.pass(3, a, aRow, aCol, b, bRow, c, cRow, n, kc);
    default:
      return (a, aRow, aCol, b, bRow, c, cRow, n, kc) => Stream.pass(4, a, aRow, aCol, b, bRow, c, cRow, n, kc);
  }
}

/**
 * C[M, N] = A · B[K, N], or += if `add`, with A[i, k] at a + i aRow + k aCol, in blocks of rows of B.
 */
export function streams(
  a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, c: usize, cRow: i32,
  M: i32, N: i32, K: i32, add: i32, scratch: usize,
): void {
  const row = scratchRow(N);
  for (let jc = 0; jc < N; jc += NS) {
    const nc = min(NS, N - jc), to = c + (jc << 2);
    for (let from = 0, kc = 0; from < K; from += kc) {
      kc = block(K - from, KC, 2);
      const A = a + from * aCol, B = b + from * bRow + (jc << 2);
      if (add || from > 0) {
        stream(A, aRow, aCol, B, bRow, scratch, row, M, nc, kc);
        addRows(to, cRow, scratch, row, M, nc);
      } else {
        stream(A, aRow, aCol, B, bRow, to, cRow, M, nc, kc);
      }
    }
  }
}

/** C[M, n] = A[M, kc] · B[kc, n]: pairs of rows of B pass 2..4 of C. */
function stream(
  a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, c: usize, cRow: i32, M: i32, n: i32, kc: i32,
): void {
  const whole = M > 1 ? n & ~3 : 0; // a single row is at the end of a tile
  const odd = kc & 1, left = whole << 2;
  if (whole > 0) {
    // The first row of an odd number of them.
    if (!odd) clear(c, cRow, M, whole);
    else strips(a, aRow, aCol, b, bRow, c, cRow, M, whole, 1);
    for (let k = odd; k < kc; k += KS) {
      for (let i = 0, mr = 0; i < M; i += mr) {
        mr = block(M - i, 4, 1);
        passOf(mr)(a + i * aRow + k * aCol, aRow, aCol, b + k * bRow, bRow, c + i * cRow, cRow, whole, min(KS, kc - k));
      }
    }
  }
  if (n > whole) strips(a, aRow, aCol, b + left, bRow, c + left, cRow, M, n - whole, kc);
}

/** The same, strip by strip. */
function strips(
  a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, c: usize, cRow: i32, M: i32, n: i32, kc: i32,
): void {
  for (let i = 0, mr = 0; i < M; i += mr) {
    mr = block(M - i, 4, 1);
    strip(mr, a + i * aRow, aRow, aCol, b, bRow, NR << 2, c + i * cRow, cRow, kc, n, 0);
  }
}
