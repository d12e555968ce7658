// Targets of either dtype, a column for a row, and what errors tell to do.
import { describe, expect, test } from "vitest";
import * as nablas from "../src/index";
import {
  compile,
  cosineEmbeddingLoss,
  customLoss,
  DomainError,
  dataset,
  fit,
  Linear,
  mseLoss,
  OptionError,
  r2Score,
  SGD,
  ShapeError,
  type Step,
  scope,
  type Tensor,
  tensor,
} from "../src/index";
import { held } from "./held";

type Loss = (pred: Tensor, target: Tensor, options?: { reduction?: "none" | "mean" }) => Tensor;

const AMOUNTS =
  `mseLoss l1Loss smoothL1Loss huberLoss logCoshLoss msleLoss mapeLoss poissonNllLoss klDivLoss`.split(" ");
const LABELS = ["bceLoss", "bceWithLogitsLoss", "focalLoss"];
const SIGNS = ["hingeLoss", "squaredHingeLoss", "exponentialLoss", "softMarginLoss"];
const PAIRS: [string, number[]][] = [
  ...AMOUNTS.map((name): [string, number[]] => [name, [15, 7, 9]]),
  ...LABELS.map((name): [string, number[]] => [name, [1, 0, 1]]),
  ...SIGNS.map((name): [string, number[]] => [name, [1, -1, 1]]),
];

/** Loss and gradient of predictions. */
function both(loss: Loss, shape: number[], target: Tensor): [number[], number[]] {
  const x = tensor([0.25, 0.5, 0.75], { shape, requiresGrad: true });
  const values = [...loss(x, target, { reduction: "none" }).data];
  loss(x, target).backward();
  return [values, [...x.grad!.data]];
}

