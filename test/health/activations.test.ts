// Which ops `diagnose` takes for activations: it is told by `unary`, and by no list that a new one would have to join.
import { expect, test } from "vitest";
import { Trace } from "../../src/health/trace";
import * as nablas from "../../src/index";
import { cases, draw, tensors } from "../cases";
import { rows as activations } from "../cases/activations";
import { rows as arithmetic } from "../cases/arithmetic";
import { rows as gated } from "../cases/gated";
import { rows as scaled } from "../cases/scaled";

/** The activation of the last op in each variant of a row. */
function seen(name: string): (string | undefined)[] {
  const row = cases.find((one) => one.name === name)!;
  return row.variants.map((variant) =>
    nablas.scope(() => {
      const trace = new Trace();
      trace.run(() => row.run(tensors(row, draw(row, variant), { requiresGrad: true }), variant));
      return trace.stages.at(-1)!.activation;
    }),
  );
}

/** Of the file of activations, but no bend in itself: nothing, or made of several ops. */
const OTHERS = ["identity", "maxout", "hardmax"];
const bends = [...Object.keys(activations), ...Object.keys(gated), ...Object.keys(scaled), "rrelu"].filter(
  (name) => !OTHERS.includes(name),
);

// gelu with a tanh is an op of its own, and rrelu in evaluation a leakyRelu.
test.each(bends)("%s is an activation", (name) => {
  for (const activation of seen(name))
    expect(activation).toMatch(new RegExp(`^(${name}|geluTanh|leakyRelu)$`));
});

test.each([...Object.keys(arithmetic), "identity"])("%s is none", (name) => {
  for (const activation of seen(name)) expect(activation).toBeUndefined();
});
