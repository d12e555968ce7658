// Normalization, dropout and embedding as layers: what they keep, and precision where float32 alone would lose it.
import { describe, expect, test } from "vitest";
import {
  BatchNorm1d,
  concat,
  gradcheck,
  LayerNorm,
  Linear,
  layerNorm,
  manualSeed,
  ReLU,
  rand,
  randn,
  Sequential,
  SGD,
  scope,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../src/index";
import { kernels } from "../src/wasm";
import { held, leaveNothing } from "./held";
import * as ref from "./reference";

const own = leaveNothing();

const nd = (t: Tensor) => ref.nd(t.shape, t.data);

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

test("concat of batches in evaluation is evaluation of the concat", () => {
  const layer = own(new BatchNorm1d(3)).eval();
  scope(() => {
    const [a, b] = [randn([2, 3]), randn([4, 3])];
    const whole = layer.forward(concat([a, b]));
    expect(whole.data).toEqual(concat([layer.forward(a), layer.forward(b)]).data);
  });
});
