// Losses of pairs of numbers: finite, with a finite gradient, and near the float64 truth wherever that is a float32.
import { describe, expect, test } from "vitest";
import * as nablas from "../src/index";
import { scope, type Tensor, tensor } from "../src/index";
import { GRID, logistic, Misses, pairsOf, SPARSE, softplus } from "./grid";

interface Truth {
  y: number;
  /** dy/dp; dy/dt is its negative where the loss is symmetric. */
  dp: number;
  /** Magnitudes of the terms that y and dp are differences of. */
  yTerms?: number;
  dpTerms?: number;
}

interface Row {
  name: string;
  options?: Readonly<Record<string, unknown>>;
  pred?: (x: number) => boolean;
  target?: (x: number) => boolean;
  targets?: readonly number[];
  truth: (p: number, t: number) => Truth;
  symmetric?: boolean;
  /** A pair with an ordinary loss. */
  filler?: [p: number, t: number];
  /** Whether values and derivatives keep their digits below the normal numbers, for sums and gradients that lift them. */
  lifted?: boolean;
}

const notNegative = (x: number) => x >= 0;
const probability = (x: number) => x >= 0 && x <= 1;
const PROBABILITIES = [...GRID.filter((x) => x > 0 && x <= 1), 0, 0.9, 1 - 2 ** -24].map(Math.fround);
const SIGNS = [1, -1];
const EPSILON = 1e-7;

function d2(p: number, t: number): Truth {
  return { y: (p - t) ** 2, dp: 2 * (p - t) };
}

function smoothL1(p: number, t: number, beta: number): Truth {
  const [d, a] = [p - t, Math.abs(p - t)];
  return a < beta ? { y: (a / 2) * (a / beta), dp: d / beta } : { y: a - beta / 2, dp: Math.sign(d) };
}

function huber(p: number, t: number, delta: number): Truth {
  const [d, a] = [p - t, Math.abs(p - t)];
  return a <= delta ? { y: d ** 2 / 2, dp: d } : { y: delta * (a - delta / 2), dp: delta * Math.sign(d) };
}

function logCosh(p: number, t: number): Truth {
  const d = Math.abs(p - t);
  const y = d < 20 ? Math.log1p(2 * Math.sinh(d / 2) ** 2) : d - Math.LN2 + Math.log1p(Math.exp(-2 * d));
  return { y, dp: Math.tanh(p - t) };
}

function msle(p: number, t: number): Truth {
  const [pc, tc] = [Math.max(p, EPSILON), Math.max(t, EPSILON)];
  const log = Math.sign(pc - tc) * Math.log1p(Math.abs(pc - tc) / (1 + Math.min(pc, tc)));
  return { y: log ** 2, dp: p < EPSILON ? 0 : (2 * log) / (1 + p) };
}

function mape(p: number, t: number): Truth {
  const scale = Math.max(Math.abs(t), EPSILON);
  return { y: (100 * Math.abs(t - p)) / scale, dp: (100 * Math.sign(p - t)) / scale };
}

function bce(p: number, t: number, w: number): Truth {
  const [log, log1] = [Math.max(Math.log(p), -100), Math.max(Math.log1p(-p), -100)];
  return { y: -w * (t * log + (1 - t) * log1), dp: (w * (p - t)) / Math.max(p * (1 - p), 1e-12) };
}

function bceWithLogits(x: number, t: number, w: number, positive: number): Truth {
  const [up, down] = [w * (1 - t) * logistic(x), w * positive * t * logistic(-x)];
  const y = w * (positive * t * softplus(-x) + (1 - t) * softplus(x));
  return { y, dp: up - down, dpTerms: t === 0 || t === 1 ? 0 : up + down };
}

function focal(x: number, t: number, alpha: number, gamma: number): Truth {
  const balance = alpha < 0 ? 1 : alpha * t + (1 - alpha) * (1 - t);
  const entropy = t * softplus(-x) + (1 - t) * softplus(x);
  const m = t * logistic(-x) + (1 - t) * logistic(x);
  const ratio = t === 0 ? logistic(-x) : t === 1 ? logistic(x) : (logistic(x) * logistic(-x)) / m;
  const focus = gamma * (1 - 2 * t) * entropy * ratio;
  const [up, down] = [(1 - t) * logistic(x), t * logistic(-x)];
  const factor = balance * m ** gamma;
  const terms = factor * (Math.abs(focus) + up + down);
  return { y: factor * entropy, dp: factor * (focus + up - down), dpTerms: t === 0 || t === 1 ? 0 : terms };
}

function hinge(p: number, t: number): Truth {
  return { y: Math.max(0, 1 - t * p), dp: 1 - t * p > 0 ? -t : 0 };
}

function squaredHinge(p: number, t: number): Truth {
  const m = Math.max(0, 1 - t * p);
  return { y: m ** 2, dp: -2 * t * m };
}

