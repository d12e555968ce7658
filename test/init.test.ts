import { describe, expect, it } from "vitest";
import {
  calculateGain,
  constant,
  kaimingNormal,
  kaimingUniform,
  Linear,
  lecunNormal,
  lecunUniform,
  manualSeed,
  OptionError,
  orthogonal,
  ShapeError,
  scope,
  type Tensor,
  xavierNormal,
  xavierUniform,
  zeros,
} from "../src/index";
import { readOracle } from "./oracle";

interface Scheme {
  scheme: string;
  fan_in: number;
  fan_out: number;
  gain?: number;
  mode?: "fan_in" | "fan_out";
  distribution: "uniform" | "normal";
  /** Of the uniform ones: the largest absolute value. */
  bound?: number;
  std: number;
}

const { gains, schemes } = readOracle<{ gains: Record<string, number>; schemes: Scheme[] }>("init.json");

type Nonlinearity = Parameters<typeof calculateGain>[0];

/** "leaky_relu(0.2)" as the library has it. */
function parseNonlinearity(name: string): { nonlinearity: Nonlinearity; negativeSlope?: number } {
  const [, base, slope] = /^(\w+)(?:\((.*)\))?$/.exec(name)!;
  const nonlinearity = (base === "leaky_relu" ? "leakyRelu" : base) as Nonlinearity;
  return slope === undefined ? { nonlinearity } : { nonlinearity, negativeSlope: Number(slope) };
}

function withGain(gain: number) {
  const [name] = Object.entries(gains).find(([, value]) => value === gain)!;
  return parseNonlinearity(name);
}

/** Numbers drawn for each scheme, at least. */
const ENOUGH = 10_000;

/** Draws tensors until there are enough numbers. */
function sample(draw: () => Tensor): Float64Array {
  const values: number[] = [];
  while (values.length < ENOUGH) scope(() => values.push(...draw().data));
  return Float64Array.from(values);
}

const mean = (x: Float64Array) => x.reduce((sum, v) => sum + v, 0) / x.length;

/**
 * Mean and standard deviation of a sample lie within five standard errors of the true values 0 and `std`: a
 * right generator fails each of the two with a probability of 6e-7. The mean errs by std / √n, the standard
 * deviation by std √((κ − 1) / 4n) with the kurtosis κ = 3 of the normal and 9/5 of the uniform distribution.
 */
function expectSpread(x: Float64Array, std: number, distribution: "uniform" | "normal"): void {
  const kurtosis = distribution === "normal" ? 3 : 9 / 5;
  const m = mean(x);
  const s = Math.sqrt(mean(x.map((v) => (v - m) ** 2)));
  expect(Math.abs(m)).toBeLessThan((5 * std) / Math.sqrt(x.length));
  expect(Math.abs(s - std)).toBeLessThan(5 * std * Math.sqrt((kurtosis - 1) / (4 * x.length)));
}

/**
 * Uniform numbers stay within ±bound, up to the rounding of the bound to float32, and come within 0.3 % of
 * both ends: that n ≥ 10 000 numbers all miss the last 0.15 % of the interval has a probability of 3e-7.
 */
function expectBound(x: Float64Array, bound: number): void {
  const [low, high] = [x.reduce((a, b) => Math.min(a, b)), x.reduce((a, b) => Math.max(a, b))];
  for (const end of [-low, high]) {
    expect(end).toBeLessThanOrEqual(bound * (1 + 2 ** -23));
    expect(end).toBeGreaterThan(bound * (1 - 0.003));
  }
}

/** A weight [out, in] of each scheme. */
const draws: Record<string, (s: Scheme) => Tensor> = {
  xavier_uniform: (s) => xavierUniform([s.fan_out, s.fan_in], { gain: s.gain! }),
  xavier_normal: (s) => xavierNormal([s.fan_out, s.fan_in], { gain: s.gain! }),
  kaiming_uniform: (s) => kaimingUniform([s.fan_out, s.fan_in], kaimingOptions(s)),
  kaiming_normal: (s) => kaimingNormal([s.fan_out, s.fan_in], kaimingOptions(s)),
  lecun_uniform: (s) => lecunUniform([s.fan_out, s.fan_in]),
  lecun_normal: (s) => lecunNormal([s.fan_out, s.fan_in]),
};

