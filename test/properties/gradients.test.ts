import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scope, type Tensor, tensor } from "../../src/index";
import { cases, numbers } from "../cases";
import { type Nd, nd } from "../reference";
import { type Program, programs, shapes, singles, upstream } from "./programs";
import { often } from "./samples";
import { type Slope, slopes } from "./slopes";
import { unfitted } from "./variants";

test("every case of the table has random variants", () => {
  expect(unfitted).toEqual([]);
});

const from = ({ shape, data }: Nd) => tensor(data, { shape });

/** The gradient of an input agrees, within a bound for each element; returns how many were compared. */
function agree(
  what: string,
  grad: Tensor | null,
  x: Nd,
  slopes: readonly (Slope & { bound: number })[],
): number {
  expect(grad?.shape).toEqual(x.shape);
  for (const [e, { gradient, bound, smooth }] of slopes.entries()) {
    const got = grad!.data[e]!;
    if (smooth && !(Math.abs(got - gradient) <= bound))
      throw new Error(`${what}, element ${e}: got ${got}, expected ${gradient} ± ${bound}`);
  }
  return slopes.filter(({ smooth }) => smooth).length;
}

/** Where numbers are not near a kink, which is nearly everywhere. */
class Share {
  private compared = 0;
  private all = 0;

  add(compared: number, all: number): void {
    this.compared += compared;
    this.all += all;
  }

  check(): void {
    expect(this.compared).toBeGreaterThan(0.9 * this.all);
  }
}

describe("of random shapes and options, gradients are differences of the reference", () => {
  const differentiable = cases.filter(({ backward }) => backward !== null);
  test.each(differentiable.map((c) => [c.name, c] as const))("%s", (_name, c) => {
    const share = new Share();
    const { rtol = 0, atol = 0 } = c.backward!;
    const check = fc.property(singles(c, shapes(4)), ({ variant, data, inputs }) =>
      scope(() => {
        const given = inputs();
        const y = c.run(given, variant);
        const expected = c.expected(data, variant);
        expect(y.shape).toEqual(expected.shape);
        const dy = upstream(expected);
        y.backward({ gradient: from(dy) });
        for (const [i, x] of given.entries()) {
          if (!x.requiresGrad) continue;
          const truth = slopes((x) => c.expected(data.with(i, x), variant), data[i]!, dy);
          // A sum that cancels is as good as its terms.
          const bounded = truth.map((s) => ({ ...s, bound: rtol * s.scale + atol + s.noise }));
          share.add(agree(`input ${i}`, x.grad, data[i]!, bounded), x.size);
        }
      }),
    );
    fc.assert(check, often(15));
    share.check();
  });
});

/** The roundings of float32 in a result, relative to it and, since results are sums, to the largest beside it. */
const NUDGE = 2 ** -20;

function nudged(y: Nd, random: () => number): Nd {
  const most = Math.max(...y.data.map(Math.abs));
  return nd(
    y.shape,
    y.data.map((v) => v + (2 * random() - 1) * NUDGE * (Math.abs(v) + most / 8)),
  );
}

/** The gradient of a program by differences; the bound is how far it moves when the results of its ops do. */
function expected(program: Program, place: number, dy: Nd): (Slope & { bound: number })[] {
  const data = program.values[place]!;
  const truth = slopes((x) => program.evaluate(place, x), data, dy);
  const moved = [1, 2].map((n) => {
    const nudge = (y: Nd, item: number) => nudged(y, numbers(1000 * n + item));
    return slopes((x) => program.evaluate(place, x, nudge), data, dy);
  });
  return truth.map((slope, e) => {
    const by = moved.map((m) => Math.abs(m[e]!.gradient - slope.gradient));
    const smooth = slope.smooth && moved.every((m) => m[e]!.smooth);
    return { ...slope, smooth, bound: 2 * Math.max(...by) + 1e-6 * slope.scale + slope.noise };
  });
}

test("gradients of random little graphs are differences of the reference", () => {
  const share = new Share();
  const check = fc.property(programs(8), (program) =>
    scope(() => {
      const leaves = program.leaves();
      const dy = upstream(program.values.at(-1)!);
      const y = program.run(leaves);
      expect(y.requiresGrad).toBe(program.learning.length > 0);
      if (!y.requiresGrad) return;
      y.backward({ gradient: from(dy) });
      for (const place of program.learning) {
        const x = program.values[place]!;
        const { grad } = leaves.get(place)!;
        share.add(agree(`%${place}`, grad, x, expected(program, place, dy)), x.data.length);
      }
    }),
  );
  fc.assert(check, often(60));
  share.check();
});
