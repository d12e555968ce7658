// Losses of rows: finite, with a finite gradient, and near the float64 truth wherever that is a float32.
import { describe, expect, test } from "vitest";
import * as nablas from "../src/index";
import { scope, type Tensor, tensor } from "../src/index";
import {
  CLASSES,
  FEW,
  FILLER,
  Misses,
  matrix,
  pairsOf,
  parts,
  ROWS,
  type Row,
  softmaxOf,
  surprise,
  total,
} from "./grid";

interface Truth {
  y: number;
  dx: Row;
  yTerms?: number;
  dxTerms?: Row;
}

interface RowLoss {
  name: string;
  options?: Readonly<Record<string, unknown>>;
  /** What each row is compared with: a class, or another row. */
  targets: readonly (number | Row)[];
  truth: (x: Row, target: never) => Truth;
  /** The factor of a row in the divisor of "mean", where that is not 1. */
  weightOf?: (target: never) => number;
  reductions?: readonly string[];
  /** Whether the other row gets a gradient, the same with the two exchanged. */
  symmetric?: boolean;
}

function crossEntropy(x: Row, label: number, w = 1): Truth {
  const dx = softmaxOf(x).map((p, i, all) => w * (i === label ? -total(all.toSpliced(label, 1)) : p));
  return { y: w * surprise(x, label), dx };
}

/** Σ q (log Σ e^x − x) of a distribution, with the weights folded in. */
function softCrossEntropy(x: Row, q: Row): Truth {
  const sum = total(q);
  const terms = softmaxOf(x).map((p, i) => sum * p + q[i]!);
  const { at, rest } = parts(x);
  const others = total(q.toSpliced(at, 1));
  const dx = softmaxOf(x).map((p, i) => (i === at ? others - (sum * rest) / (1 + rest) : sum * p - q[i]!));
  return { y: total(q.map((v, i) => (v === 0 ? 0 : v * surprise(x, i)))), dx, dxTerms: terms };
}

const smoothed = (label: number, s: number, weight: Row = [1, 1, 1]) =>
  weight.map((w, c) => Math.fround(w * (s / 3 + (c === label ? 1 - s : 0))));

function nll(x: Row, label: number, w = 1): Truth {
  return { y: -w * x[label]!, dx: x.map((_, i) => (i === label ? -w : 0)) };
}

function multiMargin(x: Row, label: number, p: number, margin: number, w = 1): Truth {
  const z = x.map((v, i) => (i === label ? 0 : Math.max(0, v - x[label]! + Math.fround(margin))));
  const slopes = z.map((v) => (w / 3) * (p === 2 ? 2 * v : Number(v > 0)));
  return {
    y: (w / 3) * total(z.map((v) => v ** p)),
    dx: slopes.map((v, i) => (i === label ? -total(slopes) : v)),
  };
}

function categoricalHinge(x: Row, t: Row): Truth {
  const others = x.map((v, i) => (1 - t[i]!) * v);
  const most = Math.max(...others);
  const y = Math.max(0, 1 + (most - total(x.map((v, i) => t[i]! * v))));
  const at = others.indexOf(most);
  return { y, dx: t.map((v, i) => (y > 0 ? (i === at ? 1 - 2 * v : -v) : 0)) };
}

/** By Lagrange's identity, A B − (a·b)² = Σ (a_i b_j − a_j b_i)² and what ε adds, and its like for the derivative. */
function cosine(a: Row, b: Row, target: number, margin: number): Truth {
  const eps = 1e-12;
  const dot = (u: Row, v: Row) => total(u.map((w, i) => w * v[i]!));
  const [A, B, ab] = [dot(a, a) + eps, dot(b, b) + eps, dot(a, b)];
  const lengths = Math.sqrt(A) * Math.sqrt(B);
  const minor = (i: number, j: number) => a[i]! * b[j]! - a[j]! * b[i]!;
  const minors = pairsOf(CLASSES, CLASSES).filter(([i, j]) => i < j);
  const square = total(minors.map(([i, j]) => minor(i, j) ** 2)) + eps * (A + B - eps);
  const c = ab / lengths;
  const y = target === 1 ? (ab > 0 ? square / lengths / (lengths + ab) : 1 - c) : Math.max(0, c - margin);
  const sign = target === 1 ? -1 : Number(c > margin);
  const dx = a.map((_, k) => {
    const numerator = total(a.map((v, i) => v * minor(i, k))) + eps * b[k]!;
    return (sign * numerator) / A / lengths;
  });
  // Unit rows are formed in float64.
  const dxTerms = a.map((v, k) => 1e-9 * (Math.abs(v) / A + Math.abs(b[k]!) / lengths));
  return { y, dx, dxTerms, yTerms: target === 1 ? 0 : 1e-9 * (Math.abs(c) + Math.abs(margin)) };
}

