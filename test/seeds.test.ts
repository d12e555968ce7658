import { describe, expect, it } from "vitest";
import {
  bceLoss,
  bceWithLogitsLoss,
  crossEntropyLoss,
  linear,
  logSoftmax,
  logSumExp,
  mseLoss,
  mul,
  nllLoss,
  SGD,
  scope,
  sigmoid,
  softmax,
  type Tensor,
  tensor,
} from "../src/index";
import { readOracle } from "./oracle";

type CurveName = "a" | "loss" | "dC_dw" | "dC_db" | "w" | "b";
type Curves = Record<CurveName, number[]>;

interface Run {
  loss_name: "mse" | "bce";
  lr: number;
  w0: number;
  b0: number;
  curves: Curves;
}

interface SoftmaxExample {
  z: number[];
  quoted: number[];
  softmax: number[];
  log_softmax: number[];
  logsumexp: number;
  class?: number;
  cross_entropy?: number;
  gradient?: number[];
}

interface Seeds {
  softmax: SoftmaxExample[];
  neuron: { x: number; y: number; epochs: number; runs: Run[] };
}

const seeds = readOracle<Seeds>("seeds.json");

/** Largest distance between two curves. */
function distance(got: ArrayLike<number>, want: ArrayLike<number>): number {
  expect(got.length).toBe(want.length);
  return Math.max(...Array.from(want, (w, i) => Math.abs(got[i]! - w)));
}

/** A few roundings of numbers up to 1; the log-probabilities and sums reach 7. */
const ROUNDING = 2 ** -22;

describe.each(seeds.softmax)("softmax of ($z)", (example) => {
  it("is the float64 value, and the quoted one to its last digit", () => {
    const y = softmax(tensor(example.z));
    expect(distance(y.data, example.softmax)).toBeLessThan(ROUNDING);
    // The quoted numbers have two or three digits, some of them cut off instead of rounded.
    const digits = Math.max(...example.quoted.map((q) => `${q}`.length - 2));
    expect(distance(y.data, example.quoted)).toBeLessThan(10 ** -digits);
  });

  it("has the float64 logarithms and normaliser", () => {
    const z = tensor(example.z);
    expect(distance(logSoftmax(z).data, example.log_softmax)).toBeLessThan(4 * ROUNDING);
    expect(Math.abs(logSumExp(z).item() - example.logsumexp)).toBeLessThan(4 * ROUNDING);
  });
});

const classified = seeds.softmax.filter((example) => example.class !== undefined);

it.each(classified)("cross-entropy of ($z) has the gradient softmax − onehot", (example) => {
  const z = tensor([example.z], { requiresGrad: true });
  const loss = crossEntropyLoss(z, [example.class!]);
  loss.backward();
  const onehot = example.softmax.map((_, i) => Number(i === example.class));
  expect(Math.abs(loss.item() - example.cross_entropy!)).toBeLessThan(ROUNDING);
  expect(distance(z.grad!.data, example.gradient!)).toBeLessThan(ROUNDING);
  expect(
    distance(
      z.grad!.data,
      example.softmax.map((p, i) => p - onehot[i]!),
    ),
  ).toBeLessThan(ROUNDING);
});

/** Loss of the neuron from its pre-activation z and activation a = σ(z). */
type Cost = (z: Tensor, a: Tensor, y: Tensor) => Tensor;

const costs: Record<string, { of: Run["loss_name"]; cost: Cost }> = {
  "(a − y)² / 2": { of: "mse", cost: (_, a, y) => mul(mseLoss(a, y), 0.5) },
  "bceLoss of σ(z)": { of: "bce", cost: (_, a, y) => bceLoss(a, y) },
  "bceWithLogitsLoss of z": { of: "bce", cost: (z, _, y) => bceWithLogitsLoss(z, y) },
};

/** Trains a = σ(w x + b) towards y; index i of the curves holds the state after i updates. */
function trainNeuron({ lr, w0, b0 }: Pick<Run, "lr" | "w0" | "b0">, cost: Cost): Curves {
  const { x, y, epochs } = seeds.neuron;
  const [input, target] = [tensor([[x]]), tensor([[y]])];
  const w = tensor([[w0]], { requiresGrad: true });
  const b = tensor([b0], { requiresGrad: true });
  const optimizer = new SGD([w, b], { lr });
  const curves: Curves = { a: [], loss: [], dC_dw: [], dC_db: [], w: [], b: [] };
  for (let epoch = 0; epoch <= epochs; epoch++) {
    scope(() => {
      const z = linear(input, w, b);
      const a = sigmoid(z);
      const loss = cost(z, a, target);
      curves.a.push(a.item());
      curves.loss.push(loss.item());
      curves.w.push(w.item());
      curves.b.push(b.item());
      optimizer.zeroGrad();
      loss.backward();
      curves.dC_dw.push(w.grad!.item());
      curves.dC_db.push(b.grad!.item());
      optimizer.step();
    });
  }
  return curves;
}

