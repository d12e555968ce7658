// Callbacks that throw, return promises, or call the library again: afterwards everything is as it was.
import { expect, test } from "vitest";
import { settle } from "../../scripts/soak/gauge";
import { gradEnabled } from "../../src/autograd";
import {
  compile,
  customLoss,
  dataset,
  diagnose,
  fit,
  gradcheck,
  init,
  Linear,
  Module,
  memory,
  mseLoss,
  NablasError,
  noGrad,
  relu,
  Sequential,
  SGD,
  scope,
  summary,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index";
import { observer, recorder } from "../../src/recording";
import { kernels } from "../../src/wasm";

class Own extends Error {}

const model = new Sequential(new Linear(2, 2));
const x = tensor([[0.5, 0.25]], { requiresGrad: true });
const data = dataset(
  [
    [1, 2],
    [3, 4],
  ],
  [
    [1, 2],
    [3, 4],
  ],
);
const loss = (p: Tensor, t: Tensor) => p.sub(t).square();
scope(() => model.forward(x).sum().backward());

/** In an odd place, a callback does this. */
const deeds: [name: string, deed: () => unknown][] = [
  [
    "throws",
    () => {
      throw new Own("own");
    },
  ],
  [
    "throws inside scope and noGrad",
    () =>
      scope(() =>
        noGrad(() => {
          zeros([9]);
          throw new Own("own");
        }),
      ),
  ],
  [
    "throws what is no error",
    () => {
      throw null;
    },
  ],
  ["is async", async () => relu(x)],
  [
    "throws after it has compiled",
    () => {
      const f = compile((a: Tensor) => a.mul(2));
      f([1]);
      f.dispose();
      throw new Own("own");
    },
  ],
  [
    "goes backward and throws",
    () => {
      mseLoss(model.forward(tensor([[1, 2]])), tensor([[1, 1]])).backward();
      throw new Own("own");
    },
  ],
  [
    "makes memory grow and throws",
    () => {
      scope(() => void zeros([memory().reserved / 4]));
      throw new Own("own");
    },
  ],
  [
    "calls init and throws",
    () => {
      void init();
      throw new Own("own");
    },
  ],
  [
    "makes a module that throws",
    () => {
      class Broken extends Module {
        forward(): Tensor {
          relu(x);
          throw new Own("own");
        }
      }
      return new Sequential(new Broken()).forward(x);
    },
  ],
];

class Calling extends Module {
  constructor(readonly deed: () => unknown) {
    super();
  }
  forward(t: Tensor): Tensor {
    relu(t);
    return this.deed() as Tensor;
  }
}

const places: [name: string, run: (deed: () => never) => unknown][] = [
  ["scope", (deed) => scope(deed)],
  ["noGrad", (deed) => noGrad(deed)],
  ["scope in noGrad in scope", (deed) => scope(() => noGrad(() => scope(deed)))],
  [
    "compile",
    (deed) =>
      compile((a: Tensor) => {
        a.mul(2);
        return deed();
      })([1, 2]),
  ],
  ["compile in compile", (deed) => compile((a: Tensor) => compile((_: Tensor) => deed())(a))([1, 2])],
  [
    "over",
    (deed) => {
      using batches = compile((_a: Tensor, _b: Tensor) => deed()).over(data);
      return batches.run();
    },
  ],
  ["customLoss, forward", (deed) => customLoss({ forward: deed })(x, x.detach())],
  ["customLoss, backward", (deed) => customLoss({ forward: loss, backward: deed })(x, x.detach()).backward()],
  ["map", (deed) => data.map(deed)],
  ["a module", (deed) => new Calling(deed).forward(x)],
  ["a module in evaluation", (deed) => noGrad(() => new Sequential(new Calling(deed)).forward(x))],
  ["gradcheck", (deed) => gradcheck(deed, [x])],
  ["summary", (deed) => summary(new Calling(deed), [1, 2])],
  ["diagnose", (deed) => diagnose(new Calling(deed), tensor([[1, 2]]), tensor([[1, 2]]), mseLoss)],
  ["the loss of diagnose", (deed) => diagnose(model, tensor([[1, 2]]), tensor([[1, 2]]), deed)],
  [
    "a batch broken off",
    (deed) => {
      for (const _ of data.batches({ batchSize: 1 })) deed();
    },
  ],
  [
    "a getter of options",
    (deed) =>
      mseLoss(x, x.detach(), {
        get reduction() {
          return deed();
        },
      }),
  ],
  ["a proxy as options", (deed) => mseLoss(x, x.detach(), new Proxy({}, { ownKeys: deed }))],
  ["fit, step", (deed) => fit(deed, data, { health: true, model }).next()],
  ["fit, onBatch", (deed) => fit((a, b) => mseLoss(model.forward(a), b), data, { onBatch: deed }).next()],
  [
    "fit, evaluate",
    (deed) =>
      fit((a, b) => mseLoss(model.forward(a), b), data, { validation: data, evaluate: deed, model }).next(),
  ],
  [
    "fit in fit",
    (deed) =>
      fit(() => {
        void fit(deed, data)
          .next()
          .catch(() => {});
        return deed();
      }, data).next(),
  ],
];

const all = places.flatMap(([place, run]) => deeds.map(([what, deed]) => [place, what, run, deed] as const));

test.each(all)("%s: a callback that %s", async (_place, _what, run, deed) => {
  const attempt = async () => {
    let made: unknown;
    try {
      scope(() => {
        try {
          made = run(deed as () => never);
        } finally {
          expect(gradEnabled()).toBe(true);
          expect(recorder).toBeUndefined();
          expect(observer).toBeUndefined();
        }
      });
      await made;
    } catch (error) {
      const isOurs = error === null || error instanceof Own || error instanceof NablasError;
      expect(isOurs, String((error as Error)?.stack)).toBe(true);
    }
  };
  await attempt();
  const before = { bytes: memory().bytes, tensors: memory().tensors, kernels };
  await attempt();
  await attempt();
  // On a slow machine fit rests, and calls back when the scope has ended: what is made then is left to the garbage collector.
  if (memory().tensors > before.tensors) await settle();
  // Garbage of others may be collected meanwhile.
  expect(memory().bytes).toBeLessThanOrEqual(before.bytes);
  expect(memory().tensors).toBeLessThanOrEqual(before.tensors);
  expect(kernels).toBe(before.kernels);
  expect([gradEnabled(), recorder, observer, model.training]).toEqual([true, undefined, undefined, true]);
  const y = scope(() => model.forward(x));
  expect(y.requiresGrad).toBe(true);
  y.dispose();
});

test("what callbacks dispose of under an op's hands is an error, and harms nothing", () => {
  const victim = tensor([[1, 2]], { requiresGrad: true });
  const own = customLoss({
    forward: loss,
    backward: (p) => {
      victim.dispose();
      return p.mul(1);
    },
  });
  const y = own(victim, tensor([[0, 0]]));
  try {
    y.backward();
  } catch (error) {
    expect(error).toBeInstanceOf(NablasError);
  }
  const step = new SGD(model.parameters(), { lr: 0.1 });
  const before = model.parameters().map((t) => t.data.slice());
  step.step();
  expect(model.parameters().map((t) => t.data.slice())).not.toEqual(before);
});
