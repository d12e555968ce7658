// Refusals of values outside of the domain of an op.
import { describe } from "vitest";
import { DomainError } from "../src/index";
import { call, ints, matrix, pair, refuses, row, signs } from "./refuses";

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
      "embedding: expected indices 0 … 1, got 2 at element 2 (row 1, column 0) of [2, 2]",
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
