import { describe, expect, test } from "vitest";
import { scope, tensor } from "../src/index";
import { type Case, cases, draw, SPECIALS, tensors, title, type Variant } from "./cases";
import { build, mismatch, type Nd, nd, philox } from "./reference";

const variants = cases.flatMap((c) => c.variants.map((v) => [c.name, title(v), c, v] as const));

test.each(variants)("%s %s agrees with float64, recorded or not", (_name, _title, c, variant) => {
  const data = draw(c, variant);
  const expected = c.expected(data, variant);
  for (const requiresGrad of [false, true]) {
    scope(() => {
      const inputs = tensors(c, data, { requiresGrad });
      const y = c.run(inputs, variant);
      expect(y.shape).toEqual(expected.shape);
      expect(mismatch(y.data, expected.data, c.forward)).toBeUndefined();
      for (const [i, x] of inputs.entries()) expect(Array.from(x.data)).toEqual(Array.from(data[i]!.data));
    });
  }
});

/** The variants of an elementwise op apart from their sizes. */
function calls(c: Case): Variant[] {
  const seen = new Map(c.variants.map((v) => [JSON.stringify([v.shapes.length, v.args]), v]));
  return [...seen.values()];
}

const elementwise = cases
  .filter((c) => c.elementwise)
  .flatMap((c) => calls(c).map((v) => [c.name, JSON.stringify(v.args), c, v] as const));

/** All special values, or all pairs of them. */
function specials(count: number): Nd[] {
  const n = SPECIALS.length;
  const places = [(i: number) => i % n, (i: number) => Math.floor(i / n)];
  return places.slice(0, count).map((place) => build([n ** count], ([i]) => SPECIALS[place(i!)]!));
}

test.each(elementwise)(
  "%s %s at zeros, infinities, NaN and the ends of float32",
  (_name, _args, c, variant) => {
    const data = specials(variant.shapes.length);
    const expected = c.expected(data, variant);
    const first = data[0]!.data;
    const values = expected.data.map((y, i) => c.limits[String(first[i])] ?? y);
    scope(() => {
      const y = c.run(tensors(c, data), variant);
      expect(mismatch(y.data, values, c.forward)).toBeUndefined();
    });
  },
);

test.each(elementwise)(
  "%s %s gives an element the same bits wherever it stands",
  (_name, _args, c, variant) => {
    const shape = variant.shapes.map(() => [19]);
    const data = draw(c, { ...variant, shapes: shape });
    const run = (from: number, to: number) =>
      scope(() => {
        const part = data.map((x) => nd([to - from], x.data.slice(from, to)));
        return c.run(tensors(c, part), variant).data.slice();
      });
    const whole = run(0, 19);
    for (let n = 1; n < 19; n++) {
      expect(run(0, n)).toEqual(whole.slice(0, n));
      expect(run(19 - n, 19)).toEqual(whole.slice(19 - n));
    }
  },
);

describe("limits of row ops and losses", () => {
  const [inf, nan] = [Infinity, NaN];
  // Further arrays become tensors, as the first does.
  const rows: [name: string, x: number[], expected: number[], ...others: (number | number[])[]][] = [
    ["softmax", [3e38, -3e38, 0], [1, 0, 0]],
    ["softmax", [-inf, 0, 0], [0, 0.5, 0.5]],
    ["softmax", [0, nan, 0], [nan, nan, nan]],
    ["logSoftmax", [3e38, 0], [0, Math.fround(-3e38)]],
    ["logSoftmax", [-inf, 0], [-inf, 0]],
    ["logSumExp", [-inf, -inf], [-inf]],
    ["logSumExp", [inf, 0], [inf]],
    ["logSumExp", [inf, -inf], [inf]],
    ["logSumExp", [3e38, 3e38], [Math.fround(3e38)]],
    ["logSumExp", [0, nan, 1, 2, 3], [nan]],
    ["logSumExp", [], [-inf]],
    ["max", [1, nan, inf], [nan]],
    ["max", [-inf, -inf], [-inf]],
    ["min", [1, nan, -inf], [nan]],
    ["min", [...Array(20).fill(1), nan, -inf], [nan]],
    ["min", [inf, inf], [inf]],
    ["variance", [5], [nan]],
    ["variance", [], [nan]],
    ["variance", [3e18, -3e18], [Math.fround(2 * Math.fround(3e18) ** 2)]],
    ["variance", [16_777_215, 16_777_216], [0.5]],
    ["argmax", [1, nan, inf, nan], [1]],
    ["argmax", [2, 7, 7], [1]],
    ["argmin", [1, nan, -inf, nan], [1]],
    ["argmin", [7, 2, 2], [1]],
    ["argmin", [inf, inf], [0]],
    ["hardmax", [2, 7, 7], [0, 1, 0]],
    ["sum", [], [0]],
    ["mean", [], [nan]],
    ["mean", [3e38, 3e38], [Math.fround(3e38)]],
    ["bceLoss", [0, 1], [0], [0, 1]],
    ["bceLoss", [0, 1], [100], [1, 0]],
    ["bceWithLogitsLoss", [3e38, -3e38], [0], [1, 0]],
    ["bceWithLogitsLoss", [-3e38], [Math.fround(3e38)], [1]],
    ["crossEntropyLoss", [3e38, -3e38], [0], 0],
    ["msleLoss", [0], [0], [0]],
    ["mapeLoss", [1], [Math.fround(1e9)], [0]],
    ["mseLoss", [nan], [nan], [0]],
    ["bceWithLogitsLoss", [inf, -inf], [0], [1, 0]],
    ["smoothL1Loss", [3e38], [Math.fround(3e38)], [0]],
    ["huberLoss", [3e38], [Math.fround(3e38)], [0]],
    ["logCoshLoss", [3e38], [Math.fround(3e38)], [0]],
    ["logCoshLoss", [1e-18], [Math.fround(Math.fround(1e-18) ** 2 / 2)], [0]],
    ["softMarginLoss", [3e38], [0], [1]],
    ["softMarginLoss", [3e38], [Math.fround(3e38)], [-1]],
    ["focalLoss", [3e38, -3e38], [0], [1, 0]],
    ["focalLoss", [inf, -inf], [0], [1, 0]],
    ["focalLoss", [100], [75], [0]],
    ["klDivLoss", [-inf, nan], [nan], [0, 0]],
    ["klDivLoss", [-inf], [0], [0]],
    ["klDivLoss", [-inf], [inf], [1]],
    ["poissonNllLoss", [-inf], [0], [0]],
    ["poissonNllLoss", [-inf], [inf], [1]],
    ["categoricalHingeLoss", [3e38, -3e38], [0], [1, 0]],
  ];
  test.each(rows)("%s of %j is %j", (name, x, expected, ...others) => {
    scope(() => {
      const { run } = cases.find((c) => c.name === name)!;
      const arrays = [x, ...others.filter((other) => Array.isArray(other))];
      const args = others.filter((other) => !Array.isArray(other));
      const y = run(
        arrays.map((values) => tensor(values)),
        { shapes: [], args },
      );
      expect(mismatch(y.data, expected, { ulp: 1 })).toBeUndefined();
    });
  });
});

// Known answers of the authors of Philox: kat_vectors of https://github.com/DEShawResearch/random123.
test.each([
  [0n, 0n, [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
  [
    0xffffffff_ffffffffn,
    0xffffffff_ffffffff_ffffffff_ffffffffn,
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
])("the reference of random numbers is Philox4x32-10, key %d", (key, counter, words) => {
  expect(philox(key, 4, counter)).toEqual(words);
});
