// What an op forms in between its argument and its result leaves neither the precision nor the range of float32.
import { describe, expect, it, test } from "vitest";
import {
  CELU,
  celu,
  clipGradNorm,
  compile,
  div,
  focalLoss,
  parameter,
  Softplus,
  scope,
  softplus,
  square,
  sum,
  type Tensor,
  tensor,
} from "../src/index";
import { numbers } from "./cases";
import { largest, relativeError, ulpError } from "./ulp";

const { fround } = Math;

/** Values and gradients of an elementwise op, for incoming gradients dy. */
function run(op: (x: Tensor) => Tensor, x: Float32Array, dy = 1): { y: number[]; dx: number[] } {
  return scope(() => {
    const input = parameter(tensor(x));
    const y = op(input);
    y.backward({ gradient: tensor(new Float32Array(x.length).fill(dy)) });
    return { y: [...y.data], dx: [...input.grad!.data] };
  });
}

function errors(
  op: (x: Tensor) => Tensor,
  x: Float32Array,
  value: (x: number) => number,
  slope: (x: number) => number,
): { value: number; gradient: number } {
  const { y, dx } = run(op, x);
  return {
    value: largest(y.map((v, i) => ulpError(v, value(x[i]!)))),
    gradient: largest(dx.map((g, i) => relativeError(g, slope(x[i]!)))),
  };
}

/** Numbers of both signs, evenly distributed on a logarithmic scale around `center`, and a few more. */
function spread(center: number, seed = 1): Float32Array {
  const random = numbers(seed);
  const many = Array.from(
    { length: 4000 },
    () => Math.sign(random() - 0.5) * center * 2 ** (14 * random() - 7),
  );
  const ends = [0, -0, 1e-45, -1e-45, 1e-38, -1e-38, 2e38, -2e38, 3.4e38, -3.4e38, center, -center];
  return Float32Array.from([...many, ...ends]);
}

const softplusOf = (z: number) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
const sigma = (z: number) => 1 / (1 + Math.exp(-z));

describe("softplus with a beta", () => {
  const betas = [3, 0.3, 1.5, 0.1, 7.7, 1e-3, 1e10, 1e-10, 3e38, 1e-40, 2, 0.5, -0.7, -3];

  test.each(betas.flatMap((beta) => [20, 5, Infinity].map((threshold) => [beta, threshold])))(
    "of %d and the threshold %d is within 1 ULP, its gradient within 1e-7",
    (given, threshold) => {
      const beta = fround(given!);
      const linear = (x: number) => beta * x > threshold!;
      // log(1 + e^z) / beta, where max(z, 0) / beta is x itself.
      const value = (x: number) => (beta * x > 0 ? x : 0) + softplusOf(-Math.abs(beta * x)) / beta;
      const { value: ulp, gradient } = errors(
        (x) => softplus(x, { beta: given!, threshold: threshold! }),
        spread(30 / Math.abs(beta)).filter((x) => Number.isFinite(value(x))),
        (x) => (linear(x) ? x : value(x)),
        (x) => (linear(x) ? 1 : sigma(beta * x)),
      );
      expect(ulp).toBeLessThan(1);
      expect(gradient).toBeLessThan(1e-7);
    },
  );

  it("is x where beta x is beyond float32, as an op, a layer and in a plan", () => {
    scope(() => {
      const options = { beta: 2, threshold: Infinity };
      const x = tensor([2e38, 3.4e38, -2e38]);
      const want = [fround(2e38), fround(3.4e38), 0];
      expect(softplus(x, options).toArray()).toEqual(want);
      expect(new Softplus(options).forward(x).toArray()).toEqual(want);
      expect(compile((v: Tensor) => softplus(v, options))(x).toArray()).toEqual(want);
    });
  });

  it("of 1 is what it is without", () => {
    const x = spread(10);
    const alike = (a: number[], b: number[]) => expect(a).toEqual(b);
    const [plain, given] = [run(softplus, x), run((v) => softplus(v, { beta: 1, threshold: 20 }), x)];
    alike(plain.y, given.y);
    alike(plain.dx, given.dx);
  });
});

describe("celu", () => {
  test.each([0.7, 0.3, 3, 1.1, 1e-3, 1e3, 1e-38, 1e38, 1e-45, -0.7, -2, -1e-3, 1])(
    "with alpha %d is within 3 ULP, its gradient within 2e-7",
    (given) => {
      const alpha = fround(given);
      // Only alpha 1, which is elu, has the error of the faster exponential.
      const [ulp, precision] = alpha === 1 ? [2.5, 2e-7] : [0.51, 1e-7];
      const value = (x: number) => (x > 0 ? x : alpha * Math.expm1(x / alpha));
      const slope = (x: number) => (x > 0 ? 1 : Math.exp(x / alpha));
      const x = spread(30 * Math.abs(alpha)).filter(
        (v) => Number.isFinite(fround(value(v))) && Number.isFinite(fround(slope(v))),
      );
      const got = errors((v) => celu(v, { alpha: given }), x, value, slope);
      expect(got.value).toBeLessThan(ulp);
      expect(got.gradient).toBeLessThan(precision);
      expect(new CELU({ alpha: given }).forward(tensor(x)).toArray()).toEqual(
        celu(tensor(x), { alpha: given }).toArray(),
      );
    },
  );
});

describe("gradients whose parts are beyond float32", () => {
  test.each([
    [1e30, 1e-10, 1e-30],
    [1e-30, 1e10, 1e20],
    [3e38, 1e25, 1e10],
    [1e-40, 3e-20, 1e10],
  ])("of %d / %d by the divisor, for an incoming %d", (a, b, dy) => {
    const divisor = parameter(tensor(b));
    div(a, divisor).backward({ gradient: tensor(dy) });
    const want = (-fround(dy) * fround(a)) / fround(b) ** 2;
    expect(relativeError(divisor.grad!.item(), want)).toBeLessThan(6.1e-8);
  });

  it("of square, for a small incoming one", () => {
    const { dx } = run(square, Float32Array.of(3e38, -2e38), 1e-10);
    expect(
      dx.map((g, i) => relativeError(g, 2 * fround(1e-10) * [fround(3e38), fround(-2e38)][i]!) < 1e-7),
    ).toEqual([true, true]);
  });
});

test.each([0.5, 1.3, 2.5, 3, 7, 50])(
  "clipGradNorm by the norm of p = %d has the precision of float32",
  (p) => {
    scope(() => {
      const random = numbers(3);
      const x = parameter(tensor(Float32Array.from({ length: 1000 }, () => 2 ** (20 * random() - 10))));
      sum(square(x)).backward();
      const g = Array.from(x.grad!.data);
      const top = Math.max(...g);
      const want = top * g.reduce((total, v) => total + (v / top) ** p, 0) ** (1 / p);
      expect(relativeError(clipGradNorm([x], Infinity, { normType: p }).item(), want)).toBeLessThan(
        1e-7 * Math.max(1, 1 / p),
      );
    });
  },
);

test.each([0.7, 1.3, 3.1, 5])("focalLoss with gamma %d is near float64", (gamma) => {
  scope(() => {
    const x = Float32Array.from([-60, -20, -5, -1, 0, 1, 5, 20, 60]);
    const loss = focalLoss(tensor(x), tensor(new Float32Array(x.length).fill(1)), {
      gamma,
      alpha: 0.25,
      reduction: "none",
    });
    const want = [...x].map((v) => 0.25 * sigma(-v) ** fround(gamma) * softplusOf(-v));
    expect(largest([...loss.data].map((v, i) => relativeError(v, want[i]!)))).toBeLessThan(2e-6);
  });
});
