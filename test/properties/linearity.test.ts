import fc from "fast-check";
import { expect, test } from "vitest";
import { scope, tensor } from "../../src/index";
import { type Nd, nd } from "../reference";
import { type Program, programs, upstream } from "./programs";
import { often } from "./samples";
import { slopes } from "./slopes";

const from = ({ shape, data }: Nd) => tensor(data, { shape });

/** The gradients of the leaves after passes back from these gradients of the result, which add up. */
function gradients(program: Program, ...passes: Nd[]): Map<number, Float64Array> {
  return scope(() => {
    const leaves = program.leaves();
    const y = program.run(leaves);
    for (const [i, dy] of passes.entries()) {
      y.backward({ gradient: from(dy), retainGraph: i < passes.length - 1 });
    }
    return new Map(
      program.learning.map((place) => [place, Float64Array.from(leaves.get(place)!.grad!.data)]),
    );
  });
}

const learned = programs(8).filter((program) => program.learning.length > 0);
const times = (x: Nd, f: (v: number, i: number) => number) => nd(x.shape, x.data.map(f));

test("a power of two times the gradient of a result gives that times the gradients, bit by bit", () => {
  const check = fc.property(learned, fc.constantFrom(-2, 0.5, 4, -64), (program, factor) => {
    const dy = upstream(program.values.at(-1)!);
    const once = gradients(program, dy);
    const scaled = gradients(
      program,
      times(dy, (v) => factor * v),
    );
    // Adding 0 makes 0 of −0: what cancels to zero has one sign, whatever the factor.
    for (const [place, g] of once)
      expect(scaled.get(place)!.map((v) => v + 0)).toEqual(g.map((v) => factor * v + 0));
  });
  fc.assert(check, often(300));
});

test("a dy + b dz gives a times the gradients of dy and b times those of dz, and passes that retain add up to it", () => {
  const check = fc.property(learned, fc.constantFrom(-3, 0.7), fc.constantFrom(0.3, 5), (program, a, b) => {
    const [dy, dz] = [upstream(program.values.at(-1)!, 1), upstream(program.values.at(-1)!, 2)];
    const [first, second] = [times(dy, (v) => Math.fround(a * v)), times(dz, (v) => Math.fround(b * v))];
    const mixed = gradients(
      program,
      times(first, (v, i) => v + second.data[i]!),
    );
    const [g, h] = [gradients(program, dy), gradients(program, dz)];
    const added = gradients(program, first, second);
    const most = times(dy, (v, i) => Math.abs(a * v) + Math.abs(b * dz.data[i]!));
    for (const [place, mix] of mixed) {
      const terms = slopes((x) => program.evaluate(place, x), program.values[place]!, most);
      const largest = Math.max(...terms.map(({ scale }) => scale));
      for (const [e, v] of mix.entries()) {
        // Roundings are relative to the terms, of this element and where results are sums of those beside it.
        const bound = 1e-5 * (terms[e]!.scale + largest) + terms[e]!.noise;
        expect(Math.abs(v - a * g.get(place)![e]! - b * h.get(place)![e]!)).toBeLessThanOrEqual(bound);
        expect(Math.abs(v - added.get(place)![e]!)).toBeLessThanOrEqual(bound);
      }
    }
  });
  fc.assert(check, often(60));
});

test("a pass that retains leaves all as it was: the next one after zeroGrad has the same bits", () => {
  const check = fc.property(learned, (program) =>
    scope(() => {
      const leaves = program.leaves();
      const y = program.run(leaves);
      const gradient = from(upstream(program.values.at(-1)!));
      const passes = [true, true, false].map((retainGraph) => {
        for (const x of leaves.values()) x.zeroGrad();
        y.backward({ gradient, retainGraph });
        return program.learning.map((place) => [...leaves.get(place)!.grad!.data]);
      });
      expect(passes[1]).toEqual(passes[0]);
      expect(passes[2]).toEqual(passes[0]);
    }),
  );
  fc.assert(check, often(200));
});