function kaimingOptions({ gain, mode }: Scheme) {
  return { mode: mode === "fan_in" ? ("fanIn" as const) : ("fanOut" as const), ...withGain(gain!) };
}

function title({ scheme, fan_in, fan_out, mode, gain }: Scheme): string {
  const details = [mode, gain && `gain ${gain.toFixed(3)}`].filter(Boolean);
  return [`${scheme} ${fan_in} → ${fan_out}`, ...details].join(", ");
}

describe("calculateGain", () => {
  it.each(Object.entries(gains))("of %s is %d", (name, gain) => {
    const { nonlinearity, negativeSlope } = parseNonlinearity(name);
    expect(calculateGain(nonlinearity, negativeSlope)).toBeCloseTo(gain, 14);
  });

  it("takes 0.01 as the slope of leakyRelu by default", () => {
    expect(calculateGain("leakyRelu")).toBe(calculateGain("leakyRelu", 0.01));
  });

  it("refuses what it does not know", () => {
    expect(() => calculateGain("gauss" as Nonlinearity)).toThrow(OptionError);
    expect(() => calculateGain("gauss" as Nonlinearity)).toThrow(/calculateGain.*gauss/);
  });
});

describe("initialisers", () => {
  const drawn = schemes.filter(({ scheme }) => scheme in draws);
  it("knows every scheme of the file", () => {
    expect(new Set(schemes.map(({ scheme }) => scheme))).toEqual(
      new Set([...Object.keys(draws), "torch_linear_default"]),
    );
  });

  it.each(drawn.map((s) => [title(s), s] as const))("%s", (_, s) => {
    manualSeed(1);
    const x = sample(() => draws[s.scheme]!(s));
    expectSpread(x, s.std, s.distribution);
    if (s.bound !== undefined) expectBound(x, s.bound);
  });

  it("count the field of further dimensions in both fans", () => {
    // [out 6, in 4, 5]: fan in 20, fan out 30; bound √(6 / 50) and √3 √2 / √fan.
    manualSeed(2);
    const shape = [6, 4, 5];
    expectBound(
      sample(() => xavierUniform(shape)),
      Math.sqrt(6 / 50),
    );
    const options = { nonlinearity: "relu" as const };
    expectBound(
      sample(() => kaimingUniform(shape, options)),
      Math.sqrt(6 / 20),
    );
    expectBound(
      sample(() => kaimingUniform(shape, { ...options, mode: "fanOut" })),
      Math.sqrt(6 / 30),
    );
  });

  it.each([
    ["xavierUniform", xavierUniform],
    ["xavierNormal", xavierNormal],
    ["kaimingUniform", kaimingUniform],
    ["kaimingNormal", kaimingNormal],
  ] as const)("%s refuses a vector and unknown options, by its name", (name, init) => {
    expect(() => init([3])).toThrow(ShapeError);
    expect(() => init([3])).toThrow(name);
    expect(() => init([3, 2], { wide: true } as object)).toThrow(OptionError);
    expect(() => init([3, 2], { wide: true } as object)).toThrow(`${name}: unknown option "wide"`);
  });

  it.each([
    ["lecunUniform", lecunUniform],
    ["lecunNormal", lecunNormal],
    ["orthogonal", orthogonal],
  ] as const)("%s refuses a vector", (name, init) => {
    expect(() => init([3])).toThrow(ShapeError);
    expect(() => init([3])).toThrow(`${name}: fans need a weight of at least two dimensions`);
  });

  it.each([kaimingUniform, kaimingNormal])("Kaiming refuses another mode", (init) => {
    expect(() => init([3, 2], { mode: "fan_in" as "fanIn" })).toThrow(OptionError);
  });
});

