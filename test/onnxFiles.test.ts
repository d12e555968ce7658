// ONNX files of every module: in onnxruntime, and read again.
import { describe, expect, test } from "vitest";
import {
  compile,
  crossEntropyLoss,
  type Linear,
  loadCheckpoint,
  Module,
  manualSeed,
  memory,
  OptionError,
  rand,
  relu,
  Sequential,
  SGD,
  ShapeError,
  saveCheckpoint,
  scope,
  type Tensor,
  tensor,
} from "../src/index";
import * as nn from "../src/nn/index";
import { fromOnnx, OnnxModel, toOnnx } from "../src/onnx/index";
import { inputOf, made, type Row, rows } from "./moduleRows";
import { bitsOf, deviation, runtime } from "./onnxRuntime";

const all = Object.entries(rows).flatMap(([name, own]) =>
  own.map((row, i): [string, Row] => [`${name} ${i}: ${row.input.map(String)}`, row]),
);

/** Of the library's, those that are no base class. */
const modules = Object.entries(nn).filter(
  ([, value]) => typeof value === "function" && value.prototype instanceof Module,
);

const written = (row: Row, model: Module) =>
  toOnnx(model, { input: row.input, ...(row.indices && { indices: row.indices }) });

test("there is a row for every module", () => {
  expect(modules.map(([name]) => name).sort()).toEqual(Object.keys(rows).sort());
});

describe("onnxruntime agrees to 1e-5", () => {
  test.each(all)("%s", async (_, row) => {
    manualSeed(7);
    const model = made(row);
    const bytes = written(row, model);
    for (let round = 0; round < 3; round++) {
      const x = inputOf(row);
      const y = model.forward(x);
      const got = await runtime(bytes, [x]);
      expect(got.shape).toEqual(y.shape);
      expect(deviation(got.data, y.data)).toBeLessThan(1e-5);
    }
  });
});

const SPECIAL = [-0, 0, Infinity, -Infinity, Number.NaN, 1e-30, -1e-30, 88, -104, 20, 20.5, 25, 1e30, -1e30];

describe("read again, the bits are those of the model", () => {
  test.each(all)("%s", (_, row) => {
    manualSeed(8);
    const model = made(row);
    const read = fromOnnx(written(row, model));
    for (const special of [[], SPECIAL, SPECIAL.toReversed()]) {
      const x = inputOf(row, special);
      const [y, got] = [model.forward(x), read.forward(x)];
      expect(got.shape).toEqual(y.shape);
      expect(bitsOf(got)).toEqual(bitsOf(y));
    }
  });

  test.each(all)("and so are those of the gradients: %s", (_, row) => {
    manualSeed(9);
    const model = made(row);
    const read = fromOnnx(written(row, model));
    const x = inputOf(row);
    const own = new Map(Object.entries(model.stateDict()));
    for (const module of [model, read]) {
      const y = module.forward(x);
      if (y.requiresGrad) y.mul(y).sum().backward();
    }
    for (const [name, t] of read.namedParameters()) {
      // The row of padding gets none in the model.
      if (row.indices === "int64") continue;
      expect([name, bitsOf(t.grad!)]).toEqual([name, bitsOf(own.get(name)!.grad!)]);
    }
  });

  test.each(all)("and the names and values: %s", (_, row) => {
    const model = made(row);
    const read = fromOnnx(written(row, model)).stateDict();
    const tensors = new Set(Object.values(model.stateDict()).filter(({ dtype }) => dtype === "f32"));
    const own = Object.entries(model.stateDict()).filter(([, t]) => tensors.delete(t));
    expect(Object.keys(read).sort()).toEqual(own.map(([name]) => name).sort());
    for (const [name, t] of own) expect(bitsOf(read[name]!)).toEqual(bitsOf(t));
  });
});

