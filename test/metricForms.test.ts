// Measures of targets in one-hot form, and of one score a sample.
import { describe, expect, test } from "vitest";
import {
  accuracy,
  confusionMatrix,
  DomainError,
  OptionError,
  oneHot,
  randn,
  ShapeError,
  scope,
  tensor,
  topK,
  zeros,
} from "../src/index";

const logits = tensor([
  [3, 1, 2],
  [0, 5, 4],
  [1, 2, 0],
  [7, 8, 9],
]);

describe("one-hot targets", () => {
  const hot = (...classes: number[]) => oneHot(classes, { numClasses: 3 });

  test("count as the classes that they stand for", () =>
    scope(() => {
      expect(accuracy(logits, hot(0, 2, 1, 2))).toBe(0.75);
      expect(accuracy(logits, hot(0, 2, 1, 2).toArray())).toBe(0.75);
      expect(accuracy([0, 1, 1, 2], hot(0, 2, 1, 2))).toBe(0.75);
      expect(accuracy(2, hot(2).reshape([3]))).toBe(1);
      expect(topK(logits, hot(2, 2, 0, 0), 2)).toBe(0.75);
      expect(confusionMatrix(logits, hot(0, 2, 1, 2))).toEqual(confusionMatrix(logits, [0, 2, 1, 2]));
      expect(confusionMatrix([0, 1], hot(0, 0), { classes: 3 })).toEqual([
        [1, 1, 0],
        [0, 0, 0],
        [0, 0, 0],
      ]);
    }));

  test("of scores at several places have the class axis of the scores", () =>
    scope(() => {
      const scores = randn([4, 3, 5]);
      const classes = scores.argmax({ dim: 1 });
      const rows = oneHot(classes, { numClasses: 3 }).transpose(1, 2);
      expect(accuracy(scores, rows)).toBe(1);
      expect(accuracy(scores.neg(), rows)).toBe(0);
    }));

  test.each<[string, () => unknown, new () => Error, string]>([
    [
      "a distribution",
      () => accuracy(tensor([[1, 2]]), [[0.25, 0.75]]),
      DomainError,
      "accuracy: one-hot targets are a single 1 and zeros in each row, got 0.25 at element 0",
    ],
    [
      "several labels",
      () =>
        accuracy(zeros([2, 3]), [
          [1, 0, 0],
          [1, 1, 0],
        ]),
      DomainError,
      "got 2 ones at position 1",
    ],
    ["no label", () => topK(zeros([1, 3]), [[0, 0, 0]], 1), DomainError, "topK: one-hot targets"],
    [
      "other classes",
      () => confusionMatrix(zeros([2, 3]), zeros([2, 4])),
      ShapeError,
      "confusionMatrix: expected targets [2] or one-hot rows [2, 3], got [2, 4]",
    ],
  ])("refuse %s", (_, act, kind, message) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });
});

describe("one score a sample", () => {
  const column = tensor([[-2], [0.25], [0.5], [3]]);
  const labels = [0, 0, 1, 1];

  test("is class 1 above the threshold", () =>
    scope(() => {
      expect([-3, 0, 0.25, 0.5, 4].map((threshold) => accuracy(column, labels, { threshold }))).toEqual([
        0.5, 0.75, 1, 0.75, 0.5,
      ]);
      expect(confusionMatrix(column, labels, { threshold: 0 })).toEqual([
        [1, 1],
        [0, 2],
      ]);
      expect(confusionMatrix(column, labels, { threshold: 4, classes: 3 })).toEqual([
        [2, 0, 0],
        [2, 0, 0],
        [0, 0, 0],
      ]);
    }));

  test("in any form, with labels in any form", () =>
    scope(() => {
      const row = column.reshape([4]);
      const asColumn = labels.map((t) => [t]);
      const forms = [
        ...[labels, Int32Array.from(labels), tensor(labels), tensor(labels, { dtype: "i32" })],
        ...[asColumn, tensor(asColumn), tensor(asColumn, { dtype: "i32" })],
      ];
      for (const t of forms) expect(accuracy(column, t, { threshold: 0 })).toBe(0.75);
      for (const t of forms.slice(0, 4)) expect(accuracy(row, t, { threshold: 0 })).toBe(0.75);
      expect(accuracy(tensor([0.2]), [0], { threshold: 0.5 })).toBe(1);
      expect(
        accuracy(column.reshape([2, 1, 2]), [labels.slice(0, 2), labels.slice(2)], { threshold: 0 }),
      ).toBe(0.75);
    }));

  test.each<[string, () => unknown, new () => Error, string]>([
    [
      "no threshold",
      () => accuracy(column, labels),
      OptionError,
      "accuracy: [4, 1] is one score a sample: pass { threshold: 0 } for logits, { threshold: 0.5 } for probabilities",
    ],
    [
      "no number for one",
      () => confusionMatrix(column, labels, { threshold: "0" as never }),
      OptionError,
      "confusionMatrix: [4, 1] is one score a sample",
    ],
    [
      "a threshold for scores of classes",
      () => accuracy(logits, [0, 1, 2, 0], { threshold: 0 }),
      OptionError,
      "accuracy: threshold is for one score a sample, [batch] or [batch, 1]",
    ],
    [
      "a threshold for classes",
      () => accuracy([0], [0], { threshold: 0 }),
      OptionError,
      "threshold is for one score a sample",
    ],
    [
      "signs for labels",
      () => accuracy(column, [-1, -1, 1, 1], { threshold: 0 }),
      DomainError,
      "accuracy: expected targets 0 and 1 for one score a sample, got -1 at position 0",
    ],
    [
      "other labels",
      () => accuracy(column, [0, 1], { threshold: 0 }),
      ShapeError,
      "accuracy: expected targets [4], got [2]",
    ],
    [
      "no labels",
      () => accuracy(zeros([0, 1]), [], { threshold: 0 }),
      ShapeError,
      "accuracy: expected at least one target, got [0]",
    ],
    [
      "an unknown option",
      () => accuracy(column, labels, { at: 0 } as object),
      OptionError,
      "it takes threshold",
    ],
  ])("refuses %s", (_, act, kind, message) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });
});
