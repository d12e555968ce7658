/*
 * Constants live in static memory and are read by a splatting load, one instruction that the vectors of a
 * lock-step loop share: V8 would build `f32x4.splat(literal)` from three, anew in every iteration.
 */
export const ONE: usize = memory.data<f32>([1]);
export const MINUS_ONE: usize = memory.data<f32>([-1]);
export const SQUARE_ROUNDS: usize = memory.data<f32>([1.00024414]);
export const TWO: usize = memory.data<f32>([2]);
export const SIGN: usize = memory.data<u32>([0x80000000]);
export const INFINITE: usize = memory.data<u32>([0x7f800000]);

/** Below it e^x rounds to 0; between this limit and the next one n = round(x log2 e) stays in [-150, 128]. */
export const EXP_MIN: usize = memory.data<f32>([-104]);
/** The least argument of liftedExp. */
export const LIFTED_EXP_MIN: usize = memory.data<f32>([-128]);
/** Above it e^x is infinite. */
export const EXP_MAX: usize = memory.data<f32>([89]);
/** Above it sigmoid rounds to 1. */
export const SIGMOID_MAX: usize = memory.data<f32>([20]);
/** Below it 1 - e^x rounds to 1. */
export const TANH_MIN: usize = memory.data<f32>([-20]);
export const LOG2_E: usize = memory.data<f32>([1.44269504]);
/** 1.5 * 2^23 + 254: adding it rounds to an integer n, and the low bits are n + 254, two exponent biases. */
export const ROUND: usize = memory.data<f32>([12583166]);
/** The low bits are n + 191: the biased exponent of 2^(n+64). */
export const LIFTED_ROUND: usize = memory.data<f32>([12583103]);
/** ln 2 in two parts. The first has 15 bits, so that its product with any exponent of float32 is exact. */
export const LN2_HIGH: usize = memory.data<f32>([0.693145752]);
export const LN2_LOW: usize = memory.data<f32>([1.42860677e-6]);
/** The bits of 2^127: those of 2^-k are these minus those of 2^k. */
export const TWO_127: usize = memory.data<u32>([0x7f000000]);
export const TWO_24: usize = memory.data<f32>([16777216]);
export const TWO_64: usize = memory.data<u32>([0x5f800000]);
export const TWO_MINUS_64: usize = memory.data<u32>([0x1f800000]);

/**
 * P of e^r - 1 = r + r² P(r), minimax on [-ln2/2, ln2/2], fitted for the relative error of e^r - 1 by the
 * Remez exchange: 2^-26.2.
 */
export const EXPM1: usize = memory.data<f32>([0.49999997, 0.166665435, 0.0416672006, 0.00836652052, 0.00138825225]);

/**
 * Q of log((1+s) / (1-s)) = 2s + s z Q(z) with z = s², minimax on |s| <= 3 - 2√2, fitted for the relative
 * error of the logarithm by the Remez exchange: 2^-30.2.
 */
export const LOG: usize = memory.data<f32>([0.666667759, 0.399775654, 0.298712045]);
/** Q as above on 0 <= s <= 1/3, fitted likewise: 2^-27.7. */
export const LOG1P: usize = memory.data<f32>([0.6666642, 0.40021437, 0.28003025, 0.28006783]);
export const SQRT_HALF: usize = memory.data<f32>([0.707106781]);
export const SIGN_AND_EXPONENT: usize = memory.data<u32>([0xff800000]);
export const MIN_NORMAL: usize = memory.data<u32>([0x00800000]);
export const TWO_MIN_NORMAL: usize = memory.data<u32>([0x01000000]);
export const SUBNORMAL_SHIFT: usize = memory.data<f32>([24]);
