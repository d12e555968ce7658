// How many plans a compiled function keeps.
import { expect, test, vi } from "vitest";
import { compile, dataset, full, memory, ones, PlanError, relu, scope, type Tensor } from "../src/index";

test("of ever new shapes the 256 used last keep their plans", () => {
  using f = compile((x: Tensor) => relu(x).add(1));
  const call = (n: number) => scope(() => f(full([n], n)).data[n - 1]);
  const shapes = () =>
    f
      .describe()
      .match(/^plan for .*/gm)!
      .map((line) => Number(line.match(/\d+/)));
  for (let n = 1; n <= 256; n++) call(n);
  expect(shapes()).toHaveLength(256);
  expect(call(1)).toBe(2);
  const before = memory().tensors;
  expect(call(257)).toBe(258);
  expect(memory().tensors).toBe(before);
  expect(shapes()).toHaveLength(256);
  expect(shapes().filter((n) => n <= 3 || n > 256)).toEqual([257, 3, 1]);
  expect(call(2)).toBe(3);
  expect(shapes().filter((n) => n <= 3 || n > 256)).toEqual([2, 257, 1]);
});

test("a plan run by `over` counts as used, and a dropped one is recorded anew", () => {
  using f = compile((x: Tensor, y: Tensor) => x.add(y));
  const data = dataset(ones([8, 1]), ones([8, 1]));
  using over = f.over(data, { batchSize: 4 });
  const other = (n: number) => scope(() => void f(ones([n, 2]), ones([n, 2])));
  over.run();
  for (let n = 1; n <= 255; n++) other(n);
  over.run();
  other(256);
  expect(f.describe()).toContain("plan for [4, 1]");
  for (let n = 257; n <= 512; n++) other(n);
  expect(f.describe()).not.toContain("plan for [4, 1]");
  expect(over.run().toArray()).toEqual([[2], [2], [2], [2]]);
});

test("a plan that was disposed of is unknown to the garbage collector's net", () => {
  const register = vi.spyOn(FinalizationRegistry.prototype, "register");
  const unregister = vi.spyOn(FinalizationRegistry.prototype, "unregister");
  const f = compile((x: Tensor) => relu(x));
  const x = ones([2]);
  for (let i = 0; i < 10; i++) {
    f(x);
    f.dispose();
  }
  const tokens = register.mock.calls.map(([, , token]) => token).filter((token) => token !== undefined);
  expect(tokens).toHaveLength(10);
  expect(unregister.mock.calls.flat()).toEqual(tokens);
  vi.restoreAllMocks();
  x.dispose();
});

test("a plan that could not be disposed of is still in the garbage collector's net", () => {
  const unregister = vi.spyOn(FinalizationRegistry.prototype, "unregister");
  const f = compile((x: Tensor) => {
    if (x.size === 3) f.dispose();
    return relu(x);
  });
  f(ones([2]));
  expect(() => f(ones([3]))).toThrow(PlanError);
  expect(unregister).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

test("a function without inputs may be the first thing that runs", async () => {
  vi.resetModules();
  const fresh = await import("../src/index");
  const f = fresh.compile(() => fresh.full([2], 3));
  expect(f().toArray()).toEqual([3, 3]);
  expect(f().toArray()).toEqual([3, 3]);
  f.dispose();
});
