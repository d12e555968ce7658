const CHUNK = 65_536;
/** Where float32 overflows: infinities are compared as this value, as if the exponent range had no end. */
const OVERFLOW = 2 ** 128;

export interface SweepOptions {
  /** Arguments below this value are skipped; NaNs never are. */
  from?: number;
  /** Arguments above this value are skipped; NaNs never are. */
  to?: number;
  /** Distance between the visited bit patterns; an odd one varies every bit of the mantissa. */
  stride: number;
}

export interface Worst {
  /** The largest error, in units of the float32 spacing at the true value. */
  ulp: number;
  /** The argument where it occurs. */
  at: number;
}

/** The largest error of a float32 function over a sweep. */
export function maxUlp(
  run: (x: Float32Array) => Float32Array,
  reference: (x: number) => number,
  options: SweepOptions,
): Worst {
  const { error, at } = worstOf(run, (y, x) => ulpError(y, reference(x)), options);
  return { ulp: error, at };
}

/**
 * The largest error of a float32 function over a sweep of the bit patterns of both signs, and the argument where it
 * occurs. Zeros, infinities, the limits of every binade and the neighbours of them all are visited whatever the stride.
 */
export function worstOf(
  run: (x: Float32Array) => Float32Array,
  errorOf: (y: number, x: number) => number,
  { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, stride }: SweepOptions,
): { error: number; at: number } {
  const worst = { error: 0, at: Number.NaN };
  const chunk = new Float32Array(CHUNK);
  const bits = new Uint32Array(chunk.buffer);
  let filled = 0;

  const flush = () => {
    const x = chunk.subarray(0, filled);
    const y = run(x);
    for (let i = 0; i < filled; i++) {
      const error = errorOf(y[i]!, x[i]!);
      if (error > worst.error) Object.assign(worst, { error, at: x[i]! });
    }
    filled = 0;
  };
  const visit = (pattern: number) => {
    bits[filled] = pattern;
    const x = chunk[filled]!;
    if (x < from || x > to) return;
    if (++filled === CHUNK) flush();
  };

  for (let binade = 0; binade < 512; binade++) {
    for (let offset = -1; offset <= 1; offset++) visit(binade * 2 ** 23 + offset);
  }
  for (let pattern = 0; pattern < 2 ** 32; pattern += stride) visit(pattern);
  flush();
  return worst;
}

const float64 = new Float64Array(1);
const words = new Uint32Array(float64.buffer);

/** |actual - expected| in units of the float32 spacing at `expected`; infinite if only one of them is NaN. */
export function ulpError(actual: number, expected: number): number {
  if (Number.isNaN(actual) || Number.isNaN(expected)) return Object.is(actual, expected) ? 0 : Infinity;
  const clamp = (value: number) => Math.max(-OVERFLOW, Math.min(value, OVERFLOW));
  float64[0] = expected;
  const exponent = ((words[1]! >>> 20) & 0x7ff) - 1023;
  return Math.abs(clamp(actual) - clamp(expected)) / 2 ** (Math.max(-126, Math.min(exponent, 127)) - 23);
}

/** Where float32 is no longer normal, and its spacing no longer shrinks. */
const MIN_NORMAL = 2 ** -126;

/** |actual − expected| / |expected|, or / 2^−126 below the normal numbers; 0 if correctly rounded. */
export function relativeError(actual: number, expected: number): number {
  const rounded = Math.fround(expected);
  if (actual === rounded) return 0;
  if (!Number.isFinite(actual) || !Number.isFinite(rounded)) return Object.is(actual, rounded) ? 0 : Infinity;
  return Math.abs(actual - expected) / Math.max(Math.abs(expected), MIN_NORMAL);
}

/** The largest error; NaN if one is. */
export function largest(errors: readonly number[]): number {
  return errors.reduce((most, error) => Math.max(most, error), 0);
}