describe.each(Object.entries(costs))("the sigmoid neuron with %s", (_, { of, cost }) => {
  const runs = seeds.neuron.runs.filter((run) => run.loss_name === of);

  it.each(runs)("follows the float64 curves from ($w0, $b0) with lr $lr", (run) => {
    const got = trainNeuron(run, cost);
    // Each of the 300 updates rounds w and b (|w|, |b| < 4) by up to 1.2e-7, as a random walk some 1.2e-6 in
    // all. From (2, 2) with (a − y)² / 2 the flow widens distances by the growth of the gradient, at most
    // 0.148 / 0.017 = 8.6 times: 1e-5.
    for (const [name, curve] of Object.entries(run.curves)) {
      expect(distance(got[name as CurveName], curve), name).toBeLessThan(2e-5);
    }
  });
});

/** The share of the way from the first activation to y = 0 that was covered in the given epochs. */
function learned({ a }: Curves, epochs: number): number {
  return 1 - a[epochs]! / a[0]!;
}

describe("learning slowdown (Nielsen, Neural Networks and Deep Learning, chapter 3)", () => {
  const lr = 0.15;
  const slight = { lr, w0: 0.6, b0: 0.9 };
  const bad = { lr, w0: 2, b0: 2 };
  const run = (start: typeof bad, name: string) => trainNeuron(start, costs[name]!.cost);

  it("with mean squared error the badly wrong neuron crawls, the slightly wrong one learns", () => {
    expect(learned(run(bad, "(a − y)² / 2"), 100)).toBeLessThan(0.02);
    expect(learned(run(slight, "(a − y)² / 2"), 100)).toBeGreaterThan(0.7);
  });

  it.each(["bceLoss of σ(z)", "bceWithLogitsLoss of z"])("with %s both learn", (name) => {
    expect(learned(run(bad, name), 100)).toBeGreaterThan(0.95);
    expect(learned(run(slight, name), 100)).toBeGreaterThan(0.95);
  });

  it("because the squared error's gradient has the factor σ'(z), 1/57 at the start", () => {
    const squared = run(bad, "(a − y)² / 2").dC_dw[0]!;
    const entropy = run(bad, "bceWithLogitsLoss of z").dC_dw[0]!;
    const a = 1 / (1 + Math.exp(-4));
    expect(entropy / squared).toBeCloseTo(1 / (a * (1 - a)), 3);
    expect(entropy / squared).toBeGreaterThan(56);
  });
});

describe("loss and output unit that match give the gradient a − y by the pre-activation", () => {
  const z = [
    [-4, 1.5, 0.25],
    [3, -0.75, 2],
  ];
  const y = [
    [0, 1, 0.5],
    [1, 0, 0.25],
  ];
  const n = 6;
  const labels = [2, 0];
  const onehot = labels.map((label) => [0, 1, 2].map((c) => Number(c === label)));

  const gradient = (loss: (z: Tensor) => Tensor): number[] => {
    const x = tensor(z, { requiresGrad: true });
    loss(x).backward();
    return [...x.grad!.data];
  };
  const difference = (a: number[][], target: number[][]) =>
    a.flatMap((r, i) => r.map((v, j) => v - target[i]![j]!));
  const sigmoids = z.map((r) => r.map((v) => 1 / (1 + Math.exp(-v))));
  const softmaxes = z.map((r) => {
    const e = r.map(Math.exp);
    const total = e.reduce((s, v) => s + v);
    return e.map((v) => v / total);
  });

  it("linear output and squared error: 2 (a − y) / n, exactly", () => {
    // The numbers above are dyadic, so that a − y and its double are float32 numbers; dividing by n = 6
    // rounds.
    const sum = gradient((x) => mseLoss(x, tensor(y), { reduction: "sum" }));
    expect(sum).toEqual(difference(z, y).map((d) => 2 * d));
    const mean = gradient((x) => mseLoss(x, tensor(y)));
    expect(
      distance(
        mean,
        difference(z, y).map((d) => (2 * d) / n),
      ),
    ).toBeLessThan(ROUNDING);
  });

  it("sigmoid and binary cross-entropy", () => {
    const want = difference(sigmoids, y);
    const fused = gradient((x) => bceWithLogitsLoss(x, tensor(y), { reduction: "sum" }));
    expect(distance(fused, want)).toBeLessThan(ROUNDING);
    // 1 − a carries the rounding of a, relative to 1 − a = 0.018 at z = −4 and 0.047 at z = 3.
    const apart = gradient((x) => bceLoss(sigmoid(x), tensor(y), { reduction: "sum" }));
    expect(distance(apart, want)).toBeLessThan(ROUNDING / 0.047);
  });

  it("softmax and log-likelihood", () => {
    const want = difference(softmaxes, onehot);
    const fused = gradient((x) => crossEntropyLoss(x, labels, { reduction: "sum" }));
    expect(distance(fused, want)).toBeLessThan(ROUNDING);
    const apart = gradient((x) => nllLoss(logSoftmax(x), labels, { reduction: "sum" }));
    expect(distance(apart, want)).toBeLessThan(ROUNDING);
  });
});
