// Labels in typed arrays, one-hot rows of bytes, and rows as typed arrays.
import { describe, expect, test } from "vitest";
import {
  accuracy,
  compile,
  confusionMatrix,
  crossEntropyLoss,
  DTypeError,
  dataset,
  embedding,
  gather,
  Linear,
  multiMarginLoss,
  nllLoss,
  oneHot,
  Standardise,
  scope,
  type Tensor,
  tensor,
  topK,
} from "../src/index";

describe("labels", () => {
  const KINDS = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array];

  test.each(KINDS)("%o are classes everywhere", (Kind) =>
    scope(() => {
      const scores = tensor([
        [1, 2, 4],
        [3, 1, 0],
        [0, 5, 1],
      ]);
      const [list, labels] = [[2, 0, 2], Kind.of(2, 0, 2)];
      for (const loss of [crossEntropyLoss, nllLoss, multiMarginLoss]) {
        expect(loss(scores, labels).item()).toBe(loss(scores, list).item());
      }
      expect(accuracy(scores, labels)).toBe(accuracy(scores, list));
      expect(topK(scores, labels, 2)).toBe(topK(scores, list, 2));
      expect(confusionMatrix(labels, labels)).toEqual(confusionMatrix(list, list));
      expect(accuracy(tensor([1, -1, 1]), Kind.of(1, 0, 0), { threshold: 0 })).toBeCloseTo(2 / 3, 12);
      expect(oneHot(labels).toArray()).toEqual(oneHot(list).toArray());
      expect(embedding(labels, scores).toArray()).toEqual(embedding(list, scores).toArray());
      expect(gather(tensor([5, 6, 7]), labels).toArray()).toEqual([7, 5, 7]);
      expect(dataset(scores, labels).batch().y.dtype).toBe("i32");
    }),
  );

  test("of floats are none", () => {
    const scores = tensor([[1, 2]]);
    for (const act of [
      () => crossEntropyLoss(scores, Float32Array.of(1)),
      () => nllLoss(scores, Float64Array.of(1)),
      () => accuracy(scores, Float32Array.of(1)),
      () => topK(scores, Float32Array.of(1), 1),
    ]) {
      expect(act).toThrow(DTypeError);
      expect(act).toThrow(/tensor\(values, \{ dtype: "i32" \}\) or by xDtype or yDtype of dataset/);
    }
    expect(() => crossEntropyLoss(scores, tensor([[1]], { dtype: "i32" }))).toThrow(
      "expected class targets [1], got [1, 1]; reshape them to [1]",
    );
    scores.dispose();
  });

  test("as one-hot rows of bytes are distributions", () =>
    scope(() => {
      const scores = tensor([
        [1, 2, 4],
        [3, 1, 0],
      ]);
      const bytes = Uint8Array.of(0, 0, 1, 1, 0, 0);
      const rows = [
        [0, 0, 1],
        [1, 0, 0],
      ];
      const { y } = dataset([[1], [2]], { data: bytes, shape: [2, 3] }).batch();
      for (const target of [y, [bytes.slice(0, 3), bytes.slice(3)]]) {
        expect(crossEntropyLoss(scores, target).item()).toBe(crossEntropyLoss(scores, rows).item());
        expect(accuracy(scores, target)).toBe(1);
        expect(topK(scores, target, 1)).toBe(1);
      }
      expect(confusionMatrix(scores, y)).toEqual(confusionMatrix(scores, rows));
      using step = compile((x: Tensor, t: Tensor) => crossEntropyLoss(x, t, { labelSmoothing: 0.1 }));
      for (const _ of [0, 1]) {
        expect(step(scores, y).item()).toBe(crossEntropyLoss(scores, rows, { labelSmoothing: 0.1 }).item());
      }
      const deep = tensor([
        [
          [1, 2],
          [3, 4],
        ],
      ]);
      const hot = tensor(
        [
          [
            [1, 0],
            [0, 1],
          ],
        ],
        { dtype: "i32" },
      );
      expect(crossEntropyLoss(deep, hot).item()).toBe(
        crossEntropyLoss(deep, [
          [
            [1, 0],
            [0, 1],
          ],
        ]).item(),
      );
      expect(() =>
        crossEntropyLoss(
          deep,
          tensor(
            [
              [
                [1, 0],
                [0, 2],
              ],
            ],
            { dtype: "i32" },
          ),
        ),
      ).toThrow("got 2 at element 3");
    }));
});

describe("rows as typed arrays", () => {
  const rows = [Float32Array.of(1, 2), Float64Array.of(3, 4), Uint8Array.of(5, 6)];
  const right = [
    [1, 2],
    [3, 4],
    [5, 6],
  ];

  test("stack wherever arrays nest", () =>
    scope(() => {
      expect(tensor(rows).toArray()).toEqual(right);
      expect(tensor([rows, rows]).shape).toEqual([2, 3, 2]);
      expect(tensor([Float32Array.of(1, 2), [3, 4]]).toArray()).toEqual(right.slice(0, 2));
      const ints = [Int32Array.of(1, 2), Int32Array.of(3, 4)];
      expect([tensor(ints).dtype, tensor([...ints, rows[0]!]).dtype]).toEqual(["i32", "f32"]);
      const data = dataset(rows, [Float32Array.of(1), Float32Array.of(2), Float32Array.of(3)]);
      expect([data.batch().x.toArray(), data.batch().y.toArray()]).toEqual([right, [[1], [2], [3]]]);
      expect(new Standardise().fit(rows).shift!.toArray()).toEqual([3, 4]);
      const model = new Linear(2, 3);
      model.loadStateDict({ weight: rows, bias: [0, 0, 0] });
      expect(model.weight.toArray()).toEqual(right);
      using plan = compile((x: Tensor) => x.mul(2));
      for (const input of [rows, rows.map((row) => row.map((v) => v + 1)), right]) {
        expect(plan(input).toArray()).toEqual(tensor(input).mul(2).toArray());
      }
      expect(plan.describe().match(/plan for/g)).toHaveLength(1);
    }));

  test("of other lengths, and of big integers, are refused", () => {
    expect(() => tensor([Float32Array.of(1, 2), Float32Array.of(3)])).toThrow(
      "tensor: ragged arrays: expected only arrays of length 2, got one of length 1 at row 1",
    );
    expect(() => tensor([BigInt64Array.of(1n)] as never)).toThrow(
      "tensor: expected numbers, got a BigInt64Array",
    );
  });
});
