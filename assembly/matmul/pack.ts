// Copies of A and B in the order in which the micro-kernel reads them. A panel is [kc, 8], row by row: NR
// columns of B, or the 1..MR columns of a transposed A that belong to one strip of C, padded to 8.
import { NR } from "./kernel";

/** Bytes from row to row of a panel. */
export const PANEL_ROW: i32 = NR << 2;

/** Bytes from panel to panel; the last 64 keep them from falling into the same sets of the cache. */
export function panelBytes(kc: i32): i32 {
  return ((kc + 3) & ~3) * PANEL_ROW + 64;
}

/** panel[kc, 8] = S[kc, 8], with `stride` bytes from row to row of S. */
export function packPanel(panel: usize, s: usize, stride: i32, kc: i32): void {
  for (let k = 0; k < kc; k++) {
    v128.store(panel, v128.load(s));
    v128.store(panel, v128.load(s, 16), 16);
    s += stride;
    panel += PANEL_ROW;
  }
}

/** The panels of S[kc, nc], row by row of S: going down the columns would miss the cache in every row. */
export function packPanels(panel: usize, s: usize, stride: i32, kc: i32, nc: i32): void {
  const size = panelBytes(kc);
  for (let k = 0; k < kc; k++) {
    for (let j = 0, p = panel; j < nc << 2; j += PANEL_ROW, p += size) {
      v128.store(p, v128.load(s + j));
      v128.store(p, v128.load(s + j, 16), 16);
    }
    s += stride;
    panel += PANEL_ROW;
  }
}

/** The panels of Sᵀ for S[nc, kc]. */
export function packPanelsTransposed(panel: usize, s: usize, stride: i32, kc: i32, nc: i32): void {
  const last = s + stride * (nc - 1);
  const size: usize = panelBytes(kc);
  for (let j = 0; j < nc; j += 4) {
    // Beyond the last row of S the last one is repeated: only what belongs to S is read.
    const s1 = min(s + stride, last), s2 = min(s1 + stride, last), s3 = min(s2 + stride, last);
    transpose(panel, s, s1, s2, s3, kc);
    s += stride << 2;
    panel += j & 4 ? size - 16 : 16;
  }
}

/** Four rows become four columns in squares of 4 x 4; the panel is written up to a multiple of 4 rows. */
function transpose(panel: usize, s0: usize, s1: usize, s2: usize, s3: usize, kc: i32): void {
  for (let k = 0; k < kc; k += 4) {
    const r0 = v128.load(s0), r1 = v128.load(s1), r2 = v128.load(s2), r3 = v128.load(s3);
    const a = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5); // r0[0] r1[0] r0[1] r1[1]
    const b = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
    const c = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7); // r0[2] r1[2] r0[3] r1[3]
    const d = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
    v128.store(panel, v128.shuffle<f32>(a, b, 0, 1, 4, 5));
    v128.store(panel, v128.shuffle<f32>(a, b, 2, 3, 6, 7), 32);
    v128.store(panel, v128.shuffle<f32>(c, d, 0, 1, 4, 5), 64);
    v128.store(panel, v128.shuffle<f32>(c, d, 2, 3, 6, 7), 96);
    s0 += 16;
    s1 += 16;
    s2 += 16;
    s3 += 16;
    panel += 4 * PANEL_ROW;
  }
}
