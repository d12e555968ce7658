import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { compile, manualSeed, memory, scope, type Tensor, tensor } from "../../src/index";
import { networks, type Step, train } from "./networks";
import { type Program, programs, upstream } from "./programs";
import { often } from "./samples";

let held = { bytes: 0, tensors: 0 };
const now = () => ({ bytes: memory().bytes, tensors: memory().tensors });
beforeEach(() => {
  held = now();
});
afterEach(() => {
  expect(now()).toEqual(held);
});

const bits = (t: Tensor | null) =>
  t === null ? "none" : [...new Int32Array(Float32Array.from(t.data).buffer)].join(" ");

/** Three passes of a program, on its data, on them in reverse and on its data again: the bits of results and gradients. */
function passes(program: Program, made: (pass: () => Tensor) => () => Tensor): string[] {
  const leaves = program.leaves();
  const dy = upstream(program.values.at(-1)!);
  const gradient = tensor(dy.data, { shape: dy.shape });
  const pass = made(() => {
    for (const x of leaves.values()) x.zeroGrad();
    const y = program.run(leaves, "apply");
    if (y.requiresGrad) y.backward({ gradient });
    return y;
  });
  manualSeed(5);
  return [0, 1, 2].flatMap((n) => {
    if (n > 0) for (const x of leaves.values()) x.data.reverse();
    return scope(() => [bits(pass()), ...[...leaves.values()].map((x) => bits(x.grad))]);
  });
}

/** Compiles for as long as `fn` runs. */
function compiling<T>(fn: (compiled: typeof compile) => T): T {
  const plans: Disposable[] = [];
  const compiled: typeof compile = (fn) => {
    const plan = compile(fn);
    plans.push(plan);
    return plan;
  };
  try {
    return fn(compiled);
  } finally {
    for (const plan of plans) plan[Symbol.dispose]();
  }
}

test("replays of random little graphs have the bits of eager passes", () => {
  const check = fc.property(programs(8), (program) =>
    scope(() => {
      const eager = passes(program, (pass) => pass);
      compiling((compiled) => expect(passes(program, compiled)).toEqual(eager));
    }),
  );
  fc.assert(check, often(200));
});

test("random networks that are trained by replays have the bits of those trained by eager steps", () => {
  const check = fc.property(networks(9), (net) => {
    const eager = train(net, (step) => step);
    compiling((compiled) => expect(train(net, (step) => compiled(step) as Step)).toEqual(eager));
  });
  fc.assert(check, often(100));
});
