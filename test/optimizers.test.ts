import { describe, expect, it } from "vitest";
import {
  Adagrad,
  type AdagradOptions,
  Adam,
  type AdamOptions,
  AdamW,
  RMSprop,
  type RMSpropOptions,
  SGD,
  type SGDOptions,
  tensor,
} from "../src/index";
import { expectSteps } from "./optimizerSteps";
import { adagrad, adam, adamw, GRADIENTS, parameter, rmsprop, START, setGradient, sgd } from "./optimizers";

describe("SGD", () => {
  const options: SGDOptions[] = [
    { lr: 0.1, l1: 0.02 },
    { lr: 0.1, weightDecay: 0.3 },
    { lr: 0.1, weightDecay: 0.3, l1: 0.02 },
    { lr: 0.1, dampening: 0.5 },
    { lr: 0.1, momentum: 0.9, weightDecay: 0.3, l1: 0.02 },
    { lr: 0.1, momentum: 0.9, dampening: 0.25, l1: 0.02 },
    { lr: 0.1, momentum: 0.9, nesterov: true },
    { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.3, l1: 0.02 },
    {},
  ];
  it.each(options.map((o) => [JSON.stringify(o), o] as const))("follows the formula with %s", (_, o) => {
    expectSteps(new SGD([parameter()], o), sgd(o));
  });
});

describe("SGD with options changed between steps", () => {
  it.each([
    ["on", [0, 0, 0.9, 0.9, 0.9]],
    ["up", [0.5, 0.5, 0.9, 0.9, 0.9]],
    ["off", [0.9, 0.9, 0, 0, 0]],
    ["off and on", [0.9, 0.9, 0, 0.9, 0.9]],
  ])("takes momentum turned %s, with dampening", (_, momenta) => {
    const options = { lr: 0.1, momentum: momenta[0]!, dampening: 0.25 };
    const optimizer = new SGD([parameter()], options);
    expectSteps(optimizer, sgd(options), (t) => {
      options.momentum = momenta[t - 1]!;
      optimizer.groups[0]!.momentum = momenta[t - 1]!;
    });
  });
});

describe("Adam", () => {
  const options: AdamOptions[] = [
    { lr: 0.1, l1: 0.02 },
    { lr: 0.1, weightDecay: 0.3 },
    { lr: 0.1, weightDecay: 0.3, l1: 0.02 },
    { lr: 0.1, betas: [0, 0], eps: 1e-3 },
    {},
  ];
  it.each(options.map((o) => [JSON.stringify(o), o] as const))("follows the formula with %s", (_, o) => {
    expectSteps(new Adam([parameter()], o), adam(o));
  });

  it("with amsgrad divides by the largest average, so a large gradient is remembered", () => {
    const [plain, ams] = [false, true].map((amsgrad) => {
      const w = parameter();
      const optimizer = new Adam([w], { lr: 0.1, betas: [0.9, 0.5], amsgrad });
      return [100, 1, 1, 1, 1].map((scale) => {
        const before = w.data[0]!;
        setGradient(
          w,
          GRADIENTS[0]!.map((g) => g * scale),
        );
        optimizer.step();
        return before - w.data[0]!;
      });
    });
    expect(ams![0]).toBe(plain![0]);
    expect(ams!.at(-1)).toBeGreaterThan(0);
    expect(ams!.at(-1)).toBeLessThan(plain!.at(-1)! / 2);
  });
});

describe("AdamW", () => {
  const options: AdamOptions[] = [
    {},
    { lr: 0.1 },
    { lr: 0.1, weightDecay: 0 },
    { lr: 0.1, weightDecay: 0.3, l1: 0.02 },
    { lr: 0.1, weightDecay: 0.3, betas: [0.5, 0.9], eps: 1e-3 },
  ];
  it.each(options.map((o) => [JSON.stringify(o), o] as const))("follows the formula with %s", (_, o) => {
    expectSteps(new AdamW([parameter()], o), adamw(o));
  });

  it("without weight decay is Adam", () => {
    const [a, b] = [parameter(), parameter()];
    for (const optimizer of [new Adam([a], { lr: 0.1 }), new AdamW([b], { lr: 0.1, weightDecay: 0 })]) {
      expectSteps(optimizer, adam({ lr: 0.1 }));
    }
    expect(b.toArray()).toEqual(a.toArray());
  });
});

describe("RMSprop", () => {
  const options: RMSpropOptions[] = [
    {},
    { lr: 0.1, eps: 1e-3 },
    { lr: 0.1, alpha: 0.9, eps: 1e-2, weightDecay: 0.3, l1: 0.02 },
    { lr: 0.1, alpha: 0.5, eps: 0.1, momentum: 0.9 },
    { lr: 0.1, alpha: 0.5, eps: 0.1, centered: true },
    { lr: 0.1, alpha: 0.5, eps: 0.1, centered: true, momentum: 0.9, weightDecay: 0.3, l1: 0.02 },
  ];
  it.each(options.map((o) => [JSON.stringify(o), o] as const))("follows the formula with %s", (_, o) => {
    expectSteps(new RMSprop([parameter()], o), rmsprop(o));
  });

  it("stays finite when the variance of a centered gradient rounds below 0", () => {
    const w = tensor(START, { requiresGrad: true });
    const optimizer = new RMSprop([w], { lr: 1e-6, alpha: 0.1, centered: true });
    for (let i = 0; i < 100; i++) {
      setGradient(w, [0.1, 0.3, 0.7, 1.1, 1.3, 1.7, 1.9]);
      optimizer.step();
    }
    expect(w.data.every(Number.isFinite)).toBe(true);
  });
});

describe("Adagrad", () => {
  const options: AdagradOptions[] = [
    {},
    { lr: 0.1 },
    { lr: 0.1, lrDecay: 0.5, eps: 1e-3 },
    { lr: 0.1, weightDecay: 0.3, l1: 0.02, initialAccumulatorValue: 0.1 },
  ];
  it.each(options.map((o) => [JSON.stringify(o), o] as const))("follows the formula with %s", (_, o) => {
    expectSteps(new Adagrad([parameter()], o), adagrad(o));
  });
});
