import { describe, expect, test } from "vitest";
import {
  compile,
  cosineLR,
  crossEntropyLoss,
  DomainError,
  gather,
  getRngState,
  manualSeed,
  matmul,
  memory,
  ones,
  parameter,
  rand,
  randn,
  relu,
  scope,
  type Tensor,
  tensor,
  zeros,
} from "../src/index";
import { type Case, cases, draw, numbers, SEED, tensors, title, type Variant } from "./cases";
import { bits, network, optimizers, state } from "./plans";
import { nd } from "./reference";

// Without numClasses oneHot reads the largest index.
const replayable = cases.filter(({ name }) => name !== "oneHot");

const variants = replayable.flatMap((c) => c.variants.map((v) => [c.name, title(v), c, v] as const));

describe("a replay has the bits of the op", () => {
  /** Forward and, where there is a gradient, backward from `dy`. */
  function pass(c: Case, inputs: Tensor[], variant: Variant, dy: Tensor | undefined): Tensor {
    for (const x of inputs) x.zeroGrad();
    const y = c.run(inputs, variant);
    if (dy !== undefined && y.requiresGrad) y.backward({ gradient: dy });
    return y;
  }

  test.each(variants)("%s %s", (_name, _title, c, variant) => {
    const first = draw(c, variant);
    const second = first.map(({ shape, data }) => nd(shape, Float64Array.from(data).reverse()));
    scope(() => {
      const shape = scope(() => c.run(tensors(c, first, {}), variant).shape);
      const random = numbers(3);
      const dy =
        c.backward &&
        tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, random), { shape });
      const eager = tensors(c, second, { requiresGrad: true });
      const expected = pass(c, eager, variant, dy ?? undefined);
      const leaves = tensors(c, first, { requiresGrad: true });
      using replayed = compile(() => pass(c, leaves, variant, dy ?? undefined));
      replayed();
      for (const [i, t] of tensors(c, second, {}).entries()) leaves[i]!.data.set(t.data);
      manualSeed(SEED);
      const y = replayed();
      expect(y.shape).toEqual(expected.shape);
      expect(bits(y)).toEqual(bits(expected));
      for (const [i, x] of leaves.entries()) expect(bits(x.grad)).toEqual(bits(eager[i]!.grad));
    });
  });
});

test.each(Object.keys(optimizers))("fifty steps of %s have the bits of eager ones", (kind) => {
  const [a, b] = [network(kind), network(kind)];
  const random = numbers(5);
  const batches = Array.from({ length: 50 }, (_, i) => {
    const rows = i % 7 === 6 ? 3 : 8;
    const labels = Int32Array.from({ length: rows }, () => Math.floor(3 * random()));
    return { x: Array.from({ length: rows }, () => Array.from({ length: 6 }, () => random() - 0.5)), labels };
  });
  const schedule = cosineLR({ lr: 0.1, tMax: 50 });
  const run = (net: ReturnType<typeof network>, step: (x: never, y: never) => Record<string, Tensor>) => {
    manualSeed(9);
    const told = batches.map(({ x, labels }, i) => {
      net.optimizer.groups[0]!.lr = schedule(i);
      return scope(() => Object.values(step(x as never, labels as never)).map(bits));
    });
    return { told, weights: state(net.model), random: [...getRngState()] };
  };
  const eager = run(a, (x, labels) => a.step(tensor(x), tensor(labels)));
  using step = compile(b.step);
  expect(run(b, step)).toEqual(eager);
  expect(JSON.stringify(b.optimizer.stateDict(), values)).toBe(
    JSON.stringify(a.optimizer.stateDict(), values),
  );
});

const values = (_key: string, value: unknown) =>
  typeof value === "object" && value !== null && "data" in value ? [...(value as Tensor).data] : value;

