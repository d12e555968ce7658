import { describe, expect, test } from "vitest";
import { crossEntropyLoss, logSoftmax, logSumExp, nllLoss, softmax, tensor } from "../src/index";

/** Softmax of two logits in float64 by their difference, which keeps the small probability. */
const unlikely = (difference: number) => Math.exp(-difference) / (1 + Math.exp(-difference));

describe("a class that is nearly certain", () => {
  const logits = () => tensor([[20, 0]], { requiresGrad: true });
  const rest = unlikely(20);

  test("keeps the relative precision of the gradient of softmax: p (1 − p)", () => {
    const z = logits();
    softmax(z).backward({ gradient: tensor([[1, 0]]) });
    const want = rest * (1 - rest);
    expect(z.grad!.data[0]! / want).toBeCloseTo(1, 5);
    expect(z.grad!.data[1]! / -want).toBeCloseTo(1, 5);
  });

  test("keeps that of cross-entropy, value and gradient", () => {
    const z = logits();
    const loss = crossEntropyLoss(z, [0]);
    expect(loss.item() / Math.log1p(Math.exp(-20))).toBeCloseTo(1, 5);
    loss.backward();
    expect(z.grad!.data[0]! / -rest).toBeCloseTo(1, 5);
    expect(z.grad!.data[1]! / rest).toBeCloseTo(1, 5);
  });

  test("keeps that of the likelihood of logSoftmax", () => {
    const z = logits();
    const loss = nllLoss(logSoftmax(z), [0]);
    expect(loss.item() / Math.log1p(Math.exp(-20))).toBeCloseTo(1, 5);
    loss.backward();
    expect(z.grad!.data[0]! / -rest).toBeCloseTo(1, 5);
  });
});

describe("infinite logits", () => {
  const rows = [
    [Infinity, 1, -Infinity],
    [-Infinity, -Infinity, -Infinity],
    [-Infinity, 0, 0],
  ];
  const third = Math.fround(1 / 3);

  test("come to their limit in softmax", () => {
    expect(softmax(tensor(rows)).toArray()).toEqual([
      [1, 0, 0],
      [third, third, third],
      [0, 0.5, 0.5],
    ]);
  });

  test("come to their limit in logSoftmax and logSumExp", () => {
    const y = logSoftmax(tensor(rows)).toArray() as number[][];
    expect(y[0]).toEqual([0, -Infinity, -Infinity]);
    expect(y[1]![2]).toBeCloseTo(-Math.log(3), 6);
    expect(logSumExp(tensor(rows), { dim: 1 }).toArray()).toEqual([
      Infinity,
      -Infinity,
      Math.fround(Math.LN2),
    ]);
  });

  test("leave a NaN a NaN", () => {
    expect(softmax(tensor([NaN, 1])).toArray()).toEqual([NaN, NaN]);
  });

  test("give cross-entropy an infinite value and a finite gradient where the target is impossible", () => {
    const z = tensor([[0, -Infinity]], { requiresGrad: true });
    const loss = crossEntropyLoss(z, [1]);
    expect(loss.item()).toBe(Infinity);
    loss.backward();
    expect(z.grad!.toArray()).toEqual([[1, -1]]);
  });
});

test("a scalar has a softmax of 1 and a logSoftmax of 0", () => {
  expect(softmax(tensor(3)).toArray()).toBe(1);
  expect(logSoftmax(tensor(3), { dim: 0 }).toArray()).toBe(0);
});

test.each([
  ["crossEntropyLoss", crossEntropyLoss],
  ["nllLoss", nllLoss],
])("%s over ignored rows alone is 0, with a gradient of 0", (_, lossOf) => {
  const z = tensor([[1, 2]], { requiresGrad: true });
  const loss = lossOf(z, [-100]);
  expect(loss.item()).toBe(0);
  loss.backward();
  expect(z.grad!.toArray()).toEqual([[0, 0]]);
});
