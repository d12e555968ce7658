// Initialisers from the seed of the library.
import { describe, expect, it } from "vitest";
import { Linear, manualSeed, OptionError, ReLU, Sequential } from "../src/index";

describe("manualSeed", () => {
  const model = () => new Sequential(new Linear(5, 7), new ReLU(), new Linear(7, 3));
  const start = (seed: number) => {
    manualSeed(seed);
    return model()
      .parameters()
      .map((t) => t.toArray());
  };

  it.each([0, 1, 42, 2 ** 32, Number.MAX_SAFE_INTEGER])("%d gives the same weights again", (seed) => {
    expect(start(seed)).toEqual(start(seed));
  });

  it("gives other weights for other seeds, also beyond 32 bits", () => {
    const starts = [0, 1, 2 ** 32, 2 ** 32 + 1].map(start);
    expect(new Set(starts.map((weights) => JSON.stringify(weights))).size).toBe(starts.length);
  });

  it("draws on without it: two layers differ", () => {
    manualSeed(0);
    expect(new Linear(4, 4).weight.toArray()).not.toEqual(new Linear(4, 4).weight.toArray());
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])("refuses %d", (seed) => {
    expect(() => manualSeed(seed)).toThrow(OptionError);
    expect(() => manualSeed(seed)).toThrow(/manualSeed.*integer/);
  });
});
