// The table from which assembly/math.ts forms the error functions: for each multiple of STEP the Taylor polynomial of
// w(t) = erfc(t) e^(t²), by w′ = 2t w − 2/√π and w⁽ⁿ⁺¹⁾ = 2t w⁽ⁿ⁾ + 2n w⁽ⁿ⁻¹⁾.
import { erfc } from "../../test/erf";

const STEP = 1 / 32;
const TERMS = 10;
const CELLS = 513;
export const table = new Float64Array(CELLS * TERMS);

for (let cell = 0; cell < CELLS; cell++) {
  const t = cell * STEP;
  const w = [t < 5 ? erfc(t) * Math.exp(t * t) : fraction(t)];
  w.push(2 * t * w[0]! - 2 / Math.sqrt(Math.PI));
  for (let n = 1; n + 1 < TERMS; n++) w.push(2 * t * w[n]! + 2 * n * w[n - 1]!);
  let factorial = 1;
  for (let n = 0; n < TERMS; n++) {
    table[cell * TERMS + n] = w[n]! / factorial;
    factorial *= n + 1;
  }
}

/** erfc(t) e^(t²) for large t, where the factors leave float64: 1/√π / (t + ½ / (t + 1 / (t + 3/2 / (t + …)))) */
function fraction(t: number): number {
  let tail = t;
  for (let k = 60; k > 0; k--) tail = t + k / 2 / tail;
  return 1 / Math.sqrt(Math.PI) / tail;
}
