// Logits that tie for the maximum, as those of a head that starts at zero: the right values, in time that grows with the row.
import { describe, expect, test } from "vitest";
import {
  crossEntropyLoss,
  full,
  hardmax,
  logSoftmax,
  logSumExp,
  max,
  mul,
  multiMarginLoss,
  neg,
  nllLoss,
  parameter,
  rand,
  scope,
  softmax,
  sum,
  type Tensor,
  tensor,
  topK,
} from "../src/index";
import { ulpError } from "./ulp";

const labels = (x: Tensor) => full(x.shape.toSpliced(1, 1), 2, { dtype: "i32" });

/** p Σ q − q and Σ q (log Σ e^x − x) of a row: elements equal to an infinite maximum share the probability. */
function truth(x: readonly number[], q: readonly number[]): { value: number; gradient: number[] } {
  const most = Math.max(...x);
  const below = x.map((v) => (v === most ? 0 : v - most));
  const e = below.map(Math.exp);
  const [total, mass] = [e, q].map((values) => values.reduce((a, b) => a + b, 0));
  return {
    value: q.reduce((s, w, i) => s + (w === 0 ? 0 : w * (Math.log(total!) - below[i]!)), 0),
    gradient: e.map((v, i) => (v / total!) * mass! - q[i]!),
  };
}

/** Where the ties are, and what the other elements are. */
const kinds: Record<string, (i: number, n: number) => number> = {
  "all zero": () => 0,
  "all 3.3": () => 3.3,
  "all −∞": () => -Infinity,
  "all ∞": () => Infinity,
  "all 3e38": () => 3e38,
  "all −3e38": () => -3e38,
  "two of them, the last one too": (i, n) => (i === 1 || i === n - 1 ? 7.1 : -i / n),
  "every third, ∞": (i) => (i % 3 === 0 ? Infinity : -i),
  "every third, 300": (i) => (i % 3 === 0 ? 300 : 300 - (i % 7)),
  "every third over −∞": (i) => (i % 3 === 0 ? -5 : -Infinity),
};

describe.each(Object.entries(kinds))("ties: %s", (_, at) => {
  const targets: Record<string, (i: number, n: number) => number> = {
    "evenly spread": (_, n) => 1 / n,
    "of one class": (i) => Number(i === 2),
    "of very different size": (i) => (i === 3 ? 1 : 1e-12 * (i % 5)),
  };

  test.each(Object.entries(targets))("crossEntropyLoss with a target %s", (_, share) => {
    for (const n of [5, 8, 33, 70, 1000]) {
      const x = Array.from({ length: n }, (_, i) => Math.fround(at(i, n)));
      const q = Array.from({ length: n }, (_, i) => Math.fround(share(i, n)));
      const want = truth(x, q);
      for (const wide of [false, true]) {
        const spread = (row: number[]) => (wide ? row.flatMap((v) => [v, v, v]) : row);
        const shape = wide ? [1, n, 3] : [1, n];
        const logits = parameter(tensor(spread(x), { shape }));
        const loss = crossEntropyLoss(logits, tensor(spread(q), { shape }), { reduction: "none" });
        for (const v of loss.data)
          expect(Math.abs(v - want.value) <= 1e-6 * want.value || v === want.value).toBe(true);
        loss.backward({ gradient: full(loss.shape, 1) });
        const gradient = [...logits.grad!.data];
        for (const [i, g] of spread(want.gradient).entries())
          expect(Math.abs(gradient[i]! - g)).toBeLessThanOrEqual(3e-7 * Math.abs(g) + 1e-15);
      }
    }
  });

  test("of soft targets, smoothed labels and logSoftmax one gradient", () => {
    const n = 1000;
    const x = Float32Array.from({ length: n }, (_, i) => at(i, n));
    const gradients = [
      (z: Tensor) => crossEntropyLoss(z, [2], { labelSmoothing: 0.1 }),
      (z: Tensor) => crossEntropyLoss(z, tensor(q, { shape: [1, n] })),
      (z: Tensor) => neg(sum(mul(logSoftmax(z), tensor(q, { shape: [1, n] })))),
    ].map((lossOf) => {
      const z = parameter(tensor(x, { shape: [1, n] }));
      lossOf(z).backward();
      return z.grad!.data.slice();
    });
    const want = truth([...x], [...q]).gradient;
    for (const gradient of gradients) {
      for (const [i, g] of want.entries()) expect(gradient[i]).toBeCloseTo(g, 6);
    }
  });
  const q = Float32Array.from({ length: 1000 }, (_, i) => 0.1 / 1000 + Number(i === 2) * 0.9);
});

test("what an almost certain class leaves to the others is not lost beside a target of 1", () => {
  const z = parameter(tensor([[30, 0, 0]]));
  crossEntropyLoss(z, tensor([[1, 1e-20, 0]])).backward();
  const [rest, q] = [2 * Math.exp(-30), Math.fround(1e-20)];
  expect(ulpError(z.grad!.data[0]!, q - rest / (1 + rest))).toBeLessThan(3);
});

describe("takes time that grows with the row, whatever ties", () => {
  const SIZE = 60_000;
  const ops: Record<string, (x: Tensor) => Tensor> = {
    crossEntropyLoss: (x) => crossEntropyLoss(x, labels(x)),
    "crossEntropyLoss, labelSmoothing": (x) => crossEntropyLoss(x, labels(x), { labelSmoothing: 0.1 }),
    "crossEntropyLoss, distributions": (x) => crossEntropyLoss(x, full(x.shape, 1 / SIZE)),
    "crossEntropyLoss, distributions with a gradient": (x) =>
      crossEntropyLoss(x, parameter(full(x.shape, 1 / SIZE))),
    nllLoss: (x) => nllLoss(logSoftmax(x, { dim: 1 }), labels(x)),
    multiMarginLoss: (x) => multiMarginLoss(x, labels(x)),
    softmax: (x) => sum(softmax(x, { dim: 1 })),
    logSumExp: (x) => sum(logSumExp(x, { dim: 1 })),
    max: (x) => sum(max(x, { dim: 1 })),
    hardmax: (x) => hardmax(x, { dim: 1 }),
    topK: (x) => tensor(topK(x.shape.length === 2 ? x : full([1, SIZE], 0), [2], 5)),
  };

  /** The best of five, forward and backward. */
  function time(op: (x: Tensor) => Tensor, values: Tensor): number {
    let best = Infinity;
    for (let i = 0; i < 5; i++) {
      scope(() => {
        const x = parameter(values.clone());
        const start = performance.now();
        const y = op(x);
        if (y.requiresGrad) y.backward();
        best = Math.min(best, performance.now() - start);
      });
    }
    return best;
  }

  // A quadratic search of this size takes 10,000 times as long.
  test.each(Object.entries(ops))("%s", (_, op) => {
    for (const shape of [
      [1, SIZE],
      [1, SIZE, 2],
    ]) {
      const usual = time(op, rand(shape));
      for (const value of [0, -Infinity, Infinity]) {
        expect(time(op, full(shape, value))).toBeLessThan(200 * usual + 5);
      }
    }
  });
});
