// What losses ought to give.
import { at, build, type Nd, nd, total } from "../reference";

export type Reduction = "mean" | "sum" | "none";

/** "batchmean" divides by the size of the first dimension. */
export function reduced(values: Nd, reduction: Reduction | "batchmean" = "mean"): Nd {
  if (reduction === "none") return values;
  const divisors = { sum: 1, mean: values.data.length, batchmean: values.shape[0]! };
  return nd([], [total([...values.data]) / divisors[reduction]]);
}

export interface ClassOptions {
  weight?: readonly number[];
  ignoreIndex?: number;
  labelSmoothing?: number;
  reduction?: Reduction;
}

/**
 * −Σ q log p per row, with q = w ((1 − s) t + s / C) of the one-hot or given distribution t. The class axis is
 * 1, or 0 where there is only one. "mean" divides by Σ w[class], or by the number of rows where t is a distribution.
 */
export function crossEntropy(
  logProbabilities: (line: number[]) => number[],
): (scores: Nd, target: Nd, options?: ClassOptions) => Nd {
  return (scores, target, options = {}) => {
    const { weight, ignoreIndex = -100, labelSmoothing: s = 0, reduction = "mean" } = options;
    const axis = Math.min(1, scores.shape.length - 1);
    const C = scores.shape[axis]!;
    const soft = target.shape.length === scores.shape.length;
    let divisor = 0;
    const values = build(scores.shape.toSpliced(axis, 1), (index) => {
      const label = soft ? -1 : at(target, index);
      if (!soft && label === ignoreIndex) return 0;
      divisor += soft ? 1 : (weight?.[label] ?? 1);
      const place = (c: number) => index.toSpliced(axis, 0, c);
      const logs = logProbabilities(Array.from({ length: C }, (_, c) => at(scores, place(c))));
      const share = (c: number) => (soft ? at(target, place(c)) : Number(c === label));
      const q = (c: number) => (weight?.[c] ?? 1) * ((1 - s) * share(c) + s / C);
      return -total(logs.map((log, c) => (q(c) === 0 ? 0 : q(c) * log)));
    });
    if (reduction !== "mean") return reduced(values, reduction);
    return nd([], [divisor === 0 ? 0 : total([...values.data]) / divisor]);
  };
}

export interface MarginOptions {
  p?: number;
  margin?: number;
  weight?: readonly number[];
  reduction?: Reduction;
}

/** w[y] / C Σ max(0, margin − x[y] + x[i])^p over i ≠ y per row. The class axis is 1, or 0 where there is only one. */
export function multiMargin(scores: Nd, target: Nd, options: MarginOptions = {}): Nd {
  const { p = 1, margin = 1, weight, reduction } = options;
  const axis = Math.min(1, scores.shape.length - 1);
  const C = scores.shape[axis]!;
  const values = build(scores.shape.toSpliced(axis, 1), (index) => {
    const y = at(target, index);
    const x = Array.from({ length: C }, (_, c) => at(scores, index.toSpliced(axis, 0, c)));
    const parts = x.map((v, i) => (i === y ? 0 : Math.max(0, margin - x[y]! + v) ** p));
    return ((weight?.[y] ?? 1) * total(parts)) / C;
  });
  return reduced(values, reduction);
}

/** f of the rows of arrays along the last dimension. */
function ofRows(f: (rows: number[][], index: number[]) => number, ...arrays: Nd[]): Nd {
  const [{ shape }] = arrays as [Nd];
  const cols = Array.from({ length: shape.at(-1)! }, (_, c) => c);
  return build(shape.slice(0, -1), (index) =>
    f(
      arrays.map((x) => cols.map((c) => at(x, [...index, c]))),
      index,
    ),
  );
}

const dot = (a: number[], b: number[]) => total(a.map((v, i) => v * b[i]!));

/** max(0, 1 + max((1 − t) p) − Σ t p) per row. */
export function categoricalHinge(pred: Nd, target: Nd, { reduction }: MarginOptions = {}): Nd {
  const values = ofRows(
    ([p, t]) => {
      const others = p!.map((v, i) => (1 - t![i]!) * v);
      return Math.max(0, 1 + Math.max(...others) - dot(p!, t!));
    },
    pred,
    target,
  );
  return reduced(values, reduction);
}

/** 1 − cos of rows where the target is 1, max(0, cos − margin) where it is −1. */
export function cosineEmbedding(a: Nd, b: Nd, target: Nd, { margin = 0, reduction }: MarginOptions = {}): Nd {
  const values = ofRows(
    ([p, q], index) => {
      const cos = dot(p!, q!) / Math.sqrt((dot(p!, p!) + 1e-12) * (dot(q!, q!) + 1e-12));
      return at(target, index) === 1 ? 1 - cos : Math.max(0, cos - margin);
    },
    a,
    b,
  );
  return reduced(values, reduction);
}
