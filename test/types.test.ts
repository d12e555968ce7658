import { describe, expect, expectTypeOf, test } from "vitest";
import {
  Adam,
  accuracy,
  type Batch,
  BatchNorm1d,
  type Compiled,
  compile,
  confusionMatrix,
  constant,
  crossEntropyLoss,
  type Dataset,
  type Diagnosis,
  type DType,
  dataset,
  diagnose,
  dropout,
  type Epoch,
  type Finding,
  fit,
  focalLoss,
  gelu,
  gradcheck,
  init,
  kaimingNormal,
  type LayerSummary,
  Linear,
  leakyRelu,
  lint,
  loadCheckpoint,
  type MemoryUse,
  type Module,
  memory,
  mseLoss,
  noGrad,
  type Optimizer,
  oneHot,
  ones,
  type Plain,
  ReLU,
  readIdx,
  relu,
  Sequential,
  SGD,
  type SGDOptions,
  type Shape,
  type Step,
  type Summary,
  saveCheckpoint,
  scope,
  softmax,
  stepLR,
  sum,
  summary,
  Tensor,
  type Training,
  type TrainingState,
  tensor,
  topK,
  type Values,
  zeros,
} from "../src/index";

const x = zeros([2, 2]);
const y = zeros([2, 2]);
const classes = tensor(new Int32Array([0, 1]));
const model = new Linear(2, 2);
const parameters = model.parameters();
const data = dataset(
  [
    [0, 0],
    [1, 1],
  ],
  [[0], [1]],
);
const step: Step = () => zeros([]);

describe("an option of no such name is refused by the compiler and at run time", () => {
  const calls: Record<string, () => unknown> = {
    // @ts-expect-error
    "sum, an op": () => sum(x, { axis: 1 }),
    // @ts-expect-error
    "x.sum, a method": () => x.sum({ axis: 1 }),
    // @ts-expect-error
    "softmax, an op": () => softmax(x, { axis: 1 }),
    // @ts-expect-error
    "leakyRelu, an activation": () => leakyRelu(x, { slope: 1 }),
    // @ts-expect-error
    "relu, an activation without options": () => relu(x, { inplace: true }),
    // @ts-expect-error
    "gelu, an activation": () => gelu(x, { exact: true }),
    // @ts-expect-error
    "dropout, an op": () => dropout(x, { rate: 0.5 }),
    // @ts-expect-error
    "oneHot, an op": () => oneHot(classes, { classes: 2 }),
    // @ts-expect-error
    "tensor, a maker": () => tensor([1], { type: "f32" }),
    // @ts-expect-error
    "mseLoss, a loss": () => mseLoss(x, y, { reduce: "sum" }),
    // @ts-expect-error
    "focalLoss, a loss with options": () => focalLoss(x, y, { beta: 1 }),
    // @ts-expect-error
    "crossEntropyLoss, a loss of classes": () => crossEntropyLoss(x, classes, { smoothing: 0.1 }),
    // @ts-expect-error
    "Linear, a module": () => new Linear(2, 3, { useBias: false }),
    // @ts-expect-error
    "ReLU, a module without options": () => new ReLU({ inplace: true }),
    // @ts-expect-error
    "BatchNorm1d, a module": () => new BatchNorm1d(2, { epsilon: 1 }),
    // @ts-expect-error
    "loadStateDict, a method of modules": () => model.loadStateDict(model.stateDict(), { strikt: false }),
    // @ts-expect-error
    "SGD, an optimizer": () => new SGD(parameters, { learningRate: 1 }),
    // @ts-expect-error
    "Adam, an optimizer": () => new Adam(parameters, { beta: [0.9, 0.99] }),
    // @ts-expect-error
    "stepLR, a schedule": () => stepLR({ step: 3 }),
    // @ts-expect-error
    "kaimingNormal, an initialiser": () => kaimingNormal([2, 2], { gain: 1 }),
    // @ts-expect-error
    "fit, a training": () => fit(step, data, { batch: 3 }),
    // @ts-expect-error
    "batches, of a dataset": () => [...data.batches({ size: 3 })],
    // @ts-expect-error
    "split, of a dataset": () => data.split(0.5, { random: true }),
    // @ts-expect-error
    "accuracy, a metric": () => accuracy(x, classes, { k: 1 }),
    // @ts-expect-error
    "gradcheck, a check": () => gradcheck((a) => a, [x], { step: 1 }),
    // @ts-expect-error
    "diagnose, a check": () => diagnose(model, x, y, mseLoss, { learningRate: 1 }),
    // @ts-expect-error
    "lint, a check": () => lint(model, mseLoss, { shape: [2, 2] }),
    // @ts-expect-error
    "summary, a report": () => summary(model, [2, 2], { type: "f32" }),
  };

  test.each(Object.entries(calls))("%s", (_, call) => {
    expect(call).toThrow(/unknown option "(\w+)"; it takes/);
  });

  test("init, which is asynchronous", async () => {
    // @ts-expect-error
    await expect(init({ thread: 1 })).rejects.toThrow('init: unknown option "thread"');
  });

  test("compile, which takes none: at run time there is nothing that would read it", () => {
    // @ts-expect-error
    expect(compile((a: Tensor) => a, { warmup: 1 })(x)).toBeInstanceOf(Tensor);
  });
});

