// What may change beside a plan, and what cannot be recorded.
import { describe, expect, test } from "vitest";
import {
  compile,
  DisposedError,
  Dropout,
  getRngState,
  Linear,
  Module,
  manualSeed,
  memory,
  noGrad,
  ones,
  PlanError,
  parameter,
  rand,
  randn,
  relu,
  Sequential,
  SGD,
  scope,
  setRngState,
  type Tensor,
  tensor,
} from "../src/index";
import { bits, network, state } from "./plans";

describe("what changes outside", () => {
  const model = () => new Sequential(new Linear(2, 3), new Dropout(), new Linear(3, 1));

  test("weights from loadStateDict are seen", () => {
    const [net, other] = [model().eval(), model().eval()];
    using f = compile((x: Tensor) => net.forward(x));
    f(ones([1, 2]));
    net.loadStateDict(other.stateDict());
    expect(f(ones([1, 2])).toArray()).toEqual(scope(() => other.forward(ones([1, 2])).toArray()));
  });

  test("train and eval have plans of their own", () => {
    const net = model();
    using f = compile((x: Tensor) => net.forward(x));
    const training = new Set(Array.from({ length: 40 }, () => f(ones([1, 2])).item()));
    expect(training.size).toBeGreaterThan(1);
    net.eval();
    const evaluated = new Set(Array.from({ length: 40 }, () => f(ones([1, 2])).item()));
    expect(evaluated.size).toBe(1);
    net.train();
    expect(new Set(Array.from({ length: 40 }, () => f(ones([1, 2])).item())).size).toBeGreaterThan(1);
  });

  test("an optimizer's state that was disposed of is an error", () => {
    const w = parameter(ones([2]));
    const optimizer = new SGD([w], { lr: 0.1, momentum: 0.9 });
    const run = () => {
      optimizer.zeroGrad();
      w.sum().backward();
      optimizer.step();
    };
    run();
    using f = compile(run);
    f();
    const before = w.toArray();
    optimizer.stateDict().state[0]!.momentum_buffer!.dispose();
    expect(() => f()).toThrow(DisposedError);
    expect(w.toArray()).toEqual(before);
  });

  test("a parameter that is added or exchanged is an error", () => {
    class Growing extends Module {
      layers: Module[] = [new Linear(2, 2)];
      forward(x: Tensor): Tensor {
        return this.layers.reduce((y, layer) => layer.forward(y), x);
      }
    }
    const net = new Growing();
    using f = compile((x: Tensor) => net.forward(x));
    f(ones([1, 2]));
    net.layers.push(new Linear(2, 2));
    expect(() => f(ones([1, 2]))).toThrow(PlanError);
    expect(() => f(ones([1, 2]))).toThrow(
      "Growing has other parameters than when it was recorded, 4 against 2",
    );
  });

  test("a parameter that is frozen is recorded anew", () => {
    const net = new Linear(2, 1);
    using step = compile((x: Tensor) => {
      net.zeroGrad();
      const loss = net.forward(x).sum();
      loss.backward();
      return loss;
    });
    const x = ones([1, 2]);
    step(x);
    net.weight.requiresGrad = false;
    step(x);
    expect(net.weight.grad).toBeNull();
    expect(net.bias!.grad!.toArray()).toEqual([1]);
    net.weight.requiresGrad = true;
    step(x);
    expect(net.weight.grad!.toArray()).toEqual([[1, 1]]);
  });

  test("an average that an option asks for is recorded anew", () => {
    const make = () => {
      manualSeed(1);
      const w = parameter(randn([3]));
      return { w, optimizer: new SGD([w], { lr: 0.1 }) };
    };
    const run = (compiled: boolean) => {
      const { w, optimizer } = make();
      const step = (x: Tensor) => {
        const loss = w.mul(x).sum();
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss;
      };
      const f = compiled ? compile(step) : step;
      for (let i = 0; i < 6; i++) {
        if (i === 3) optimizer.groups[0]!.momentum = 0.9;
        scope(() => void f(tensor([i, 1, 2])));
      }
      return [...w.data];
    };
    expect(run(true)).toEqual(run(false));
  });

  test("a gradient that was taken away, and an optimizer that is gone, are recorded anew", () => {
    const [a, b] = [network("Adam"), network("Adam")];
    using step = compile(b.step);
    const x = scope(() => Array.from({ length: 8 }, () => [...rand([6]).data]));
    const labels = Int32Array.from({ length: 8 }, (_, i) => i % 3);
    const both = () => {
      const seed = getRngState();
      const eager = scope(() => bits(a.step(tensor(x), tensor(labels)).loss));
      setRngState(seed);
      expect(bits(step(x, labels).loss)).toEqual(eager);
    };
    both();
    both();
    for (const { model } of [a, b]) for (const t of model.parameters()) t.grad = null;
    both();
    for (const { optimizer } of [a, b]) optimizer.loadStateDict({ ...optimizer.stateDict(), state: {} });
    both();
    expect(state(b.model)).toEqual(state(a.model));
    expect(b.model.parameters()[0]!.grad).not.toBe(null);
    b.optimizer.dispose();
    expect(() => step(x, labels)).toThrow(DisposedError);
  });

  test("a tensor that was freed is named", () => {
    const w = parameter(ones([2]));
    using f = compile((x: Tensor) => x.mul(w));
    f(ones([2]));
    w.dispose();
    expect(() => f(ones([2]))).toThrow(DisposedError);
    expect(() => f(ones([2]))).toThrow(
      "compile: the tensor [2] has been freed since the recording; compile again",
    );
  });

  test("noGrad has a plan of its own", () => {
    const w = parameter(ones([2]));
    using f = compile((x: Tensor) => {
      const y = x.mul(w).sum();
      if (y.requiresGrad) y.backward();
      return y;
    });
    noGrad(() => f(ones([2])));
    expect(w.grad).toBe(null);
    f(ones([2]));
    f(ones([2]));
    expect(w.grad!.toArray()).toEqual([2, 2]);
    noGrad(() => f(ones([2])));
    expect(w.grad!.toArray()).toEqual([2, 2]);
  });

  test("a gradient that nobody zeroes goes on adding up", () => {
    const w = parameter(ones([2]));
    using f = compile((x: Tensor) => void x.mul(w).sum().backward());
    for (let i = 0; i < 4; i++) f(tensor([1, 2]));
    expect(w.grad!.toArray()).toEqual([4, 8]);
  });
});

