// The axes of the charts: at any numbers they have ends, and a few ticks between them.
import { describe, expect, test } from "vitest";
import { digitsOf, givenEnds, linearEnds, linearTicks, logEnds, logTicks } from "../../playground/ui/scale";

const SIZES = [0, 5e-324, 1e-310, 1e-45, 1e-38, 1e-20, 1e-3, 1, 2.5, 16777217, 1e16, 3.4e38, 1.7e308];
const VALUES = [...SIZES, ...SIZES.map((size) => -size), 1 + 2 ** -23, 1 + 2 ** -52, 1e16 + 2];

/** All pairs in order, equal ones included. */
const pairs = (values: readonly number[]) =>
  values.flatMap((min) => values.filter((max) => max >= min).map((max) => [min, max] as const));

/** From one to fifty, in order, between the ends. */
function expectTicks(ticks: readonly number[], [from, to]: readonly [number, number]): void {
  const rounding = 1e-3 * (to - from);
  const wrong = ticks.filter(
    (tick, i) => !(tick > (ticks[i - 1] ?? -Infinity) && tick >= from - rounding && tick <= to + rounding),
  );
  expect(wrong, `${from} … ${to}: ${ticks}`).toEqual([]);
  expect(ticks.length, `${from} … ${to}: ${ticks}`).toBeGreaterThan(0);
  expect(ticks.length, `${from} … ${to}`).toBeLessThanOrEqual(50);
}

describe("a linear axis", () => {
  test("has ends around the values, and ticks between them, whatever they are", () => {
    for (const [min, max] of pairs(VALUES)) {
      const ends = linearEnds(min, max);
      expect(ends.every(Number.isFinite), `${min} … ${max}`).toBe(true);
      expect(ends[0], `${min} … ${max}`).toBeLessThan(ends[1]);
      if (min > -1e300) expect(ends[0], `${min} … ${max}`).toBeLessThanOrEqual(min + 1e-300);
      if (max < 1e300) expect(ends[1], `${min} … ${max}`).toBeGreaterThanOrEqual(max - 1e-300);
      for (const room of [0, 0.5, 3, 8, 1e9, Infinity]) expectTicks(linearTicks(...ends, room), ends);
    }
  });

  test("takes no end that is given where there can be none", () => {
    const given = [
      ...pairs(VALUES),
      ...pairs([-Infinity, 0, 1, Infinity]),
      [1, 0],
      [Number.NaN, 1],
      [Number.NaN, Number.NaN],
    ];
    for (const [min, max] of given as [number, number][]) {
      const ends = givenEnds([min, max]);
      expect(ends.every(Number.isFinite), `${min} … ${max}`).toBe(true);
      expect(ends[0], `${min} … ${max}`).toBeLessThan(ends[1]);
      expectTicks(linearTicks(...ends, 5), ends);
    }
    expect(givenEnds([-0.02, 1.05])).toEqual([-0.02, 1.05]);
  });

  test("has air, starts at 0 where nothing is below, and has round ticks", () => {
    expect(linearEnds(0.1, 0.7)).toEqual([expect.closeTo(0.04), expect.closeTo(0.76)]);
    expect(linearEnds(0, 9)).toEqual([0, 10]);
    expect(linearEnds(-4, 0)).toEqual([-4.4, 0]);
    expect(linearEnds(3, 3)).toEqual([1.5, 4.5]);
    expect(linearTicks(0, 9.9, 5)).toEqual([0, 2, 4, 6, 8]);
    expect(linearTicks(-0.02, 1.05, 6)).toEqual([0, 0.2, 0.4, expect.closeTo(0.6), 0.8, 1]);
    expect(linearTicks(-3.4e38, 3.4e38, 4)).toEqual([-2e38, 0, 2e38]);
  });
});

describe("a logarithmic axis", () => {
  test("has ends around the values, and at most seven powers of ten, whatever they are", () => {
    for (const [min, max] of pairs(VALUES.filter((value) => value > 0))) {
      const ends = logEnds(min, max);
      expect(ends[0], `${min} … ${max}`).toBeGreaterThan(0);
      expect(ends[0], `${min} … ${max}`).toBeLessThan(ends[1]);
      if (min > 1e-300) expect(ends[0], `${min} … ${max}`).toBeLessThanOrEqual(min);
      if (max < 1e300) expect(ends[1] * (1 + 2 ** -50), `${min} … ${max}`).toBeGreaterThanOrEqual(max);
      const ticks = logTicks(...ends);
      expectTicks(ticks, ends);
      expect(ticks.length).toBeLessThanOrEqual(7);
      for (const tick of ticks) expect(String(tick)).toMatch(/^1(0*|e.*)$|^0\.0*1$/);
    }
  });

  test("has a tick at each power of ten where there are few", () => {
    expect(logEnds(2e-3, 0.5)).toEqual([1e-3, 1]);
    expect(logEnds(1, 1)).toEqual([0.1, 10]);
    expect(logTicks(1e-3, 1)).toEqual([1e-3, 1e-2, 1e-1, 1]);
    expect(logTicks(1e-25, 1)).toEqual([1e-25, 1e-20, 1e-15, 1e-10, 1e-5, 1]);
  });
});

test("labels have the digits that tell ticks apart", () => {
  expect(digitsOf([])).toBe(3);
  expect(digitsOf([0, 0.2, 0.4])).toBe(3);
  expect(digitsOf([1e5, 1e5 + 2])).toBe(6);
  expect(digitsOf([1.00002, 1.00004])).toBe(6);
  for (const [min, max] of pairs(VALUES)) {
    const ticks = linearTicks(...linearEnds(min, max), 5);
    const count = digitsOf(ticks);
    expect(new Set(ticks.map((tick) => Number(tick.toPrecision(count)))).size).toBe(ticks.length);
  }
});
