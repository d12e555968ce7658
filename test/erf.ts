// The error functions in float64, to about 1e-14 relative.

const CLOSE = 2;

/** 2/√π ∫ e^(−t²) dt from 0 to x. */
export function erf(x: number): number {
  return Math.abs(x) < CLOSE ? series(x) : Math.sign(x) * (1 - fraction(Math.abs(x)));
}

/** 1 − erf x, without cancellation. */
export function erfc(x: number): number {
  if (Math.abs(x) < CLOSE) return 1 - series(x);
  return x > 0 ? fraction(x) : 2 - fraction(-x);
}

/** erf x = 2/√π e^(−x²) Σ 2^k x^(2k+1) / (2k + 1)!!, whose terms are of one sign. */
function series(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** erfc x = e^(−x²)/√π / (x + ½ / (x + 1 / (x + 3/2 / (x + …)))) for x > 0. */
function fraction(x: number): number {
  if (x > 40) return Number.isNaN(x) ? x : 0;
  let tail = x;
  for (let k = 120; k > 0; k--) tail = x + k / 2 / tail;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / tail;
}
