import { describe, expect, test } from "vitest";
import {
  averageGradients,
  averageState,
  BatchNorm1d,
  crossEntropyLoss,
  DTypeError,
  GraphError,
  Linear,
  loadSafetensors,
  manualSeed,
  memory,
  OptionError,
  randn,
  Sequential,
  SGD,
  ShapeError,
  saveSafetensors,
  scope,
  Tanh,
  Tensor,
  tensor,
  zeros,
} from "../src/index";

const FEATURES = 6;
const CLASSES = 4;

function makeModel(seed = 1): Sequential {
  manualSeed(seed);
  return new Sequential(new Linear(FEATURES, 8), new Tanh(), new Linear(8, CLASSES));
}

/** Rows with labels, as many for each worker as asked for. */
function makeShards(...sizes: number[]): { x: Tensor; labels: Int32Array }[] {
  manualSeed(2);
  return sizes.map((rows, k) => ({
    x: randn([rows, FEATURES]),
    labels: Int32Array.from({ length: rows }, (_, i) => (i * 7 + k) % CLASSES),
  }));
}

function joined(shards: { x: Tensor; labels: Int32Array }[]): { x: Tensor; labels: Int32Array } {
  const rows = shards.flatMap(({ x }) => x.toArray() as number[][]);
  return { x: tensor(rows), labels: Int32Array.from(shards.flatMap(({ labels }) => [...labels])) };
}

function goBackward(model: Sequential, { x, labels }: { x: Tensor; labels: Int32Array }): void {
  model.zeroGrad();
  crossEntropyLoss(model.forward(x), labels).backward();
}

const gradientsOf = (model: Sequential) =>
  Object.fromEntries(model.namedParameters().map(([name, t]) => [name, t.grad!]));

/** The largest difference of any two numbers, relative to the largest number of their tensor. */
function gap(a: readonly Tensor[], b: readonly Tensor[]): number {
  const gaps = a.map((t, i) => {
    const scale = Math.max(...t.data.map(Math.abs));
    return Math.max(...t.data.map((value, j) => Math.abs(value - b[i]!.data[j]!))) / scale;
  });
  return Math.max(...gaps);
}

const grads = (model: Sequential) => model.parameters().map(({ grad }) => grad!);
const bits = (t: Tensor) => [...new Int32Array(t.data.buffer, t.data.byteOffset, t.size)];

describe("averageGradients", () => {
  test.each([[[8, 8]], [[16, 16, 16]], [[5, 11]], [[1, 30, 2]]])(
    "gives shards of %j rows the gradient of one batch",
    (sizes) => {
      const shards = makeShards(...sizes);
      const whole = makeModel();
      goBackward(whole, joined(shards));
      const models = shards.map(() => makeModel());
      for (const [k, model] of models.entries()) goBackward(model, shards[k]!);
      const others = models.slice(1).map(gradientsOf);
      averageGradients(models[0]!.namedParameters(), others, { weights: sizes });
      // A float32 sum of n terms, in any order, errs by n roundings at most.
      const rows = sizes.reduce((sum, n) => sum + n, 0);
      expect(gap(grads(whole), grads(models[0]!))).toBeLessThan(rows * 2 ** -24);
    },
  );

  test("trains two workers as one with batches twice as large, 100 steps of SGD", () => {
    const shards = makeShards(8, 8);
    const whole = makeModel();
    const workers = shards.map(() => makeModel());
    const options = { lr: 0.1, momentum: 0.9 };
    const one = new SGD(whole.parameters(), options);
    const optimizers = workers.map((model) => new SGD(model.parameters(), options));
    for (let step = 0; step < 100; step++) {
      goBackward(whole, joined(shards));
      one.step();
      for (const [k, model] of workers.entries()) goBackward(model, shards[k]!);
      const sent = workers.map((model) => saveSafetensors(gradientsOf(model)));
      for (const [k, model] of workers.entries()) {
        averageGradients(model.namedParameters(), [loadSafetensors(sent[1 - k]!).tensors]);
        optimizers[k]!.step();
      }
    }
    const [a, b] = workers.map((model) => model.parameters());
    expect(a!.map(bits)).toEqual(b!.map(bits));
    expect(gap(whole.parameters(), a!)).toBeLessThan(3e-6);
  });

  test("rounds once, and takes typed arrays", () => {
    const w = zeros([2], { requiresGrad: true });
    w.grad = tensor([1, 3e38]);
    averageGradients([["w", w]], [{ w: Float32Array.of(2 ** -24, 3e38) }, { w: [2 ** -24, 3e38] }]);
    expect([...w.grad.data]).toEqual([(1 + 2 ** -23) / 3, 3e38].map(Math.fround));
  });

  test("leaves frozen parameters out, and a single worker as it is", () => {
    const model = makeModel();
    const [first] = model.parameters();
    first!.requiresGrad = false;
    goBackward(model, makeShards(4)[0]!);
    const before = grads(model).slice(1).map(bits);
    averageGradients(model.namedParameters(), []);
    expect(grads(model).slice(1).map(bits)).toEqual(before);
    expect(first!.grad).toBeNull();
  });

  test("refuses what does not fit, and changes nothing", () => {
    const model = makeModel();
    goBackward(model, makeShards(4)[0]!);
    const before = grads(model).map(bits);
    const good = Object.fromEntries(Object.entries(gradientsOf(model)).map(([name, g]) => [name, g.clone()]));
    const named = model.namedParameters();
    const { "0.bias": _, ...short } = good;
    const wrong = (dict: object, options?: object) => () =>
      averageGradients(named, [good, dict as Record<string, Tensor>], options);
    expect(wrong(short)).toThrow(new OptionError('averageGradients: worker 2: missing "0.bias"'));
    expect(wrong({ ...good, extra: zeros([1]) })).toThrow('averageGradients: worker 2: surplus "extra"');
    expect(wrong({ ...good, "0.bias": zeros([4]), "2.bias": zeros([1]) })).toThrow(
      new ShapeError(
        "averageGradients: worker 2: 0.bias: expected [8], got [4]; 2.bias: expected [4], got [1]",
      ),
    );
    expect(wrong(good, { weights: [1, 1] })).toThrow(
      "averageGradients: weights are 3 numbers above 0, got [1,1]",
    );
    expect(wrong(null as never)).toThrow("averageGradients: worker 2: expected an object");
    expect(() => averageGradients(named, good as never)).toThrow("averageGradients: expected an array");
    const gone = good["0.bias"]!.clone();
    gone.dispose();
    expect(wrong({ ...good, "0.bias": gone })).toThrow(
      "averageGradients: worker 2: 0.bias: value: the output of clone [8] was disposed",
    );
    expect(grads(model).map(bits)).toEqual(before);
    expect(() => averageGradients(makeModel().namedParameters(), [])).toThrow(
      new GraphError('averageGradients: "0.weight" has no gradient; go backward first, or leave it out'),
    );
  });
});

