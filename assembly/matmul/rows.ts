// Products with one row or few rows of C, in which B is read once, in place, and in long streams.
import { Lanes } from "../simd/lanes";
import { Math4 } from "../simd/math";
import { Edge, NR } from "./kernel";
import { block, clear, strip } from "./matmul";

const NC: i32 = 64; // rows of a transposed B that pass all of A, from the L2 cache after the first time
const NS: i32 = 2048; // columns of B that pass four rows of C in the L1 cache
const KS: i32 = 8; // rows of B that pass all rows of C

/** c[n] = S[n, K] · v, or += if `add`: four dot products at a time. */
export function dotRows(s: usize, v: usize, c: usize, n: i32, K: i32, add: i32): void {
  const stride = K << 2;
  const last = s + stride * (n - 1);
  const tail = Lanes.mask(K & 3);
  for (let i = 0; i < n; i += 4) {
    // Beyond the last row the last one is repeated: only what belongs to S is read.
    let s0 = s + stride * i;
    let s1 = min(s0 + stride, last), s2 = min(s1 + stride, last), s3 = min(s2 + stride, last);
    let x0 = f32x4.splat(0), x1 = x0, x2 = x0, x3 = x0;
    let p = v;
    for (let k = 4; k <= K; k += 4) {
      const x = v128.load(p);
      x0 = Math4.madd(v128.load(s0), x, x0);
      x1 = Math4.madd(v128.load(s1), x, x1);
      x2 = Math4.madd(v128.load(s2), x, x2);
      x3 = Math4.madd(v128.load(s3), x, x3);
      p += 16;
      s0 += 16;
      s1 += 16;
      s2 += 16;
      s3 += 16;
    }
    if (K & 3) {
      const x = v128.and(v128.load(p), tail);
      x0 = Math4.madd(v128.and(v128.load(s0), tail), x, x0);
      x1 = Math4.madd(v128.and(v128.load(s1), tail), x, x1);
      x2 = Math4.madd(v128.and(v128.load(s2), tail), x, x2);
      x3 = Math4.madd(v128.and(v128.load(s3), tail), x, x3);
    }
    let sums = f32x4(Lanes.sum(x0), Lanes.sum(x1), Lanes.sum(x2), Lanes.sum(x3));
    const to = c + (i << 2);
    if (add) sums = f32x4.add(v128.load(to), sums);
    Edge.store(to, sums, n - i);
  }
}

/**
 * c[n] = Σₖ v[k] S[k, n], or += if `add`, with `stride` bytes from row to row of S: eight rows at a time stream past c.
 * Where a row of S has four columns or fewer, all of S streams past one tile.
 */
