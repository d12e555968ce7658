import { describe, expect, it, vi } from "vitest";
import {
  manualSeed,
  mul,
  OptionError,
  RReLU,
  rand,
  randn,
  rrelu,
  scope,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../src/index";

const MASK = 0xffff_ffffn;

/** Philox4x32-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
function philox(counter: readonly bigint[], key: readonly bigint[]): bigint[] {
  let [c0, c1, c2, c3] = counter as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const [p0, p1] = [0xd2511f53n * c0, 0xcd9e8d57n * c2];
    [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & MASK, (p0 >> 32n) ^ c3 ^ k1, p0 & MASK];
    [k0, k1] = [(k0 + 0x9e3779b9n) & MASK, (k1 + 0xbb67ae85n) & MASK];
  }
  return [c0, c1, c2, c3];
}

const hex = (words: bigint[]) => words.map((word) => word.toString(16).padStart(8, "0")).join(" ");
const words = (text: string) => text.split(" ").map((word) => BigInt(`0x${word}`));

/** The numbers in [0, 1) of `count` blocks after a seed: the high 24 bits of each word. */
function reference(seed: number, firstBlock: number, count: number): number[] {
  const key = [BigInt(seed) & MASK, BigInt(seed) >> 32n];
  return Array.from({ length: count }, (_, i) => philox([BigInt(firstBlock + i), 0n, 0n, 0n], key))
    .flat()
    .map((word) => Number(word >> 8n) * 2 ** -24);
}

describe("the reference in this file", () => {
  // Random123, tests/kat_vectors, philox4x32 with 10 rounds: counter, key, result.
  it.each([
    ["00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    ["ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    ["243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"],
  ])("gives the published words for counter %s, key %s", (counter, key, want) => {
    expect(hex(philox(words(counter), words(key)))).toBe(want);
  });
});

describe("rand", () => {
  const seeds = [0, 1, 12345, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7, Number.MAX_SAFE_INTEGER];

  it.each(seeds)("gives the words of Philox4x32-10 after manualSeed(%d)", (seed) => {
    manualSeed(seed);
    expect([...rand([64]).data]).toEqual(reference(seed, 0, 16));
  });

  it("starts from seed 0 with the published words", () => {
    manualSeed(0);
    const published = words("6627e8d5 e169c58d bc57ac4c 9b00dbd8").map((w) => Number(w >> 8n) * 2 ** -24);
    expect([...rand([4]).data]).toEqual(published);
  });

  it.each([1, 2, 3, 5, 6, 7, 9, 13])(
    "of %d numbers is the beginning of more, and the next ones are new",
    (n) => {
      manualSeed(3);
      const [first, second] = [[...rand([n]).data], [...rand([n]).data]];
      const blocks = Math.ceil(n / 4);
      expect(first).toEqual(reference(3, 0, blocks).slice(0, n));
      expect(second).toEqual(reference(3, blocks, blocks).slice(0, n));
    },
  );

  it("fills any shape, row by row, and takes requiresGrad", () => {
    manualSeed(4);
    const x = rand([2, 3, 5], { requiresGrad: true });
    expect(x.shape).toEqual([2, 3, 5]);
    expect(x.requiresGrad).toBe(true);
    expect([...x.data]).toEqual(reference(4, 0, 8).slice(0, 30));
    expect([...rand([0, 3]).data]).toEqual([]);
    expect(rand([]).item()).toBe(reference(4, 8, 1)[0]);
  });

  it("draws the numbers of seed 67280421310721, PyTorch's default, without a seed", async () => {
    vi.resetModules();
    const fresh = await import("../src/index");
    expect([...fresh.rand([8]).data]).toEqual(reference(67_280_421_310_721, 0, 2));
  });
});

describe("randn", () => {
  /** Box and Muller: a block for the radii √(−2 ln(1 − u)), one for the angles; sines, then cosines. */
  function normals(seed: number, pairsOfBlocks: number): number[] {
    return Array.from({ length: pairsOfBlocks }, (_, i) => {
      const u = reference(seed, 2 * i, 1);
      const v = reference(seed, 2 * i + 1, 1);
      const wave = (fn: (x: number) => number) =>
        u.map((radius, lane) => Math.sqrt(-2 * Math.log(1 - radius)) * fn(2 * Math.PI * (v[lane]! - 0.5)));
      return [...wave(Math.sin), ...wave(Math.cos)];
    }).flat();
  }

  it.each([1, 3, 4, 5, 7, 8, 9, 1000])("of %d numbers is Box and Muller's transform of Philox", (n) => {
    manualSeed(8);
    const want = normals(8, Math.ceil(n / 8));
    const distances = Array.from(randn([n]).data, (z, i) => Math.abs(z - want[i]!));
    expect(distances).toHaveLength(n);
    // Radii reach 5.8: the sine's error of 1e-7 and roundings of the radius, which grow as 1 − u nears 1.
    expect(Math.max(...distances)).toBeLessThan(2e-6);
  });

  it.each([1, 2, 5, 8, 11])("draws new numbers after %d", (n) => {
    manualSeed(9);
    const [first, second] = [[...randn([n]).data], [...randn([n]).data]];
    for (const z of second) expect(first).not.toContain(z);
  });
});

const COUNT = 1_000_000;

/**
 * The mean of `values` lies within five standard errors of its expectation; a right generator fails with a
 * probability of 6e-7. `variance` is that of one value.
 */
function expectMean(values: Float64Array, mean: number, variance: number): void {
  const got = values.reduce((total, v) => total + v, 0) / values.length;
  expect(Math.abs(got - mean)).toBeLessThan(5 * Math.sqrt(variance / values.length));
}

const doubles = (x: Tensor) => Float64Array.from(x.data);
const power = (x: Float64Array, k: number) => x.map((v) => v ** k);
const products = (x: Float64Array, lag: number) => x.slice(lag).map((v, i) => v * x[i]!);

describe("a million numbers", () => {
  // E (x − 1/2)^k = 2^−k / (k + 1) for even k, 0 for odd k.
  const centered = (k: number) => (k % 2 === 0 ? 2 ** -k / (k + 1) : 0);

  it("of rand lie in [0, 1), near both ends, with the moments of the uniform distribution", () => {
    manualSeed(21);
    const x = doubles(rand([COUNT]));
    const [low, high] = [x.reduce((a, b) => Math.min(a, b)), x.reduce((a, b) => Math.max(a, b))];
    expect(low).toBeGreaterThanOrEqual(0);
    expect(high).toBeLessThan(1);
    // All beyond 2e-5 of an end: e^−20.
    expect(low).toBeLessThan(2e-5);
    expect(high).toBeGreaterThan(1 - 2e-5);
    const d = x.map((v) => v - 0.5);
    for (const k of [1, 2, 3, 4]) expectMean(power(d, k), centered(k), centered(2 * k) - centered(k) ** 2);
    for (const lag of [1, 2, 3, 4, 8]) expectMean(products(d, lag), 0, centered(2) ** 2);
  });

  // E z^k = 1 · 3 · 5 ⋯ (k − 1) for even k, 0 for odd k.
  const normal = (k: number): number => (k % 2 === 1 ? 0 : k === 0 ? 1 : (k - 1) * normal(k - 2));

  it("of randn are finite, with the moments of the normal distribution up to the kurtosis 3", () => {
    manualSeed(22);
    const z = doubles(randn([COUNT]));
    expect(z.every(Number.isFinite)).toBe(true);
    for (const k of [1, 2, 3, 4]) expectMean(power(z, k), normal(k), normal(2 * k) - normal(k) ** 2);
    // Lag 4 pairs the sines with the cosines of the same radii: uncorrelated, but dependent.
    for (const lag of [1, 2, 3, 4, 8]) expectMean(products(z, lag), 0, 1);
    // Φ(−3) = 0.00134990 of them lie beyond 3 on each side.
    const tail = 0.0013498980316301;
    for (const side of [1, -1])
      expectMean(
        z.map((v) => Number(side * v > 3)),
        tail,
        tail * (1 - tail),
      );
    // 1 − u is at least 2^−24: no number beyond √(2 ln 2^24).
    expect(Math.max(...z.filter((v) => Math.abs(v) > 4).map(Math.abs))).toBeLessThan(5.769);
  });
});

describe("rrelu in training", () => {
  const n = 1003;
  const mixed = () =>
    tensor(Float32Array.from({ length: n }, (_, i) => (i % 2 === 0 ? -1 : 1) * (0.5 + i / 100)));

  /** Input, output and the gradient of the sum of the output. */
  function run(x: Tensor, options: object = {}) {
    x.requiresGrad = true;
    const y = rrelu(x, { training: true, ...options });
    y.backward({ gradient: tensor(new Float32Array(x.size).fill(1), { shape: x.shape }) });
    return { x: [...x.data], y: [...y.data], slope: [...x.grad!.data] };
  }

  it.each([
    [1 / 8, 1 / 3],
    [0.1, 0.3],
    [-0.5, 0.5],
    [0.25, 0.25],
  ])(
    "draws slopes from [%d, %d) for negative numbers, and the gradient is the slope used",
    (lower, upper) => {
      manualSeed(31);
      const { x, y, slope } = run(mixed(), { lower, upper });
      for (let i = 0; i < n; i += 2) {
        expect(slope[i]).toBeGreaterThanOrEqual(Math.fround(lower));
        if (lower < upper) expect(slope[i]).toBeLessThan(Math.fround(upper));
        else expect(slope[i]).toBe(lower);
        expect(y[i]).toBe(Math.fround(slope[i]! * x[i]!));
        // Dividing back rounds once more: two roundings of 2^−24 each.
        expect(Math.abs(y[i]! / x[i]! - slope[i]!)).toBeLessThanOrEqual(2 ** -23 * Math.abs(slope[i]!));
      }
    },
  );

  it("leaves positive numbers as they are, with gradient 1", () => {
    manualSeed(32);
    const { x, y, slope } = run(mixed());
    for (let i = 1; i < n; i += 2) expect([y[i], slope[i]]).toEqual([x[i], 1]);
  });

  it("multiplies the slopes by the gradient that comes in, and adds", () => {
    manualSeed(33);
    const x = tensor([-1, -2, 3, -4, -5], { requiresGrad: true });
    const dy = tensor([2, -1, 0.5, 4, 0]);
    const y = rrelu(x, { training: true });
    const slopes = [...y.data].map((v, i) => v / x.data[i]!);
    sum(mul(y, dy)).backward({ retainGraph: true });
    const once = [...x.grad!.data];
    for (const [i, g] of once.entries()) expect(g).toBeCloseTo(slopes[i]! * dy.data[i]!, 6);
    sum(mul(y, dy)).backward();
    for (const [i, g] of [...x.grad!.data].entries()) expect(g).toBeCloseTo(2 * once[i]!, 6);
  });

  it("draws slopes evenly: their mean and variance are those of the uniform distribution", () => {
    manualSeed(34);
    const [lower, upper] = [1 / 8, 1 / 3];
    const { slope } = scope(() => run(tensor(new Float32Array(100_000).fill(-1))));
    const d = Float64Array.from(slope, (s) => s - (lower + upper) / 2);
    const moment = (k: number) => ((upper - lower) / 2) ** k / (k + 1);
    expectMean(d, 0, moment(2));
    expectMean(power(d, 2), moment(2), moment(4) - moment(2) ** 2);
  });

  it("draws others in each call, and the same after the same seed", () => {
    const draws = () => {
      manualSeed(35);
      return [run(mixed()).slope, run(mixed()).slope];
    };
    const [first, second] = draws();
    expect(first).not.toEqual(second);
    expect(draws()).toEqual([first, second]);
  });

  it("in evaluation takes (lower + upper) / 2 everywhere, and draws nothing", () => {
    manualSeed(36);
    const { x, y, slope } = run(mixed(), { training: false, lower: 0.25, upper: 0.5 });
    expect(slope).toEqual(x.map((v) => (v > 0 ? 1 : 0.375)));
    expect(y).toEqual(x.map((v) => (v > 0 ? v : Math.fround(0.375 * v))));
    expect([...rand([4]).data]).toEqual(reference(36, 0, 1));
  });

  it("is off by default as a function; as a module it follows train() and eval()", () => {
    const x = tensor(new Float32Array(64).fill(-1));
    const distinct = (y: Tensor) => new Set(y.data).size;
    const module = new RReLU({ lower: 0.25, upper: 0.5 });
    expect([...rrelu(x, { lower: 0.25, upper: 0.5 }).data]).toEqual(Array(64).fill(-0.375));
    expect(distinct(module.forward(x))).toBeGreaterThan(60);
    expect([...module.eval().forward(x).data]).toEqual(Array(64).fill(-0.375));
    expect(distinct(module.train().forward(x))).toBeGreaterThan(60);
  });

  it("refuses bounds in the wrong order, NaN and unknown options", () => {
    const x = zeros([2]);
    expect(() => rrelu(x, { lower: 0.5, upper: 0.25 })).toThrow(OptionError);
    expect(() => rrelu(x, { lower: Number.NaN })).toThrow(/rrelu.*NaN/);
    expect(() => rrelu(x, { slope: 1 } as object)).toThrow(/rrelu: unknown option "slope"/);
  });
});
