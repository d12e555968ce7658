// Layers whose passes differ in training, or that have no arithmetic.
import { describe, expect, test } from "vitest";
import {
  BatchNorm1d,
  Dropout,
  dropout,
  Embedding,
  embedding,
  Flatten,
  Module,
  manualSeed,
  noGrad,
  ones,
  randn,
  Sequential,
  SGD,
  scope,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../src/index";
import { held, leaveNothing } from "./held";
import * as ref from "./reference";

const own = leaveNothing();

describe("Dropout", () => {
  test.each([0.1, 0.5, 0.9])("drops %d of the elements and scales the others, and their gradients", (p) => {
    const layer = own(new Dropout({ p }));
    scope(() => {
      manualSeed(7);
      const n = 100_000;
      const x = ones([n], { requiresGrad: true });
      const y = layer.forward(x);
      const kept = y.data.filter((v) => v !== 0);
      // Five standard deviations of a binomial.
      expect(Math.abs(kept.length / n - (1 - p))).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / n));
      expect(new Set(kept)).toEqual(new Set([Math.fround(1 / (1 - p))]));
      const values = [...y.data];
      sum(y).backward();
      expect([...x.grad!.data]).toEqual(values);
      x.dispose();
    });
  });

  test("draws another mask each time, and nothing in evaluation", () => {
    const layer = own(new Dropout());
    scope(() => {
      const x = ones([64]);
      manualSeed(1);
      const [a, b] = [[...layer.forward(x).data], [...layer.forward(x).data]];
      expect(a).not.toEqual(b);
      manualSeed(1);
      expect([...layer.forward(x).data]).toEqual(a);
      manualSeed(1);
      layer.eval();
      expect(layer.forward(x).toArray()).toEqual(x.toArray());
      dropout(x, { p: 0 });
      expect([...layer.train().forward(x).data]).toEqual(a);
    });
  });

  test("in evaluation its result outlives the input that it shares memory with", () => {
    scope(() => {
      const x = tensor([1, 2]);
      const y = dropout(x, { training: false });
      x.dispose();
      expect(y.toArray()).toEqual([1, 2]);
    });
  });
});

describe("Embedding", () => {
  test("starts standard normal and gives rows, whose gradients add up", () => {
    manualSeed(9);
    const layer = own(new Embedding(100, 50));
    const values = [...layer.weight.data];
    expect(Math.abs(ref.total(values) / 5000)).toBeLessThan(0.07);
    expect(Math.abs(ref.variance(values) - 1)).toBeLessThan(0.1);
    expect(String(layer)).toBe("Embedding(100 → 50)");
    scope(() => {
      const index = tensor(Int32Array.of(7, 3, 7), { shape: [3, 1] });
      const y = layer.forward(index);
      expect(y.shape).toEqual([3, 1, 50]);
      expect([...y.data.slice(50, 100)]).toEqual(values.slice(150, 200));
      sum(y).backward();
    });
    const sums = scope(() => [...layer.weight.grad!.sum({ dim: 1 }).data]);
    expect(sums).toEqual(sums.map((_, i) => (i === 7 ? 100 : i === 3 ? 50 : 0)));
  });

  test.each([
    [2, 2],
    [-4, 0],
  ])("paddingIdx %i: row %i starts as zeros and gets no gradient", (paddingIdx, row) => {
    manualSeed(9);
    const layer = own(new Embedding(4, 3, { paddingIdx }));
    manualSeed(9);
    const plain = own(new Embedding(4, 3));
    const rows = (t: Tensor) => t.toArray() as number[][];
    expect(rows(layer.weight)).toEqual(rows(plain.weight).with(row, [0, 0, 0]));
    const optimizer = own(new SGD([layer.weight], { lr: 1 }));
    scope(() => {
      sum(layer.forward(tensor([[0, 1, 2, 3, row, 1]], { dtype: "i32" }))).backward();
    });
    const expected = [1, 2, 1, 1].with(row, 0);
    expect(rows(layer.weight.grad!)).toEqual(expected.map((n) => [n, n, n]));
    optimizer.step();
    expect(rows(layer.weight)[row]).toEqual([0, 0, 0]);
  });

  test("paddingIdx as a function gives the row as it is, without a gradient", () =>
    scope(() => {
      const weight = tensor([[1], [2], [3]], { requiresGrad: true });
      const y = embedding([2, 0, 2], weight, { paddingIdx: -1 });
      expect(y.toArray()).toEqual([[3], [1], [3]]);
      sum(y).backward();
      expect(weight.grad!.toArray()).toEqual([[1], [0], [0]]);
    }));

  test("takes arrays of integers as a function", () => {
    scope(() => {
      const weight = tensor([
        [1, 2],
        [3, 4],
      ]);
      expect(embedding([1, 0], weight).toArray()).toEqual([
        [3, 4],
        [1, 2],
      ]);
      expect(embedding(Int32Array.of(1), weight).toArray()).toEqual([[3, 4]]);
    });
  });
});