describe("inputs", () => {
  test("are tensors, typed arrays, numbers and nested arrays, each of its shape", () => {
    using twice = compile((x: Tensor) => x.mul(2));
    expect(twice(tensor([[1, 2]])).toArray()).toEqual([[2, 4]]);
    expect(twice([[3, 4]]).toArray()).toEqual([[6, 8]]);
    expect(twice(Float32Array.of(1, 2, 3)).toArray()).toEqual([2, 4, 6]);
    expect(twice(Float64Array.of(4, 5, 6)).toArray()).toEqual([8, 10, 12]);
    expect(twice(5).item()).toBe(10);
    expect(twice(tensor([[5, 6]])).toArray()).toEqual([[10, 12]]);
    expect(twice.describe().match(/plan for/g)).toHaveLength(3);
  });

  test("are copied: what becomes of them later changes nothing", () => {
    const w = parameter(ones([2]));
    using f = compile((x: Tensor) => x.mul(w));
    const x = tensor([1, 2]);
    const y = f(x);
    x.dispose();
    expect(y.toArray()).toEqual([1, 2]);
    expect(f(tensor([3, 4])).toArray()).toEqual([3, 4]);
    w.dispose();
  });

  test("survive that memory grows", () => {
    using f = compile((x: Tensor) => x.add(1));
    f(Float32Array.of(1, 2));
    const large = zeros([3_000_000]);
    expect(f(Float32Array.of(3, 4)).toArray()).toEqual([4, 5]);
    large.dispose();
  });

  test("may be labels; bad ones are named, and nothing is harmed", () => {
    const w = parameter(randn([3, 4]));
    using f = compile((x: Tensor, labels: Tensor) => crossEntropyLoss(matmul(x, w), labels));
    const x = rand([2, 3]);
    const good = f(x, Int32Array.of(0, 3)).item();
    const message = "crossEntropyLoss: expected classes 0 … 3, got 4 at position 1";
    expect(() => f(x, Int32Array.of(0, 4))).toThrow(DomainError);
    expect(() => f(x, Int32Array.of(0, 4))).toThrow(message);
    expect(f(x, Int32Array.of(0, 3)).item()).toBe(good);
    using pick = compile((i: Tensor) => gather(tensor([5, 6, 7]), i));
    expect(pick(Int32Array.of(2, 0)).toArray()).toEqual([7, 5]);
    expect(() => pick(Int32Array.of(2, 3))).toThrow("gather: expected indices 0 … 2, got 3 at element 1");
    for (const t of [w, x]) t.dispose();
  });

  test("that require a gradient are refused", () => {
    using f = compile((x: Tensor) => x.mul(2));
    const x = ones([2], { requiresGrad: true });
    expect(() => f(x)).toThrow("compile: input 0 requires a gradient, but the function works on a copy");
    expect(() => f("data" as never)).toThrow();
    x.dispose();
  });
});

describe("results", () => {
  test("may be several, and hold until the next call unless cloned", () => {
    using f = compile((x: Tensor) => ({ double: x.mul(2), list: [x.add(1), x], name: "f" }));
    const { double, list, name } = f(tensor([1, 2]));
    expect([double.toArray(), list.map((t) => t.toArray()), name]).toEqual([
      [2, 4],
      [
        [2, 3],
        [1, 2],
      ],
      "f",
    ]);
    const kept = double.clone();
    expect(f(tensor([5, 6])).double.toArray()).toEqual([10, 12]);
    expect([kept.toArray(), double.toArray()]).toEqual([
      [2, 4],
      [10, 12],
    ]);
    kept.dispose();
  });

  test("that were disposed of are there again", () => {
    using f = compile((x: Tensor) => relu(x));
    for (let i = 1; i < 4; i++) {
      const y = f(tensor([i, -i]));
      expect(y.toArray()).toEqual([i, 0]);
      y.dispose();
    }
  });

  test("may be views of an input or of a parameter", () => {
    const w = parameter(ones([2, 2]));
    using f = compile((x: Tensor) => [x.reshape([4]), w]);
    f(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    const [flat, same] = f(
      tensor([
        [5, 6],
        [7, 8],
      ]),
    );
    expect(flat!.toArray()).toEqual([5, 6, 7, 8]);
    expect(same).toBe(w);
    w.dispose();
  });

  test("may be views of a tensor from outside, which end with the plan", () => {
    const w = parameter(ones([2, 2]));
    const { tensors } = memory();
    const f = compile(() => w.reshape([4]));
    for (const n of [1, 2, 3]) {
      const flat = f();
      w.write([
        [n, 2],
        [3, 4],
      ]);
      expect(flat.toArray()).toEqual([n, 2, 3, 4]);
      if (n === 2) flat.dispose();
    }
    f.dispose();
    expect(memory().tensors).toBe(tensors);
    w.dispose();
  });

  test("have no history", () => {
    const w = parameter(ones([2]));
    using f = compile((x: Tensor) => x.mul(w).sum());
    expect(f(tensor([1, 2])).requiresGrad).toBe(false);
    w.dispose();
  });

  test("use what was made inside as a constant", () => {
    using f = compile((x: Tensor) => x.add(tensor([10, 20])).mul(zeros([2]).add(3)));
    expect(f(tensor([1, 2])).toArray()).toEqual([33, 66]);
    expect(f(tensor([0, 0])).toArray()).toEqual([30, 60]);
    expect(f(tensor([1, 2])).toArray()).toEqual([33, 66]);
  });
});
