// Gradients of float64 functions by differences, and how sure they are.
import type { Nd } from "../reference";
import { nd } from "../reference";

/** A power of two: x ± h is exact for a float32 x. */
const h = 2 ** -17;

/** What the rounding of a term leaves in a difference quotient, relative to the term. */
const ROUNDING = 2 ** -50 / h;

/** The slope of Σ dy f(x) along one element of x. */
export interface Slope {
  gradient: number;
  /** The sum of the absolute terms of the gradient: roundings are relative to them. */
  scale: number;
  /** What rounding may have added to the difference. */
  noise: number;
  /** Whether a difference four times as wide comes to the same: there is no kink nearby. */
  smooth: boolean;
}

/** Central differences of Σ dy f(x), for each element of x. */
export function slopes(f: (x: Nd) => Nd, x: Nd, dy: Nd): Slope[] {
  const difference = (e: number, by: number): Omit<Slope, "smooth"> => {
    const [more, less] = [by, -by].map((d) => f(nd(x.shape, x.data.with(e, x.data[e]! + d))).data) as [
      Float64Array,
      Float64Array,
    ];
    let [gradient, scale, noise] = [0, 0, 2 * ROUNDING];
    for (const [i, a] of more.entries()) {
      const term = (dy.data[i]! * (a - less[i]!)) / (2 * by);
      if (term === 0) continue;
      gradient += term;
      scale += Math.abs(term);
      noise += Math.abs(dy.data[i]!) * Math.max(1, Math.abs(a)) * ROUNDING;
    }
    return { gradient, scale, noise };
  };
  return Array.from(x.data, (_, e) => {
    const [near, wide] = [difference(e, h), difference(e, 4 * h)];
    const apart = Math.abs(wide.gradient - near.gradient);
    return { ...near, smooth: apart <= 1e-6 * near.scale + near.noise };
  });
}
