// What this machine can do at most, as WebAssembly: the yardsticks of `npm run bench`.

/**
 * Multiply-adds that need no memory: 12 independent chains x ← x a + b on four lanes, `n` times, 96 n FLOP. Twelve hide
 * the latency of a multiply-add, and fit into 16 registers with a and b. x is the multiplicand, or a b would be formed
 * once and for all; a and b are arguments, or the engine would build the constants anew each time. With 0 < a < 1 the
 * chains stay near b / (1 − a), far from infinity and from subnormal numbers.
 */
export function peak(n: i32, a: f32, b: f32): f32 {
  const va = f32x4.splat(a);
  const vb = f32x4.splat(b);
  let x0 = f32x4.splat(1), x1 = f32x4.splat(2), x2 = f32x4.splat(3), x3 = f32x4.splat(4);
  let x4 = f32x4.splat(5), x5 = f32x4.splat(6), x6 = f32x4.splat(7), x7 = f32x4.splat(8);
  let x8 = f32x4.splat(9), x9 = f32x4.splat(10), x10 = f32x4.splat(11), x11 = f32x4.splat(12);
  for (let i = 0; i < n; i++) {
    x0 = madd(x0, va, vb);
    x1 = madd(x1, va, vb);
    x2 = madd(x2, va, vb);
    x3 = madd(x3, va, vb);
    x4 = madd(x4, va, vb);
    x5 = madd(x5, va, vb);
    x6 = madd(x6, va, vb);
    x7 = madd(x7, va, vb);
    x8 = madd(x8, va, vb);
    x9 = madd(x9, va, vb);
    x10 = madd(x10, va, vb);
    x11 = madd(x11, va, vb);
  }
  const sum0 = f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3));
  const sum1 = f32x4.add(f32x4.add(x4, x5), f32x4.add(x6, x7));
  const sum2 = f32x4.add(f32x4.add(x8, x9), f32x4.add(x10, x11));
  return f32x4.extract_lane(f32x4.add(f32x4.add(sum0, sum1), sum2), 0);
}

// @ts-ignore: decorator
@inline
function madd(x: v128, a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(x, a, b);
  return f32x4.add(f32x4.mul(x, a), b);
}

/** Copies `bytes` from `from` to `to`. */
export function copy(to: usize, from: usize, bytes: usize): void {
  memory.copy(to, from, bytes);
}
