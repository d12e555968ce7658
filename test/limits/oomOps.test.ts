// Every allocation of every op fails once, forward and backward: nothing is lost, and the op works again afterwards.
import { afterEach, expect, test } from "vitest";
import { memory, OutOfMemoryError, scope, type Tensor, tensor } from "../../src/index";
import { setGuards } from "../../src/memory";
import { release, take } from "../../src/space";
import { type Case, cases, draw, tensors, title, type Variant } from "../cases";

const variants = cases.flatMap((c) => c.variants.map((v) => [c.name, title(v), c, v] as const));
const held = () => ({ bytes: memory().bytes, tensors: memory().tensors });

afterEach(() => setGuards(undefined));

/** Refuses the allocation of the given number, counted from 1. Returns whether there were as many. */
function refusing(number: number, run: () => void): boolean {
  let left = number;
  const nothing = () => {};
  setGuards({
    take: (bytes) => (--left === 0 ? -1 : take(bytes)),
    give: release,
    ...{ made: nothing, freed: nothing, madeAt: undefined, largest: nothing as never, plans: undefined },
  });
  try {
    run();
  } finally {
    setGuards(undefined);
  }
  return left <= 0;
}

/** In a scope: the graph of a pass that failed before it began could be walked yet, and stays for that. */
function step(c: Case, inputs: Tensor[], variant: Variant, gradient: Tensor | undefined): void {
  scope(() => {
    const y = c.run(inputs, variant);
    if (y.requiresGrad) y.backward({ gradient: gradient! });
  });
}

test.each(variants)("%s %s", (_name, _title, c, variant) => {
  const inputs = tensors(c, draw(c, variant), { requiresGrad: true });
  const y = c.run(inputs, variant);
  const gradient = y.requiresGrad ? tensor(new Float32Array(y.size).fill(1), { shape: y.shape }) : undefined;
  y.dispose();
  // What lives from here on: the gradients of the leaves.
  step(c, inputs, variant, gradient);
  const before = held();
  for (let number = 1; ; number++) {
    let reached = false;
    const run = () => {
      reached = refusing(number, () => step(c, inputs, variant, gradient));
    };
    try {
      run();
    } catch (error) {
      expect(error).toBeInstanceOf(OutOfMemoryError);
      expect(held(), `allocation ${number}`).toEqual(before);
      continue;
    }
    expect(reached).toBe(false);
    break;
  }
  step(c, inputs, variant, gradient);
  expect(held()).toEqual(before);
  for (const t of [...inputs, ...(gradient ? [gradient] : [])]) t.dispose();
});
