// What has itself in it: gradients, results, modules. It works, or is refused; nothing goes round and round.
import { expect, test } from "vitest";
import {
  compile,
  cosineLR,
  GraphError,
  Linear,
  lint,
  Module,
  memory,
  mseLoss,
  noGrad,
  OptionError,
  oneCycleLR,
  scope,
  stepLR,
  summary,
  type Tensor,
  tensor,
  warmup,
  zeros,
} from "../../src/index";
import { leaveNothing } from "../held";

const made = leaveNothing();

test("a tensor is no gradient of itself, nor of its gradient", () => {
  const [a, b, c] = [zeros([2]), zeros([2]), zeros([2])].map(made) as [Tensor, Tensor, Tensor];
  expect(() => {
    a.grad = a;
  }).toThrow(GraphError);
  a.grad = b;
  b.grad = c;
  expect(() => {
    c.grad = a;
  }).toThrow("grad: the tensor [2] cannot be a gradient of itself");
  expect(c.grad).toBeNull();
});

test("a long chain of gradients goes with its first, and out of a scope", () => {
  const before = memory().bytes;
  const first = scope(() => {
    const chain = Array.from({ length: 20_000 }, () => zeros([1]));
    for (let i = 1; i < chain.length; i++) chain[i - 1]!.grad = chain[i]!;
    return chain[0]!;
  });
  expect(memory().bytes - before).toBeGreaterThanOrEqual(20_000 * 16);
  first.dispose();
  expect(memory().bytes).toBe(before);
});

interface Cyclic {
  y: Tensor;
  self?: Cyclic;
  list: unknown[];
}

function cyclic(y: Tensor): Cyclic {
  const result: Cyclic = { y, list: [y] };
  result.self = result;
  result.list.push(result.list, result);
  return result;
}

test("a compiled function gives results that have themselves in them", () => {
  const step = made(compile((x: Tensor) => cyclic(x.mul(2))));
  for (const x of [1, 2]) {
    const result = step([x]);
    expect(result.y.toArray()).toEqual([2 * x]);
    expect(result.self).toBe(result);
    expect(result.list).toEqual([result.y, result.list, result]);
  }
});

test("scope keeps them, and so do modules, recorded or not", () => {
  class Cycling extends Module {
    readonly inner = new Linear(2, 2);
    override forward(x: Tensor): never {
      return cyclic(this.inner.forward(x)) as never;
    }
  }
  const model = made(scope(() => new Cycling()));
  const x = made(tensor([[1, 2]]));
  const forward = () => model.forward(x) as unknown as Cyclic;
  for (const result of [scope(forward), noGrad(forward)]) {
    expect(result.self!.y.shape).toEqual([1, 2]);
    result.y.dispose();
  }
});

class Child extends Module {
  parent: Module | undefined;
  readonly layer = new Linear(2, 2);
  forward(x: Tensor): Tensor {
    return this.layer.forward(x);
  }
}

class Parent extends Module {
  readonly child = new Child();
  readonly all: Module[] = [this];
  constructor() {
    super();
    this.child.parent = this;
  }
  forward(x: Tensor): Tensor {
    return this.child.forward(x);
  }
}

test("modules that know what they are in", () => {
  const model = made(new Parent());
  expect(Object.keys(model.stateDict())).toEqual(["child.layer.weight", "child.layer.bias"]);
  expect(model.parameters()).toHaveLength(2);
  expect(model.child.namedParameters().map(([name]) => name)).toEqual(["layer.weight", "layer.bias"]);
  model.eval();
  expect([model.training, model.child.layer.training]).toEqual([false, false]);
  model.train();
  expect([model.training, model.child.layer.training]).toEqual([true, true]);
  expect(summary(model, [1, 2]).layers.map(({ name }) => name)).toEqual(["child.layer"]);
  expect(lint(model, mseLoss)).toBeDefined();
});

test.each([
  ["stepLR", stepLR({ lr: 1, stepSize: 3, gamma: 1 })],
  ["cosineLR", cosineLR({ lr: 1, tMax: 7 })],
  ["oneCycleLR", oneCycleLR({ maxLr: 1, totalSteps: 9 })],
  ["warmup", warmup({ lr: 1 })],
  ["warmup before stepLR", warmup({ lr: stepLR({ lr: 1, stepSize: 1 }) })],
] as const)("%s goes on for any number of steps, and refuses what is none", (_, schedule) => {
  for (const step of [0, 0.5, 1e6, 2 ** 53, 1e308, Number.MAX_VALUE, 5e-324]) {
    expect(schedule(step)).toBeGreaterThanOrEqual(0);
    expect(schedule(step)).toBeLessThanOrEqual(1);
  }
  for (const step of [Number.NaN, -1, -5e-324, Infinity, -Infinity, "1", null, undefined, 1n, [], {}])
    expect(() => schedule(step as number), String(step)).toThrow(OptionError);
});
