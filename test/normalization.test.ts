// Normalization, dropout and embedding as layers: what they keep, and precision where float32 alone would lose it.
import { describe, expect, test } from "vitest";
import {
  BatchNorm1d,
  batchNorm,
  concat,
  Dropout,
  dropout,
  Embedding,
  embedding,
  Flatten,
  gradcheck,
  LayerNorm,
  Linear,
  layerNorm,
  Module,
  manualSeed,
  noGrad,
  ones,
  ReLU,
  rand,
  randn,
  Sequential,
  SGD,
  scope,
  sum,
  type Tensor,
  tensor,
  variance,
  zeros,
} from "../src/index";
import { kernels } from "../src/wasm";
import { held, leaveNothing } from "./held";
import * as ref from "./reference";

const own = leaveNothing();

const nd = (t: Tensor) => ref.nd(t.shape, t.data);

/** Gives the gradient of Σ dy · y. */
function goBack(y: Tensor, dy: ArrayLike<number>): void {
  y.backward({ gradient: tensor(Float32Array.from(dy), { shape: y.shape }) });
}

describe("BatchNorm1d", () => {
  test("starts as PyTorch's and names what it holds", () => {
    const layer = own(new BatchNorm1d(3));
    expect(layer.namedParameters().map(([name]) => name)).toEqual(["weight", "bias"]);
    expect(layer.namedBuffers().map(([name]) => name)).toEqual([
      "runningMean",
      "runningVar",
      "numBatchesTracked",
    ]);
    expect(layer.weight!.toArray()).toEqual([1, 1, 1]);
    expect(layer.bias!.toArray()).toEqual([0, 0, 0]);
    expect(layer.runningMean!.toArray()).toEqual([0, 0, 0]);
    expect(layer.runningVar!.toArray()).toEqual([1, 1, 1]);
    expect(layer.numBatchesTracked!.item()).toBe(0);
    expect(layer.numBatchesTracked!.dtype).toBe("i32");
    expect(layer.options).toEqual({ eps: 1e-5, momentum: 0.1 });
    expect(String(layer)).toBe("BatchNorm1d(3)");
    expect(own(new BatchNorm1d(3, { affine: false })).parameters()).toEqual([]);
  });

  test("normalises by the biased variance and keeps the unbiased one", () => {
    const layer = own(new BatchNorm1d(2, { eps: 0 }));
    scope(() => {
      const y = layer.forward(
        tensor([
          [1, 10],
          [3, 10.5],
        ]),
      );
      expect(y.toArray()).toEqual([
        [-1, -1],
        [1, 1],
      ]);
    });
    const rounded = (...values: number[]) => values.map(Math.fround);
    expect(layer.runningMean!.toArray()).toEqual(rounded(0.1 * 2, 0.1 * 10.25));
    expect(layer.runningVar!.toArray()).toEqual(rounded(0.9 + 0.1 * 2, 0.9 + 0.1 * 0.125));
    expect(layer.numBatchesTracked!.item()).toBe(1);
  });

  test("takes the running statistics in evaluation, and leaves them alone", () => {
    const layer = own(new BatchNorm1d(2)).eval();
    const x = own(randn([5, 2]));
    layer.runningMean!.data.set([1, -1]);
    layer.runningVar!.data.set([4, 0.25]);
    scope(() => {
      const expected = ref.batchNorm(nd(x), undefined, undefined, {
        mean: nd(layer.runningMean!),
        variance: nd(layer.runningVar!),
      });
      expect(ref.mismatch(layer.forward(x).data, expected.data, { ulp: 0.51 })).toBeUndefined();
      layer.forward(tensor([[1, 2]]));
    });
    expect(layer.runningMean!.toArray()).toEqual([1, -1]);
    expect(layer.numBatchesTracked!.item()).toBe(0);
  });

  test("with momentum null averages over all batches, from the cell in memory", () => {
    const layer = own(new BatchNorm1d(2, { momentum: null }));
    const batches = [0, 1, 2, 3].map(() => own(randn([6, 2])));
    const originals = { ...kernels };
    const calls: unknown[][] = [];
    try {
      kernels.batchNormForward = (...args) => {
        calls.push(args);
        originals.batchNormForward(...args);
      };
      for (const batch of batches) scope(() => void layer.forward(batch));
    } finally {
      Object.assign(kernels, originals);
    }
    const means = batches.map((x) => scope(() => Array.from(x.mean({ dim: 0 }).data)));
    for (const c of [0, 1]) {
      const average = ref.total(means.map((m) => m[c]!)) / 4;
      expect(layer.runningMean!.data[c]).toBeCloseTo(average, 6);
    }
    // No number that changes from step to step is handed over: a replayed call moves on by itself.
    const momenta = calls.map((args) => args.at(-2));
    expect(new Set(momenta)).toEqual(new Set([-1]));
    expect(layer.numBatchesTracked!.item()).toBe(4);
  });

  test("normalises each channel of [batch, channels, length]", () => {
    const layer = own(new BatchNorm1d(2));
    scope(() => {
      const x = randn([4, 2, 5]);
      const y = layer.forward(x);
      expect(ref.mismatch(y.data, ref.batchNorm(nd(x)).data, { ulp: 0.51 })).toBeUndefined();
    });
  });

  test("refuses other channels, one value for each, and names itself", () => {
    const model = own(new Sequential(new Linear(2, 3), new BatchNorm1d(4)));
    const x = own(zeros([2, 2]));
    expect(() => scope(() => model.forward(x))).toThrow(
      'BatchNorm1d(4) "1": expected [batch, 4] or [batch, 4, length], got [2, 3]',
    );
    const layer = own(new BatchNorm1d(2));
    const single = own(zeros([1, 2]));
    expect(() => layer.forward(single)).toThrow(/BatchNorm1d\(2\): batchNorm: expected more than one value/);
    expect(layer.numBatchesTracked!.item()).toBe(0);
    scope(() => expect(layer.eval().forward(zeros([0, 2])).shape).toEqual([0, 2]));
  });

  test("without running statistics takes those of the batch in evaluation, too, and has no buffers", () => {
    const layer = own(new BatchNorm1d(2, { trackRunningStats: false }));
    expect([layer.runningMean, layer.runningVar, layer.numBatchesTracked]).toEqual([null, null, null]);
    expect(Object.keys(layer.stateDict())).toEqual(["weight", "bias"]);
    scope(() => {
      const x = randn([6, 2]);
      const expected = ref.batchNorm(nd(x)).data;
      expect(ref.mismatch(layer.forward(x).data, expected, { ulp: 0.51 })).toBeUndefined();
      expect(ref.mismatch(layer.eval().forward(x).data, expected, { ulp: 0.51 })).toBeUndefined();
      expect(() => layer.forward(zeros([1, 2]))).toThrow("more than one value per channel");
    });
    const averaging = own(new BatchNorm1d(2, { trackRunningStats: false, momentum: null }));
    scope(() => expect(averaging.forward(randn([3, 2])).shape).toEqual([3, 2]));
  });

  test("loads the state of PyTorch's", () => {
    const layer = own(new BatchNorm1d(2));
    const state = {
      weight: [1, 2],
      bias: [3, 4],
      running_mean: [5, 6],
      running_var: [7, 8],
      num_batches_tracked: 9,
    };
    layer.loadStateDict(state);
    expect(layer.runningVar!.toArray()).toEqual([7, 8]);
    expect(layer.numBatchesTracked!.item()).toBe(9);
    const without = own(new BatchNorm1d(2, { trackRunningStats: false }));
    expect(() => without.loadStateDict(state)).toThrow('surplus "running_mean", "running_var"');
  });

  test("an empty batch in training changes nothing", () => {
    const layer = own(new BatchNorm1d(2));
    scope(() => {
      const y = layer.forward(tensor([], { shape: [0, 2] }));
      expect(y.shape).toEqual([0, 2]);
      sum(y).backward();
    });
    expect(layer.runningMean!.toArray()).toEqual([0, 0]);
    expect(layer.weight!.grad!.toArray()).toEqual([0, 0]);
  });

  test("a network with it learns, and loses no memory", () => {
    manualSeed(5);
    const model = own(new Sequential(new Linear(2, 8), new BatchNorm1d(8), new ReLU(), new Linear(8, 1)));
    const optimizer = own(new SGD(model.parameters(), { lr: 0.1 }));
    const [x, t] = [own(randn([32, 2])), own(rand([32, 1]))];
    const step = () =>
      scope(() => {
        const loss = model.forward(x).sub(t).square().mean();
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss.item();
      });
    const first = step();
    const before = held();
    let last = first;
    for (let i = 0; i < 100; i++) last = step();
    expect(last).toBeLessThan(first / 4);
    expect(held()).toEqual(before);
  });
});