describe("orthogonal", () => {
  /** The largest distance of the products of all pairs of vectors from gain² on the diagonal and 0 beside it. */
  function defect(vectors: Float64Array[], gain: number): number {
    const products = vectors.flatMap((a, i) =>
      vectors.map((b, j) => a.reduce((sum, x, k) => sum + x * b[k]!, 0) - (i === j ? gain ** 2 : 0)),
    );
    return Math.max(...products.map(Math.abs));
  }

  it.each([
    [[1, 1], 1],
    [[8, 8], 1],
    [[60, 60], 2],
    [[5, 20], 1],
    [[20, 5], Math.SQRT2],
    [[6, 2, 2, 3], 1],
    [[30, 2, 3], 0.5],
  ] as const)("of %j with gain %d has orthonormal rows or columns", (shape, gain) => {
    manualSeed(4);
    const t = orthogonal(shape, { gain });
    expect(t.shape).toEqual(shape);
    const [rows, cols] = [shape[0], t.size / shape[0]];
    const at = (r: number, c: number) => t.data[r * cols + c]!;
    const vectors =
      rows <= cols
        ? Array.from({ length: rows }, (_, r) => Float64Array.from({ length: cols }, (_, c) => at(r, c)))
        : Array.from({ length: cols }, (_, c) => Float64Array.from({ length: rows }, (_, r) => at(r, c)));
    // What rounding to float32 leaves of elements up to gain.
    expect(defect(vectors, gain)).toBeLessThan(2 ** -22 * gain ** 2);
  });

  it("has no direction that it prefers: elements have mean 0 and variance 1 / n", () => {
    manualSeed(5);
    const x = sample(() => orthogonal([16, 16]));
    expect(Math.abs(mean(x))).toBeLessThan(5 / 4 / Math.sqrt(x.length));
    expect(mean(x.map((v) => v * v))).toBeCloseTo(1 / 16, 6);
    // Of a corner alone, where the sign that an orthogonalisation prefers would show.
    const corner = Float64Array.from({ length: 400 }, () => scope(() => orthogonal([3, 3]).data[8]!));
    expect(Math.abs(mean(corner))).toBeLessThan(5 / Math.sqrt(3 * 400));
  });

  it("takes no other option, and an empty weight", () => {
    expect(() => orthogonal([2, 2], { scale: 1 } as object)).toThrow('orthogonal: unknown option "scale"');
    expect(orthogonal([0, 3]).shape).toEqual([0, 3]);
  });
});

describe("constant", () => {
  it("has the value everywhere, and starts a layer", () => {
    expect(constant([2, 2], 0.5).toArray()).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
    const { weight } = new Linear(2, 1, { init: (shape) => constant(shape, 3) });
    expect(weight.toArray()).toEqual([[3, 3]]);
  });
});

describe("Linear", () => {
  const defaults = schemes.filter(({ scheme }) => scheme === "torch_linear_default");

  it.each(defaults)("$fan_in → $fan_out starts uniform within ±1 / √in, weight and bias", (s) => {
    manualSeed(3);
    expect(s.bound).toBeCloseTo(1 / Math.sqrt(s.fan_in), 14);
    for (const part of ["weight", "bias"] as const) {
      const x = sample(() => new Linear(s.fan_in, s.fan_out)[part]!);
      expectSpread(x, s.std, s.distribution);
      expectBound(x, s.bound!);
    }
  });

  it("has shapes [out, in] and [out], both requiring gradients", () => {
    const { weight, bias } = new Linear(3, 2);
    expect([weight.shape, bias?.shape]).toEqual([[2, 3], [2]]);
    expect([weight.requiresGrad, bias?.requiresGrad]).toEqual([true, true]);
  });

  it("takes another initialiser for the weight, and no bias", () => {
    const layer = new Linear(3, 2, { init: (shape) => zeros(shape), bias: false });
    expect(layer.weight.toArray()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(layer.bias).toBeNull();
    expect(layer.parameters()).toEqual([layer.weight]);
  });

  it("refuses an initialiser that makes another shape, and sizes below 1", () => {
    expect(() => new Linear(3, 2, { init: () => zeros([3, 2]) })).toThrow(ShapeError);
    expect(() => new Linear(0, 2)).toThrow(OptionError);
    expect(() => new Linear(3, 1.5)).toThrow(OptionError);
  });
});
