import { describe, expect, test } from "vitest";
import {
  Adam,
  DisposedError,
  GraphError,
  Linear,
  Module,
  memory,
  mseLoss,
  mul,
  noGrad,
  ReLU,
  relu,
  Sequential,
  SGD,
  scope,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../src/index";
import { held } from "./held";

describe("scope", () => {
  test("frees what was made inside and keeps what is returned", () => {
    let lost: Tensor | undefined;
    const kept = scope(() => {
      lost = tensor([1]);
      return mul(lost, 3);
    });
    expect(kept.item()).toBe(3);
    expect(() => lost!.data).toThrow(/freed at the end of its scope; return it/);
    kept.dispose();
  });

  test("keeps arrays and plain objects of tensors", () => {
    const { list, deep } = scope(() => {
      const [a, b, c] = [tensor([1]), tensor([2]), tensor([3])];
      return { list: [a, b, a], deep: { c, note: "text", nothing: null } };
    });
    expect([...list, deep.c].map((t) => t.item())).toEqual([1, 2, 1, 3]);
    for (const t of [...list, deep.c]) t.dispose();
  });

  test("keeps the gradient of a leaf that was made inside", () => {
    const gradient = scope(() => {
      const x = tensor([1, 2], { requiresGrad: true });
      sum(mul(x, 3)).backward();
      return x.grad!;
    });
    expect(gradient.toArray()).toEqual([3, 3]);
    gradient.dispose();
  });

  test("keeps modules and optimizers", () => {
    const [model, optimizer] = scope(() => {
      const layer = new Sequential(new Linear(2, 3));
      return [layer, new Adam(layer.parameters())] as const;
    });
    const x = tensor([[1, 2]]);
    const loss = scope(() => {
      const value = sum(model.forward(x));
      value.backward();
      optimizer.step();
      return value;
    });
    expect(Number.isFinite(loss.item())).toBe(true);
    for (const item of [model, optimizer, x, loss]) item.dispose();
  });

  test("nests: the inner result belongs to the outer scope", () => {
    let inner: Tensor | undefined;
    scope(() => {
      inner = scope(() => tensor([4]));
      expect(inner.item()).toBe(4);
    });
    expect(() => inner!.data).toThrow(DisposedError);
  });

  test("a tensor returned by inner scopes stays with the scope that made it", () => {
    scope(() => {
      const mine = tensor([4]);
      scope(() => {
        scope(() => mine);
      });
      expect(mine.item()).toBe(4);
    });
  });

  test("does not free what was made outside", () => {
    const x = tensor([1]);
    expect(scope(() => x)).toBe(x);
    scope(() => ({ x }));
    expect(x.item()).toBe(1);
    x.dispose();
  });

  test("frees when its function throws", () => {
    expect(() =>
      scope(() => {
        tensor([1, 2, 3]);
        throw new RangeError("own error");
      }),
    ).toThrow(RangeError);
  });

  test("refuses promises", () => {
    const wait = () => scope(async () => tensor([1]));
    expect(wait).toThrow(GraphError);
    expect(wait).toThrow(/scope: its function returned a promise/);
  });

  test("leaves gradients of parameters and state of optimizers alone", () => {
    const model = new Linear(2, 1);
    const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const x = tensor([[1, 2]]);
    const step = () =>
      scope(() => {
        optimizer.zeroGrad();
        sum(model.forward(x)).backward();
        optimizer.step();
      });
    step();
    expect(model.weight.grad!.toArray()).toEqual([[1, 2]]);
    const before = model.bias!.item();
    const after = held();
    step();
    expect(model.bias!.item()).toBeCloseTo(before - 0.1 * 1.9, 6);
    expect(held()).toEqual(after);
    for (const item of [model, optimizer, x]) item.dispose();
  });

  test("frees a leaf that was made inside together with its gradient", () => {
    scope(() => {
      const x = tensor([1, 2], { requiresGrad: true });
      sum(x).backward();
    });
  });

  test("a step in a scope needs no dispose", () => {
    const model = new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 2));
    const step = () =>
      scope(() => {
        const loss = mseLoss(model.forward(zeros([5, 3])), zeros([5, 2]));
        loss.backward();
        return loss.item();
      });
    step();
    const before = held();
    for (let i = 0; i < 10; i++) step();
    expect(held()).toEqual(before);
    model.dispose();
  });
});

/** Calls a function in forward. */
class Call extends Module {
  constructor(readonly fn: (x: Tensor) => Tensor) {
    super();
  }
  forward(x: Tensor): Tensor {
    return this.fn(x);
  }
}

describe("modules", () => {
  const deep = () => new Sequential(new Linear(3, 8), new ReLU(), new Sequential(new Linear(8, 2)));

  test("under noGrad leave only the output", () => {
    const model = deep();
    const x = zeros([4, 3]);
    const before = memory().tensors;
    const y = noGrad(() => model.forward(x));
    expect(memory().tensors).toBe(before + 1);
    expect(y.shape).toEqual([4, 2]);
    for (const item of [model, x, y]) item.dispose();
  });

  test("in evaluation, still recorded, give everything back with backward", () => {
    const model = deep().eval();
    const x = zeros([4, 3]);
    const run = () => {
      const loss = sum(model.forward(x));
      loss.backward();
      loss.dispose();
    };
    run();
    const before = held();
    run();
    expect(held()).toEqual(before);
    for (const item of [model, x]) item.dispose();
  });

  test("say that they freed an intermediate, and how to keep it", () => {
    let hidden: Tensor | undefined;
    const model = new Call((x) => {
      hidden = mul(x, 2);
      return relu(hidden);
    });
    const x = tensor([1]);
    const y = model.forward(x);
    expect(() => relu(hidden!)).toThrow(
      "relu: the output of mul [1] was freed when its module returned; return it from forward()",
    );
    x.dispose();
    y.dispose();
  });

  test("that return their input leave it with its owner", () => {
    const model = new Sequential(new Call((x) => x), new ReLU());
    scope(() => {
      const x = tensor([7]);
      expect(model.forward(x).item()).toBe(7);
      expect(x.item()).toBe(7);
    });
  });

  test("keep in their fields what backward does not walk, such as a detached state", () => {
    let state: Tensor | undefined;
    const model = new Call((x) => {
      const h = relu(x);
      state = h.detach();
      return h;
    });
    const x = tensor([1, -1], { requiresGrad: true });
    const h = model.forward(x);
    const loss = sum(h);
    loss.backward();
    expect(state!.toArray()).toEqual([1, 0]);
    for (const t of [x, loss, state!]) t.dispose();
  });

  test("free what a failing forward pass had made", () => {
    const model = new Sequential(new ReLU(), new Linear(5, 2));
    const x = zeros([4, 3]);
    const before = held();
    expect(() => noGrad(() => model.forward(x))).toThrow();
    expect(() => scope(() => model.forward(x))).toThrow();
    expect(held()).toEqual(before);
    model.dispose();
    x.dispose();
  });
});
