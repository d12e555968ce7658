// a^b and its derivatives, which are formed in float64.
import { describe, expect, it, test } from "vitest";
import { parameter, pow, scope, tensor } from "../src/index";
import { numbers } from "./cases";
import { largest, relativeError, ulpError } from "./ulp";

const { fround } = Math;

describe("pow", () => {
  /** a^b and its derivatives at `count` points where a^b is a number of float32. */
  function powers(count: number, draw: (random: () => number) => [number, number]) {
    const random = numbers(7);
    const [a, b] = [new Float32Array(count), new Float32Array(count)];
    for (let i = 0; i < count; ) {
      [a[i], b[i]] = draw(random) as [number, number];
      if (Number.isFinite(fround(a[i]! ** b[i]!))) i++;
    }
    return scope(() => {
      const [x, y] = [parameter(tensor(a)), parameter(tensor(b))];
      const z = pow(x, y);
      z.backward({ gradient: tensor(new Float32Array(count).fill(1)) });
      const over = (
        fn: (a: number, b: number) => number,
        got: ArrayLike<number>,
        error: typeof relativeError,
      ) =>
        largest(
          Array.from(got, (v, i) => {
            const want = fn(a[i]!, b[i]!);
            return Number.isFinite(fround(want)) ? error(v, want) : Number(v !== fround(want));
          }),
        );
      return {
        value: over((p, q) => p ** q, z.data, ulpError),
        base: over(
          (p, q) => (q === 0 ? 0 : q * Math.exp((q - 1) * Math.log(p))),
          x.grad!.data,
          relativeError,
        ),
        exponent: over((p, q) => p ** q * Math.log(p), y.grad!.data, relativeError),
      };
    });
  }
  const bits = new Uint32Array(1);
  const positive = (random: () => number) => {
    bits[0] = random() * 0x7f800000;
    return new Float32Array(bits.buffer)[0]!;
  };

  test.each<[string, (random: () => number) => [number, number]]>([
    [
      "any base and an exponent that float32 allows",
      (r) => {
        const a = positive(r);
        return [a, ((r() * 2 - 1) * 100) / Math.abs(Math.log(a))];
      },
    ],
    ["small exponents", (r) => [positive(r), (r() - 0.5) * 2 ** (-30 * r())]],
    ["subnormal bases", (r) => [r() * 2 ** -126, r() * 3 - 1]],
    ["bases near 1", (r) => [1 + (r() - 0.5) * 2 ** (-20 * r()), (r() - 0.5) * 1000]],
    ["exponents near 1 and 2", (r) => [positive(r), Math.round(1 + r()) + (r() - 0.5) * 2 ** (-20 * r())]],
  ])("of %s is rounded but once, and so are its derivatives", (_, draw) => {
    const { value, base, exponent } = powers(20_000, draw);
    expect(value).toBeLessThan(0.501);
    expect(base).toBeLessThan(6.1e-8);
    expect(exponent).toBeLessThan(6.1e-8);
  });

  it("has the values of IEEE 754 at zeros, infinities, NaN and negative bases", () => {
    const special = [
      0,
      -0,
      1,
      -1,
      2,
      -2,
      0.5,
      -0.5,
      3,
      -3,
      1e30,
      -1e30,
      1e-45,
      -1e-45,
      Infinity,
      -Infinity,
      NaN,
    ];
    for (const a of special.map(fround))
      for (const b of special.map(fround)) {
        const got = pow(tensor(a), tensor(b)).item();
        // ECMAScript alone has NaN for 1 to the power of ±∞ and NaN.
        const want = a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : fround(a ** b);
        expect(got, `${a} ** ${b}`).toBe(want);
      }
  });

  test.each([
    [-2, 3, 12, NaN],
    [-2, 2, -4, NaN],
    [-3, -1, -1 / 9, NaN],
    [-2, 0.5, NaN, NaN],
    [-5, 0, 0, NaN],
    [-4, 1, 1, NaN],
    [0, 3, 0, 0],
    [0, 2, 0, 0],
    [0, 1, 1, 0],
    [0, 0, 0, 0],
    [0, 0.5, Infinity, 0],
    [0, -1, -Infinity, -Infinity],
    [3, 0, 0, Math.log(3)],
    [1, 5, 5, 0],
    [Infinity, 2, Infinity, Infinity],
    [Infinity, -2, 0, 0],
    [1e-45, 2, 2 * 2 ** -149, 0],
  ])("of %d and %d has the derivatives %d and %d", (a, b, base, exponent) => {
    const [x, y] = [parameter(tensor(a)), parameter(tensor(b))];
    pow(x, y).backward();
    const close = (got: number, want: number) =>
      Number.isFinite(want) ? expect(relativeError(got, want)).toBeLessThan(2e-7) : expect(got).toBe(want);
    close(x.grad!.item(), base);
    close(y.grad!.item(), exponent);
  });
});
