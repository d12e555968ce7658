import { describe, expect, test } from "vitest";
import { crossEntropyLoss, logSoftmax, logSumExp, nllLoss, ones, softmax, tensor, zeros } from "../src/index";

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

describe.each([7, 33, 100, 1030])("a row of %i", (size) => {
  const row = (rest: number, at: Record<number, number>) =>
    tensor([Array.from({ length: size }, (_, i) => at[i] ?? rest)], { requiresGrad: true });

  test("keeps the precision of what one class leaves to the others", () => {
    const z = row(0, { 3: 30 });
    const rest = (size - 1) * Math.exp(-30);
    const loss = crossEntropyLoss(z, [3]);
    expect(loss.item() / rest).toBeCloseTo(1, 5);
    loss.backward();
    expect(z.grad!.data[3]! / -rest).toBeCloseTo(1, 5);
    expect(z.grad!.data[size - 1]! / Math.exp(-30)).toBeCloseTo(1, 5);
    expect(logSoftmax(z).data[3]! / -rest).toBeCloseTo(1, 5);
    expect(softmax(z).data[size - 1]! / Math.exp(-30)).toBeCloseTo(1, 5);
  });

  test("leaves exactly nothing to classes that are impossible", () => {
    for (const impossible of [-Infinity, -300]) {
      const z = row(impossible, { 5: 2 });
      expect(crossEntropyLoss(z, [5]).item()).toBe(0);
      expect(logSoftmax(z).data[5]).toBeCloseTo(0, 50);
      expect(softmax(z).data[size - 1]).toBe(0);
      expect(logSumExp(z, { dim: 1 }).item()).toBe(2);
    }
  });

  test("counts every one of its largest elements, infinite ones too", () => {
    for (const largest of [Infinity, 3]) {
      const z = row(-Infinity, { 1: largest, [size - 1]: largest });
      expect(softmax(z).data[1]).toBe(0.5);
      expect(softmax(z).data[2]).toBe(0);
      expect(logSoftmax(z).data[size - 1]).toBe(Math.fround(-Math.LN2));
      expect(crossEntropyLoss(z, [1]).item()).toBe(Math.fround(Math.LN2));
    }
    expect(logSoftmax(row(-Infinity, {})).data[2]).toBeCloseTo(-Math.log(size), 5);
  });

  test("is NaN as a whole if one element is", () => {
    for (const largest of [0, Infinity]) {
      const z = row(0, { 1: largest, [size - 2]: NaN });
      expect(softmax(z).data.every(Number.isNaN)).toBe(true);
      expect(logSoftmax(z).data.every(Number.isNaN)).toBe(true);
      expect(logSumExp(z, { dim: 1 }).item()).toBe(NaN);
      expect(crossEntropyLoss(z, [0]).item()).toBe(NaN);
    }
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
  const weighted = lossOf(tensor([[1, 2]]), [0], { weight: [0, 1] });
  expect(weighted.item()).toBe(0);
});

test.each([
  ["crossEntropyLoss", crossEntropyLoss],
  ["nllLoss", nllLoss],
])("%s without rows is NaN as a mean, 0 as a sum, and goes back", (_, lossOf) => {
  for (const shape of [
    [0, 3],
    [2, 3, 0],
  ]) {
    const z = zeros(shape, { requiresGrad: true });
    const labels = zeros(shape.toSpliced(1, 1), { dtype: "i32" });
    const loss = lossOf(z, labels);
    expect(loss.item()).toBe(NaN);
    loss.backward();
    expect(z.grad!.shape).toEqual(shape);
    expect(lossOf(z, labels, { reduction: "sum" }).item()).toBe(0);
  }
});

test("logSumExp over nothing is −∞, row by row too, and goes back", () => {
  expect(logSumExp(zeros([3, 0]), { dim: 1 }).toArray()).toEqual([-Infinity, -Infinity, -Infinity]);
  const x = zeros([2, 0, 3], { requiresGrad: true });
  const y = logSumExp(x, { dim: 1, keepdim: true });
  expect(y.toArray()).toEqual([[[-Infinity, -Infinity, -Infinity]], [[-Infinity, -Infinity, -Infinity]]]);
  y.backward({ gradient: ones([2, 1, 3]) });
  expect(x.grad!.shape).toEqual([2, 0, 3]);
});
