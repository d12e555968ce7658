import { Buffer } from "../memory";
import type { Shape } from "../tensor";
import { kernels } from "../wasm";

/** What a kernel says of f32 values [..., units], each unit being a column. */
export interface Statistics {
  readonly mean: number;
  /** √(Σ (x − mean)² / n). */
  readonly std: number;
  /** √Σ x². */
  readonly norm: number;
  /** Root mean square over the units of their means over the rows. */
  readonly unitMean: number;
  /** Root mean square over the units of their standard deviations over the rows. */
  readonly unitStd: number;
  /** Share of the elements at or beyond the bounds asked for. */
  readonly saturated: number;
  /** Share of the units whose values sum up to 0: of a ReLU, those that are 0 in every row. */
  readonly dead: number;
  /** Where the first element is that is not finite, if there is one. */
  readonly nonFinite: { readonly row: number; readonly column: number; readonly value: number } | undefined;
}

/** The statistics of the values at `ptr`; those of no values are NaN. */
export function statistics(
  ptr: number,
  shape: Shape,
  [low, high]: readonly [number, number] = [-Infinity, Infinity],
): Statistics {
  const cols = shape.length > 1 ? shape.at(-1)! : 1;
  const size = shape.reduce((product, n) => product * n, 1);
  const totals = new Buffer(2 * cols);
  const out = new Buffer(14);
  kernels.statistics(ptr, totals.ptr, out.ptr, size / Math.max(1, cols), cols, low, high);
  const [mean = 0, std = 0, squares = 0, saturated = 0, dead = 0, at = 0, value = 0] = out.doubles(7);
  totals.free("dispose");
  out.free("dispose");
  const meanSquare = std ** 2 + mean ** 2;
  return {
    mean,
    std,
    norm: Math.sqrt(size * meanSquare),
    unitMean: Math.sqrt(squares),
    unitStd: Math.sqrt(Math.max(0, meanSquare - squares)),
    saturated,
    dead,
    nonFinite: at < 0 ? undefined : { row: Math.floor(at / cols), column: at % cols, value },
  };
}