export function sumRows(s: usize, stride: i32, v: usize, c: usize, n: i32, K: i32, add: i32): void {
  if (stride <= 16) return strip(1, v, 0, 4, s, stride, 0, c, 0, K, n, add);
  const size = n << 2;
  let k = 0;
  if (!add) memory.fill(c, 0, size);
  for (; k + 8 <= K; k += 8) {
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

/**
 * C[rows, cols] = S[rows, K] · V[cols, K]ᵀ, or += if `add`, for rows ≤ 4 and cols ≤ 2; strides in bytes, C[i, j] is at
 * c + i cRow + j cCol. Eight sums, because V8 loads all of S and V ahead of them: with more it spills.
 */
function dots(
  s: usize, sRow: i32, rows: i32, v: usize, vRow: i32, cols: i32, c: usize, cRow: i32, cCol: i32, K: i32, add: i32,
): void {
  // Beyond the last row the last one is repeated: only what belongs to S is read.
  const last = s + sRow * (rows - 1);
  const s0 = s, s1 = min(s0 + sRow, last), s2 = min(s1 + sRow, last), s3 = min(s2 + sRow, last);
  const v0 = v, v1 = cols > 1 ? v + vRow : v;
  let x0 = f32x4.splat(0), x1 = x0, x2 = x0, x3 = x0, y0 = x0, y1 = x0, y2 = x0, y3 = x0;
  let k: usize = 0;
  for (const end: usize = (K & ~3) << 2; k < end; k += 16) {
    const x = v128.load(v0 + k), y = v128.load(v1 + k);
    let r = v128.load(s0 + k);
    x0 = Math4.madd(r, x, x0);
    y0 = Math4.madd(r, y, y0);
    r = v128.load(s1 + k);
    x1 = Math4.madd(r, x, x1);
    y1 = Math4.madd(r, y, y1);
    r = v128.load(s2 + k);
    x2 = Math4.madd(r, x, x2);
    y2 = Math4.madd(r, y, y2);
    r = v128.load(s3 + k);
    x3 = Math4.madd(r, x, x3);
    y3 = Math4.madd(r, y, y3);
  }
  if (K & 3) {
    const tail = Lanes.mask(K & 3);
    const x = v128.and(v128.load(v0 + k), tail), y = v128.and(v128.load(v1 + k), tail);
    let r = v128.and(v128.load(s0 + k), tail);
    x0 = Math4.madd(r, x, x0);
    y0 = Math4.madd(r, y, y0);
    r = v128.and(v128.load(s1 + k), tail);
    x1 = Math4.madd(r, x, x1);
    y1 = Math4.madd(r, y, y1);
    r = v128.and(v128.load(s2 + k), tail);
    x2 = Math4.madd(r, x, x2);
    y2 = Math4.madd(r, y, y2);
    r = v128.and(v128.load(s3 + k), tail);
    x3 = Math4.madd(r, x, x3);
    y3 = Math4.madd(r, y, y3);
  }
  column(c, cRow, sums(x0, x1, x2, x3), rows, add);
  if (cols > 1) column(c + cCol, cRow, sums(y0, y1, y2, y3), rows, add);
}

/** The sums of the lanes of each. */
@inline
function sums(x: v128, y: v128, z: v128, w: v128): v128 {
  const p = f32x4.add(v128.shuffle<f32>(x, y, 0, 4, 1, 5), v128.shuffle<f32>(x, y, 2, 6, 3, 7));
  const q = f32x4.add(v128.shuffle<f32>(z, w, 0, 4, 1, 5), v128.shuffle<f32>(z, w, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(p, q, 0, 1, 4, 5), v128.shuffle<f32>(p, q, 2, 3, 6, 7));
}

/** Stores the first `rows` lanes `cRow` bytes apart. */
@inline
function column(c: usize, cRow: i32, x: v128, rows: i32, add: i32): void {
  element(c, f32x4.extract_lane(x, 0), add);
  if (rows > 1) element(c += cRow, f32x4.extract_lane(x, 1), add);
  if (rows > 2) element(c += cRow, f32x4.extract_lane(x, 2), add);
  if (rows > 3) element(c += cRow, f32x4.extract_lane(x, 3), add);
}

@inline
function element(c: usize, x: f32, add: i32): void {
  store<f32>(c, add ? load<f32>(c) + x : x);
}

/**
 * C[M, N] = A[M, K] · B[N, K]ᵀ, or += if `add`, with `cRow` bytes from row to row of C: four rows of A meet two of B,
 * or one or two meet four.
 */
export function dotProducts(a: usize, b: usize, c: usize, cRow: i32, M: i32, N: i32, K: i32, add: i32): void {
  const stride = K << 2;
  for (let jc = 0; jc < N; jc += NC) {
    const nc = min(NC, N - jc);
    for (let ir = 0; ir < M; ir += 4) {
      const rows = min(4, M - ir);
      const A = a + ir * stride, B = b + jc * stride, C = c + ir * cRow + (jc << 2);
      if (rows == 1) dotRows(B, A, C, nc, K, add);
      else if (rows == 2) {
        for (let j = 0; j < nc; j += 4) {
          dots(B + j * stride, stride, min(4, nc - j), A, stride, 2, C + (j << 2), 4, cRow, K, add);
        }
      } else {
        for (let j = 0; j < nc; j += 2) {
          dots(A, stride, rows, B + j * stride, stride, min(2, nc - j), C + (j << 2), cRow, 4, K, add);
        }
      }
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

/** The pass of 2..4 rows, called through this value: inlined into `streams`, V8 spills what that keeps for its loops. */
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
 * C[M, N] = A · B[K, N], or += if `add`, with A[i, k] at a + i aRow + k aCol and `stride` bytes from row to row of B and
 * of C: pairs of rows of B pass 2..4 of C.
 */
export function streams(
  a: usize, aRow: i32, aCol: i32, b: usize, c: usize, stride: i32, M: i32, N: i32, K: i32, add: i32,
): void {
  if (!add) clear(c, stride, M, N);
  for (let jc = 0; jc < N; jc += NS) {
    const nc = min(NS, N - jc);
    for (let pc = 0; pc < K; pc += KS) {
      const kc = min(KS, K - pc), even = kc & ~1;
      const B = b + pc * stride + (jc << 2);
      for (let ir = 0, mr = 0; ir < M; ir += mr) {
        mr = block(M - ir, 4, 1);
        const whole = mr > 1 ? nc & ~3 : 0; // a single row is at the end of a tile
        const A = a + ir * aRow + pc * aCol, C = c + ir * stride + (jc << 2);
        if (whole > 0) passOf(mr)(A, aRow, aCol, B, stride, C, stride, whole, even);
        // The last row of an odd number of them, and the columns beyond the last whole vector.
        const odd = even * aCol, left = whole << 2;
        if (kc > even) strip(mr, A + odd, aRow, aCol, B + even * stride, stride, NR << 2, C, stride, 1, whole, 1);
        if (nc > whole) strip(mr, A, aRow, aCol, B + left, stride, NR << 2, C + left, stride, kc, nc - whole, 1);
      }
    }
  }
}