describe("averageState", () => {
  test("is the weighted mean, formed in float64", () => {
    const mean = averageState([{ w: tensor([[1, 2]]) }, { w: tensor([[4, 3e38]]) }], { weights: [2, 1] });
    expect(mean.w!.toArray()).toEqual([[2, Math.fround((4 + Math.fround(3e38)) / 3)]]);
  });

  test("of equal states is that state, bit by bit, whatever the weights", () => {
    const state = makeModel(5).stateDict();
    for (const weights of [
      [1, 1, 1],
      [3, 7, 11],
      [0.1, 0.2, 1e9],
    ]) {
      const mean = averageState([state, state, state], { weights });
      expect(Object.values(mean).map(bits)).toEqual(Object.values(state).map(bits));
    }
  });

  test("of models is loaded by another, over safetensors too", () => {
    const models = [makeModel(1), makeModel(2), makeModel(3)];
    const files = models.map((model) => loadSafetensors(saveSafetensors(model.stateDict())).tensors);
    const target = makeModel(4);
    target.loadStateDict(averageState(files));
    target.parameters().forEach((t, p) => {
      const all = models.map((model) => model.parameters()[p]!.data);
      expect([...t.data]).toEqual(
        [...t.data].map((_, i) => Math.fround((all[0]![i]! + all[1]![i]! + all[2]![i]!) / 3)),
      );
    });
  });

  test("takes the largest of counters, and averages running statistics", () => {
    const norms = [new BatchNorm1d(2), new BatchNorm1d(2)];
    for (const [k, norm] of norms.entries()) {
      for (let i = 0; i <= k; i++)
        norm.forward(
          tensor([
            [1, 2],
            [3, 6 + k],
          ]),
        );
    }
    const [a, b] = norms.map((norm) => norm.stateDict());
    const mean = averageState([b!, a!]);
    expect(mean.num_batches_tracked!.dtype).toBe("i32");
    expect(mean.num_batches_tracked!.item()).toBe(2);
    expect([...mean.running_var!.data]).toEqual(
      [0, 1].map((i) => Math.fround((a!.running_var!.data[i]! + b!.running_var!.data[i]!) / 2)),
    );
  });

  test("gives typed arrays where no state has a shape, and the shape of the one that has", () => {
    const flat = averageState([
      { w: Float32Array.of(1, 2), n: Int32Array.of(3) },
      { w: [3, 4], n: [9] },
    ]);
    expect(flat.w).toBeInstanceOf(Tensor);
    expect((flat.n as Tensor).toArray()).toEqual([9]);
    const typed = averageState([{ w: Float32Array.of(1, 2) }, { w: Float64Array.of(3, 4) }]);
    expect(typed).toEqual({ w: Float32Array.of(2, 3) });
    const shaped = averageState([{ w: Float32Array.of(1, 2) }, { w: [[3], [4]] }]);
    expect((shaped.w as Tensor).toArray()).toEqual([[2], [3]]);
  });

  test("makes tensors that belong to the scope", () => {
    const state = makeModel().stateDict();
    const { bytes } = memory();
    scope(() => {
      averageState([state, state]);
    });
    expect(memory().bytes).toBe(bytes);
  });

  test("refuses what does not fit", () => {
    const refused = (states: unknown, options?: object) => () => averageState(states as never, options);
    expect(refused([])).toThrow(
      new OptionError("averageState: expected an array of objects as stateDict() gives, got []"),
    );
    expect(refused({ w: [1] })).toThrow("averageState: expected an array");
    expect(refused([{ w: [1] }, { v: [1] }])).toThrow('averageState: worker 1: missing "w"; surplus "v"');
    expect(refused([{ w: [1] }, { w: [1, 2] }])).toThrow(ShapeError);
    expect(refused([{ w: Float32Array.of(1) }, { w: Float32Array.of(1, 2) }])).toThrow(
      "averageState: worker 1: w: expected [1], got [2]",
    );
    expect(refused([{ n: Int32Array.of(1) }, { n: [0.5] }])).toThrow(DTypeError);
    expect(refused([{ w: "1" }])).toThrow("averageState: w: expected a tensor");
    expect(refused([{ w: [1] }, null])).toThrow("averageState: worker 1: expected an object");
    for (const weights of [[1], [1, 0], [1, -1], [1, Number.NaN], [1, Infinity], "11"]) {
      expect(refused([{ w: [1] }, { w: [1] }], { weights })).toThrow(
        "averageState: weights are 2 numbers above 0",
      );
    }
    expect(refused([{ w: [1] }], { weight: [1] })).toThrow('averageState: unknown option "weight"');
  });
});
