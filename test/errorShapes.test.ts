// Refusals of shapes and dtypes.
import { describe } from "vitest";
import * as nablas from "../src/index";
import { DTypeError, Linear, ShapeError } from "../src/index";
import { call, ints, linear, matrix, pair, refuses, row, scalar, shared, signs } from "./refuses";

const empty = shared([]);

const spare = shared([1, 2, 3]);

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
      /more than one value per channel to take statistics of, got \[1, 3\]; use larger batches, use running/,
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
    [
      "losses",
      call("mseLoss", row, pair),
      ShapeError,
      /prediction \[3\] and target \[2\] differ.*a target for each value/,
    ],
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
    [
      "an op on i32",
      call("relu", ints),
      DTypeError,
      'relu: expected dtype f32, got i32 [2]; make it by tensor(values, { dtype: "f32" }) or by xDtype ' +
        "or yDtype of dataset",
    ],
    ["a number and i32", call("add", ints, 1), DTypeError, /add: expected dtype f32, got i32/],
    ["a number before i32", call("sub", 1, ints), DTypeError, /sub: expected dtype f32, got i32/],
    ["matmul", call("matmul", matrix, ints), DTypeError, /matmul/],
    ["softmax", call("softmax", ints), DTypeError, /softmax/],
    ["predictions", call("mseLoss", ints, pair), DTypeError, /mseLoss: expected dtype f32.*yDtype/],
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
    ["undefined for a tensor", call("sum", undefined), DTypeError, "sum: expected a tensor, got undefined"],
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
