import { expect, test } from "vitest";
import { memory, noGrad, scope, tensor } from "../src/index";
import { type Case, cases, draw, tensors, title, type Variant } from "./cases";

const ROUNDS = 10;

const variants = cases.flatMap((c) => c.variants.map((v) => [c.name, title(v), c, v] as const));

/** Bytes and tensors that `round` leaves behind when it is repeated. The first run may warm things up. */
function lost(round: () => void): { bytes: number; tensors: number } {
  round();
  const before = memory();
  for (let i = 0; i < ROUNDS; i++) round();
  const after = memory();
  return { bytes: after.bytes - before.bytes, tensors: after.tensors - before.tensors };
}

const NOTHING = { bytes: 0, tensors: 0 };

/** Forward and, where there is a gradient, backward. */
function step(c: Case, inputs: ReturnType<typeof tensors>, variant: Variant): void {
  const y = c.run(inputs, variant);
  if (y.requiresGrad) {
    using gradient = tensor(new Float32Array(y.size).fill(1), { shape: y.shape });
    y.backward({ gradient });
  }
  y.dispose();
}

test.each(variants)("%s %s loses nothing at top level", (_name, _title, c, variant) => {
  const data = draw(c, variant);
  const round = () => {
    const inputs = tensors(c, data, { requiresGrad: true });
    step(c, inputs, variant);
    for (const x of inputs) x.dispose();
  };
  expect(lost(round)).toEqual(NOTHING);
});

test.each(variants)(
  "%s %s loses nothing in a scope, with or without backward",
  (_name, _title, c, variant) => {
    const inputs = tensors(c, draw(c, variant), { requiresGrad: true });
    expect(lost(() => scope(() => step(c, inputs, variant)))).toEqual(NOTHING);
    expect(lost(() => scope(() => void c.run(inputs, variant)))).toEqual(NOTHING);
    for (const x of inputs) x.dispose();
  },
);

test.each(variants)("%s %s under noGrad leaves its result alone", (_name, _title, c, variant) => {
  const inputs = tensors(c, draw(c, variant), { requiresGrad: true });
  noGrad(() => c.run(inputs, variant)).dispose();
  const before = memory().tensors;
  const y = noGrad(() => c.run(inputs, variant));
  expect(memory().tensors).toBe(before + 1);
  y.dispose();
  expect(lost(() => noGrad(() => c.run(inputs, variant)).dispose())).toEqual(NOTHING);
  for (const x of inputs) x.dispose();
});
