// Much of everything: nothing recurses. How the time grows: npm run bench:growth.
import { expect, test } from "vitest";
import {
  Adam,
  compile,
  concat,
  Linear,
  memory,
  mul,
  noGrad,
  ReLU,
  Sequential,
  SGD,
  scope,
  stack,
  summary,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index";

const held = () => ({ bytes: memory().bytes, tensors: memory().tensors });

test("100,000 live tensors", () => {
  const before = held();
  const random = (i: number) => (i * 7919) % 100_003;
  const live = (count: number) => {
    const all = Array.from({ length: count }, (_, i) => zeros([1 + (i % 97) * 9]));
    const order = all.map((_, i) => i).sort((a, b) => random(a) - random(b));
    for (const i of order) all[i]!.dispose();
    const large = zeros([2 ** 18]);
    large.dispose();
  };
  scope(() => live(1000));
  scope(() => live(100_000));
  live(100_000);
  expect(held()).toEqual(before);
});

test("a chain of 100,000 ops goes back", () => {
  const before = held();
  const x = tensor([1, 2], { requiresGrad: true });
  let y: Tensor = x;
  for (let i = 0; i < 100_000; i++) y = y.add(1e-5);
  const loss = y.sum();
  loss.backward();
  expect(x.grad!.toArray()).toEqual([1, 1]);
  for (const t of [loss, x]) t.dispose();
  expect(held()).toEqual(before);
});

test("a chain of 100,000 ops may be left alone in a scope", () => {
  const before = held();
  scope(() => {
    let y = tensor([1], { requiresGrad: true }).mul(1);
    for (let i = 0; i < 100_000; i++) y = y.add(1e-5);
  });
  expect(held()).toEqual(before);
});

test("a Sequential of 10,000 layers runs, learns, tells of itself and is freed", () => {
  const before = held();
  const layers = Array.from({ length: 5000 }, () => [new Linear(2, 2), new ReLU()]).flat();
  const model = new Sequential(...layers);
  const optimizer = new Adam(model.parameters());
  const x = tensor([[1, 2]]);
  scope(() => {
    const loss = model.forward(x).sum();
    loss.backward();
    optimizer.step();
  });
  expect(noGrad(() => scope(() => model.forward(x).item === undefined))).toBe(false);
  expect(Object.keys(model.stateDict())).toHaveLength(10_000);
  expect(String(summary(model, [1, 2])).split("\n").length).toBeGreaterThan(10_000);
  model.loadStateDict(model.stateDict());
  for (const item of [model, optimizer, x]) item.dispose();
  expect(held()).toEqual(before);
});

test("10,000 tensors join and stack", () => {
  scope(() => {
    const parts = Array.from({ length: 10_000 }, (_, i) => tensor([i], { requiresGrad: true }));
    const y = concat(parts).add(stack(parts).reshape([10_000]));
    y.sum().backward();
    expect(parts.at(-1)!.grad!.item()).toBe(2);
  });
});

test("a compiled chain of 1,000 ops", () => {
  const w = tensor([1, 2, 3, 4, 5], { requiresGrad: true });
  const optimizer = new SGD([w], { lr: 0.1 });
  const step = compile((x: Tensor) => {
    let y: Tensor = mul(w, x);
    for (let i = 0; i < 1000; i++) y = y.add(1e-3);
    const loss = y.sum();
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  });
  const x = tensor([1, 1, 1, 1, 1]);
  const first = step(x).item();
  expect(first).toBeCloseTo(20, 2);
  expect(step(x).item()).toBeCloseTo(first - 0.5, 2);
  expect(step.describe().split("\n").length).toBeGreaterThan(1000);
  for (const item of [step, optimizer, x, w]) item.dispose();
});
