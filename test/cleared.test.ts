// Gradients that are cleared: what .grad is then, what becomes of the memory, and the same in plans.
import { describe, expect, test } from "vitest";
import * as n from "../src/index";
import { compile, Linear, memory, parameter, scope, type Tensor, tensor, zeros } from "../src/index";

const inScope = (fn: () => void) => () => scope(fn);
const leaf = (values: number[]) => tensor(values, { requiresGrad: true });

describe("zeroGrad and grad = null", () => {
  test("give null, and memory that neither grows nor is lost", () => {
    const w = parameter(zeros([256]));
    const { bytes } = memory();
    for (let i = 0; i < 1000; i++) {
      w.grad = null;
      scope(() => w.square().sum().backward());
    }
    expect(memory().bytes).toBe(bytes + 1024);
    w.grad = null;
    expect(memory().bytes).toBe(bytes);
    for (let i = 0; i < 1000; i++) {
      w.zeroGrad();
      scope(() => w.square().sum().backward());
    }
    expect(memory().bytes).toBe(bytes + 1024);
    w.dispose();
  });

  test(
    "end what .grad has given, and leave views and assigned gradients their values",
    inScope(() => {
      const w = leaf([1, 2]);
      w.mul(3).sum().backward();
      const [given, view] = [w.grad!, w.grad!.detach()];
      expect(w.grad).toBe(given);
      w.zeroGrad();
      expect(w.grad).toBeNull();
      expect(() => given.toArray()).toThrow(/was cleared by zeroGrad\(\) or replaced; read .grad again/);
      w.mul(5).sum().backward();
      expect(view.toArray()).toEqual([3, 3]);
      expect(w.grad!.toArray()).toEqual([5, 5]);
      const own = tensor([7, 7]);
      w.grad = own;
      w.sum().backward();
      expect([w.grad, own.toArray()]).toEqual([own, [8, 8]]);
      w.grad = null;
      w.sum().backward();
      expect([own.toArray(), w.grad!.toArray()]).toEqual([
        [8, 8],
        [1, 1],
      ]);
    }),
  );

  const program = (clear: (p: Tensor) => unknown, order: string) => {
    return (wrap: (fn: (x: Tensor, y: Tensor) => Tensor) => (x: Tensor, y: Tensor) => Tensor) => {
      n.manualSeed(1);
      const model = new n.Sequential(new Linear(2, 3), new n.Tanh(), new Linear(3, 1));
      const optimizer = new n.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
      const clearAll = () => {
        for (const p of model.parameters()) clear(p);
      };
      const step = wrap((x, y) => {
        if (order === "first") clearAll();
        const loss = n.mseLoss(model.forward(x), y);
        if (order === "between") clearAll();
        loss.backward();
        if (order === "accumulate") return loss;
        optimizer.step();
        if (order === "last") clearAll();
        return loss;
      });
      const [x, y] = [
        tensor([
          [1, 2],
          [3, -4],
        ]),
        tensor([[1], [0]]),
      ];
      return Array.from({ length: 8 }, (_, i) => {
        const loss = step(x, y).item();
        if (order === "outside") clearAll();
        if (order === "accumulate" && i % 3 === 2) {
          optimizer.step();
          clearAll();
        }
        const grads = model.parameters().map(({ grad }) => grad && [...grad.data]);
        return [loss, ...grads, ...model.parameters().map((p) => [...p.data])];
      });
    };
  };

  test.each(
    ["first", "between", "last", "outside", "accumulate", "never"].flatMap((order) => [
      [order, "zeroGrad", (p: Tensor) => p.zeroGrad()] as const,
      [order, "grad = null", (p: Tensor) => Object.assign(p, { grad: null })] as const,
    ]),
  )("cleared %s by %s, a compiled step trains to the numbers of the eager one", (order, _, clear) =>
    scope(() => {
      const run = program(clear, order);
      expect(run((fn) => compile(fn))).toEqual(run((fn) => fn));
    }),
  );

  test(
    "a compiled step is not recorded anew when gradients are read or cleared outside of it",
    inScope(() => {
      const w = parameter(tensor([1, 2]));
      let recorded = 0;
      const step = compile(() => {
        recorded++;
        w.zeroGrad();
        const loss = w.square().sum();
        loss.backward();
        return loss;
      });
      for (let i = 0; i < 5; i++) {
        step();
        expect(w.grad!.toArray()).toEqual([2, 4]);
        w.grad = null;
        expect(w.grad).toBeNull();
      }
      expect(recorded).toBe(1);
      step();
      const view = w.grad!.reshape([2, 1]);
      w.write([3, 4]);
      step();
      expect(view.toArray()).toEqual([[2], [4]]);
      expect(w.grad!.toArray()).toEqual([6, 8]);
    }),
  );

  test(
    "a compiled function returns a gradient that holds until its next call",
    inScope(() => {
      const w = parameter(tensor([1, 2]));
      const gradient = compile((x: Tensor) => {
        w.zeroGrad();
        w.mul(x).sum().backward();
        return w.grad!;
      });
      expect(gradient(tensor([3, 4])).toArray()).toEqual([3, 4]);
      expect(gradient(tensor([5, 6])).toArray()).toEqual([5, 6]);
    }),
  );
});
