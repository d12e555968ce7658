import { describe, expect, it } from "vitest";
import {
  elu,
  erf,
  exp,
  gelu,
  log,
  mish,
  scope,
  sigmoid,
  silu,
  softplus,
  type Tensor,
  tanh,
  tensor,
} from "../src/index.js";
import * as special from "./erf.js";
import { maxUlp } from "./ulp.js";

interface Case {
  name: string;
  fn: (x: Tensor) => Tensor;
  reference: (x: number) => number;
  /** The largest error allowed, in units of the float32 spacing at the true value. */
  bound: number;
  /** Arguments with an exact result, and the results; zeros have signs. */
  exact: { x: number[]; y: number[] };
}

const SMALLEST = 2 ** -149;
const limit = (f: (x: number) => number) => (x: number) => (x === -Infinity ? 0 : f(x));
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

const cases: Case[] = [
  {
    name: "exp",
    fn: exp,
    reference: Math.exp,
    bound: 1.5,
    exact: { x: [0, -0, SMALLEST, 89, Infinity, -104, -Infinity], y: [1, 1, 1, Infinity, Infinity, 0, 0] },
  },
  {
    name: "log",
    fn: log,
    reference: Math.log,
    bound: 1,
    exact: {
      x: [1, 0, -0, Infinity, -SMALLEST, -Infinity],
      y: [0, -Infinity, -Infinity, Infinity, NaN, NaN],
    },
  },
  {
    name: "tanh",
    fn: tanh,
    reference: Math.tanh,
    bound: 2.5,
    exact: { x: [0, -0, SMALLEST, -SMALLEST, LARGEST, -Infinity], y: [0, -0, SMALLEST, -SMALLEST, 1, -1] },
  },
  {
    name: "sigmoid",
    fn: sigmoid,
    reference: (x) => 1 / (1 + Math.exp(-x)),
    bound: 2.5,
    exact: { x: [0, -0, LARGEST, Infinity, -LARGEST, -Infinity], y: [0.5, 0.5, 1, 1, 0, 0] },
  },
  {
    name: "softplus",
    fn: softplus,
    reference: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    bound: 2.5,
    exact: { x: [LARGEST, Infinity, -LARGEST, -Infinity], y: [LARGEST, Infinity, 0, 0] },
  },
  {
    name: "elu",
    fn: elu,
    reference: (x) => (x > 0 ? x : Math.expm1(x)),
    bound: 2.5,
    exact: { x: [0, -SMALLEST, LARGEST, -LARGEST, -Infinity], y: [0, -SMALLEST, LARGEST, -1, -1] },
  },
  {
    name: "erf",
    fn: erf,
    reference: special.erf,
    bound: 2.5,
    exact: { x: [0, -0, 4, LARGEST, Infinity, -LARGEST, -Infinity], y: [0, -0, 1, 1, 1, -1, -1] },
  },
  {
    name: "gelu",
    fn: gelu,
    reference: limit((x) => (x / 2) * special.erfc(-x / Math.SQRT2)),
    bound: 4,
    exact: { x: [0, -0, LARGEST, Infinity, -LARGEST, -Infinity], y: [0, -0, LARGEST, Infinity, -0, -0] },
  },
  {
    name: "gelu by tanh",
    fn: (x) => gelu(x, { approximate: "tanh" }),
    reference: limit((x) => x / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))),
    bound: 4,
    exact: { x: [0, -0, LARGEST, Infinity, -LARGEST, -Infinity], y: [0, -0, LARGEST, Infinity, -0, -0] },
  },
  {
    name: "silu",
    fn: silu,
    reference: limit((x) => x / (1 + Math.exp(-x))),
    bound: 4,
    exact: { x: [0, -0, LARGEST, Infinity, -LARGEST, -Infinity], y: [0, -0, LARGEST, Infinity, -0, -0] },
  },
  {
    name: "mish",
    fn: mish,
    reference: limit((x) => x * Math.tanh(Math.log1p(Math.exp(Math.min(x, 700))))),
    bound: 4,
    exact: { x: [0, -0, LARGEST, Infinity, -LARGEST, -Infinity], y: [0, -0, LARGEST, Infinity, -0, -0] },
  },
];

describe.each(cases)("$name over float32", ({ fn, reference, bound, exact }) => {
  const run = (x: Float32Array) => scope(() => fn(tensor(x)).data.slice() as Float32Array);

  it(`is within ${bound} ULP of the true value`, () => {
    const { ulp, at } = maxUlp(run, reference, { stride: 4001 });
    expect(ulp, `at ${at}`).toBeLessThanOrEqual(bound);
  });

  it("is exact at its limits", () => {
    expect(run(Float32Array.of(...exact.x, NaN))).toEqual(Float32Array.of(...exact.y, NaN));
  });

  it("gives an element the same bits wherever it stands", () => {
    const x = Float32Array.from({ length: 19 }, (_, i) => (i - 7) * 0.37);
    const y = run(x);
    for (let length = 1; length <= x.length; length++) {
      expect(run(x.slice(0, length))).toEqual(y.slice(0, length));
      expect(run(x.slice(-length))).toEqual(y.slice(-length));
    }
  });
});
