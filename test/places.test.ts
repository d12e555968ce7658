// Errors name the function that was called, and the row and column of what it was given.
import { describe, expect, test } from "vitest";
import * as n from "../src/index";
import { dataset, scope, type Tensor, tensor } from "../src/index";

describe("a cell that is no number", () => {
  const BAD: [string, unknown, string][] = [
    ["null", null, "null"],
    ["undefined", undefined, "undefined"],
    ["text", "?", 'string "?"'],
    ["a boolean", true, "boolean true"],
    ["a bigint", 5n, "bigint 5"],
    ["an array", [1], "an array"],
    ["a typed array", Float32Array.of(1), "a Float32Array"],
  ];
  const table = (bad: unknown): never =>
    Array.from({ length: 50 }, (_, i) => (i === 37 ? [1, bad] : [1, 2])) as never;
  const scores = n.zeros([50, 2]);
  const labels = new Uint8Array(50);

  const CALLS: [string, (rows: never) => unknown][] = [
    ["tensor", (rows) => tensor(rows)],
    ["dataset: x", (rows) => dataset(rows, labels)],
    ["dataset: y", (rows) => dataset(labels, rows)],
    ["Standardise", (rows) => new n.Standardise().fit(rows)],
    ["Normalise", (rows) => new n.Normalise().loadStateDict({ shift: [0, 0], scale: [1, 1] }).apply(rows)],
    [
      "Linear.loadStateDict: weight: value",
      (rows) => new n.Linear(2, 50).loadStateDict({ weight: rows, bias: labels }),
    ],
    ["crossEntropyLoss", (rows) => n.crossEntropyLoss(scores, rows)],
    ["nllLoss", (rows) => n.nllLoss(n.zeros([50, 2, 2]), rows)],
    ["multiMarginLoss", (rows) => n.multiMarginLoss(scores, labels, { weight: rows })],
    ["bceWithLogitsLoss", (rows) => n.bceWithLogitsLoss(scores, scores, { weight: rows })],
    ["accuracy", (rows) => n.accuracy(scores, rows)],
    ["topK", (rows) => n.topK(scores, rows, 1)],
    ["confusionMatrix", (rows) => n.confusionMatrix(scores, rows)],
    ["r2Score", (rows) => n.r2Score(scores, rows)],
    ["oneHot", (rows) => n.oneHot(rows)],
    ["embedding", (rows) => n.embedding(rows, scores)],
    ["batchNorm", (rows) => n.batchNorm(scores, { training: true, weight: rows })],
    ["compile", (rows) => n.compile((x: Tensor) => x.mul(2))(rows)],
    ["diagnose", (rows) => n.diagnose(new n.Linear(2, 2), rows, labels, n.crossEntropyLoss as never)],
  ];

  test.each(CALLS)("is named by %s", (name, act) =>
    scope(() => {
      for (const [_, bad, got] of BAD) {
        expect(() => act(table(bad))).toThrow(n.DTypeError);
        expect(() => act(table(bad))).toThrow(`${name}: expected numbers, got ${got} at row 37, column 1`);
      }
      const short = `${name}: ragged arrays: expected only arrays of length 2`;
      const ragged = Array.from({ length: 50 }, (_, i) => (i === 37 ? [1] : [1, 2])) as never;
      expect(() => act(ragged)).toThrow(n.ShapeError);
      expect(() => act(ragged)).toThrow(`${short}, got one of length 1 at row 37`);
      const hole = Array.from({ length: 50 }, () => [1, 2]);
      delete hole[37];
      expect(() => act(hole as never)).toThrow(`${short}, got undefined at row 37`);
    }),
  );

  test("deeper, in a flat array, and in an array with holes", () => {
    const images = [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [1, 2],
        [3, null],
      ],
    ] as never;
    expect(() => dataset(images, [0, 1])).toThrow(
      "dataset: x: expected numbers, got null at row 1, element [1, 1]",
    );
    expect(() =>
      tensor([
        [
          [1, 2],
          [3, 4],
        ],
        [[1, 2], [3]],
      ]),
    ).toThrow("got one of length 1 at row 1, column 1");
    expect(() => dataset([[1], [2]], [0, null] as never)).toThrow(
      "dataset: y: expected numbers, got null at row 1",
    );
    expect(() => tensor([1, "2"] as never)).toThrow('tensor: expected numbers, got string "2" at element 1');
    // biome-ignore lint/suspicious/noSparseArray: what is tested
    expect(() => tensor([[1, , 3]] as never)).toThrow(
      "tensor: expected numbers, got undefined at row 0, column 1",
    );
    expect(() => n.crossEntropyLoss(scores, [0, 0.5])).toThrow(
      "crossEntropyLoss: i32 takes 32-bit integers, got 0.5",
    );
  });
});

