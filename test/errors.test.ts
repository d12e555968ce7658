import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import * as nablas from "../src/index";
import {
  Adam,
  DomainError,
  DTypeError,
  GraphError,
  InstanceError,
  Linear,
  Maxout,
  memory,
  NablasError,
  OptionError,
  OutOfMemoryError,
  PReLU,
  ReLU,
  Sequential,
  SGD,
  ShapeError,
  type Tensor,
} from "../src/index";

const held = () => ({ bytes: memory().bytes, tensors: memory().tensors });

type Kind = new (...args: never[]) => NablasError;
type Failure = [what: string, fail: () => unknown, kind: Kind, message: string | RegExp];

const alive: Tensor[] = [];

/** A tensor that all tests share; none of them may change it. */
function shared(data: Parameters<typeof nablas.tensor>[0], options?: nablas.TensorOptions): Tensor {
  const t = nablas.tensor(data, options);
  alive.push(t);
  return t;
}

const row = shared([1, 2, 3]);
const pair = shared([0.25, 0.75]);
const matrix = shared([
  [1, 2, 3],
  [4, 5, 6],
]);
const ints = shared(Int32Array.of(0, 2));
const leaf = shared([1, 2], { requiresGrad: true });
const signs = shared([-1, 1]);
const scalar = shared(5);
const empty = shared([]);
const batch = shared(new Float32Array(128 * 63), { shape: [128, 63] });
const spare = shared([1, 2, 3]);
const [wide, tall] = [nablas.zeros([1, 70_000]), nablas.zeros([70_000, 1])];

let values: number[][];
beforeAll(() => {
  values = alive.map((t) => Array.from(t.data));
});

const linear = new Linear(3, 2);
const untyped = nablas as unknown as Record<string, (...args: unknown[]) => unknown>;

/** Calls an op as JavaScript would, without types. */
const call =
  (op: string, ...args: unknown[]) =>
  () =>
    untyped[op]!(...args);

