import { describe, expect, test } from "vitest";
import {
  DomainError,
  dataset,
  memory,
  Normalise,
  OptionError,
  ShapeError,
  Standardise,
  scope,
  sum,
  tensor,
} from "../src/index";
import { held } from "./held";
import { numbered } from "./numbered";

describe("scalers", () => {
  const rows = [
    [1, 100, 7],
    [3, 300, 7],
    [5, 500, 7],
  ];
  const data = dataset(rows, [0, 1, 0]);
  const deviation = Math.sqrt(8 / 3);

  test("Standardise: mean 0 and variance 1, a constant column 0", () => {
    using scaler = new Standardise().fit(data);
    expect(scaler.shift!.toArray()).toEqual([3, 300, 7]);
    expect(scaler.scale!.data[0]).toBeCloseTo(deviation, 6);
    scope(() => {
      const values = scaler.apply(rows).toArray() as number[][];
      for (const [i, sign] of [-1, 0, 1].entries()) {
        for (const column of [0, 1]) expect(values[i]![column]).toBeCloseTo((sign * 2) / deviation, 6);
        expect(values[i]![2]).toBe(0);
      }
    });
  });

  test("Normalise: from 0 to 1, a constant column 0, other data beyond", () => {
    using scaler = new Normalise().fit(tensor(rows));
    scope(() => {
      expect(scaler.apply(rows).toArray()).toEqual([
        [0, 0, 0],
        [0.5, 0.5, 0],
        [1, 1, 0],
      ]);
      expect(scaler.apply(tensor([9, 0, 8])).toArray()).toEqual([2, -0.25, 1]);
    });
  });

  test("a constant that float32 has to round is constant", () =>
    scope(() => {
      const constant = Float64Array.from({ length: 1000 }, () => 0.1);
      for (const scaler of [new Standardise(), new Normalise()]) {
        expect(new Set(scaler.fit(dataset(constant, constant)).apply(constant).data)).toEqual(new Set([0]));
        scaler.dispose();
      }
    }));

  test("survive what float32 cannot tell from zero, and large offsets", () =>
    scope(() => {
      const tiny = tensor([0, 2 ** -149]);
      expect([...new Standardise().fit(tiny).apply(tiny).data].every(Number.isFinite)).toBe(true);
      const offset = tensor([16_777_214, 16_777_215, 16_777_216]);
      const scaled = new Standardise().fit(offset).apply(offset).data;
      expect(scaled[0]).toBeCloseTo(-Math.sqrt(1.5), 5);
      expect(scaled[2]).toBeCloseTo(Math.sqrt(1.5), 5);
    }));

  test("apply to a dataset, of more rows than a chunk, as to a tensor", () => {
    const before = held();
    const many = numbered(3000).split(0.9, { seed: 1 })[0];
    const scaler = new Standardise().fit(many);
    const scaled = scaler.apply(many);
    scope(() => {
      const [raw, got] = [many.batch(), scaled.batch()];
      expect(got.y.data).toEqual(raw.y.data);
      expect(got.x.data).toEqual(scaler.apply(raw.x).data);
      const mean = [...got.x.data].reduce((total, value) => total + value, 0) / got.x.size;
      expect(Math.abs(mean)).toBeLessThan(1e-6);
    });
    scaler.dispose();
    expect(held()).toEqual(before);
  });

  test("statistics of images have the image's shape; of numbers none", () => {
    using images = new Normalise().fit(tensor([[[0, 2]], [[1, 4]]]));
    expect(images.shift!.shape).toEqual([1, 2]);
    using plain = new Normalise().fit([2, 4]);
    expect(plain.shift!.shape).toEqual([]);
    expect(plain.apply([2, 3, 4]).toArray()).toEqual([0, 0.5, 1]);
  });

  test("outlive the scope they were fitted in, and fit anew without a leak", () => {
    const before = held();
    const scaler = scope(() => new Standardise().fit(data).fit(rows));
    expect(memory().tensors).toBe(before.tensors + 2);
    expect(scaler.shift!.toArray()).toEqual([3, 300, 7]);
    scaler.dispose();
    expect(held()).toEqual(before);
  });

  test("let gradients through", () =>
    scope(() => {
      using scaler = new Normalise().fit(data);
      const x = tensor(rows, { requiresGrad: true });
      sum(scaler.apply(x)).backward();
      expect(x.grad!.data[0]).toBeCloseTo(1 / 4, 6);
      expect(x.grad!.data[1]).toBeCloseTo(1 / 400, 8);
    }));

  test("hand their state on", () =>
    scope(() => {
      using fitted = new Standardise().fit(data);
      using loaded = new Standardise().loadStateDict(fitted.stateDict());
      expect(loaded.apply(rows).data).toEqual(fitted.apply(rows).data);
      loaded.loadStateDict(loaded.stateDict());
      expect(loaded.shift!.toArray()).toEqual([3, 300, 7]);
    }));

  test.each<[string, () => unknown, new () => Error, string]>([
    ["applying first", () => new Normalise().apply([1]), OptionError, "Normalise: apply() needs statistics"],
    ["saving first", () => new Normalise().stateDict(), OptionError, "Normalise: no statistics to save"],
    ["no rows", () => new Normalise().fit([]), ShapeError, "expected data of at least one row, got [0]"],
    [
      "NaN",
      () =>
        new Standardise().fit([
          [1, 2],
          [3, Number.NaN],
        ]),
      DomainError,
      "Standardise: expected finite numbers, got NaN at element 1 of row 1",
    ],
    [
      "a state that is none",
      () => new Standardise().loadStateDict({ mean: tensor(1) } as never),
      OptionError,
      "Standardise: expected shift and scale, got mean",
    ],
    [
      "a state of two shapes",
      () => new Standardise().loadStateDict({ shift: tensor([1]), scale: tensor([1, 2]) }),
      ShapeError,
      "Standardise: shift [1] and scale [2] differ in shape",
    ],
  ])("refuse %s", (_, act, kind, message) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });

  test("refuse rows of another shape", () => {
    using scaler = new Standardise().fit(data);
    expect(() => scaler.apply([[1, 2]])).toThrow(
      new ShapeError("Standardise: fitted to rows [3], got [1, 2]"),
    );
  });
});
