import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile, getRngState, init, scope, shutdown, type Tensor, tensor } from "../../src/index";
import { parallel, setParallel } from "../../src/plan/parallel";
import { crew } from "../../src/threads/threads";
import { finest } from "../../src/threads/walk";
import { kernels, own, setKernels } from "../../src/wasm";
import { cases } from "../cases";
import { networks, type Step, train } from "./networks";
import { programs, shapes, singles, upstream } from "./programs";
import { often } from "./samples";

afterAll(async () => {
  finest.grain = 16;
  await shutdown();
});

/** Runs `fn` with the kernels and plans of one thread. */
function alone<T>(fn: () => T): T {
  const [divided, stages] = [kernels, parallel];
  setKernels(own);
  setParallel(undefined);
  try {
    return fn();
  } finally {
    setKernels(divided);
    setParallel(stages);
  }
}

const bits = (t: Tensor | null) =>
  t === null ? "none" : [...new Int32Array(Float32Array.from(t.data).buffer)].join(" ");

/** The bits of a result, of the gradients of its inputs and of the generator's state. */
function pass(inputs: Iterable<Tensor>, run: () => Tensor): string[] {
  const y = run();
  if (y.requiresGrad) {
    const { data, shape } = upstream({ shape: y.shape, data: new Float64Array(y.size) });
    y.backward({ gradient: tensor(data, { shape }) });
  }
  return [bits(y), ...[...inputs].map((x) => bits(x.grad)), String(getRngState())];
}

// Threads cut at multiples of eight elements or at rows.
const sizes = fc.oneof(shapes(3, 9, 1), fc.tuple(fc.integer({ min: 1, max: 700 })), shapes(2, 40, 2));

describe.each([2, 3, 5])("%i threads", (count) => {
  beforeAll(async () => {
    expect((await init({ threads: count })).threads).toBe(count);
    finest.grain = 8;
    crew!.divideAll();
  });

  test("do each op to the same bits as one", () => {
    const any = fc.constantFrom(...cases).chain((c) => singles(c, sizes));
    const check = fc.property(any, ({ c, variant, inputs }) => {
      const result = () =>
        scope(() => {
          const given = inputs();
          return pass(given, () => c.run(given, variant));
        });
      expect(result()).toEqual(alone(result));
    });
    fc.assert(check, often(150));
  });

  test("do random little graphs to the same bits as one", () => {
    const check = fc.property(
      programs(8, fc.oneof(shapes(2, 12, 1), fc.tuple(fc.integer({ min: 1, max: 70 })))),
      (program) => {
        const result = () =>
          scope(() => {
            const leaves = program.leaves();
            return pass(leaves.values(), () => program.run(leaves));
          });
        expect(result()).toEqual(alone(result));
      },
    );
    fc.assert(check, often(30));
  });

  test("train random networks to the same bits as one, by eager steps and by replays", () => {
    const check = fc.property(networks(33), (net) => {
      const eager = train(net, (step) => step);
      expect(eager).toEqual(alone(() => train(net, (step) => step)));
      const plans: Disposable[] = [];
      const replayed = train(net, (step) => {
        const plan = compile(step);
        plans.push(plan);
        return plan as Step;
      });
      for (const plan of plans) plan[Symbol.dispose]();
      expect(replayed).toEqual(eager);
    });
    fc.assert(check, often(15));
  });
});