test("a value of another type is refused by the compiler and at run time", () => {
  // @ts-expect-error
  expect(() => leakyRelu(x, { negativeSlope: "1" })).toThrow("negativeSlope is a number");
  // @ts-expect-error
  expect(() => mseLoss(x, y, { reduction: "median" })).toThrow("reduction");
  // @ts-expect-error
  expect(() => new Linear(2, 3, { bias: 1 })).toThrow("bias is a boolean");
  // @ts-expect-error
  expect(() => tensor([1], { dtype: "f64" })).toThrow("dtype");
});

test("functions say what they return", () => {
  expectTypeOf(tensor).returns.toEqualTypeOf<Tensor>();
  expectTypeOf(x.shape).toEqualTypeOf<Shape>();
  expectTypeOf(x.dtype).toEqualTypeOf<DType>();
  expectTypeOf(x.item).returns.toEqualTypeOf<number>();
  expectTypeOf(softmax).returns.toEqualTypeOf<Tensor>();
  expectTypeOf(x.sum).returns.toEqualTypeOf<Tensor>();
  expectTypeOf(crossEntropyLoss).returns.toEqualTypeOf<Tensor>();
  expectTypeOf(constant).returns.toEqualTypeOf<Tensor>();
  expectTypeOf(model.forward).returns.toEqualTypeOf<Tensor>();
  expectTypeOf(parameters).toExtend<readonly Tensor[]>();
  expectTypeOf(model.stateDict()).toEqualTypeOf<Record<string, Tensor>>();
  expectTypeOf(new Sequential(model)).toExtend<Module>();
  expectTypeOf(new SGD(parameters)).toExtend<Optimizer<Required<SGDOptions>>>();
  expectTypeOf(data).toEqualTypeOf<Dataset>();
  expectTypeOf(data.batches()).toExtend<Iterable<Batch>>();
  expectTypeOf(fit).returns.toEqualTypeOf<Training>();
  expectTypeOf<Training>().toExtend<AsyncIterable<Epoch>>();
  expectTypeOf<Training["stateDict"]>().returns.toEqualTypeOf<TrainingState>();
  expectTypeOf(accuracy).returns.toEqualTypeOf<number>();
  expectTypeOf(topK).returns.toEqualTypeOf<number>();
  expectTypeOf(confusionMatrix).returns.toEqualTypeOf<number[][]>();
  expectTypeOf(gradcheck).returns.toEqualTypeOf<true>();
  expectTypeOf(diagnose).returns.toEqualTypeOf<Diagnosis>();
  expectTypeOf(lint).returns.toEqualTypeOf<Finding[]>();
  expectTypeOf(summary).returns.toEqualTypeOf<Summary>();
  expectTypeOf<Summary["layers"]>().toExtend<readonly LayerSummary[]>();
  expectTypeOf(memory).returns.toEqualTypeOf<MemoryUse>();
  expectTypeOf(saveCheckpoint).returns.toEqualTypeOf<Uint8Array>();
  expectTypeOf(loadCheckpoint).returns.toEqualTypeOf<Record<string, Plain>>();
  expectTypeOf(readIdx).returns.toEqualTypeOf<Promise<Values>>();
  expectTypeOf(init).returns.toEqualTypeOf<Promise<{ simd: "baseline" | "relaxed"; threads: number }>>();
});

test("functions that call one return what it returns", () => {
  expectTypeOf(scope(() => "text")).toEqualTypeOf<string>();
  expectTypeOf(scope(() => [ones([1]), 1] as const)).toEqualTypeOf<readonly [Tensor, 1]>();
  expectTypeOf(noGrad(() => 1)).toEqualTypeOf<number>();
  const plan = compile((a: Tensor, b: Tensor) => ({ sum: a.add(b), rows: 2 }));
  expectTypeOf(plan).toExtend<Compiled<[Tensor, Tensor], { sum: Tensor; rows: number }>>();
  expectTypeOf(plan).returns.toEqualTypeOf<{ sum: Tensor; rows: number }>();
  // @ts-expect-error: it takes two
  expect(() => plan(x)).toThrow();
});
