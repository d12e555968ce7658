// Elementwise activations, with options far out, and pow: near the float64 truth wherever that is a float32.
import { describe, expect, test } from "vitest";
import * as nablas from "../src/index";
import { scope, type Tensor, tensor } from "../src/index";
import { erfc } from "./erf";
import { GRID, logistic, Misses, pairsOf, softplus } from "./grid";

type Options = Readonly<Record<string, number | string>>;
type Truth = (x: number) => readonly [y: number, dx: number];

const elu =
  (alpha: number): Truth =>
  (x) =>
    x > 0 ? [x, 1] : [alpha * Math.expm1(x), alpha * Math.exp(x)];

const celu =
  (alpha: number): Truth =>
  (x) =>
    x > 0 ? [x, 1] : [alpha * Math.expm1(x / alpha), Math.exp(x / alpha)];

const leaky =
  (slope: number): Truth =>
  (x) =>
    x > 0 ? [x, 1] : [slope * x, slope];

const softplusOf =
  (beta: number, threshold: number): Truth =>
  (x) =>
    beta * x > threshold ? [x, 1] : [softplus(beta * x) / beta, logistic(beta * x)];

const clipped =
  (low: number, high: number, scale = 1): Truth =>
  (x) => [scale * Math.min(Math.max(x, low), high), scale * Number(x > low && x < high)];

/** x g(x), where g′ is 0 far from 0 */
const gated =
  (g: (x: number) => number, dg: (x: number) => number): Truth =>
  (x) => [x * g(x), g(x) + (Math.abs(x) > 1000 ? 0 : x * dg(x))];

const ROOT = Math.sqrt(2 / Math.PI);
const geluLogit = (x: number) => 2 * ROOT * (x + 0.044715 * x ** 3);
const bell = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

const rows: [name: string, options: Options | undefined, truth: Truth][] = [
  ["identity", undefined, (x) => [x, 1]],
  ["sigmoid", undefined, (x) => [logistic(x), logistic(x) * logistic(-x)]],
  ["tanh", undefined, (x) => [Math.tanh(x), 4 * logistic(2 * x) * logistic(-2 * x)]],
  ["relu", undefined, leaky(0)],
  ["logSigmoid", undefined, (x) => [-softplus(-x), logistic(-x)]],
  ["softsign", undefined, (x) => [x / (1 + Math.abs(x)), (1 + Math.abs(x)) ** -2]],
  ["relu6", undefined, clipped(0, 6)],
  ["hardsigmoid", undefined, (x) => [clipped(0, 6, 1 / 6)(x + 3)[0], clipped(-3, 3, 1 / 6)(x)[1]]],
  [
    "hardswish",
    undefined,
    (x) => (x <= -3 ? [0, 0] : x >= 3 ? [x, 1] : [(x * (x + 3)) / 6, (2 * x + 3) / 6]),
  ],
  ["gelu", undefined, gated((x) => erfc(-x / Math.SQRT2) / 2, bell)],
  [
    "gelu",
    { approximate: "tanh" },
    gated(
      (x) => logistic(geluLogit(x)),
      (x) => logistic(geluLogit(x)) * logistic(-geluLogit(x)) * 2 * ROOT * (1 + 3 * 0.044715 * x * x),
    ),
  ],
  ["silu", undefined, gated(logistic, (x) => logistic(x) * logistic(-x))],
  [
    "mish",
    undefined,
    gated(
      (x) => Math.tanh(softplus(x)),
      (x) => (Math.abs(x) > 400 ? 0 : logistic(x) / Math.cosh(softplus(x)) ** 2),
    ),
  ],
  [
    "selu",
    undefined,
    (x) => elu(1.6732632423543772)(x).map((v) => 1.0507009873554805 * v) as [number, number],
  ],
  ...[-1e30, 0, 1e-30, 0.01, 3e38].map((slope): (typeof rows)[number] => [
    "leakyRelu",
    { negativeSlope: slope },
    leaky(Math.fround(slope)),
  ]),
  ...[-1e30, -1, 0, 1e-40, 1e-30, 0.5, 1, 1e10, 1e30, 3e38].map((alpha): (typeof rows)[number] => [
    "elu",
    { alpha },
    elu(Math.fround(alpha)),
  ]),
  ...[-1e30, -2, -0.563, -1e-30, 1e-40, 1e-30, 0.5, 1, 1e10, 1e30, 3e38].map(
    (alpha): (typeof rows)[number] => ["celu", { alpha }, celu(Math.fround(alpha))],
  ),
  ...pairsOf([1e-40, 1e-30, 1e-8, 0.5, 1, 2, 1e10, 1e30], [0, 20, 1e30]).map(
    ([beta, threshold]): (typeof rows)[number] => [
      "softplus",
      { beta, threshold },
      softplusOf(Math.fround(beta), Math.fround(threshold)),
    ],
  ),
  ["softplus", { beta: -2 }, softplusOf(-2, 20)],
  ...pairsOf([-3e38, -1e-30, 1e-40], [2e-40, 1, 3e38]).map(([minVal, maxVal]): (typeof rows)[number] => [
    "hardtanh",
    { minVal, maxVal },
    clipped(Math.fround(minVal), Math.fround(maxVal)),
  ]),
  ...[1e-30, 1e30].map((upper): (typeof rows)[number] => [
    "rrelu",
    { lower: 0, upper },
    leaky(Math.fround(upper / 2)),
  ]),
];

