import { describe, expect, test } from "vitest";
import { type Dataset, DomainError, OptionError, ShapeError, scope, sum } from "../src/index";
import { held } from "./held";
import { all, ascending, numbered } from "./numbered";

describe("split and subset", () => {
  const data = numbered(10);

  test("split by a fraction, rounded down, or by counts", () => {
    const sizes = (parts: Dataset[]) => parts.map(({ size }) => size);
    expect(sizes(data.split(0.75))).toEqual([7, 3]);
    expect(sizes(data.split([5, 3, 2]))).toEqual([5, 3, 2]);
    expect(sizes(numbered(1797).split(0.8))).toEqual([1437, 360]);
    expect(sizes(numbered(100).split(0.29))).toEqual([29, 71]);
  });

  test("give every row to one part", () => {
    const parts = data.split([4, 4, 2], { seed: 5 });
    expect(ascending(parts.flatMap(all))).toEqual(all(data));
    expect(parts.flatMap(all)).not.toEqual(all(data));
    expect(data.split([4, 4, 2], { seed: 5 }).map(all)).toEqual(parts.map(all));
  });

  test("keep the order on request, and parts can be split", () => {
    const [first, rest] = data.split(0.5, { shuffle: false });
    expect([all(first), all(rest)]).toEqual([
      [0, 1, 2, 3, 4],
      [5, 6, 7, 8, 9],
    ]);
    expect(all(rest.split(0.6, { shuffle: false })[1])).toEqual([8, 9]);
    expect(all(rest.subset([4, 0]))).toEqual([9, 5]);
  });

  test.each<[unknown, string]>([
    [0, "got 0"],
    [1, "got 1"],
    [0.05, "got 0.05"],
    [Number.NaN, "got NaN"],
    [[5, 4], "got [5, 4]"],
    [[10, 0], "got [10, 0]"],
    [[5.5, 4.5], "got [5.5, 4.5]"],
    ["half", "got half"],
  ])("refuse %s", (parts, message) => {
    expect(() => data.split(parts as number)).toThrow(OptionError);
    expect(() => data.split(parts as number)).toThrow(message);
  });

  test("refuse rows that do not exist", () => {
    expect(() => data.subset([10])).toThrow(new DomainError("subset: expected rows 0 … 9, got 10"));
    expect(() => data.subset([])).toThrow(ShapeError);
  });
});

describe("map", () => {
  test("makes new inputs and keeps the targets", () => {
    const before = held();
    const [part] = numbered(10).split([4, 6], { shuffle: false });
    const mapped = part!.map((x) => sum(x.mul(x), { dim: 1 }), { batchSize: 3 });
    expect([mapped.size, mapped.inputShape]).toEqual([4, []]);
    scope(() => {
      const { x, y } = mapped.batch();
      expect([x.toArray(), y.toArray(), y.dtype]).toEqual([[0, 2, 8, 18], [0, 1, 2, 0], "i32"]);
    });
    expect(held()).toEqual(before);
  });

  test("refuses a function that changes the number of rows, or the shape on the way", () => {
    expect(() => numbered(4).map((x) => sum(x, { dim: 0 }))).toThrow("map: expected [4, ...] of fn, got [2]");
    expect(() =>
      numbered(4).map((x) => x.reshape([x.shape[0]!, -1, x.size === 6 ? 1 : 2]), { batchSize: 3 }),
    ).toThrow("map: fn gave rows f32 [2, 1] first and f32 [1, 2] later");
  });
});
