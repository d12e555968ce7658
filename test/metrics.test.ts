import { describe, expect, test } from "vitest";
import {
  accuracy,
  confusionMatrix,
  DomainError,
  DTypeError,
  memory,
  OptionError,
  r2Score,
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

describe("accuracy", () => {
  test("of scores", () => {
    expect(accuracy(logits, [0, 1, 1, 2])).toBe(1);
    expect(accuracy(logits, Int32Array.of(0, 2, 2, 2))).toBe(0.5);
    expect(accuracy(logits, tensor([1, 2, 2, 0], { dtype: "i32" }))).toBe(0);
  });

  test("of classes, in whatever shape", () => {
    expect(accuracy([0, 1, 2], [0, 1, 1])).toBeCloseTo(2 / 3);
    expect(accuracy(Int32Array.of(5), [5])).toBe(1);
    expect(
      accuracy(
        [
          [0, 1],
          [2, 3],
        ],
        tensor(
          [
            [0, 1],
            [2, 0],
          ],
          { dtype: "i32" },
        ),
      ),
    ).toBe(0.75);
  });

  test("of one sample, and of scores at several places", () => {
    expect(accuracy(tensor([1, 3, 2]), 1)).toBe(1);
    // [batch 1, classes 2, places 3]
    expect(
      accuracy(
        tensor([
          [
            [1, 0, 1],
            [0, 1, 0],
          ],
        ]),
        [[0, 1, 1]],
      ),
    ).toBeCloseTo(2 / 3);
  });

  test("takes the first of equal scores", () => {
    expect(accuracy(tensor([[1, 1]]), [0])).toBe(1);
  });

  test.each<[string, () => unknown, new () => Error, string]>([
    ["more targets", () => accuracy(logits, [0, 1]), ShapeError, "accuracy: expected targets [4], got [2]"],
    ["none", () => accuracy([], []), ShapeError, "accuracy: expected at least one target, got [0]"],
    ["no rows of scores", () => accuracy(zeros([0, 3]), []), ShapeError, "expected at least one target"],
    ["f32 targets", () => accuracy(logits, tensor([0, 1, 2, 0])), DTypeError, "targets are i32, got f32 [4]"],
    ["fractions", () => accuracy(logits, [0, 1, 0.5, 0]), DomainError, "got 0.5 at element 2"],
    [
      "a target that is no class",
      () => accuracy(logits, [0, 1, 3, 0]),
      DomainError,
      "accuracy: expected classes 0 … 2, got target 3 at position 2",
    ],
  ])("refuses %s", (_, act, kind, message) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });
});

describe("topK", () => {
  test("counts targets among the k largest", () => {
    const targets = [2, 2, 0, 0];
    expect([1, 2, 3].map((k) => topK(logits, targets, k))).toEqual([0, 0.75, 1]);
    expect(topK(tensor([5, 4, 6]), 1, 2)).toBe(0);
  });

  test("of 1 is accuracy, with ties, infinities and NaN", () =>
    scope(() => {
      const rows = [
        [1, 1, 0],
        [0, Number.NaN, Infinity],
        [Infinity, 3, Infinity],
        [-Infinity, -Infinity, -Infinity],
        [Number.NaN, 1, Number.NaN],
      ];
      for (const row of rows) {
        const x = tensor([row]);
        for (const target of [0, 1, 2]) expect(topK(x, [target], 1)).toBe(accuracy(x, [target]));
        expect([0, 1, 2].map((target) => topK(x, [target], 2)).reduce((a, b) => a + b)).toBe(2);
      }
      const x = randn([50, 7]);
      const targets = Array.from({ length: 50 }, (_, i) => i % 7);
      expect(topK(x, targets, 1)).toBe(accuracy(x, targets));
    }));

  test.each([0, 4, 1.5, Number.NaN])("refuses k = %s", (k) => {
    expect(() => topK(logits, [0, 0, 0, 0], k)).toThrow(
      new OptionError(`topK: k is an integer from 1 to the number of classes, 3, got ${k}`),
    );
  });

  test("refuses scores and targets that do not fit", () => {
    expect(() => topK(zeros([1, 2, 3]), [0], 1)).toThrow(
      "topK: expected scores [batch, classes] or [classes]",
    );
    expect(() => topK(logits, [0], 1)).toThrow("topK: expected targets [4], got [1]");
    expect(() => topK(logits, [0, 0, 0, -1], 1)).toThrow("got target -1 at position 3");
    expect(() => topK([[1, 2]] as never, [0], 1)).toThrow(DTypeError);
  });
});

