import { describe, expect, it } from "vitest";
import {
  Adagrad,
  type AdagradOptions,
  Adam,
  type AdamOptions,
  AdamW,
  DisposedError,
  DTypeError,
  GraphError,
  memory,
  OptionError,
  RMSprop,
  type RMSpropOptions,
  SGD,
  type SGDOptions,
  scope,
  type Tensor,
  tensor,
  zeros,
} from "../src/index";
import {
  type AnyOptimizer,
  adagrad,
  adam,
  adamw,
  expectClose,
  GRADIENTS,
  kinds,
  parameter,
  rmsprop,
  START,
  type Step,
  setGradient,
  sgd,
} from "./optimizers";

/** Steps along GRADIENTS, compared with the reference after each; `before` runs before each step. */
function expectSteps(optimizer: AnyOptimizer, reference: Step, before?: (t: number) => void): void {
  const [w] = optimizer.parameters as readonly [Tensor];
  let want = START;
  for (const [i, g] of GRADIENTS.entries()) {
    before?.(i + 1);
    setGradient(w, g);
    optimizer.step();
    want = reference(want, g, i + 1);
    expectClose(w, want);
  }
}

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

describe.each(kinds)("$name", ({ name, make, reference, stateful }) => {
  it("takes a learning rate changed between steps, and keeps its averages", () => {
    const rates = [0.1, 0.1, 0.02, 0.02, 0.3];
    const optimizer = make([parameter()], stateful);
    const options = { ...stateful };
    expectSteps(optimizer, reference(options), (t) => {
      options.lr = rates[t - 1]!;
      optimizer.groups[0]!.lr = rates[t - 1]!;
    });
  });

  it("leaves parameters without a gradient alone, and starts their count at their first", () => {
    const [used, idle] = [parameter(), parameter()];
    const optimizer = make([idle, used], stateful);
    setGradient(used, GRADIENTS[0]!);
    optimizer.step();
    expect([...idle.data]).toEqual([...tensor(START).data]);
    expect(idle.grad).toBeNull();
    expect(used.data[0]).not.toBe(START[0]);
    setGradient(idle, GRADIENTS[0]!);
    used.zeroGrad();
    optimizer.step();
    expectClose(idle, reference(stateful)(START, GRADIENTS[0]!, 1));
  });

  it("keeps every parameter's state apart from the others'", () => {
    const [a, b] = [parameter(), parameter()];
    const optimizer = make([a, b], stateful);
    const [forA, forB] = [reference(stateful), reference(stateful)];
    let [wantA, wantB] = [START, START];
    for (const [i, g] of GRADIENTS.entries()) {
      const opposite = g.map((v) => 1 - v);
      setGradient(a, g);
      setGradient(b, opposite);
      optimizer.step();
      [wantA, wantB] = [forA(wantA, g, i + 1), forB(wantB, opposite, i + 1)];
    }
    expectClose(a, wantA);
    expectClose(b, wantB);
  });

  it("zeroGrad fills the gradients with zeros in place", () => {
    const [w, untouched] = [parameter(), parameter()];
    const optimizer = make([w, untouched]);
    setGradient(w, GRADIENTS[0]!);
    const gradient = w.grad!;
    const { ptr } = gradient;
    optimizer.zeroGrad();
    expect(w.grad).toBe(gradient);
    expect(gradient.ptr).toBe(ptr);
    expect([...gradient.data]).toEqual(START.map(() => 0));
    expect(untouched.grad).toBeNull();
  });

  it("keeps state and gradients that were first made inside a scope", () => {
    const w = parameter();
    const optimizer = make([w], stateful);
    const step = reference(stateful);
    let want = START;
    for (const [i, g] of GRADIENTS.entries()) {
      scope(() => {
        setGradient(w, g);
        optimizer.step();
        // Takes the memory that a freed state would have left.
        zeros([START.length]);
      });
      zeros([START.length]);
      want = step(want, g, i + 1);
    }
    expectClose(w, want);
    expect(w.grad!.data[0]).toBe(GRADIENTS.at(-1)![0]);
  });

  it("lives on when its scope returns it", () => {
    const w = parameter();
    const optimizer = scope(() => {
      const made = make([w], stateful);
      setGradient(w, GRADIENTS[0]!);
      made.step();
      return made;
    });
    const step = reference(stateful);
    setGradient(w, GRADIENTS[1]!);
    optimizer.step();
    expectClose(w, step(step(START, GRADIENTS[0]!, 1), GRADIENTS[1]!, 2));
  });

  it("gives its state back on dispose; the parameters live on, stepping is an error", () => {
    const w = parameter();
    setGradient(w, GRADIENTS[0]!);
    const before = memory();
    const optimizer = make([w], stateful);
    optimizer.step();
    expect(memory().bytes).toBeGreaterThan(before.bytes);
    const moved = [...w.data];
    optimizer.dispose();
    expect(memory()).toEqual({ ...before, reserved: memory().reserved });
    expect(() => optimizer.step()).toThrow(DisposedError);
    expect([...w.data]).toEqual(moved);
    expect(() => optimizer.dispose()).not.toThrow();
  });

  it("steps no disposed parameter", () => {
    const w = parameter();
    const optimizer = make([w], stateful);
    setGradient(w, GRADIENTS[0]!);
    w.dispose();
    expect(() => optimizer.step()).toThrow(DisposedError);
  });

  const wrongOptions: [what: string, options: object, message: RegExp][] = [
    ["an unknown option", { learningRate: 0.1 }, /unknown option "learningRate"/],
    ["another spelling", { weight_decay: 0.1 }, /unknown option "weight_decay"/],
    ["a negative lr", { lr: -0.1 }, /lr .*-0\.1/],
    ["lr NaN", { lr: Number.NaN }, /lr .*NaN/],
    ["lr Infinity", { lr: Number.POSITIVE_INFINITY }, /lr .*Infinity/],
    ["lr null", { lr: null }, /lr .*null/],
    ["lr as text", { lr: "0.1" }, /lr/],
    ["a negative weightDecay", { weightDecay: -1 }, /weightDecay .*-1/],
    ["a negative l1", { l1: -1 }, /l1 .*-1/],
  ];
  it.each(wrongOptions)("refuses %s", (_, options, message) => {
    expectRefusal(() => make([parameter()], options), OptionError, name, message);
  });

  it("refuses no parameters, one twice, and a tensor in place of an array", () => {
    const w = parameter();
    expectRefusal(() => make([]), OptionError, name, /at least one/);
    expectRefusal(() => make([w, parameter(), w]), OptionError, name, /parameter 2 appears twice/);
    expectRefusal(() => make(w as unknown as Tensor[]), OptionError, name, /array/);
  });

  it("takes a frozen parameter and leaves it alone", () => {
    const w = parameter();
    const before = [...w.data];
    w.requiresGrad = false;
    make([w]).step();
    expect([...w.data]).toEqual(before);
  });

  it("refuses what is no leaf", () => {
    const w = parameter();
    expectRefusal(() => make([w, w.mul(2)]), GraphError, name, /parameter 1 .*output of mul \[7\]/);
    expectRefusal(() => make([null as unknown as Tensor]), DTypeError, name, /expected a tensor, got .*null/);
  });
});

