// A gradient as a constant of the next loss: what a pass reads, it must not have added to before.
import { expect, test } from "vitest";
import { add, mul, scope, sum, type Tensor, tensor } from "../src/index";

test.each<[how: string, constant: (grad: Tensor) => Tensor]>([
  ["detached", (grad) => grad.detach()],
  ["reshaped", (grad) => grad.reshape([2])],
  ["detached and reshaped", (grad) => grad.detach().reshape([1, 2])],
])("refuses it %s, which is the same memory", (_, constant) =>
  scope(() => {
    const x = tensor([1, 2], { requiresGrad: true });
    sum(x).backward();
    const wrong = sum(add(mul(constant(x.grad!), x), mul(x, 100)));
    expect(() => wrong.backward()).toThrow(/backward of mul: one of its inputs is a gradient.*clone\(\)/);
    expect(x.grad!.toArray()).toEqual([1, 1]);
  }),
);

test("refuses one that was set", () =>
  scope(() => {
    const x = tensor([1, 2], { requiresGrad: true });
    const set = tensor([3, 4]);
    x.grad = set;
    expect(() => sum(add(mul(set, x), mul(x, 100))).backward()).toThrow(/one of its inputs is a gradient/);
    x.grad = null;
    sum(add(mul(set, x), mul(x, 100))).backward();
    expect(x.grad!.toArray()).toEqual([103, 104]);
  }));

test("reads what lies where a gradient has been", () =>
  scope(() => {
    const x = tensor([1, 2], { requiresGrad: true });
    sum(x).backward();
    const { ptr } = x.grad!;
    x.grad!.dispose();
    const constant = tensor([3, 4]);
    if (process.env.NABLAS_DEBUG !== "1") expect(constant.ptr).toBe(ptr);
    sum(mul(constant, x)).backward();
    expect(x.grad!.toArray()).toEqual([3, 4]);
  }));