describe("while recording", () => {
  const w = parameter(ones([2]));
  const refused: [string, (x: Tensor) => unknown, string][] = [
    ["item", (x) => x.sum().item(), "compile: item of the output of sum [] reads a value"],
    ["toArray", (x) => relu(x).toArray(), "compile: toArray of the output of relu [2] reads a value"],
    ["data", (x) => x.mul(2).data[0], "compile: data of the output of mul [2] reads a value"],
    ["a branch on data", (x) => (x.sum().item() > 0 ? x : x.neg()), "compile: item of the output of sum"],
    ["disposing of an input", (x) => x.dispose(), "compile: an input was disposed of by the function"],
    ["disposing of a parameter", () => w.dispose(), "compile: a tensor made outside was disposed of"],
  ];
  test.each(refused)("%s is an error that changes nothing", (_, fn, message) => {
    const x = ones([2]);
    const before = memory();
    using f = compile(fn as (x: Tensor) => void);
    expect(() => f(x)).toThrow(PlanError);
    expect(() => f(x)).toThrow(message);
    expect(memory()).toEqual(before);
    expect(x.add(w).toArray()).toEqual([2, 2]);
    x.dispose();
  });

  test("setting a learning rate is an error: it would be set once", () => {
    const v = parameter(ones([2]));
    const optimizer = new SGD([v], { lr: 0.1 });
    using f = compile((x: Tensor) => {
      optimizer.groups[0]!.lr = 0.2;
      return x.mul(v);
    });
    expect(() => f(ones([2]))).toThrow(PlanError);
    expect(() => f(ones([2]))).toThrow("compile: the function sets lr of an optimizer's group");
    expect(optimizer.groups[0]!.lr).toBe(0.1);
  });

  test("an error of the function leaves everything as it was", () => {
    const x = ones([2]);
    const before = memory();
    using f = compile((t: Tensor) => {
      relu(t);
      throw new Error("mine");
    });
    expect(() => f(x)).toThrow("mine");
    expect(memory()).toEqual(before);
    expect(relu(x).toArray()).toEqual([1, 1]);
    x.dispose();
  });

  test("a compiled function inside another is part of it", () => {
    const inner = compile((x: Tensor) => x.mul(2));
    using outer = compile((x: Tensor) => inner(x).add(1));
    expect([outer(tensor([1])).item(), outer(tensor([2])).item()]).toEqual([3, 5]);
    expect(inner.describe()).toBe("");
  });

  test("a promise is an error", () => {
    using f = compile(async (x: Tensor) => x.mul(2));
    expect(() => f(ones([1]))).toThrow("promise");
    expect(() => compile(3 as never)).toThrow("compile: expected a function, got 3");
  });
});