function expectRefusal(
  fn: () => unknown,
  kind: typeof OptionError | typeof GraphError | typeof DTypeError,
  name: string,
  message: RegExp,
): void {
  expect(fn).toThrow(kind);
  expect(fn).toThrow(new RegExp(`^${name}: `));
  expect(fn).toThrow(message);
}

describe("SGD refuses", () => {
  const wrong: [what: string, options: SGDOptions, message: RegExp][] = [
    ["nesterov without momentum", { nesterov: true }, /nesterov .*momentum/],
    ["nesterov with dampening", { nesterov: true, momentum: 0.9, dampening: 0.1 }, /nesterov .*dampening/],
    ["a negative momentum", { momentum: -0.9 }, /momentum .*-0\.9/],
    ["dampening NaN", { dampening: Number.NaN }, /dampening .*NaN/],
  ];
  it.each(wrong)("%s", (_, options, message) => {
    expectRefusal(() => new SGD([parameter()], options), OptionError, "SGD", message);
  });
});

describe("Adam refuses", () => {
  const wrong: [what: string, options: object, message: RegExp][] = [
    ["a first beta of 1", { betas: [1, 0.999] }, /betas .*\[1,0\.999\]/],
    ["a negative second beta", { betas: [0.9, -0.1] }, /betas .*-0\.1/],
    ["a beta NaN", { betas: [0.9, Number.NaN] }, /betas/],
    ["one beta", { betas: [0.9] }, /betas/],
    ["a beta alone", { betas: 0.9 }, /betas .*0\.9/],
    ["the betas by other names", { beta1: 0.9 }, /unknown option "beta1"/],
    ["a negative eps", { eps: -1e-8 }, /eps .*-1e-8/],
  ];
  it.each(wrong)("%s", (_, options, message) => {
    expectRefusal(() => new Adam([parameter()], options), OptionError, "Adam", message);
  });
});

describe("RMSprop and Adagrad refuse", () => {
  it("an alpha beyond 1, and a switch that is none", () => {
    expectRefusal(() => new RMSprop([parameter()], { alpha: 1.1 }), OptionError, "RMSprop", /alpha .*1\.1/);
    const centered = 1 as unknown as boolean;
    expectRefusal(
      () => new RMSprop([parameter()], { centered }),
      OptionError,
      "RMSprop",
      /centered is a boolean/,
    );
  });

  it("a negative start or decay", () => {
    const wrong: AdagradOptions[] = [{ initialAccumulatorValue: -1 }, { lrDecay: -1 }];
    for (const o of wrong) expectRefusal(() => new Adagrad([parameter()], o), OptionError, "Adagrad", /-1/);
  });
});