const SOFT: Row[] = [[0.5, 0.25, 0.25], [0, 0, 1], [1, 2 ** -149, 0], [1e-20, 0.5, 0.5].map(Math.fround)];
const uneven = [1e-30, 1, 1e30].map(Math.fround);
// Up to 1: a probability that rounds to 0 does so before its weight.
const gentle = [1e-30, 1, 0.75].map(Math.fround);

const losses: RowLoss[] = [
  { name: "crossEntropyLoss", targets: CLASSES, truth: crossEntropy },
  {
    name: "crossEntropyLoss",
    options: { weight: gentle },
    targets: CLASSES,
    truth: (x: Row, t: number) => crossEntropy(x, t, gentle[t]),
    weightOf: (t: number) => gentle[t]!,
  },
  {
    name: "crossEntropyLoss",
    options: { weight: uneven },
    targets: CLASSES,
    truth: (x: Row, t: number) => crossEntropy(x, t, uneven[t]),
    weightOf: (t: number) => uneven[t]!,
    reductions: ["mean"],
  },
  ...[1e-10, 0.1, 1].map((labelSmoothing) => ({
    name: "crossEntropyLoss",
    options: { labelSmoothing },
    targets: CLASSES,
    truth: (x: Row, t: number) => softCrossEntropy(x, smoothed(t, labelSmoothing)),
  })),
  {
    name: "crossEntropyLoss",
    options: { labelSmoothing: 0.1, weight: gentle },
    targets: CLASSES,
    truth: (x: Row, t: number) => softCrossEntropy(x, smoothed(t, 0.1, gentle)),
    weightOf: (t: number) => gentle[t]!,
    reductions: ["none", "sum"],
  },
  { name: "crossEntropyLoss", targets: SOFT, truth: softCrossEntropy },
  { name: "nllLoss", targets: CLASSES, truth: nll },
  {
    name: "nllLoss",
    options: { weight: uneven },
    targets: CLASSES,
    truth: (x: Row, t: number) => nll(x, t, uneven[t]),
    weightOf: (t: number) => uneven[t]!,
  },
  ...pairsOf([1, 2], [1e-20, 1, 1e20]).map(([p, margin]) => ({
    name: "multiMarginLoss",
    options: { p, margin },
    targets: CLASSES,
    truth: (x: Row, t: number) => multiMargin(x, t, p, margin),
  })),
  {
    name: "multiMarginLoss",
    options: { p: 2, weight: uneven },
    targets: CLASSES,
    truth: (x: Row, t: number) => multiMargin(x, t, 2, 1, uneven[t]),
  },
  { name: "categoricalHingeLoss", targets: SOFT, truth: categoricalHinge },
];

function run(loss: RowLoss, x: readonly Row[], targets: readonly (number | Row)[], reduction: string) {
  return scope(() => {
    const input = matrix(x, true);
    const soft = typeof targets[0] === "object";
    const t = soft ? matrix(targets as Row[]) : tensor(Int32Array.from(targets as number[]));
    const fn = (nablas as unknown as Record<string, (...args: unknown[]) => Tensor>)[loss.name]!;
    const y = fn(input, t, { ...loss.options, reduction });
    y.backward({ gradient: tensor(new Float32Array(y.size).fill(1), { shape: y.shape }) });
    return { y: [...y.data], dx: [...input.grad!.data] };
  });
}

const call = (truth: RowLoss["truth"], x: Row, t: number | Row) => truth(x, t as never);

