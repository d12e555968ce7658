// What holds for every optimizer.
import { describe, expect, it } from "vitest";
import {
  DisposedError,
  DTypeError,
  GraphError,
  memory,
  OptionError,
  scope,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../src/index";
import { expectSteps } from "./optimizerSteps";
import { expectClose, GRADIENTS, kinds, parameter, START, setGradient } from "./optimizers";

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

  it("zeroGrad clears the gradients and keeps their memory", () => {
    const [w, untouched] = [parameter(), parameter()];
    const optimizer = make([w, untouched]);
    const pass = () => scope(() => sum(w).backward());
    pass();
    const { ptr } = w.grad!;
    optimizer.zeroGrad();
    expect(w.grad).toBeNull();
    expect(untouched.grad).toBeNull();
    pass();
    expect(w.grad!.ptr).toBe(ptr);
    expect([...w.grad!.data]).toEqual(START.map(() => 1));
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

  it("steps with no disposed state", () => {
    const w = parameter();
    const optimizer = make([w], stateful);
    setGradient(w, GRADIENTS[0]!);
    optimizer.step();
    const moved = [...w.data];
    const state = Object.values(optimizer.stateDict().state[0]!);
    expect(state.length).toBeGreaterThan(0);
    for (const t of state) {
      t.dispose();
      expect(() => optimizer.step()).toThrow(DisposedError);
      expect([...w.data]).toEqual(moved);
    }
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
