// Parameters that are frozen, or took no part since zeroGrad: no step moves them.
import { describe, expect, test } from "vitest";
import * as n from "../src/index";
import { compile, parameter, scope, type Tensor, tensor } from "../src/index";
import type { AnyOptimizer } from "./optimizers";

const OPTIMIZERS: Record<string, (p: Tensor[]) => AnyOptimizer> = {
  SGD: (p) => new n.SGD(p, { lr: 0.1 }),
  "SGD, momentum": (p) => new n.SGD(p, { lr: 0.1, momentum: 0.9, nesterov: true }),
  "SGD, weightDecay": (p) => new n.SGD(p, { lr: 0.1, weightDecay: 0.1 }),
  "SGD, l1": (p) => new n.SGD(p, { lr: 0.1, l1: 0.1 }),
  Adam: (p) => new n.Adam(p, { lr: 0.1 }),
  "Adam, amsgrad": (p) => new n.Adam(p, { lr: 0.1, amsgrad: true }),
  AdamW: (p) => new n.AdamW(p, { lr: 0.1 }),
  RMSprop: (p) => new n.RMSprop(p, { lr: 0.1 }),
  "RMSprop, momentum": (p) => new n.RMSprop(p, { lr: 0.1, momentum: 0.9, centered: true }),
  Adagrad: (p) => new n.Adagrad(p, { lr: 0.1, weightDecay: 0.1 }),
};

describe.each(Object.entries(OPTIMIZERS))("%s", (_, make) => {
  const state = (optimizer: AnyOptimizer) =>
    Object.entries(optimizer.stateDict().state).map(([i, values]) => [
      i,
      Object.entries(values).map(([name, t]) => [name, [...t.data]]),
    ]);

  describe.each([
    ["eager", false],
    ["compiled", true],
  ])("%s", (_, isCompiled) => {
    const stepOf = (run: () => Tensor) => (isCompiled ? compile(run) : run);

    test.each([
      ["zeroGrad first", true],
      ["zeroGrad last", false],
    ])("a parameter that is frozen after a step stays, %s", (_, first) =>
      scope(() => {
        const [a, b] = [parameter(tensor([1])), parameter(tensor([1]))];
        const optimizer = make([a, b]);
        const step = stepOf(() => {
          const loss = a.mul(b).sum();
          if (first) optimizer.zeroGrad();
          loss.backward();
          optimizer.step();
          if (!first) optimizer.zeroGrad();
          return loss;
        });
        step();
        step();
        a.requiresGrad = false;
        const [frozen, moving, known] = [a.item(), b.item(), state(optimizer)[0]];
        for (let i = 0; i < 3; i++) step();
        expect(a.item()).toBe(frozen);
        expect(b.item()).not.toBe(moving);
        expect(state(optimizer)[0]).toEqual(known);
        a.requiresGrad = true;
        step();
        expect(a.item()).not.toBe(frozen);
      }),
    );

    test("a head that took no part in a step stays", () =>
      scope(() => {
        const [body, first, second] = [1, 2, 3].map((v) => parameter(tensor([v])));
        const optimizer = make([body!, first!, second!]);
        const steps = [first!, second!].map((head) =>
          stepOf(() => {
            const loss = body!.mul(head).sum();
            optimizer.zeroGrad();
            loss.backward();
            optimizer.step();
            return loss;
          }),
        );
        for (let i = 0; i < 6; i++) {
          const before = [first!.item(), second!.item()];
          steps[i % 2]!();
          const moved = [first!.item(), second!.item()].map((v, k) => v !== before[k]);
          expect(moved).toEqual([i % 2 === 0, i % 2 === 1]);
        }
      }));
  });

  test("a frozen parameter with a gradient left over stays, and clipping does not count it", () =>
    scope(() => {
      const [a, b] = [parameter(tensor([1])), parameter(tensor([1]))];
      const optimizer = make([a, b]);
      a.mul(30).add(b.mul(4)).sum().backward();
      a.requiresGrad = false;
      expect(n.clipGradNorm([a, b], 100).item()).toBe(4);
      optimizer.step();
      expect([a.item(), a.grad!.item()]).toEqual([1, 30]);
      expect(b.item()).not.toBe(1);
    }));
});
