import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import * as nablas from "../src/index";
import {
  DTypeError,
  GraphError,
  InstanceError,
  Linear,
  OutOfMemoryError,
  ReLU,
  Sequential,
  SGD,
  ShapeError,
  type Tensor,
} from "../src/index";
import { call, ints, leaf, linear, matrix, pair, refuses, row, shared } from "./refuses";

const batch = shared(new Float32Array(128 * 63), { shape: [128, 63] });

const [wide, tall] = [nablas.zeros([1, 70_000]), nablas.zeros([70_000, 1])];

describe("graphs and memory", () => {
  const disposed = nablas.tensor([1, 2]);
  disposed.dispose();
  refuses([
    [
      "a target that requires a gradient",
      call("hingeLoss", pair, leaf),
      GraphError,
      /pass target.detach\(\)/,
    ],
    ["a count that requires a gradient", call("poissonNllLoss", pair, leaf), GraphError, /target.detach/],
    ["a distribution that requires one", call("klDivLoss", pair, leaf), GraphError, /target.detach/],
    ["labels that require one", call("focalLoss", pair, leaf), GraphError, /target.detach/],
    [
      "one-hot labels that require one",
      call("categoricalHingeLoss", pair, leaf),
      GraphError,
      /target.detach/,
    ],
    [
      "signs that require one",
      call("cosineEmbeddingLoss", matrix, matrix, leaf),
      GraphError,
      /pass target.detach\(\)/,
    ],
    [
      "a posWeight that requires one",
      call("bceWithLogitsLoss", pair, pair, { posWeight: leaf }),
      GraphError,
      "bceWithLogitsLoss: the posWeight requires a gradient, which this loss does not give; pass posWeight.detach()",
    ],
    [
      "a parameter that is computed",
      () => nablas.scope(() => new SGD([leaf.mul(2)])),
      GraphError,
      /parameter 0 is no leaf but the output of mul/,
    ],
    ["backward without history", () => row.backward(), GraphError, /no recorded history/],
    [
      "a disposed tensor and a number",
      call("mul", disposed, 2),
      nablas.DisposedError,
      /^mul: .* was disposed/,
    ],
    [
      "a number and a disposed tensor",
      call("div", 2, disposed),
      nablas.DisposedError,
      /^div: .* was disposed/,
    ],
    ["pow of a disposed tensor", call("pow", disposed, 2), nablas.DisposedError, /^pow: /],
    ["a disposed target", call("mseLoss", pair, disposed), nablas.DisposedError, /^mseLoss: /],
    [
      "a disposed prediction",
      call("crossEntropyLoss", disposed, 0),
      nablas.DisposedError,
      /^crossEntropyLoss: /,
    ],
    ["too many elements", call("zeros", [2 ** 20, 2 ** 20]), OutOfMemoryError, /cannot allocate/],
    ["4 GiB", call("ones", [2 ** 30]), OutOfMemoryError, /cannot allocate 4294967296 bytes/],
    ["a product of 18 GiB", call("matmul", tall, wide), OutOfMemoryError, /tensors hold/],
    ["a broadcast of 18 GiB", call("add", tall, wide), OutOfMemoryError, /4 GiB/],
    [
      "a broadcast that is recorded",
      () => nablas.scope(() => nablas.mul(tall, nablas.add(wide, leaf.sum()))),
      OutOfMemoryError,
      /4 GiB/,
    ],
  ]);
});

describe("inside modules", () => {
  const model = new Sequential(new Linear(64, 32), new ReLU(), new Sequential(new Linear(32, 10)));
  const other = new Sequential(new ReLU(), new Sequential(new ReLU(), new Linear(5, 2)));
  refuses([
    [
      "the layer is named",
      () => model.forward(batch),
      ShapeError,
      'Linear(64 → 32) "0": expected [batch, 64], got [128, 63]',
    ],
    [
      "deep inside",
      () => other.forward(batch),
      ShapeError,
      'Linear(5 → 2) "1.1": expected [batch, 5], got [128, 63]',
    ],
    ["alone", () => linear.forward(batch), ShapeError, "Linear(3 → 2): expected [batch, 3], got [128, 63]"],
    [
      "of an op in it",
      () => new Sequential(new ReLU()).forward(ints),
      DTypeError,
      /^ReLU "0": relu: expected dtype f32, got i32 \[2\]; make it by tensor/,
    ],
  ]);

  test("the next pass is named afresh", () => {
    expect(() => model.forward(batch)).toThrow();
    expect(() => linear.forward(batch)).toThrow(/^Linear\(3 → 2\): /);
  });
});

describe("another copy of the library", () => {
  let foreign: typeof nablas;
  let stranger: Tensor;
  beforeAll(async () => {
    vi.resetModules();
    foreign = await import("../src/index");
    stranger = foreign.tensor([1, 2], { requiresGrad: true });
  });
  afterAll(() => stranger.dispose());

  test("is another copy", () => {
    expect(foreign.Tensor).not.toBe(nablas.Tensor);
    expect(foreign.mul(stranger.detach(), 2).toArray()).toEqual([2, 4]);
  });

  const message = /got a tensor of another copy of nablas, .*npm ls nablas.* or pass x\.toArray\(\)/;
  refuses([
    ["unary", () => nablas.relu(stranger), InstanceError, message],
    ["binary", () => nablas.add(pair, stranger), InstanceError, message],
    ["binary with a number", () => nablas.add(2, stranger), InstanceError, message],
    ["concat", () => nablas.concat([pair, stranger]), InstanceError, message],
    ["a module", () => linear.forward(stranger), InstanceError, message],
    ["a loss", () => nablas.mseLoss(pair, stranger), InstanceError, message],
    ["class targets", () => nablas.crossEntropyLoss(matrix, stranger), InstanceError, message],
    ["a weight", () => nablas.bceLoss(pair, pair, { weight: stranger }), InstanceError, message],
    ["a gradient", () => leaf.backward({ gradient: stranger }), InstanceError, message],
    ["data", () => nablas.tensor(stranger as never), InstanceError, message],
    ["a parameter", () => new SGD([stranger]), InstanceError, message],
  ]);
});