describe("a row of the data set", () => {
  const SIZE = 60;
  const rows = Array.from({ length: SIZE }, (_, i) => [i / SIZE, 1]);
  const classes = rows.map((_, i) => (i === 50 ? 9 : i % 2));
  const withNaN = rows.map((row, i) => (i === 50 ? [row[0]!, Number.NaN] : row));
  const model = new n.Linear(2, 2);
  const optimizer = new n.SGD(model.parameters(), { lr: 0 });

  const stepOf = (loss: (prediction: Tensor, y: Tensor) => Tensor) => (x: Tensor, y: Tensor) => {
    const value = loss(model.forward(x), y);
    optimizer.zeroGrad();
    value.backward();
    optimizer.step();
    return value;
  };
  const classify = stepOf((p, y) => n.crossEntropyLoss(p, y));
  const regress = stepOf((p, y) => n.mseLoss(p.slice(0, 1, { dim: 1 }), y));

  const train = async (step: n.Step, data: n.Dataset, options: n.FitOptions = {}) => {
    model.loadStateDict({ weight: Float32Array.of(1, 2, 3, 4), bias: [0, 0] }); // NaN may have gone through it
    for await (const _ of n.fit(step, data, { batchSize: 7, seed: 3, ...options }));
  };

  /** The same rows under other numbers within the data set. */
  const changed = (data: n.Dataset): n.Dataset[] => {
    const [, late] = data.split([5, data.size - 5], { shuffle: false });
    const [drawn] = data.split([data.size - 1, 1], { seed: 1 });
    const scaler = new n.Normalise().loadStateDict({ shift: [0, 0], scale: [1, 1] });
    const sets = [
      data,
      late!,
      drawn!,
      data.map((x) => x.mul(2)),
      late!.map((x) => x.clone()),
      scaler.apply(drawn!),
    ];
    scaler.dispose();
    return [...sets, data.map((row) => row, { float64: true }).subset([50, 3])];
  };

  test("with NaN in it, of inputs and targets", async () => {
    for (const shuffle of [true, false]) {
      for (const data of changed(
        dataset(
          withNaN,
          classes.map((c) => c % 2),
        ),
      )) {
        for (const step of [classify, n.compile(classify) as unknown as n.Step]) {
          const message = "inputs: the number in row 50, column 1 of the data set is NaN";
          await expect(train(step, data, { shuffle })).rejects.toThrow(message);
        }
      }
      const targets = withNaN.map((row) => [row[1]!]);
      for (const data of changed(dataset(rows, targets))) {
        const message = "targets: the number in row 50, column 0 of the data set is NaN";
        await expect(train(regress, data, { shuffle })).rejects.toThrow(message);
      }
    }
  });

  test("with a label that is no class: in losses, measures, and embeddings", async () => {
    const message =
      /^crossEntropyLoss: expected classes 0 … 1, got 9 at position \d+ \(row 50 of the data set\); rows to leave/;
    for (const data of changed(dataset(rows, classes))) {
      for (const step of [classify, n.compile(classify) as unknown as n.Step]) {
        await expect(train(step, data)).rejects.toThrow(message);
      }
      expect(() => {
        for (const { x, y } of data.batches({ batchSize: 7, shuffle: true, seed: 2 }))
          scope(() => n.nllLoss(model.forward(x).logSoftmax(), y));
      }).toThrow(/^nllLoss: .* got 9 at position \d+ \(row 50 of the data set\)/);
      scope(() => {
        const { x, y } = data.batch();
        expect(() => n.accuracy(model.forward(x), y)).toThrow(
          /target 9 at position \d+ \(row 50 of the data set\)/,
        );
        expect(() => n.multiMarginLoss(model.forward(x), y.reshape([data.size]))).toThrow(
          /\(row 50 of the data set\)/,
        );
        expect(() => n.bceWithLogitsLoss(model.forward(x).slice(0, 1, { dim: 1 }), y)).toThrow(
          /within \[0, 1\], got 9 at element \d+ \(row 50 of the data set\)/,
        );
      });
    }
    const words = dataset(
      { data: Int32Array.from({ length: 40 }, (_, i) => (i === 31 ? 7 : 1)), shape: [20, 2] },
      rows.slice(0, 20),
    );
    scope(() => {
      const { x } = words.subset([3, 15]).batch();
      expect(() => n.embedding(x, model.weight)).toThrow(
        /got 7 at element 3 \(row 15, column 1 of the data set\)/,
      );
    });
  });

  test("in validation, and in what a plan goes through", async () => {
    const good = dataset(
      rows,
      classes.map((c) => c % 2),
    );
    const bad = dataset(rows, classes);
    const evaluate = (x: Tensor, y: Tensor) => n.crossEntropyLoss(model.forward(x), y);
    await expect(train(classify, good, { validation: bad, evaluate })).rejects.toThrow(
      /row 50 of the data set/,
    );
    await expect(
      train((x) => classify(x, tensor(new Int32Array(x.shape[0]!))), bad, {
        validation: 0.5,
        evaluate,
        shuffle: false,
      }),
    ).rejects.toThrow(/row 50 of the data set/);
    using step = n.compile(classify);
    for (const data of changed(bad)) {
      using batches = step.over(data, { batchSize: 7, seed: 5 });
      expect(() => batches.run(9)).toThrow(/\(row 50 of the data set\)/);
      // The same plan, of which inputs are copied in between.
      scope(() => step(n.rand([7, 2]), new Int32Array(7)));
      expect(() => batches.run(9)).toThrow(/\(row 50 of the data set\)/);
      expect(() => step(n.rand([7, 2]), Int32Array.of(0, 0, 0, 9, 0, 0, 0))).toThrow(/got 9 at position 3;/);
    }
  });

  test("in a scaler", () => {
    for (const data of changed(dataset(withNaN, classes))) {
      expect(() => new n.Standardise().fit(data)).toThrow("got NaN at element 1 of row 50");
    }
  });
});