describe.each(losses.map((loss) => [loss.name, JSON.stringify(loss.options ?? {}), loss] as const))(
  "%s %s is finite and near",
  (_name, _options, loss) => {
    const reductions = loss.reductions ?? ["none", "mean", "sum"];
    const unreduced = reductions.includes("none") ? loss.targets : [];
    test.each(unreduced.map((t) => [t] as const))("for each row with %j", (target) => {
      const misses = new Misses();
      const { y, dx } = run(
        loss,
        ROWS,
        ROWS.map(() => target),
        "none",
      );
      for (const [r, x] of ROWS.entries()) {
        const truth = call(loss.truth, x, target);
        misses.check(`y(${x})`, y[r], truth.y, truth.yTerms);
        for (const i of CLASSES) {
          misses.check(`dx${i}(${x})`, dx[3 * r + i], truth.dx[i]!, truth.dxTerms?.[i]);
        }
      }
      expect(misses.some).toEqual([]);
    });

    test.each(reductions.filter((r) => r !== "none"))("as the %s of batches", (reduction) => {
      const misses = new Misses();
      for (const [x, target] of pairsOf(FEW, loss.targets)) {
        const truth = call(loss.truth, x, target);
        const others = loss.targets.map((t) => call(loss.truth, FILLER, t));
        for (const [copies, fillers] of [
          [3, 0],
          [1, 1],
        ] as const) {
          const batch = [...Array(copies).fill(x), ...(fillers ? loss.targets.map(() => FILLER) : [])];
          const targets = [...Array(copies).fill(target), ...(fillers ? loss.targets : [])];
          const weight = (t: number | Row) => loss.weightOf?.(t as never) ?? 1;
          const divisor = reduction === "sum" ? 1 : total(targets.map(weight));
          const { y, dx } = run(loss, batch, targets, reduction);
          const where = `${x}; ${target} × ${copies}`;
          misses.check(
            `y(${where})`,
            y[0],
            (copies * truth.y + fillers * total(others.map((o) => o.y))) / divisor,
          );
          for (const i of CLASSES) {
            misses.check(
              `dx${i}(${where})`,
              dx[i],
              truth.dx[i]! / divisor,
              (truth.dxTerms?.[i] ?? 0) / divisor,
            );
          }
        }
      }
      expect(misses.some).toEqual([]);
    });
  },
);

describe("cosineEmbeddingLoss is finite and near", () => {
  const others = [
    [1, 0.5, -1],
    [1e-20, 0, 0.5],
    [2e19, 1e4, 1e30],
    [1e4, 0, 0],
  ].map((row) => row.map(Math.fround));
  const cases = ROWS.flatMap((a) =>
    [...others, a, a.map((v) => -v), [...a].reverse()].map((b) => [a, b] as const),
  );

  test.each(pairsOf([1, -1], [0, 0.4, -0.9]))("for pairs with target %d and margin %d", (target, margin) => {
    const misses = new Misses();
    const [a, b] = [cases.map(([p]) => p), cases.map(([, q]) => q)];
    const { y, da, db } = scope(() => {
      const inputs = [matrix(a, true), matrix(b, true)] as const;
      const t = tensor(new Float32Array(a.length).fill(target));
      const loss = nablas.cosineEmbeddingLoss(...inputs, t, { margin, reduction: "none" });
      loss.backward({ gradient: tensor(new Float32Array(a.length).fill(1)) });
      return { y: [...loss.data], da: [...inputs[0].grad!.data], db: [...inputs[1].grad!.data] };
    });
    for (const [r, [p, q]] of cases.entries()) {
      const [truth, swapped] = [cosine(p, q, target, margin), cosine(q, p, target, margin)];
      misses.check(`y(${p}; ${q})`, y[r], truth.y, truth.yTerms);
      for (const i of CLASSES) {
        misses.check(`da${i}(${p}; ${q})`, da[3 * r + i], truth.dx[i]!, truth.dxTerms![i]);
        misses.check(`db${i}(${p}; ${q})`, db[3 * r + i], swapped.dx[i]!, swapped.dxTerms![i]);
      }
    }
    expect(misses.some).toEqual([]);
  });

  test.each(["mean", "sum"] as const)("as the %s of batches", (reduction) => {
    const misses = new Misses();
    for (const x of FEW) {
      const truth = cosine(x, FILLER, 1, 0);
      const divisor = reduction === "mean" ? 3 : 1;
      scope(() => {
        const a = matrix([x, x, x], true);
        const y = nablas.cosineEmbeddingLoss(a, matrix([FILLER, FILLER, FILLER]), tensor([1, 1, 1]), {
          reduction,
        });
        y.backward();
        misses.check(`y(${x})`, y.item(), (3 * truth.y) / divisor);
        for (const i of CLASSES) {
          misses.check(`da${i}(${x})`, a.grad!.data[i], truth.dx[i]! / divisor, truth.dxTerms![i]!);
        }
      });
    }
    expect(misses.some).toEqual([]);
  });
});