describe("precision", () => {
  const far = [1e6 + 1, 1e6 + 2, 1e6 + 4, 1e6 + 8, 1e6 - 5, 1e6];

  test("a mean far from 0 costs no digits", () => {
    scope(() => {
      const x = tensor(far, { shape: [6, 1] });
      const options = { ulp: 0.51 };
      const y = batchNorm(x, { training: true });
      expect(ref.mismatch(y.data, ref.batchNorm(nd(x)).data, options)).toBeUndefined();
      const row = tensor([far]);
      const z = layerNorm(row, { normalizedShape: 6 });
      expect(ref.mismatch(z.data, ref.layerNorm(nd(row), [6]).data, options)).toBeUndefined();
      expect(ref.mismatch(variance(x).data, [ref.variance(far)], options)).toBeUndefined();
    });
  });

  // dx = rstd (dy − mean dy − x̂ mean(dy x̂)) for x = ±a: x̂² = a² / (a² + eps), so that all but eps cancels.
  test("the gradient of a batch of two is what eps leaves", () => {
    scope(() => {
      const [a, eps] = [2, Math.fround(1e-5)];
      const x = tensor([[a], [-a]], { requiresGrad: true });
      goBack(batchNorm(x, { training: true, eps }), [3, 1]);
      const rstd = 1 / Math.sqrt(a * a + eps);
      const expected = rstd * (1 - (a * rstd) ** 2);
      expect(ref.mismatch(x.grad!.data, [expected, -expected], { rtol: 1e-9, ulp: 1 })).toBeUndefined();
      const z = tensor([[a, -a]], { requiresGrad: true });
      goBack(layerNorm(z, { normalizedShape: 2, eps }), [3, 1]);
      expect(ref.mismatch(z.grad!.data, [expected, -expected], { rtol: 1e-9, ulp: 1 })).toBeUndefined();
    });
  });

  test("a constant channel becomes the bias without eps, too, and its gradient 0", () => {
    scope(() => {
      const x = tensor(
        [
          [2, 1],
          [2, 3],
        ],
        { requiresGrad: true },
      );
      const y = batchNorm(x, { training: true, eps: 0, weight: [3, 1], bias: [7, 0] });
      expect(y.toArray()).toEqual([
        [7, -1],
        [7, 1],
      ]);
      goBack(y, [1, 2, 3, 4]);
      expect(x.grad!.toArray()).toEqual([
        [0, 0],
        [0, 0],
      ]);
    });
  });

  test("values at the ends of float32 stay finite", () => {
    scope(() => {
      const x = tensor([[3e38], [3e38], [-3e38]]);
      const expected = [Math.SQRT1_2, Math.SQRT1_2, -Math.SQRT2];
      expect(ref.mismatch(batchNorm(x, { training: true }).data, expected, { ulp: 1 })).toBeUndefined();
      const y = layerNorm(x.reshape([3]), { normalizedShape: 3 });
      expect(ref.mismatch(y.data, expected, { ulp: 1 })).toBeUndefined();
    });
  });

  test("many rows are summed in float64", () => {
    scope(() => {
      const n = 20_000;
      const x = tensor(Float32Array.from({ length: n }, (_, i) => 1000 + (i % 7)));
      const columns = batchNorm(x.reshape([n / 4, 4]), { training: true });
      const expected = ref.batchNorm(nd(x.reshape([n / 4, 4])));
      expect(ref.mismatch(columns.data, expected.data, { ulp: 0.51 })).toBeUndefined();
    });
  });
});