function klDiv(p: number, t: number): Truth {
  if (t === 0) return { y: 0, dp: 0 };
  return { y: t * (Math.log(t) - p), dp: -t, yTerms: t * (Math.abs(Math.log(t)) + Math.abs(p)) };
}

function klDivOfLogs(p: number, t: number): Truth {
  const e = Math.exp(t);
  return { y: e === 0 || t === p ? 0 : e * (t - p), dp: -e };
}

const stirling = (t: number) => Math.log(2 * Math.PI * t) / 2;

/** e^p − t p + log t!, by the difference r of p and the logarithm of t, rounded to float32, where the parts cancel. */
function poisson(p: number, t: number, full: boolean): Truth {
  const [e, product] = [Math.exp(p), t === 0 ? 0 : t * p];
  const slope = { dp: e - t, dpTerms: e + t };
  if (!full || t <= 1) return { y: e - product, yTerms: e + Math.abs(product), ...slope };
  const r = p - Math.log(t);
  const y = r < 1 ? t * (Math.expm1(r) - r) : e + t * (Math.log(t) - 1 - p);
  const rounding = t * Math.abs(Math.expm1(Math.min(r, 1)) * Math.log(t));
  return { y: y + stirling(t), yTerms: Math.abs(y) + (r < 1 ? t * Math.abs(r) + rounding : e), ...slope };
}

/** p − t log(p + ε) + log t!, by v = (p + ε) / t − 1 where the parts would cancel. */
function poissonOfRates(p: number, t: number, full: boolean, eps: number): Truth {
  const rate = p + eps;
  const slope = { dp: t === 0 ? 1 : (p - t + eps) / rate, dpTerms: t === 0 ? 0 : (p + t) / rate };
  const product = t === 0 ? 0 : t * (Math.abs(rate - 1) < 0.5 ? Math.log1p(p - 1 + eps) : Math.log(rate));
  if (!full || t <= 1) return { y: p - product, yTerms: p + Math.abs(product), ...slope };
  const v = (p - t + eps) / t;
  const log = v > -0.5 ? Math.log1p(v) : Math.log(rate) - Math.log(t);
  const y = t * (v - log) - eps;
  return { y: y + stirling(t), yTerms: t * (Math.abs(v) + Math.abs(log)), ...slope };
}

const betas = [1e-40, 1e-20, 1, 1e20, 3e38];
const weights = [1e-30, 3, 1e30];

const rows: Row[] = [
  { name: "mseLoss", truth: d2, symmetric: true },
  { name: "l1Loss", truth: (p, t) => ({ y: Math.abs(p - t), dp: Math.sign(p - t) }), symmetric: true },
  ...[0, ...betas].map((beta) => ({
    name: "smoothL1Loss",
    options: { beta },
    truth: (p: number, t: number) => smoothL1(p, t, beta),
    symmetric: true,
  })),
  ...betas.map((delta) => ({
    name: "huberLoss",
    options: { delta },
    truth: (p: number, t: number) => huber(p, t, delta),
    symmetric: true,
  })),
  { name: "logCoshLoss", truth: logCosh, symmetric: true },
  { name: "msleLoss", truth: msle },
  { name: "mapeLoss", truth: mape },
  ...[1, ...weights].map((w) => ({
    name: "bceLoss",
    options: w === 1 ? {} : { weight: [w] },
    pred: probability,
    target: probability,
    truth: (p: number, t: number) => bce(p, t, Math.fround(w)),
    filler: [0.5, 0.5] as [number, number],
  })),
  ...[
    [1, 1],
    [1e-30, 1],
    [1e30, 1],
    [1, 1e-30],
    [1, 1e30],
    [3, 0.5],
  ].map(([w = 1, positive = 1]) => ({
    name: "bceWithLogitsLoss",
    options: {
      ...(w === 1 ? {} : { weight: [w] }),
      ...(positive === 1 ? {} : { posWeight: [positive] }),
    },
    targets: PROBABILITIES,
    truth: (x: number, t: number) => bceWithLogits(x, t, Math.fround(w), Math.fround(positive)),
    lifted: w !== 1 || positive !== 1,
  })),
  ...[
    [0.25, 2],
    [-1, 2],
    [0, 1],
    [1, 0],
    [0.25, 0.5],
    [0.75, 5],
    [0.25, 100],
  ].map(([alpha = 0.25, gamma = 2]) => ({
    name: "focalLoss",
    options: { alpha, gamma },
    targets: PROBABILITIES,
    truth: (x: number, t: number) => focal(x, t, alpha, gamma),
    lifted: false,
  })),
  { name: "hingeLoss", targets: SIGNS, truth: hinge },
  { name: "squaredHingeLoss", targets: SIGNS, truth: squaredHinge },
  {
    name: "exponentialLoss",
    targets: SIGNS,
    truth: (p, t) => ({ y: Math.exp(-t * p), dp: -t * Math.exp(-t * p) }),
  },
  {
    name: "softMarginLoss",
    targets: SIGNS,
    truth: (p, t) => ({ y: softplus(-t * p), dp: -t * logistic(-t * p) }),
  },
  { name: "klDivLoss", target: notNegative, truth: klDiv },
  { name: "klDivLoss", options: { logTarget: true }, truth: klDivOfLogs },
  ...[false, true].map((full) => ({
    name: "poissonNllLoss",
    options: { full },
    target: notNegative,
    truth: (p: number, t: number) => poisson(p, t, full),
  })),
  ...pairsOf([false, true], [0, 1e-30, 1e-8, 1]).map(([full, eps]) => ({
    name: "poissonNllLoss",
    options: { logInput: false, full, eps },
    pred: notNegative,
    target: notNegative,
    truth: (p: number, t: number) => poissonOfRates(p, t, full, eps),
  })),
];

