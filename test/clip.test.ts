import { describe, expect, it } from "vitest";
import {
  clipGradNorm,
  clipGradValue,
  DisposedError,
  DTypeError,
  memory,
  OptionError,
  scope,
  type Tensor,
  tensor,
  zeros,
} from "../src/index";

/** Parameters with the given gradients. */
function withGradients(...gradients: number[][]): Tensor[] {
  return gradients.map((g) => {
    const w = zeros([g.length], { requiresGrad: true });
    w.backward({ gradient: tensor(g) });
    return w;
  });
}

const gradientsOf = (parameters: Tensor[]) => parameters.map(({ grad }) => Array.from(grad!.data));

/** The p-norm in float64. */
function normOf(gradients: number[][], p: number): number {
  const sizes = gradients.flat().map(Math.abs);
  if (p === Infinity) return Math.max(0, ...sizes);
  return sizes.reduce((sum, x) => sum + x ** p, 0) ** (1 / p);
}

// Lengths with and without a tail beyond four lanes.
const GRADIENTS = [[3, -4, 0.5, 1e-3, 2], [1], [-7, 0, 0.25, 6], [-0.1, 0.2, 0.3, -0.4, 0.5, 0.6, 0.7]];
const float32 = GRADIENTS.map((g) => [...Float32Array.from(g)]);

function expectRelative(got: number, want: number, tolerance: number): void {
  expect(Math.abs(got - want)).toBeLessThanOrEqual(tolerance * Math.abs(want));
}

describe("clipGradNorm", () => {
  it.each([1, 2, Infinity, 0.5, 1.5, 3, 10])("scales all gradients together to the %d-norm", (normType) => {
    const parameters = withGradients(...GRADIENTS);
    const want = normOf(float32, normType);
    const total = clipGradNorm(parameters, want / 3, { normType });
    expect(total.shape).toEqual([]);
    const exact = normType === 1 || normType === 2 || normType === Infinity;
    expectRelative(total.item(), want, exact ? 2 ** -24 : 2e-6);
    const factor = want / 3 / (want + 1e-6);
    for (const [i, g] of gradientsOf(parameters).entries()) {
      for (const [j, x] of g.entries()) expectRelative(x, float32[i]![j]! * factor, exact ? 2e-7 : 2e-6);
    }
  });

  it.each([1, 2, 3, Infinity])("leaves gradients alone whose %d-norm is within the limit", (normType) => {
    const parameters = withGradients(...GRADIENTS);
    clipGradNorm(parameters, normOf(float32, normType) * 1.01, { normType });
    expect(gradientsOf(parameters)).toEqual(float32);
  });

  it("sums squares that float32 cannot hold", () => {
    const large = withGradients([3e38, -3e38], [1e30]);
    expect(clipGradNorm(large, 1).item()).toBe(Infinity);
    expectRelative(large[0]!.grad!.data[0]!, Math.SQRT1_2, 1e-5);
    for (const [g, x] of [
      [[3e30, 4e30], 5e30],
      [[3e-30, 4e-30], 5e-30],
    ] as [number[], number][]) {
      for (const p of [2, 2 + 1e-9]) {
        const [w] = withGradients(g) as [Tensor];
        expectRelative(clipGradNorm(w, Infinity, { normType: p }).item(), x, 1e-6);
        expect(gradientsOf([w])).toEqual([[...Float32Array.from(g)]]);
      }
    }
    const many = withGradients(Array.from({ length: 100_003 }, () => 0.1));
    expectRelative(clipGradNorm(many, Infinity).item(), Math.fround(0.1) * Math.sqrt(100_003), 1e-7);
  });

  it.each([1, 2, 3, Infinity])("with a zero limit makes zeros, and 0 is the %d-norm of zeros", (normType) => {
    const parameters = withGradients([1, 2, 3]);
    clipGradNorm(parameters, 0, { normType });
    expect(gradientsOf(parameters)).toEqual([[0, 0, 0]]);
    expect(clipGradNorm(parameters, 1, { normType }).item()).toBe(0);
    expect(gradientsOf(parameters)).toEqual([[0, 0, 0]]);
  });

  it.each([1, 2, 3, Infinity])(
    "shows NaN and infinities by its result, as PyTorch does, with p = %d",
    (normType) => {
      const nan = withGradients([1, 2, 3, 4, Number.NaN], [1]);
      expect(clipGradNorm(nan, 1, { normType }).item()).toBeNaN();
      expect(gradientsOf(nan).flat().every(Number.isNaN)).toBe(true);
      const infinite = withGradients([1, -Infinity]);
      expect(clipGradNorm(infinite, 1, { normType }).item()).toBe(Infinity);
      expect(gradientsOf(infinite)).toEqual([[0, Number.NaN]]);
    },
  );

  it("takes one tensor, and passes over parameters without a gradient", () => {
    const [w] = withGradients([3, 4]) as [Tensor];
    const idle = zeros([2], { requiresGrad: true });
    expect(clipGradNorm([idle, w], 10).item()).toBe(5);
    expect(clipGradNorm(w, 10).item()).toBe(5);
    expect(clipGradNorm([idle], 10).item()).toBe(0);
    expect(idle.grad).toBeNull();
  });

  it("leaves nothing behind in a scope", () => {
    const parameters = withGradients(...GRADIENTS);
    const before = memory();
    scope(() => void clipGradNorm(parameters, 1));
    expect(memory()).toEqual(before);
  });

  it("refuses limits and norms that are none, and what is no tensor", () => {
    const parameters = withGradients([1]);
    expect(() => clipGradNorm(parameters, -1)).toThrow(OptionError);
    expect(() => clipGradNorm(parameters, Number.NaN)).toThrow(
      "clipGradNorm: maxNorm is a number ≥ 0, got NaN",
    );
    expect(() => clipGradNorm(parameters, 1, { normType: 0 })).toThrow(
      "clipGradNorm: normType is a number above 0",
    );
    expect(() => clipGradNorm(parameters, 1, { p: 1 } as object)).toThrow('unknown option "p"');
    expect(() => clipGradNorm([1 as unknown as Tensor], 1)).toThrow(DTypeError);
  });

  it("changes nothing if one of them was disposed of", () => {
    const parameters = withGradients([1, 2], [3]);
    parameters[1]!.dispose();
    expect(() => clipGradNorm(parameters, 0.1)).toThrow(DisposedError);
    expect(() => clipGradValue(parameters, 0.1)).toThrow(DisposedError);
    expect(gradientsOf(parameters.slice(0, 1))).toEqual([[1, 2]]);
  });
});

describe("clipGradValue", () => {
  it("cuts each element at ±clipValue", () => {
    const parameters = withGradients([3, -4, 0.5, -0.5, 1], [Infinity, -Infinity, Number.NaN, 0]);
    clipGradValue(parameters, 1);
    expect(gradientsOf(parameters)).toEqual([
      [1, -1, 0.5, -0.5, 1],
      [1, -1, Number.NaN, 0],
    ]);
    clipGradValue(parameters[0]!, 0.25);
    expect(gradientsOf(parameters.slice(0, 1))).toEqual([[0.25, -0.25, 0.25, -0.25, 0.25]]);
  });

  it("refuses a limit that is none", () => {
    expect(() => clipGradValue([], -1)).toThrow("clipGradValue: clipValue is a number ≥ 0, got -1");
  });
});