const x = Float32Array.from(GRID);
const ones = (n: number) => tensor(new Float32Array(n).fill(1));

test.each(rows)("%s %j is finite and near", (name, options, truth) => {
  const misses = new Misses();
  scope(() => {
    const input = tensor(x, { requiresGrad: true });
    const y = (nablas as unknown as Record<string, (x: Tensor, o?: object) => Tensor>)[name]!(input, options);
    y.backward({ gradient: ones(x.length) });
    for (const [i, value] of GRID.entries()) {
      const [wanted, slope] = truth(value);
      misses.check(`y(${value})`, y.data[i], wanted);
      misses.check(`dx(${value})`, input.grad!.data[i], slope);
    }
  });
  expect(misses.some).toEqual([]);
});

test("rrelu in training scales by what its gradient is", () => {
  scope(() => {
    const input = tensor(x, { requiresGrad: true });
    const y = nablas.rrelu(input, { lower: 1e-30, upper: 1e30, training: true });
    y.backward({ gradient: ones(x.length) });
    const slopes = input.grad!.data;
    for (const [i, value] of GRID.entries()) {
      expect(slopes[i]! >= 0 && slopes[i]! <= 1e30).toBe(true);
      const product = Math.fround(slopes[i]! * value);
      if (Number.isFinite(product)) expect(y.data[i]).toBe(product);
    }
  });
});

/** y, da and db of a function of two numbers, at all pairs. */
function binary(
  op: (a: Tensor, b: Tensor) => Tensor,
  pairs: readonly (readonly [number, number])[],
  truth: (a: number, b: number) => readonly [y: number, da: number, db: number],
): Misses {
  const misses = new Misses();
  scope(() => {
    const a = tensor(
      Float32Array.from(pairs, ([p]) => p),
      { requiresGrad: true },
    );
    const b = tensor(
      Float32Array.from(pairs, ([, q]) => q),
      { requiresGrad: true },
    );
    const y = op(a, b);
    y.backward({ gradient: ones(pairs.length) });
    for (const [i, [p, q]] of pairs.entries()) {
      const wanted = truth(p, q);
      misses.check(`y(${p}, ${q})`, y.data[i], wanted[0]);
      misses.check(`da(${p}, ${q})`, a.grad!.data[i], wanted[1]);
      if (!Number.isNaN(wanted[2])) misses.check(`db(${p}, ${q})`, b.grad!.data[i], wanted[2]);
    }
  });
  return misses;
}

describe("functions of two numbers are finite and near", () => {
  test("prelu", () => {
    const truth = (p: number, s: number) => (p > 0 ? ([p, 1, 0] as const) : ([s * p, s, p] as const));
    expect(binary(nablas.prelu, pairsOf(GRID, GRID), truth).some).toEqual([]);
  });

  test("pow", () => {
    const exponents = [...GRID, 2, 3, -2, 0.3, 128.1, -126.7, -148.5].map(Math.fround);
    const bases = [...GRID, 2, -2, 0.75, 1.5, 1 + 2 ** -23];
    const pairs = pairsOf(bases, exponents).filter(([a, b]) => a >= 0 || Number.isInteger(b));
    const truth = (a: number, b: number) => {
      const db = a === 0 && b >= 0 ? 0 : a < 0 ? Number.NaN : a ** b * Math.log(a);
      // For a < 0 and an integer b the power before has the other sign, also where b − 1 is no float64.
      const before = Math.abs(a) ** (b - 1) * (a < 0 ? -Math.sign(a ** b) : 1);
      return [a ** b, b === 0 ? 0 : b * before, db] as const;
    };
    expect(binary(nablas.pow, pairs, truth).some).toEqual([]);
  });

  test("div", () => {
    const pairs = pairsOf(GRID, GRID).filter(([, b]) => b !== 0);
    const truth = (a: number, b: number) => [a / b, 1 / b, -(a / b) / b] as const;
    expect(binary(nablas.div, pairs, truth).some).toEqual([]);
  });
});