/** Each error has its class and message, and changes neither memory nor earlier tensors. */
function refuses(failures: Failure[]): void {
  test.each(failures)("%s", (_what, fail, kind, message) => {
    const before = held();
    let thrown: unknown;
    try {
      fail();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(kind);
    expect(thrown).toBeInstanceOf(NablasError);
    expect((thrown as Error).name).toBe(kind.name);
    if (typeof message === "string") expect((thrown as Error).message).toBe(message);
    else expect((thrown as Error).message).toMatch(message);
    expect(held()).toEqual(before);
    expect(alive.map((t) => Array.from(t.data))).toEqual(values);
  });
}

describe("shapes", () => {
  refuses([
    ["add", call("add", row, pair), ShapeError, "add: shapes [3] and [2] do not broadcast: 3 against 2"],
    [
      "matmul",
      call("matmul", matrix, matrix),
      ShapeError,
      /inner sizes differ: \[2, 3\] · \[2, 3\], 3 against 2/,
    ],
    [
      "matmul, transposed",
      call("matmul", matrix, row.reshape([3, 1]), { transposeA: true }),
      ShapeError,
      /a transposed, 2 against 3/,
    ],
    [
      "matmul of a scalar",
      () => nablas.matmul(matrix, scalar),
      ShapeError,
      /at least one dimension.*use mul/,
    ],
    ["linear", call("linear", matrix, pair), ShapeError, /weight \[out, in\], got \[2, 3\] and \[2\]/],
    ["linear's bias", call("linear", matrix, linear.weight, row), ShapeError, /expected bias \[2\]/],
    [
      "reshape",
      call("reshape", row, [2, 2]),
      ShapeError,
      "reshape: [3] has 3 elements, which do not fill [2, 2]",
    ],
    ["reshape with a gap", call("reshape", row, [2, -1]), ShapeError, /do not fill \[2, -1\]/],
    [
      "a dimension",
      call("sum", matrix, { dim: 2 }),
      ShapeError,
      "sum: dim 2 does not exist in a tensor of 2 dimensions",
    ],
    ["one of several", call("mean", matrix, { dim: [0, -3] }), ShapeError, /mean: dim -3 does not exist/],
    ["softmax", call("softmax", row, { dim: 1 }), ShapeError, /softmax: dim 1/],
    ["transpose", call("transpose", row), ShapeError, /transpose: dim -2/],
    ["slice", call("slice", row, 0.5), ShapeError, /slice: positions are integers, got 0.5/],
    ["concat", call("concat", [matrix, row]), ShapeError, /concat: shapes \[2, 3\] and \[3\]/],
    ["concat of nothing", call("concat", []), ShapeError, /at least one tensor/],
    ["stack", call("stack", [row, pair]), ShapeError, "stack: shapes [3] and [2] differ"],
    ["stack of nothing", call("stack", []), ShapeError, /at least one tensor/],
    ["a new dimension", call("stack", [row], { dim: 2 }), ShapeError, /stack: dim 2/],
    ["gather", call("gather", matrix, [[0], [1], [0]], { dim: 1 }), ShapeError, /as large.*got \[3, 1\]/],
    ["gather of another rank", call("gather", matrix, [0]), ShapeError, /an index for \[2, 3\].*got \[1\]/],
    ["embedding", call("embedding", [0], row), ShapeError, "embedding: expected weight [num, dim], got [3]"],
    ["oneHot of nothing", call("oneHot", new Int32Array(0)), ShapeError, /no classes.*pass \{ numClasses \}/],
    [
      "batchNorm",
      call("batchNorm", row),
      ShapeError,
      /batchNorm: expected \[batch, channels\] or .*got \[3\]/,
    ],
    [
      "batchNorm of one row",
      call("batchNorm", nablas.reshape(row, [1, 3]), { training: true }),
      ShapeError,
      /more than one value per channel to take statistics of, got \[1, 3\]; use larger batches, or running/,
    ],
    [
      "running statistics",
      call("batchNorm", matrix, { training: true, runningMean: pair }),
      ShapeError,
      "batchNorm: expected runningMean [3], got [2]",
    ],
    [
      "a factor for each channel",
      call("batchNorm", matrix, { training: true, weight: [1, 2] }),
      ShapeError,
      "batchNorm: expected weight [3], got [2]",
    ],
    [
      "a count of batches",
      call("batchNorm", matrix, { training: true, numBatchesTracked: ints }),
      ShapeError,
      /numBatchesTracked is one i32 number, got \[2\]/,
    ],
    [
      "layerNorm",
      call("layerNorm", matrix, { normalizedShape: [3, 2] }),
      ShapeError,
      "layerNorm: expected [..., 3, 2], got [2, 3]",
    ],
    [
      "layerNorm's bias",
      call("layerNorm", matrix, { normalizedShape: 3, bias: pair }),
      ShapeError,
      "layerNorm: expected bias [3], got [2]",
    ],
    ["losses", call("mseLoss", row, pair), ShapeError, /prediction \[3\] and target \[2\] differ.*reshape/],
    ["klDivLoss", call("klDivLoss", row, pair), ShapeError, /prediction \[3\] and target \[2\] differ/],
    ["categoricalHingeLoss", call("categoricalHingeLoss", scalar, scalar), ShapeError, /expected rows/],
    [
      "cosineEmbeddingLoss",
      call("cosineEmbeddingLoss", row, pair, signs),
      ShapeError,
      "cosineEmbeddingLoss: the shapes [3] and [2] of the two inputs differ",
    ],
    [
      "targets of cosineEmbeddingLoss",
      call("cosineEmbeddingLoss", row, row, signs),
      ShapeError,
      "cosineEmbeddingLoss: expected targets [], one for each row, got [2]",
    ],
    [
      "targets of multiMarginLoss",
      call("multiMarginLoss", matrix, [0, 1, 2]),
      ShapeError,
      /multiMarginLoss: expected class targets \[2\], got \[3\]/,
    ],
    [
      "weights of multiMarginLoss",
      call("multiMarginLoss", matrix, ints, { weight: [1, 2] }),
      ShapeError,
      /each of the 3 classes, got \[2\]/,
    ],
    [
      "posWeight",
      call("bceWithLogitsLoss", pair, pair, { posWeight: [1, 2, 3] }),
      ShapeError,
      /bceWithLogitsLoss, posWeight/,
    ],
    ["weights of a loss", call("bceLoss", pair, pair, { weight: [1, 2, 3] }), ShapeError, /weight/],
    [
      "class targets",
      call("crossEntropyLoss", matrix, [1, 0, 2]),
      ShapeError,
      /class targets \[2\], got \[3\]/,
    ],
    [
      "class weights",
      call("nllLoss", matrix, ints, { weight: [1, 2] }),
      ShapeError,
      /each of the 3 classes, got \[2\]/,
    ],
    [
      "prelu",
      call("prelu", matrix, pair),
      ShapeError,
      /one for each of the 3 channels of \[2, 3\], got \[2\]/,
    ],
    ["maxout", call("maxout", row, { k: 2 }), ShapeError, /\[3\] does not divide into groups of 2/],
    ["max of nothing", () => nablas.max(empty), ShapeError, /no elements to choose from/],
    ["argmax of nothing", () => nablas.argmax(empty), ShapeError, /no elements to choose from/],
    ["argmin of nothing", () => nablas.argmin(empty), ShapeError, /argmin: no elements to choose from/],
    ["ragged arrays", call("tensor", [[1, 2], [3]]), ShapeError, /ragged.*length 2, got one of length 1/],
    ["data that does not fill", call("tensor", [1, 2, 3], { shape: [2] }), ShapeError, /3 elements.*\[2\]/],
    ["a negative size", call("zeros", [-1]), ShapeError, /integers ≥ 0, got \[-1\]/],
    ["a size that is no shape", call("ones", 3), ShapeError, /a shape is an array/],
    ["an endless range", call("arange", 0, 1, 0), ShapeError, /arange/],
    ["item", () => row.item(), ShapeError, "item: expected one element, got the tensor [3]"],
    ["xavierUniform", call("xavierUniform", [3]), ShapeError, /at least two dimensions/],
    [
      "an initialiser",
      () => new Linear(3, 2, { init: () => spare }),
      ShapeError,
      "Linear: init made [3], expected [2, 3]",
    ],
  ]);
});

describe("dtypes", () => {
  refuses([
    ["an op on i32", call("relu", ints), DTypeError, "relu: expected dtype f32, got i32 [2]"],
    ["a number and i32", call("add", ints, 1), DTypeError, /add: expected dtype f32, got i32/],
    ["a number before i32", call("sub", 1, ints), DTypeError, /sub: expected dtype f32, got i32/],
    ["matmul", call("matmul", matrix, ints), DTypeError, /matmul/],
    ["softmax", call("softmax", ints), DTypeError, /softmax/],
    ["losses", call("mseLoss", pair, ints), DTypeError, /mseLoss: expected dtype f32/],
    ["mixed concat", call("concat", [pair, ints]), DTypeError, /concat: expected dtype f32/],
    [
      "float classes",
      call("crossEntropyLoss", matrix, pair),
      DTypeError,
      /class targets are i32, got f32 \[2\]/,
    ],
    [
      "an array for a tensor",
      call("relu", [1, 2]),
      DTypeError,
      "relu: expected a tensor, got an array; wrap it in tensor(…)",
    ],
    ["an array and a number", call("mul", 2, [1, 2]), DTypeError, /mul: expected a tensor, got an array/],
    [
      "undefined for a tensor",
      call("sum", undefined),
      DTypeError,
      "sum: expected a tensor, got undefined undefined",
    ],
    ["float indices", call("gather", row, pair), DTypeError, /gather: indices are i32, got f32 \[2\]; make/],
    ["indices to embed", call("embedding", pair, matrix), DTypeError, /embedding: indices are i32/],
    ["indices of classes", call("oneHot", pair), DTypeError, /oneHot: indices are i32/],
    ["dropout", call("dropout", ints), DTypeError, /dropout: expected dtype f32/],
    ["batchNorm", call("batchNorm", ints), DTypeError, /batchNorm: expected dtype f32/],
    [
      "layerNorm",
      call("layerNorm", ints, { normalizedShape: 2 }),
      DTypeError,
      /layerNorm: expected dtype f32/,
    ],
    [
      "a count of batches",
      call("batchNorm", matrix, { training: true, numBatchesTracked: scalar }),
      DTypeError,
      /expected dtype i32/,
    ],
    ["text for numbers", call("tensor", ["1"]), DTypeError, /expected numbers.*got string "1"/],
    ["an unknown dtype", call("zeros", [2], { dtype: "f64" }), DTypeError, /"f32" or "i32", got "f64"/],
    [
      "a gradient of i32",
      call("tensor", [1], { dtype: "i32", requiresGrad: true }),
      DTypeError,
      /requiresGrad/,
    ],
    [
      "a gradient of i32 zeros",
      call("zeros", [1], { dtype: "i32", requiresGrad: true }),
      DTypeError,
      /requiresGrad/,
    ],
    ["a module's input", () => linear.forward(ints), ShapeError, /expected \[batch, 3\]/],
  ]);
});

describe("options", () => {
  refuses([
    [
      "an unknown one",
      call("leakyRelu", row, { slope: 1 }),
      OptionError,
      'leakyRelu: unknown option "slope"; it takes negativeSlope',
    ],
    [
      "an unknown one of several",
      call("crossEntropyLoss", matrix, ints, { smoothing: 0.1 }),
      OptionError,
      /unknown option "smoothing"; it takes weight, ignoreIndex, reduction, labelSmoothing/,
    ],
    [
      "one where there is none",
      call("relu", row, { inplace: true }),
      OptionError,
      'relu: unknown option "inplace"; it takes none',
    ],
    [
      "a name that objects inherit",
      call("relu", row, { toString: 1 }),
      OptionError,
      /unknown option "toString"/,
    ],
    [
      "positional options",
      call("elu", row, 0.5),
      OptionError,
      "elu: options are an object, got 0.5; it takes alpha",
    ],
    [
      "null",
      call("softmax", row, null),
      OptionError,
      "softmax: options are an object, got null; it takes dim",
    ],
    [
      "a value that is no number",
      call("elu", row, { alpha: "1" }),
      OptionError,
      'elu: alpha is a number, got "1"',
    ],
    [
      "an option that is NaN",
      call("elu", row, { alpha: Number.NaN }),
      OptionError,
      "elu: alpha is a number, got NaN",
    ],
    [
      "a division by alpha",
      call("celu", row, { alpha: 1e-50 }),
      OptionError,
      "celu: alpha is not 0, got 1e-50",
    ],
    [
      "an empty interval",
      call("hardtanh", row, { minVal: 2 }),
      OptionError,
      "hardtanh: minVal is at most maxVal, got 2 and 1",
    ],
    [
      "another approximation",
      call("gelu", row, { approximate: "erf" }),
      OptionError,
      'gelu: approximate is "none" or "tanh", got "erf"',
    ],
    ["of tensors", call("tensor", [1], { type: "f32" }), OptionError, /it takes shape, dtype, requiresGrad/],
    [
      "of backward",
      () => leaf.backward({ retain: true } as object),
      OptionError,
      /it takes gradient, retainGraph/,
    ],
    ["a step of slice", call("slice", row, 0, 3, { step: 0 }), OptionError, /step is an integer ≥ 1, got 0/],
    [
      "labelSmoothing",
      call("crossEntropyLoss", matrix, ints, { labelSmoothing: 2 }),
      OptionError,
      /from 0 to 1, got 2/,
    ],
    [
      "slopes of rrelu",
      call("rrelu", row, { lower: 1, upper: 0 }),
      OptionError,
      /lower ≤ upper, got 1 and 0/,
    ],
    ["beta", call("smoothL1Loss", row, row, { beta: -1 }), OptionError, /beta is a number ≥ 0, got -1/],
    ["delta", call("huberLoss", row, row, { delta: 0 }), OptionError, /delta is a number > 0, got 0/],
    [
      "an option of a loss",
      call("huberLoss", row, row, { beta: 1 }),
      OptionError,
      'huberLoss: unknown option "beta"; it takes delta, reduction',
    ],
    [
      "a delta that is no number",
      call("huberLoss", row, row, { delta: "1" }),
      OptionError,
      /delta is a number/,
    ],
    [
      "alpha",
      call("focalLoss", pair, pair, { alpha: 1.5 }),
      OptionError,
      /from 0 to 1, or −1 for none, got 1.5/,
    ],
    ["gamma", call("focalLoss", pair, pair, { gamma: -1 }), OptionError, /gamma is a number ≥ 0, got -1/],
    ["eps", call("poissonNllLoss", row, row, { eps: -1 }), OptionError, /eps is a number ≥ 0, got -1/],
    [
      "p",
      call("multiMarginLoss", matrix, ints, { p: 3 }),
      OptionError,
      "multiMarginLoss: p is 1 or 2, got 3",
    ],
    [
      "a margin that is no number",
      call("cosineEmbeddingLoss", row, row, scalar, { margin: "0" }),
      OptionError,
      /margin is a number, got "0"/,
    ],
    [
      "batchmean of another loss",
      call("mseLoss", row, row, { reduction: "batchmean" }),
      OptionError,
      /reduction is "mean", "sum" or "none", got "batchmean"/,
    ],
    [
      "a reduction of klDivLoss",
      call("klDivLoss", row, row, { reduction: "avg" }),
      OptionError,
      'klDivLoss: reduction is "mean", "batchmean", "sum" or "none", got "avg"',
    ],
    ["clip without bounds", call("clip", row), OptionError, /clip: expected a bound, \{ min \}, \{ max \}/],
    ["a bound", call("clip", row, { min: NaN }), OptionError, /min is a number, got NaN/],
    ["a correction", call("variance", row, { correction: NaN }), OptionError, /correction is a number/],
    [
      "numClasses",
      call("oneHot", ints, { numClasses: 0 }),
      OptionError,
      /numClasses is an integer ≥ 1, got 0/,
    ],
    [
      "a probability",
      call("dropout", row, { p: 1.5 }),
      OptionError,
      "dropout: p is a number from 0 to 1, got 1.5",
    ],
    [
      "of Dropout",
      () => new nablas.Dropout({ p: -1 }),
      OptionError,
      "Dropout: p is a number from 0 to 1, got -1",
    ],
    [
      "evaluation without statistics",
      call("batchNorm", matrix),
      OptionError,
      /evaluation needs runningMean and runningVar; or pass \{ training: true \}/,
    ],
    [
      "an average without a count",
      call("batchNorm", matrix, { training: true, momentum: null, runningMean: row }),
      OptionError,
      /momentum null.*pass numBatchesTracked/,
    ],
    ["a momentum", call("batchNorm", matrix, { momentum: 2 }), OptionError, /from 0 to 1, or null, got 2/],
    ["an eps", call("layerNorm", row, { normalizedShape: 3, eps: -1 }), OptionError, /eps is a number ≥ 0/],
    ["no normalizedShape", call("layerNorm", row), OptionError, /normalizedShape is a size ≥ 1.*got \[\]/],
    ["features", () => new nablas.BatchNorm1d(0), OptionError, /BatchNorm1d: features is an integer ≥ 1/],
    [
      "of BatchNorm1d",
      () => new nablas.BatchNorm1d(2, { momentum: -1 }),
      OptionError,
      /BatchNorm1d: momentum/,
    ],
    ["of LayerNorm", () => new nablas.LayerNorm([]), OptionError, /LayerNorm: normalizedShape/],
    [
      "paddingIdx of embedding",
      call("embedding", [0], matrix, { paddingIdx: 2 }),
      OptionError,
      "embedding: paddingIdx is an integer from -2 to 1, a row of the weight, got 2",
    ],
    [
      "paddingIdx of Embedding",
      () => new nablas.Embedding(3, 2, { paddingIdx: -4 }),
      OptionError,
      "Embedding: paddingIdx is an integer from -3 to 2, a row of the weight, got -4",
    ],
    [
      "of Embedding",
      () => new nablas.Embedding(3, 0),
      OptionError,
      "Embedding: sizes are integers ≥ 1, got 0",
    ],
    ["a seed", call("manualSeed", -1), OptionError, /0 to 2\^53 − 1, got -1/],
    ["the size of a layer", () => new Linear(0, 2), OptionError, "Linear: sizes are integers ≥ 1, got 0"],
    ["of a layer", () => new Linear(2, 2, { biases: true } as object), OptionError, /it takes bias, init/],
    ["of PReLU", () => new PReLU({ numParameters: 1.5 }), OptionError, /numParameters is an integer ≥ 1/],
    ["of Maxout", () => new Maxout({ groups: 2 } as unknown as { k: number }), OptionError, /it takes k/],
    [
      "a mode",
      call("kaimingUniform", [2, 3], { mode: "fan_in" }),
      OptionError,
      /"fanIn" or "fanOut", got "fan_in"/,
    ],
    ["a nonlinearity", call("calculateGain", "swish"), OptionError, /got "swish"/],
    [
      "a layer that is none",
      () => new Sequential(nablas.relu as never),
      OptionError,
      /argument 0 is no module/,
    ],
    ["no parameters", () => new SGD([]), OptionError, /at least one, such as model.parameters\(\)/],
    ["a parameter twice", () => new SGD([leaf, leaf]), OptionError, /parameter 1 appears twice/],
    ["a learning rate", () => new SGD([leaf], { lr: -1 }), OptionError, "SGD: lr is a number ≥ 0, got -1"],
    ["nesterov alone", () => new SGD([leaf], { nesterov: true }), OptionError, /nesterov wants a momentum/],
    [
      "betas",
      () => new Adam([leaf], { betas: [0.9, 1] }),
      OptionError,
      /betas are two numbers from 0 to below 1/,
    ],
    ["of Adam", () => new Adam([leaf], { beta: 1 } as object), OptionError, /unknown option "beta"/],
  ]);

  const reductions: [op: string, ...args: unknown[]][] = [
    ["mseLoss", pair, pair],
    ["l1Loss", pair, pair],
    ["msleLoss", pair, pair],
    ["mapeLoss", pair, pair],
    ["hingeLoss", pair, signs],
    ["exponentialLoss", pair, signs],
    ["bceLoss", pair, pair],
    ["bceWithLogitsLoss", pair, pair],
    ["crossEntropyLoss", matrix, ints],
    ["nllLoss", matrix, ints],
    ["smoothL1Loss", pair, pair],
    ["huberLoss", pair, pair],
    ["logCoshLoss", pair, pair],
    ["squaredHingeLoss", pair, signs],
    ["softMarginLoss", pair, signs],
    ["focalLoss", pair, pair],
    ["poissonNllLoss", pair, pair],
    ["multiMarginLoss", matrix, ints],
    ["categoricalHingeLoss", pair, pair],
    ["cosineEmbeddingLoss", matrix, matrix, signs],
  ];
  refuses(
    reductions.map(([op, ...args]) => [
      `a reduction of ${op}`,
      call(op, ...args, { reduction: "avg" }),
      OptionError,
      `${op}: reduction is "mean", "sum" or "none", got "avg"`,
    ]),
  );
  refuses(
    [{ weight: [1, 2] }, { posWeight: [1, 2] }, { weight: [1, 2], posWeight: [1, 2] }].map((weights) => [
      `a reduction with ${Object.keys(weights)}`,
      call("bceWithLogitsLoss", pair, pair, { ...weights, reduction: "avg" }),
      OptionError,
      /reduction is "mean", "sum" or "none", got "avg"/,
    ]),
  );
});

describe("domains", () => {
  refuses([
    [
      "an index too large",
      call(
        "embedding",
        [
          [0, 1],
          [2, 1],
        ],
        matrix,
      ),
      DomainError,
      "embedding: expected indices 0 … 1, got 2 at element 2 of [2, 2]",
    ],
    [
      "a negative index",
      call("gather", row, [-1]),
      DomainError,
      "gather: expected indices 0 … 2, got -1 at element 0 of [1]",
    ],
    ["a class too large", call("oneHot", ints, { numClasses: 2 }), DomainError, /0 … 1, got 2 at element 1/],
    ["a negative class", call("oneHot", [-1]), DomainError, /oneHot: expected indices 0 … 0, got -1/],
    [
      "a label too large",
      call("crossEntropyLoss", matrix, [0, 3]),
      DomainError,
      /expected classes 0 … 2, got 3 at position 1; rows to leave out carry ignoreIndex \(here -100\)/,
    ],
    [
      "a negative label",
      call("nllLoss", matrix, [-1, 0]),
      DomainError,
      /nllLoss: expected classes 0 … 2, got -1/,
    ],
    [
      "a label that is ignored elsewhere",
      call("nllLoss", matrix, [-100, 0], { ignoreIndex: 5 }),
      DomainError,
      /got -100/,
    ],
    [
      "a label of weighted classes",
      call("nllLoss", matrix, [9, 0], { weight: [1, 1, 1] }),
      DomainError,
      /got 9/,
    ],
    [
      "a label between classes",
      call("crossEntropyLoss", matrix, [0.5, 0]),
      DomainError,
      /i32 takes 32-bit integers/,
    ],
    [
      "a probability above 1",
      call("bceLoss", row, row),
      DomainError,
      /prediction within \[0, 1\], got 2 at element 1; use bceWithLogitsLoss/,
    ],
    [
      "a target below 0",
      call("bceLoss", pair, signs),
      DomainError,
      /target within \[0, 1\], got -1 at element 0$/,
    ],
    [
      "a target of logits",
      call("bceWithLogitsLoss", row, row),
      DomainError,
      /target within \[0, 1\], got 2 at element 1/,
    ],
    [
      "a target with posWeight",
      call("bceWithLogitsLoss", row, row, { posWeight: [2] }),
      DomainError,
      /got 2/,
    ],
    [
      "a distribution",
      call("crossEntropyLoss", matrix, matrix),
      DomainError,
      /probabilities within \[0, 1\], got 2/,
    ],
    [
      "signs of hingeLoss",
      call("hingeLoss", pair, pair),
      DomainError,
      /targets −1 or 1, got 0.25 at element 0; labels 0 and 1 become signs as 2 t − 1/,
    ],
    ["signs of squaredHingeLoss", call("squaredHingeLoss", pair, pair), DomainError, /targets −1 or 1/],
    ["signs of softMarginLoss", call("softMarginLoss", pair, pair), DomainError, /targets −1 or 1/],
    [
      "signs of cosineEmbeddingLoss",
      call("cosineEmbeddingLoss", matrix, matrix, pair),
      DomainError,
      /cosineEmbeddingLoss: expected targets −1 or 1, got 0.25 at element 0/,
    ],
    ["a target of focalLoss", call("focalLoss", row, row), DomainError, /target within \[0, 1\], got 2/],
    [
      "a target of categoricalHingeLoss",
      call("categoricalHingeLoss", row, row),
      DomainError,
      /target within \[0, 1\], got 2 at element 1/,
    ],
    [
      "a target of klDivLoss",
      call("klDivLoss", signs, signs),
      DomainError,
      "klDivLoss: expected a target ≥ 0, got -1 at element 0; log-probabilities want logTarget: true",
    ],
    [
      "a count",
      call("poissonNllLoss", pair, signs),
      DomainError,
      /expected a target ≥ 0, got -1 at element 0$/,
    ],
    [
      "a rate",
      call("poissonNllLoss", signs, pair, { logInput: false }),
      DomainError,
      /expected a rate ≥ 0, got -1 at element 0; logarithms of rates want logInput: true/,
    ],
    [
      "a label of multiMarginLoss",
      call("multiMarginLoss", matrix, [0, 3]),
      DomainError,
      "multiMarginLoss: expected classes 0 … 2, got 3 at position 1",
    ],
    [
      "a negative label of multiMarginLoss",
      call("multiMarginLoss", matrix, [-1, 0]),
      DomainError,
      /expected classes 0 … 2, got -1 at position 0/,
    ],
    ["signs of exponentialLoss", call("exponentialLoss", pair, pair), DomainError, /targets −1 or 1/],
    ["a fraction for i32", call("tensor", [1.5], { dtype: "i32" }), DomainError, /got 1.5 at element 0/],
    ["a number too large for i32", call("tensor", [0, 2 ** 31], { dtype: "i32" }), DomainError, /element 1/],
    ["a fraction to fill i32 with", call("full", [2], 0.5, { dtype: "i32" }), DomainError, /got 0.5/],
  ]);
});

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
      'ReLU "0": relu: expected dtype f32, got i32 [2]',
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