describe("losses of pairs", () => {
  test.each(PAIRS)("%s takes whole numbers, and [n] for [n, 1]", (name, values) => {
    const loss = (nablas as unknown as Record<string, Loss>)[name]!;
    const before = held();
    scope(() => {
      const { y } = dataset([[1], [2], [3]], values).batch();
      expect(y.dtype).toBe("i32");
      const right = both(loss, [3], tensor(values));
      for (const shape of [[3], [3, 1]]) {
        for (const target of [y, y.reshape([3, 1]), tensor(values), tensor(values, { shape: [3, 1] })]) {
          expect(both(loss, shape, target)).toEqual(right);
        }
      }
      const pred = tensor([[0.25], [0.5], [0.75]]);
      expect(loss(pred, y, { reduction: "none" }).shape).toEqual([3, 1]);
      using compiled = compile((x: Tensor, t: Tensor) => loss(x, t, { reduction: "none" }));
      const again = Int32Array.of(values[1]!, values[0]!, values[2]!);
      for (const t of [Int32Array.from(values), again]) {
        expect(compiled(pred, t).data).toEqual(loss(pred, tensor(t), { reduction: "none" }).data);
      }
    });
    expect(held()).toEqual(before);
  });

  test("of rows take whole numbers", () =>
    scope(() => {
      const [a, b] = [
        tensor([
          [1, 2],
          [3, 4],
        ]),
        tensor([
          [2, 1],
          [0, 1],
        ]),
      ];
      const right = cosineEmbeddingLoss(a, b, tensor([1, -1])).item();
      for (const target of [tensor(Int32Array.of(1, -1)), tensor([[1], [-1]])]) {
        expect(cosineEmbeddingLoss(a, b, target).item()).toBe(right);
      }
    }));

  test.each<[string, number[], number[], RegExp]>([
    [
      "a row of n against n rows",
      [1, 3],
      [3],
      /\[1, 3\] and target \[3\] differ in shape; reshape the target to \[1, 3\]/,
    ],
    ["classes", [3, 4], [3], /of classes, oneHot\(target, \{ numClasses: 4 \}\) makes rows/],
    ["others", [3, 1], [2], /there has to be a target for each value/],
    ["[n, 1, 1]", [3, 1, 1], [3], /differ in shape; reshape the target to \[3, 1, 1\]/],
  ])("refuse %s", (_, pred, target, message) =>
    scope(() => {
      for (const [name] of PAIRS) {
        const loss = (nablas as unknown as Record<string, Loss>)[name]!;
        const size = target.reduce((a, b) => a * b, 1);
        const t = tensor(new Float32Array(size).fill(1), { shape: target });
        const x = tensor(new Float32Array(pred.reduce((a, b) => a * b, 1)).fill(0.5), { shape: pred });
        expect(() => loss(x, t)).toThrow(ShapeError);
        expect(() => loss(x, t)).toThrow(message);
      }
    }),
  );

  test("one's own that broadcasts is refused", () =>
    scope(() => {
      const loss = customLoss({ forward: (a, b) => a.sub(b).square() });
      expect(() => loss(tensor([[1], [2]]), tensor([1, 2]))).toThrow(
        "customLoss: forward gave [2, 2] for a prediction [2, 1]: each value met each target by broadcasting; reshape the " +
          "target to [2, 1]",
      );
    }));

  test("a regression of whole numbers trains", async () => {
    const rows = Array.from({ length: 32 }, (_, i) => [(i - 16) / 8]);
    const data = dataset(
      rows,
      rows.map(([v]) => 8 * v! + 3),
    );
    const model = new Linear(1, 1);
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const train = (x: Tensor, y: Tensor) => {
      const loss = mseLoss(model.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    };
    const step: Step = train;
    for await (const _ of fit(step, data, { epochs: 40, seed: 0, batchSize: 8 }));
    expect(model.weight.item()).toBeCloseTo(8, 3);
    expect(model.bias!.item()).toBeCloseTo(3, 3);
    scope(() => {
      const { x, y } = data.batch();
      expect(r2Score(model.forward(x), y)).toBeCloseTo(1, 6);
    });
  });
});

describe("dtypes of a dataset", () => {
  const x = [[1], [2]];

  test("are those asked for", () =>
    scope(() => {
      const dtypes = (...args: Parameters<typeof dataset>) => {
        const batch = dataset(...args).batch();
        return [batch.x.dtype, batch.y.dtype, [...batch.y.data]];
      };
      expect(dtypes(x, [15, 7])).toEqual(["f32", "i32", [15, 7]]);
      expect(dtypes(x, [15, 7], { yDtype: "f32" })).toEqual(["f32", "f32", [15, 7]]);
      expect(dtypes(x, Uint8Array.of(15, 7), { yDtype: "f32" })).toEqual(["f32", "f32", [15, 7]]);
      expect(dtypes(x, [[15], [7]], { yDtype: "i32" })).toEqual(["f32", "i32", [15, 7]]);
      expect(dtypes(x, Float32Array.of(15, 7), { yDtype: "i32" })).toEqual(["f32", "i32", [15, 7]]);
      expect(dtypes(x, tensor([15, 7]), { yDtype: "i32" })).toEqual(["f32", "i32", [15, 7]]);
      expect(dtypes(Int32Array.of(1, 2), [0, 1], { xDtype: "f32" })[0]).toBe("f32");
      expect(dtypes(x, [3e9, 2e9])).toEqual(["f32", "f32", [3e9, 2e9]]);
      const parts = dataset(x, [15, 7], { yDtype: "f32" }).split(0.5);
      for (const part of [...parts, parts[0].map((t) => t)]) expect(part.batch().y.dtype).toBe("f32");
    }));

  test("are refused where they do not fit", () => {
    expect(() => dataset(x, [[1], [0.5]], { yDtype: "i32" })).toThrow(DomainError);
    expect(() => dataset(x, [[1], [0.5]], { yDtype: "i32" })).toThrow(
      'dataset: y: i32 takes 32-bit integers, got 0.5 at row 1, column 0; { yDtype: "f32" } takes any number',
    );
    expect(() => dataset(x, Uint32Array.of(1, 2 ** 32 - 1))).toThrow("got 4294967295 at row 1");
    expect(() => dataset(x, [0, 1], { yDtype: "f64" } as never)).toThrow(
      new OptionError('dataset: yDtype is "f32" or "i32", got "f64"'),
    );
    expect(() => dataset(x, [0, 1], { dtype: "f32" } as never)).toThrow("it takes xDtype, yDtype");
  });
});
