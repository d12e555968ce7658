// Random numbers from a counter: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011). The state is five i32 cells in linear memory, key (2), counter (2) and one unused; each block of four
// words has a count of its own. The same seed gives the same bits in every engine and in both binaries: what draws fuses
// no multiply-add. Kernels that draw begin `skip` blocks after the counter and leave it where it is; `advanceRandom` moves it
// past what they drew. n numbers take ⌈n / 4⌉ blocks, normal ones 2 ⌈n / 8⌉: what begins at number e, a multiple of 8,
// skips e / 4.
import { Math4 } from "./simd/math";

// Multipliers and Weyl constants of the paper, table 2.
const M0: u64 = 0xd2511f53;
const M1: u64 = 0xcd9e8d57;
const W0: u32 = 0x9e3779b9;
const W1: u32 = 0xbb67ae85;

/** The counter moves on. */
export function advanceRandom(state: usize, blocks: i32): void {
  store<u64>(state, counterAt(state, blocks), 8);
}

/** The counter of the block after `skip` others. */
@inline
function counterAt(state: usize, skip: i32): u64 {
  return load<u64>(state, 8) + <u64><u32>skip;
}

/** The four words of a block. */
function words(state: usize, counter: u64): v128 {
  let k0 = load<u32>(state);
  let k1 = load<u32>(state, 4);
  let c0 = <u32>counter;
  let c1 = <u32>(counter >> 32);
  let c2: u32 = 0;
  let c3: u32 = 0;
  for (let round = 0; round < 10; round++) {
    const p0 = M0 * <u64>c0;
    const p1 = M1 * <u64>c2;
    c0 = <u32>(p1 >> 32) ^ c1 ^ k0;
    c1 = <u32>p1;
    c2 = <u32>(p0 >> 32) ^ c3 ^ k1;
    c3 = <u32>p0;
    k0 += W0;
    k1 += W1;
  }
  return i32x4(c0, c1, c2, c3);
}

/** Four words as multiples of 2^−24 in [0, 1). */
@inline
function unit(v: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_u(i32x4.shr_u(v, 8)), f32x4.splat(5.9604644775390625e-8));
}

/** y = numbers in [low, high), evenly distributed. */
export function uniformFill(state: usize, y: usize, n: i32, low: f32, high: f32, skip: i32): void {
  const vlow = f32x4.splat(low);
  const width = f32x4.splat(high - low);
  const below = f32x4.splat(high);
  let counter = counterAt(state, skip);
  for (const end = y + (<usize>n << 2); y < end; y += 16, counter++) {
    const v = f32x4.add(vlow, f32x4.mul(width, unit(words(state, counter))));
    // Rounding may reach `high`: such a number becomes `low`.
    v128.store(y, v128.bitselect(v, vlow, f32x4.lt(v, below)));
  }
}

/** y = normal numbers by Box and Muller: √(−2 ln u) · (cos 2πv, sin 2πv), 1 − u for u since ln 0 = −∞. */
export function normalFill(state: usize, y: usize, n: i32, mean: f32, std: f32, skip: i32): void {
  const vmean = f32x4.splat(mean);
  const vstd = f32x4.splat(std);
  const end = y + (<usize>n << 2);
  for (let counter = counterAt(state, skip); y < end; counter += 2) {
    // By way of y: otherwise the compiler draws the second block first, and the logarithm waits for both.
    v128.store(y, f32x4.sub(f32x4.splat(1), unit(words(state, counter))));
    const v = f32x4.sub(unit(words(state, counter + 1)), f32x4.splat(0.5));
    const u = v128.load(y);
    const radius = f32x4.mul(vstd, f32x4.sqrt(f32x4.mul(f32x4.splat(-2), Math4.logUnfused(u))));
    v128.store(y, f32x4.add(vmean, f32x4.mul(radius, sinTurn(v))));
    y += 16;
    if (y < end) {
      v128.store(y, f32x4.add(vmean, f32x4.mul(radius, sinTurn(quarterOn(v)))));
      y += 16;
    }
  }
}

/** v + 1/4 in turns, brought back to [−1/2, 1/2]. */
@inline
function quarterOn(v: v128): v128 {
  const w = f32x4.add(v, f32x4.splat(0.25));
  return v128.bitselect(f32x4.sub(w, f32x4.splat(1)), w, f32x4.gt(w, f32x4.splat(0.5)));
}

/** sin 2πv for v in [−1/2, 1/2]: folded to a quarter turn, then Taylor to x¹¹, absolute error below 6e-8. */
function sinTurn(v: v128): v128 {
  const sign = v128.and(v, f32x4.splat(-0.0));
  const a = f32x4.abs(v);
  const x = f32x4.mul(f32x4.splat(6.2831855), f32x4.min(a, f32x4.sub(f32x4.splat(0.5), a)));
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(-2.5052108e-8);
  p = Math4.multiplyAdd(false, p, z, f32x4.splat(2.7557319e-6));
  p = Math4.multiplyAdd(false, p, z, f32x4.splat(-1.9841270e-4));
  p = Math4.multiplyAdd(false, p, z, f32x4.splat(8.3333333e-3));
  p = Math4.multiplyAdd(false, p, z, f32x4.splat(-0.16666667));
  return v128.xor(sign, Math4.multiplyAdd(false, f32x4.mul(p, z), x, x));
}

/** Randomised ReLU: noise = x > 0 ? 1 : a number in [lower, upper);  y = noise · x */
export function rreluForward(
  state: usize, x: usize, noise: usize, y: usize, n: i32, lower: f32, upper: f32, skip: i32,
): void {
  uniformFill(state, noise, n, lower, upper, skip);
  const end = x + (<usize>n << 2);
  for (; x < end; x += 16, noise += 16, y += 16) {
    const v = v128.load(x);
    const slope = v128.bitselect(f32x4.splat(1), v128.load(noise), f32x4.gt(v, f32x4.splat(0)));
    v128.store(noise, slope);
    v128.store(y, f32x4.mul(slope, v));
  }
}

/** dx += noise · dy */
export function rreluBackward(noise: usize, dy: usize, dx: usize, n: i32): void {
  const end = noise + (<usize>n << 2);
  for (; noise < end; noise += 16, dy += 16, dx += 16) {
    v128.store(dx, Math4.madd(v128.load(noise), v128.load(dy), v128.load(dx)));
  }
}

/** Inverted dropout: noise = 0 with probability p, else 1 / (1 − p);  y = noise · x. The gradient is rrelu's. */
export function dropoutForward(
  state: usize, x: usize, noise: usize, y: usize, n: i32, p: f64, skip: i32,
): void {
  uniformFill(state, noise, n, 0, 1, skip);
  const vp = f32x4.splat(<f32>p);
  const kept = f32x4.splat(<f32>(1 / (1 - p)));
  const end = x + (<usize>n << 2);
  for (; x < end; x += 16, noise += 16, y += 16) {
    const factor = v128.and(kept, f32x4.ge(v128.load(noise), vp));
    v128.store(noise, factor);
    v128.store(y, f32x4.mul(factor, v128.load(x)));
  }
}