const titled = rows.map((row) => [row.name, JSON.stringify(row.options ?? {}), row] as const);

test("every loss is in this table or has rows of its own, in gridRows.test.ts", () => {
  const inTable = new Set(rows.map(({ name }) => name));
  const others = Object.keys(nablas).filter((name) => name.endsWith("Loss") && !inTable.has(name));
  const ofRows = [
    "categoricalHingeLoss",
    "cosineEmbeddingLoss",
    "crossEntropyLoss",
    "multiMarginLoss",
    "nllLoss",
  ];
  expect(others.sort()).toEqual([...ofRows, "customLoss"].sort());
});

type Loss = (pred: Tensor, target: Tensor, options: object) => Tensor;

interface Results {
  y: number[];
  dp: number[];
  dt: number[] | undefined;
}

/** The loss of pairs and its gradient, given `dy` times ones from above. */
function run(row: Row, pairs: readonly (readonly [number, number])[], reduction: string, dy = 1): Results {
  return scope(() => {
    const pred = tensor(
      Float32Array.from(pairs, ([p]) => p),
      { requiresGrad: true },
    );
    const target = tensor(
      Float32Array.from(pairs, ([, t]) => t),
      { requiresGrad: row.symmetric ?? false },
    );
    const loss = (nablas as unknown as Record<string, Loss>)[row.name]!;
    const y = loss(pred, target, { ...row.options, reduction });
    y.backward({ gradient: tensor(new Float32Array(y.size).fill(dy), { shape: y.shape }) });
    return { y: [...y.data], dp: [...pred.grad!.data], dt: target.grad ? [...target.grad.data] : undefined };
  });
}

function pairs({ pred = () => true, target = () => true, targets }: Row, values: readonly number[]) {
  return pairsOf(values.filter(pred), targets ?? values.filter(target));
}

describe.each(titled)("%s %s is finite and near", (_name, _options, row) => {
  test("for each pair, whatever gradient comes from above", () => {
    const misses = new Misses();
    const all = pairs(row, GRID);
    for (const dy of row.lifted === false ? [1] : [1, 2 ** -100, 2 ** 100]) {
      const { y, dp, dt } = run(row, all, "none", dy);
      for (const [i, [p, t]] of all.entries()) {
        const truth = row.truth(p, t);
        const where = `${p}, ${t}`;
        misses.check(`y(${where})`, y[i]!, truth.y, truth.yTerms);
        misses.check(`dp(${where}) · ${dy}`, dp[i]!, dy * truth.dp, dy * (truth.dpTerms ?? 0));
        if (row.symmetric) misses.check(`dt(${where}) · ${dy}`, dt?.[i], -dy * truth.dp);
      }
    }
    expect(misses.some).toEqual([]);
  });

  const filler = row.filler ?? [0.5, row.targets ? 1 : 0.25];
  const others = { ...row.truth(...filler), count: 0 };
  const reductions = row.name === "klDivLoss" ? ["mean", "sum", "batchmean"] : ["mean", "sum"];
  test.each(reductions)("as the %s of batches", (reduction) => {
    const misses = new Misses();
    for (const pair of pairs(row, SPARSE)) {
      const truth = row.truth(...pair);
      for (const [copies, fillers] of [
        [3, 0],
        [1, 4],
        [1, 200],
      ] as const) {
        const batch = [...Array(copies).fill(pair), ...Array(fillers).fill(filler)];
        const divisor = reduction === "sum" ? 1 : batch.length;
        const { y, dp, dt } = run(row, batch, reduction);
        const where = `${pair.join(", ")} × ${copies}, ${fillers} others`;
        const sum = (a = 0, b = 0) => (copies * a + fillers * b) / divisor;
        // Values that are float32 before they are added are off by up to half of 2^−149.
        const rounded = row.lifted === false ? batch.length * 2 ** -127 : 0;
        const terms = sum(truth.yTerms, others.yTerms) + rounded;
        misses.check(`y(${where})`, y[0]!, sum(truth.y, others.y), terms);
        misses.check(`dp(${where})`, dp[0]!, truth.dp / divisor, (truth.dpTerms ?? 0) / divisor);
        if (row.symmetric) misses.check(`dt(${where})`, dt?.[0], -truth.dp / divisor);
      }
    }
    expect(misses.some).toEqual([]);
  });
});