describe("a model that was read", () => {
  const network = () =>
    made({
      model: () =>
        new Sequential(
          new nn.Linear(4, 16),
          new nn.BatchNorm1d(16),
          new nn.ReLU(),
          new nn.Dropout({ p: 0.1 }),
          new nn.Linear(16, 3),
        ),
      input: [],
    });
  const x = () =>
    tensor(
      Float32Array.from({ length: 48 }, (_, i) => Math.sin(i * i)),
      { shape: [12, 4] },
    );
  const labels = tensor(Int32Array.from({ length: 12 }, (_, i) => i % 3));

  /** The losses of some steps. */
  function train(model: Module, compiled: boolean): number[] {
    manualSeed(3);
    const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const step = (input: Tensor) => {
      const loss = crossEntropyLoss(model.train().forward(input), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    };
    const run = compiled ? compile(step) : step;
    return Array.from({ length: 40 }, () => run(x()).item());
  }

  test("trains as the original does, compiled or not", () => {
    const bytes = toOnnx(network(), { input: [null, 4] });
    const losses = train(fromOnnx(bytes), false);
    expect(losses.at(-1)!).toBeLessThan(0.5 * losses[0]!);
    expect(train(fromOnnx(bytes), true)).toEqual(losses);
    const original = network();
    original.loadStateDict(fromOnnx(bytes).stateDict() as never, { strict: false });
    expect(train(original, false)).toEqual(losses);
  });

  test("is saved and loaded, and takes the weights of the original", () => {
    const [model, other] = [network(), network()];
    const read = fromOnnx(toOnnx(model, { input: [null, 4] }));
    const dict = Object.entries(other.stateDict()).filter(([name]) => !name.endsWith("num_batches_tracked"));
    read.loadStateDict(Object.fromEntries(dict));
    expect(bitsOf(read.forward(x()))).toEqual(bitsOf(other.forward(x())));
    const third = fromOnnx(toOnnx(model, { input: [null, 4] }));
    loadCheckpoint(saveCheckpoint({ model: read }), { model: third });
    expect(bitsOf(third.forward(x()))).toEqual(bitsOf(other.forward(x())));
  });

  test.each([
    [4, [null, 4]],
    [4, [null, 3, 4]],
  ])("runs the kernel that a linear layer has with its activation: %d features of %j", (size, input) => {
    for (const activation of [new nn.ReLU(), new nn.Sigmoid(), new nn.Tanh()]) {
      const model = new Sequential(new nn.Linear(size, 2), activation);
      const read = fromOnnx(toOnnx(model, { input }));
      expect(String(read)).toContain(" 1 steps");
      const x = rand(input.map((n) => n ?? 2));
      expect(bitsOf(read.forward(x))).toEqual(bitsOf(model.forward(x)));
    }
  });

  test("may be part of another", () => {
    const read = fromOnnx(toOnnx(network(), { input: [null, 4] }));
    const whole = new Sequential(read, new nn.Linear(3, 2));
    expect(whole.namedParameters().map(([name]) => name)).toContain("0.0.weight");
    expect(whole.forward(x()).shape).toEqual([12, 2]);
  });

  test("says what it takes", () => {
    const read = fromOnnx(toOnnx(network(), { input: [null, 4] }));
    expect(read.inputs).toEqual([{ name: "input", dtype: "f32", shape: [null, 4] }]);
    expect(String(read)).toBe("OnnxModel(input [null, 4], 5 steps)");
    expect(() => read.forward(tensor([[1]]))).toThrow('input "input": expected [null, 4], got [1, 1]');
    expect(() => read.forward(tensor([[1, 2, 3, 4]], { dtype: "i32" }))).toThrow("expected f32, got i32");
    expect(() => read.forward()).toThrow("expected 1 inputs, got 0");
  });

  test("gives all its memory back", () => {
    const bytes = toOnnx(network(), { input: [null, 4] });
    const before = memory().tensors;
    scope(() => {
      const read = fromOnnx(bytes);
      read.forward(x());
      return undefined;
    });
    expect(memory().tensors).toBe(before);
    const kept = scope(() => fromOnnx(bytes));
    expect(kept.forward(x()).shape).toEqual([12, 3]);
    kept.dispose();
  });
});

describe("toOnnx refuses", () => {
  class Block extends Module {
    readonly inner = new nn.Linear(2, 2);
    forward(x: Tensor): Tensor {
      return relu(this.inner.forward(x)).add(x);
    }
  }

  class Network extends Sequential {
    constructor() {
      super(new nn.Linear(2, 3), new nn.ReLU());
    }
  }

  test("modules whose forward pass nobody knows, all at once", () => {
    const model = new Sequential(
      new Block(),
      new Sequential(new nn.ReLU(), new Block()),
      new nn.BatchNorm1d(2, { trackRunningStats: false }),
    );
    expect(() => toOnnx(model, { input: [null, 2] })).toThrow(OptionError);
    expect(() => toOnnx(model, { input: [null, 2] })).toThrow(
      'toOnnx: cannot write Block "0", whose forward pass is not known; Block "1.1", whose forward pass is not known; ' +
        'BatchNorm1d(2) "2", which has no running statistics (trackRunningStats: false), and a file has no batch to ' +
        "take them of; build the model of Sequential and layers of nablas",
    );
    expect(() => toOnnx(new Block(), { input: [2] })).toThrow("cannot write Block, whose forward pass");
  });

  test("but not classes that inherit one that is known", () => {
    const read = fromOnnx(toOnnx(new Network(), { input: [null, 2] }));
    expect(read).toBeInstanceOf(OnnxModel);
    expect(Object.keys(read.stateDict())).toEqual(["0.weight", "0.bias"]);
  });

  test("shapes that the model does not take", () => {
    const model = new Sequential(new nn.Linear(4, 2));
    expect(() => toOnnx(model, { input: [null, 3] })).toThrow(ShapeError);
    expect(() => toOnnx(model, { input: [null, 3] })).toThrow("expected [batch, 4], got [1, 3]");
    const open = new FlattenTwo();
    expect(() => toOnnx(open, { input: [2, null, 3, null] })).toThrow('"0": of the sizes that Flatten joins');
    expect(() => toOnnx(new nn.Maxout({ k: 1 }), { input: [2, null] })).toThrow(
      "Maxout needs to know its features",
    );
  });

  class FlattenTwo extends Sequential {
    constructor() {
      super(new nn.Flatten({ startDim: 1, endDim: 2 }));
    }
  }

  test("other options", () => {
    const model = new nn.Linear(4, 2) as Linear;
    expect(() => toOnnx(model, {} as never)).toThrow("input is a shape such as [null, 64], got undefined");
    expect(() => toOnnx(model, { input: [-1, 4] })).toThrow(
      "input is a shape such as [null, 64], got [-1,4]",
    );
    expect(() => toOnnx(model, { input: [1, 4], opset: 17 } as never)).toThrow('unknown option "opset"');
    expect(() => toOnnx(model, { input: [1, 4], indices: "i8" } as never)).toThrow(
      'indices is "int32" or "int64"',
    );
    expect(() => toOnnx({} as never, { input: [1] })).toThrow("expected a module, got [object Object]");
  });

  test("nothing of the model itself: its mode stays, and it may be in training", () => {
    const model = new Sequential(new nn.BatchNorm1d(3), new nn.Dropout());
    toOnnx(model, { input: [null, 3] });
    expect(model.layers.map(({ training }) => training)).toEqual([true, true]);
    expect(model.stateDict()["0.num_batches_tracked"]!.item()).toBe(0);
  });
});
