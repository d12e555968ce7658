// Products whose operands both have their terms in rows: dot products, four lanes of terms at a time.
import { Lanes } from "../simd/lanes";
import { Math4 } from "../simd/math";
import { Edge, KC } from "./kernel";

const NC: i32 = 64; // rows of a transposed B that pass all of A, from the L2 cache after the first time
const KD: i32 = 4 * KC; // terms of a block that is summed in four lanes

/**
 * c[n] = S[n, K] · v, or += if `add`, with `stride` bytes from row to row of S: four dot products at a time. More than KD terms
 * are summed in blocks.
 */
export function dotRows(s: usize, stride: i32, v: usize, c: usize, n: i32, K: i32, add: i32): void {
  if (K > KD) return dotBlocks(s, stride, v, c, n, K, add);
  const last = s + stride * (n - 1);
  const tail = Lanes.mask(K & 3);
  for (let i = 0; i < n; i += 4) {
    // Beyond the last row the last one is repeated: only what belongs to S is read.
    let s0 = s + stride * i;
    let s1 = min(s0 + stride, last), s2 = min(s1 + stride, last), s3 = min(s2 + stride, last);
    let p = v;
    let x0 = f32x4.splat(0), x1 = x0, x2 = x0, x3 = x0;
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
    let y = sums(x0, x1, x2, x3);
    const to = c + (i << 2);
    if (add) y = f32x4.add(v128.load(to), y);
    Edge.store(to, y, n - i);
  }
}

/** `dotRows` in blocks of terms. */
function dotBlocks(s: usize, stride: i32, v: usize, c: usize, n: i32, K: i32, add: i32): void {
  for (; n > 0; n -= 4, s += stride << 2, c += 16) {
    for (let from = 0; from < K; from += KD) {
      const at = from << 2;
      dotRows(s + at, stride, v + at, c, min(n, 4), min(K - from, KD), i32(add || from > 0));
    }
  }
}

/**
 * C[rows, cols] = S[rows, K] · V[cols, K]ᵀ, or += if `add`, for rows ≤ 4 and cols ≤ 2; strides in bytes, C[i, j] is at
 * c + i cRow + j cCol. Eight sums, because V8 loads all of S and V ahead of them: with more it spills. More than KD terms are
 * summed in blocks.
 */
function dots(
  s: usize, sRow: i32, rows: i32, v: usize, vRow: i32, cols: i32, c: usize, cRow: i32, cCol: i32, K: i32, add: i32,
): void {
  for (; K > KD; K -= KD, s += KD << 2, v += KD << 2, add = 1) {
    dots(s, sRow, rows, v, vRow, cols, c, cRow, cCol, KD, add);
  }
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
 * C[M, N] = A[M, K] · B[N, K]ᵀ, or += if `add`, with `stride` bytes from row to row of A and of B and `cRow` of C: four rows of A
 * meet two of B, or one or two meet four.
 */
export function dotProducts(
  a: usize, b: usize, stride: i32, c: usize, cRow: i32, M: i32, N: i32, K: i32, add: i32,
): void {
  for (let jc = 0; jc < N; jc += NC) {
    const nc = min(NC, N - jc);
    for (let ir = 0; ir < M; ir += 4) {
      const rows = min(4, M - ir);
      const A = a + ir * stride, B = b + jc * stride, C = c + ir * cRow + (jc << 2);
      if (rows == 1) dotRows(B, stride, A, C, nc, K, add);
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
