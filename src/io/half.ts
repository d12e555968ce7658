/** IEEE 754 binary16: (−1)^s 2^(e − 15) (1 + m / 1024), subnormal where e = 0, ∞ and NaN where e = 31. */
export function half(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? mantissa / 2 ** 24 : (1 + mantissa / 1024) * 2 ** (exponent - 15));
}
