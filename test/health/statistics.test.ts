import { describe, expect, test } from "vitest";
import { statistics } from "../../src/health/statistics";
import * as n from "../../src/index";

describe("the kernel", () => {
  test.each([[[5, 3]], [[1, 1]], [[7, 16]], [[4, 6, 5]], [[33]]])("has the statistics of %j", (shape) => {
    n.manualSeed(3);
    const x = n.randn(shape).add(0.5).maximum(0);
    const values = [...x.data];
    const cols = shape.length > 1 ? shape.at(-1)! : 1;
    const mean = (list: number[]) => list.reduce((sum, v) => sum + v, 0) / list.length;
    const units = Array.from({ length: cols }, (_, c) => values.filter((_, i) => i % cols === c));
    const expected = {
      mean: mean(values),
      std: Math.sqrt(mean(values.map((v) => (v - mean(values)) ** 2))),
      norm: Math.hypot(...values),
      unitMean: Math.sqrt(mean(units.map((u) => mean(u) ** 2))),
      unitStd: Math.sqrt(mean(units.map((u) => mean(u.map((v) => (v - mean(u)) ** 2))))),
      saturated: mean(values.map((v) => Number(v <= 0 || v >= 1))),
      dead: mean(units.map((u) => Number(u.every((v) => v === 0)))),
    };
    const { nonFinite, ...got } = statistics(x.ptr, x.shape, [0, 1]);
    expect(nonFinite).toBeUndefined();
    for (const [name, value] of Object.entries(expected)) {
      expect(got[name as keyof typeof got], name).toBeCloseTo(value, 9);
    }
  });

  test("finds the first number that is not finite, and units that are silent", () => {
    const x = n.zeros([6, 5]);
    x.data.set([1, 2, 3], 10);
    expect(statistics(x.ptr, x.shape).dead).toBe(0.4);
    x.data[18] = Number.NEGATIVE_INFINITY;
    x.data[19] = Number.NaN;
    expect(statistics(x.ptr, x.shape).nonFinite).toEqual({
      row: 3,
      column: 3,
      value: Number.NEGATIVE_INFINITY,
    });
  });
});