describe("confusionMatrix", () => {
  test("has a row for each true class", () => {
    expect(confusionMatrix([0, 1, 1, 2, 0], [0, 1, 2, 2, 2])).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [1, 1, 1],
    ]);
  });

  test("has as many classes as the scores, or as one says", () => {
    expect(confusionMatrix(tensor([[1, 0, 0]]), [0])).toEqual([
      [1, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(confusionMatrix([0], [1], { classes: 2 })).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });

  test("refuses classes beyond", () => {
    const options = { classes: 2 };
    expect(() => confusionMatrix([0, 2], [0, 0], options)).toThrow(
      "expected classes 0 … 1, got prediction 2 at position 1",
    );
    expect(() => confusionMatrix([0, 0], [0, -1], options)).toThrow("got target -1 at position 1");
    expect(() => confusionMatrix([0], [0], { classes: 0 })).toThrow("classes is an integer ≥ 1, got 0");
    expect(() => confusionMatrix([0], [0], { labels: 2 } as object)).toThrow(OptionError);
  });
});

describe("r2Score", () => {
  test("is 1 for a perfect prediction and 0 for the mean", () => {
    expect(r2Score([1, 2, 3], [1, 2, 3])).toBe(1);
    expect(r2Score([2, 2, 2], [1, 2, 3])).toBe(0);
    expect(r2Score([3, 2, 1], [1, 2, 3])).toBe(-3);
    // The example of sklearn.metrics.r2_score.
    expect(r2Score([2.5, 0, 2, 8], [3, -0.5, 2, 7])).toBeCloseTo(0.9486081370449679, 12);
  });

  test("of several outputs is their mean", () => {
    expect(
      r2Score(
        [
          [1, 2],
          [2, 2],
          [3, 2],
        ],
        tensor([
          [1, 1],
          [2, 2],
          [3, 3],
        ]),
      ),
    ).toBe(0.5);
  });

  test("of a target that never changes is 1 or 0", () => {
    expect(r2Score([5, 5], [5, 5])).toBe(1);
    expect(r2Score([5, 6], [5, 5])).toBe(0);
    expect(r2Score([5, Number.NaN], [5, 5])).toBeNaN();
  });

  test("keeps its precision far from zero", () => {
    const target = [16_777_213, 16_777_214, 16_777_215];
    expect(r2Score([16_777_214, 16_777_214, 16_777_214], target)).toBe(0);
  });

  test("refuses other shapes and a single row", () => {
    expect(() => r2Score([1, 2], [[1, 2]])).toThrow(
      new ShapeError("r2Score: expected a target [2], got [1, 2]; reshape one of them"),
    );
    expect(() => r2Score([1], [1])).toThrow(new ShapeError("r2Score: expected at least two rows, got [1]"));
  });

  test("takes whole numbers, and a column for a row", () => {
    expect(r2Score(tensor([[1], [3]]), tensor([1, 3], { dtype: "i32" }))).toBe(1);
    expect(r2Score([1, 3, 4], [[1], [3], [5]])).toBeCloseTo(1 - 1 / 8, 12);
    expect(r2Score([1.7e12, 1.7e12 + 2], [1.7e12, 1.7e12 + 4])).toBe(0.5);
  });
});

test("metrics leave no tensors and record nothing", () => {
  const x = randn([4, 3], { requiresGrad: true });
  const single = randn([4], { requiresGrad: true });
  const { bytes, tensors } = memory();
  accuracy(single, [0, 1, 1, 0], { threshold: 0 });
  accuracy(x, [0, 1, 2, 0]);
  accuracy(x, [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
    [1, 0, 0],
  ]);
  topK(x, [0, 1, 2, 0], 2);
  confusionMatrix(x, [0, 1, 2, 0]);
  r2Score(x, x);
  expect(() => accuracy(x, [0])).toThrow();
  expect(memory()).toMatchObject({ bytes, tensors });
  x.dispose();
  single.dispose();
});