describe("LayerNorm", () => {
  test("starts as PyTorch's, and normalises each row", () => {
    const layer = own(new LayerNorm([2, 3]));
    expect(layer.weight!.toArray()).toEqual(
      ref.build([2, 3], () => 1) && [
        [1, 1, 1],
        [1, 1, 1],
      ],
    );
    expect(layer.namedBuffers()).toEqual([]);
    expect(String(layer)).toBe("LayerNorm(2, 3)");
    scope(() => {
      const x = randn([4, 2, 3]);
      const y = layer.forward(x);
      expect(ref.mismatch(y.data, ref.layerNorm(nd(x), [2, 3]).data, { ulp: 0.51 })).toBeUndefined();
    });
    const plain = own(new LayerNorm(3, { affine: false, eps: 0.1 }));
    expect(plain.parameters()).toEqual([]);
    scope(() => {
      const x = randn([3]);
      const expected = ref.layerNorm(nd(x), [3], undefined, undefined, 0.1);
      expect(ref.mismatch(plain.forward(x).data, expected.data, { ulp: 0.51 })).toBeUndefined();
    });
  });

  test("passes gradcheck with its parameters", () => {
    const layer = own(new LayerNorm(4));
    scope(() => {
      manualSeed(3);
      const x = randn([3, 4], { requiresGrad: true });
      expect(
        gradcheck(
          (a, w, b) => layerNorm(a!, { normalizedShape: 4, weight: w!, bias: b! }),
          [x, layer.weight!, layer.bias!],
        ),
      ).toBe(true);
    });
  });
});

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

test("concat of batches in evaluation is evaluation of the concat", () => {
  const layer = own(new BatchNorm1d(3)).eval();
  scope(() => {
    const [a, b] = [randn([2, 3]), randn([4, 3])];
    const whole = layer.forward(concat([a, b]));
    expect(whole.data).toEqual(concat([layer.forward(a), layer.forward(b)]).data);
  });
});
