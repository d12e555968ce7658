import { describe, expect, test } from "vitest";
import {
  argmax,
  concat,
  crossEntropyLoss,
  exp,
  full,
  gradcheck,
  Linear,
  Module,
  mapeLoss,
  matmul,
  mean,
  memory,
  mseLoss,
  msleLoss,
  mul,
  NablasError,
  noGrad,
  ones,
  parameter,
  ReLU,
  rand,
  relu,
  reshape,
  Sequential,
  SGD,
  scope,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../src/index";
import { held } from "./held";

describe("products without rows or columns", () => {
  test.each([
    [[0, 64], [512, 64], true],
    [[5, 0, 64], [64, 512], false],
    [[64, 32], [0, 32], true],
    [[4, 0], [0, 8], false],
  ])("%j · %j, transposed: %j, writes nothing outside and goes back", (a, b, transposeB) => {
    scope(() => {
      const bystander = rand([60_000]);
      const before = Float32Array.from(bystander.data);
      const [x, w] = [rand(a, { requiresGrad: true }), rand(b, { requiresGrad: true })];
      const y = matmul(x, w, { transposeB });
      expect([...y.data].every((v) => v === 0)).toBe(true);
      sum(y).backward();
      expect(bystander.data).toEqual(before);
      expect(exp(tensor([1])).item()).toBeCloseTo(Math.E, 6);
    });
  });

  test("an empty last batch passes through a layer", () => {
    expect(scope(() => new Linear(64, 10).forward(zeros([0, 64]))).shape).toEqual([0, 10]);
  });
});

test("the gradient of mseLoss is finite where 2 (p − t) is not", () => {
  scope(() => {
    const p = tensor([3e38, 0, 0, 0], { requiresGrad: true });
    mseLoss(p, zeros([4])).backward();
    expect(p.grad!.toArray()).toEqual([Math.fround(3e38) / 2, 0, 0, 0]);
  });
});

describe("reserved memory", () => {
  // A linear congruential generator: the sizes are the same in every run.
  let seed = 1;
  const random = (n: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed % n;
  };

  test("stays small for batches of any size while losses are collected", () => {
    const w = ones([64], { requiresGrad: true });
    const losses: Tensor[] = [];
    const before = memory().reserved;
    for (let i = 0; i < 3000; i++) {
      const x = ones([1 + random(1000), 64]);
      const loss = mean(relu(mul(x, w)));
      loss.backward();
      x.dispose();
      losses.push(loss);
    }
    expect(memory().reserved - before).toBeLessThan(8e6);
    for (const t of [...losses, w]) t.dispose();
  });
});

describe("what callers may do with their arguments", () => {
  test("empty the array given to concat", () => {
    const w = tensor([2, 3], { requiresGrad: true });
    const parts = [w.mul(3), w.mul(4)];
    const y = concat(parts);
    parts.length = 0;
    y.sum().backward();
    expect(w.grad!.toArray()).toEqual([7, 7]);
  });

  test("make tensors of a view, even when that makes memory grow", () => {
    scope(() => {
      const x = ones([100_000]);
      for (let i = 0; i < 20; i++) expect(tensor(x.data).data[99_999]).toBe(1);
    });
  });

  test("set a gradient, of the right shape alone", () => {
    const w = tensor([1, 2], { requiresGrad: true });
    expect(() => {
      w.grad = zeros([1]);
    }).toThrow("grad: expected [2] as the tensor has, got [1]");
    w.grad = ones([2]);
    sum(w).backward();
    expect(w.grad!.toArray()).toEqual([2, 2]);
  });
});

describe("modules inside modules", () => {
  class Sum extends Module {
    state: Tensor | null = null;
    forward(x: Tensor): Tensor {
      const y = this.state === null ? x.mul(1) : x.add(this.state);
      this.state = y.detach().clone();
      return y;
    }
  }

  test("keep the state in their fields, recorded or not", () => {
    const model = new Sequential(new Sum(), new ReLU());
    const x = tensor([1], { requiresGrad: true });
    const values = [1, 2, 3].map(() => {
      const y = model.forward(x);
      y.backward();
      return y.item();
    });
    expect(values).toEqual([1, 2, 3]);
    expect(noGrad(() => model.forward(x)).item()).toBe(4);
    expect(noGrad(() => model.forward(x)).item()).toBe(5);
  });

  test("release the constants of a recorded pass when it has been walked back", () => {
    class Noisy extends Module {
      readonly w = parameter(ones([1000]));
      forward(x: Tensor): Tensor {
        return x.mul(this.w).mul(rand([1000]));
      }
    }
    const model = new Noisy();
    const x = ones([1000]);
    const step = () => {
      const loss = sum(model.forward(x));
      loss.backward();
      loss.dispose();
    };
    step();
    const before = held();
    for (let i = 0; i < 10; i++) step();
    expect(held()).toEqual(before);
  });

  test("return plain objects whose constants live until they are walked back", () => {
    class Masked extends Module {
      readonly w = parameter(ones([2]));
      override forward(): never {
        return { out: this.w.mul(tensor([1, 0])) } as never;
      }
    }
    const model = new Masked();
    const { out } = model.forward() as { out: Tensor };
    out.sum().backward();
    expect(model.w.grad!.toArray()).toEqual([1, 0]);
  });

  test("refuse options that they do not take", () => {
    const Loose = ReLU as new (options: unknown) => ReLU;
    expect(() => new Loose({ inplace: true })).toThrow(/ReLU: unknown option "inplace"/);
  });
});

describe("numbers far apart", () => {
  test.each([
    [0, 5e5],
    [1, 3e5],
    [0, 2e7],
    [2e7, 0],
    [1e30, 1e-3],
  ])("msleLoss of %f and %f", (p, t) => {
    const [pc, tc] = [Math.max(Math.fround(p), 1e-7), Math.max(Math.fround(t), 1e-7)];
    const want = (Math.log1p(pc) - Math.log1p(tc)) ** 2;
    expect(msleLoss(tensor([p]), tensor([t])).item() / want).toBeCloseTo(1, 5);
  });

  test("mapeLoss of opposite ends is 200 %", () => {
    expect(mapeLoss(tensor([3e38]), tensor([-3e38])).item()).toBeCloseTo(200, 4);
  });

  test("sum over dimensions that are not neighbours, past what float32 holds on the way", () => {
    const x = tensor([
      [
        [3e38, 3e38],
        [1, 1],
      ],
      [
        [-3e38, -3e38],
        [1, 1],
      ],
    ]);
    expect(sum(x, { dim: [0, 2] }).toArray()).toEqual([0, 4]);
    expect(sum(x, { dim: [0, 2], keepdim: true }).shape).toEqual([1, 2, 1]);
  });

  test("the mean of ones is one", () => {
    for (let n = 1; n < 400; n++) expect(scope(() => mean(ones([n])).item())).toBe(1);
  });

  test.each([8, 15, 20])("cross-entropy with a distribution at a lead of %d keeps its gradient", (lead) => {
    const z = tensor([[lead, 0, 0]], { requiresGrad: true });
    crossEntropyLoss(z, tensor([[1, 0, 0]])).backward();
    const rest = (2 * Math.exp(-lead)) / (1 + 2 * Math.exp(-lead));
    expect(z.grad!.data[0]! / -rest).toBeCloseTo(1, 5);
  });
});

describe("arguments of the wrong kind", () => {
  const logits = tensor([
    [5, 0],
    [0, 5],
  ]);
  const w = tensor([1], { requiresGrad: true });

  test.each<[string, () => unknown]>([
    ["ignoreIndex null", () => crossEntropyLoss(logits, [0, 0], { ignoreIndex: null as never })],
    ["ignoreIndex 1.5", () => crossEntropyLoss(logits, [0, 0], { ignoreIndex: 1.5 })],
    ["targets null", () => crossEntropyLoss(logits, null as never)],
    ["data null", () => tensor(null as never)],
    ["a shape in several arguments", () => (reshape as (...a: unknown[]) => unknown)(logits, 2, 2)],
    ["options of add", () => (mul as (...a: unknown[]) => unknown)(logits, logits, { alpha: 5 })],
    ["a value that is no number", () => full([2], "x" as never)],
    ["keepdim as text", () => sum(logits, { keepdim: "no" as never })],
    ["no function", () => scope(null as never)],
    ["a step that is no module", () => gradcheck(5 as never, [w])],
    ["bias as text", () => new Linear(2, 2, { bias: "no" as never })],
    ["init that is no function", () => new Linear(2, 2, { init: 5 as never })],
    ["a parameter that is no tensor", () => parameter([1] as never)],
    ["a disposed loss", () => backwardOfDisposed()],
  ])("%s", (_, fn) => {
    expect(fn).toThrow(NablasError);
  });

  function backwardOfDisposed(): void {
    const loss = sum(w);
    loss.dispose();
    loss.backward();
  }

  test("null stands for an option that has no default", () => {
    expect(crossEntropyLoss(logits, [0, 1], { weight: null as never }).item()).toBeCloseTo(0.0067153, 6);
  });
});

test("a scalar has an argmax", () => {
  expect(argmax(tensor(3), { dim: 0 }).toArray()).toBe(0);
});

test("gradcheck leaves the random numbers where they were", () => {
  const next = () => rand([1]).item();
  const w = tensor([1, 2], { requiresGrad: true });
  const optimizer = new SGD([w]);
  const [a, b] = [next(), next()];
  expect(a).not.toBe(b);
  gradcheck((x) => x.square(), [w]);
  optimizer.step();
  expect(w.grad).toBeNull();
});