describe("Flatten", () => {
  test.each([
    [{}, [2, 60]],
    [{ startDim: 0 }, [120]],
    [{ startDim: 1, endDim: 2 }, [2, 12, 5]],
    [{ startDim: -2 }, [2, 3, 20]],
    [{ startDim: 2, endDim: 2 }, [2, 3, 4, 5]],
  ])("%j of [2, 3, 4, 5] gives %j", (options, shape) => {
    scope(() => {
      const x = randn([2, 3, 4, 5], { requiresGrad: true });
      const y = new Flatten(options).forward(x);
      expect(y.shape).toEqual(shape);
      expect(y.data).toEqual(x.data);
      sum(y).backward();
      expect(new Set(x.grad!.data)).toEqual(new Set([1]));
    });
  });

  test("of a scalar is [1]; the order of dimensions is checked", () => {
    scope(() => {
      expect(new Flatten({ startDim: 0 }).forward(tensor(3)).shape).toEqual([1]);
      const wrong = new Flatten({ startDim: 2, endDim: 1 });
      const x = zeros([2, 3, 4]);
      expect(() => wrong.forward(x)).toThrow("Flatten: flatten: startDim 2 comes after endDim 1 in");
      expect(() => new Flatten().forward(tensor([1]))).toThrow(/flatten: dim 1 does not exist/);
    });
  });
});

describe("buffers", () => {
  class Counter extends Module {
    readonly offset = tensor([1]);
    readonly inner = new Sequential(new BatchNorm1d(2), new BatchNorm1d(2));
    readonly same = this.offset;
    last: Tensor | undefined;
    forward(x: Tensor): Tensor {
      this.last = this.inner.forward(x).add(this.offset);
      return this.last;
    }
  }

  const names = (model: Module) => model.namedBuffers().map(([name]) => name);
  const expected = [
    "offset",
    ...[0, 1].flatMap((i) =>
      ["runningMean", "runningVar", "numBatchesTracked"].map((name) => `inner.${i}.${name}`),
    ),
  ];

  test("are tensors in fields that are no parameters, and those of children; shared ones once", () => {
    const model = own(new Counter());
    expect(names(model)).toEqual(expected);
    expect(model.namedParameters().map(([name]) => name)).not.toContain("offset");
    scope(() => {
      model.forward(randn([3, 2]));
      expect(names(model)).toEqual(expected);
    });
    model.last = undefined;
  });

  test("outlive a scope with their module, and go with it", () => {
    const start = held();
    const model = scope(() => new Counter());
    expect(noGrad(() => scope(() => model.forward(randn([3, 2])).shape))).toEqual([3, 2]);
    model.last = undefined;
    expect(model.offset.item()).toBe(1);
    model.dispose();
    expect(held()).toEqual(start);
  });

  test("of a layer made in a forward pass outlive it", () => {
    class Lazy extends Module {
      layer: BatchNorm1d | undefined;
      forward(x: Tensor): Tensor {
        this.layer ??= new BatchNorm1d(x.shape[1]!);
        return this.layer.forward(x);
      }
    }
    const model = own(new Lazy());
    const x = own(randn([4, 2]));
    for (let i = 0; i < 3; i++) noGrad(() => model.forward(x)).dispose();
    expect(model.layer!.numBatchesTracked!.item()).toBe(3);
  });
});
