import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import {
  Adagrad,
  Adam,
  AdamW,
  BatchNorm1d,
  clipGradNorm,
  compile,
  cosineLR,
  crossEntropyLoss,
  DisposedError,
  DomainError,
  Dropout,
  dataset,
  fit,
  gather,
  getRngState,
  Linear,
  loadCheckpoint,
  Module,
  manualSeed,
  matmul,
  memory,
  mseLoss,
  noGrad,
  ones,
  PlanError,
  PReLU,
  parameter,
  ReLU,
  RMSprop,
  RReLU,
  rand,
  randn,
  relu,
  Sequential,
  SGD,
  saveCheckpoint,
  scope,
  setRngState,
  softmax,
  type Tensor,
  tensor,
  zeros,
} from "../src/index";
import { type Case, cases, draw, numbers, SEED, tensors, title, type Variant } from "./cases";
import { nd } from "./reference";

/** The bits of the elements: signs of zeros and NaN count, too. */
const bits = (t: Tensor | null) =>
  t === null ? null : Array.from(new Uint32Array(Float32Array.from(t.data).buffer));

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

const optimizers: Record<string, (parameters: Tensor[]) => SGD | Adam | AdamW | RMSprop | Adagrad> = {
  SGD: (p) => new SGD(p, { lr: 0.1, weightDecay: 0.01 }),
  "SGD with momentum": (p) => new SGD(p, { lr: 0.05, momentum: 0.9, dampening: 0.1, l1: 0.001 }),
  Nesterov: (p) => new SGD(p, { lr: 0.05, momentum: 0.9, nesterov: true }),
  Adam: (p) => new Adam(p, { lr: 0.01, amsgrad: true }),
  AdamW: (p) => new AdamW(p, { lr: 0.01, weightDecay: 0.1 }),
  RMSprop: (p) => new RMSprop(p, { lr: 0.01, centered: true, momentum: 0.5 }),
  Adagrad: (p) => new Adagrad(p, { lr: 0.05, lrDecay: 0.1 }),
};

/** A network with everything that moves on by itself, and a step that clips, too. */
function network(kind: string) {
  manualSeed(3);
  const model = new Sequential(
    new Linear(6, 16),
    new BatchNorm1d(16, { momentum: null }),
    new ReLU(),
    new Dropout({ p: 0.3 }),
    new Linear(16, 8),
    new RReLU(),
    new Linear(8, 8, { bias: false }),
    new PReLU(),
    new Linear(8, 3),
  );
  const optimizer = optimizers[kind]!(model.parameters());
  const step = (x: Tensor, labels: Tensor) => {
    const logits = model.forward(x);
    const loss = crossEntropyLoss(logits, labels, { labelSmoothing: 0.1 });
    const probabilities = softmax(logits.detach());
    optimizer.zeroGrad();
    loss.backward();
    const norm = clipGradNorm(model.parameters(), 0.5);
    optimizer.step();
    return { loss, norm, probabilities };
  };
  return { model, optimizer, step };
}

const state = (model: Module) => Object.values(model.stateDict()).map((t) => [...t.data]);

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
    net.weight.grad!.data.fill(7);
    net.bias!.grad!.data.fill(7);
    net.zeroGrad();
    net.weight.grad!.data.fill(7);
    step(x);
    expect(net.bias!.grad!.toArray()).toEqual([1]);
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

describe("memory", () => {
  test("is given back by dispose", () => {
    const { model, optimizer, step } = network("Adam");
    const x = randn([8, 6]);
    const labels = tensor(new Int32Array(8));
    scope(() => void step(x, labels));
    const before = memory();
    const compiled = compile(step);
    compiled(x, labels);
    compiled(x, labels);
    expect(memory().bytes).toBeGreaterThan(before.bytes);
    compiled.dispose();
    expect({ ...memory(), reserved: 0 }).toEqual({ ...before, reserved: 0 });
    expect(compiled(x, labels).loss.item()).toBeGreaterThan(0);
    compiled.dispose();
    for (const owner of [model, optimizer, x, labels]) owner.dispose();
  });

  // In debug mode each call takes longer, and intermediates lie apart.
  const quick = test.skipIf(process.env.NABLAS_DEBUG === "1");

  quick("stays where it is over 1,000,000 replays, in JavaScript, too", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const heap = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const net = new Sequential(new Linear(2, 8), new ReLU(), new Linear(8, 1));
    const optimizer = new SGD(net.parameters(), { lr: 1e-3 });
    using step = compile((x: Tensor, y: Tensor) => {
      const loss = mseLoss(net.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    });
    const [x, y] = [randn([4, 2]), rand([4, 1])];
    step(x, y);
    for (let i = 0; i < 10_000; i++) step(x, y);
    const before = { memory: memory(), heap: heap() };
    for (let i = 0; i < 1_000_000; i++) step(x, y);
    expect(memory()).toEqual(before.memory);
    // The smallest object in each replay would be 16 MB; what the engine and the test runner keep moves by some kB.
    expect(heap() - before.heap).toBeLessThan(1_000_000);
  });

  quick("of intermediates is shared by those that do not live together", () => {
    const x = rand([1000]);
    using f = compile((t: Tensor) => {
      let y = t;
      for (let i = 0; i < 10; i++) y = relu(y).add(1);
      return y;
    });
    f(x);
    const [, shared, apart] = f.describe().match(/intermediates: (\d+) bytes shared, (\d+) bytes apart/)!;
    expect(Number(apart)).toBeGreaterThanOrEqual(20 * 4000);
    expect(Number(shared)).toBeLessThanOrEqual(3 * 4000);
    x.dispose();
  });
});

describe("over a dataset", () => {
  const rows = 26;
  const data = scope(() => {
    manualSeed(2);
    return dataset(
      randn([rows, 6]),
      Array.from({ length: rows }, (_, i) => i % 3),
    );
  });
  const options = { batchSize: 8, seed: 4 };

  test.each([false, true])("run does the steps that fit does, dropLast: %s", async (dropLast) => {
    const [a, b, c] = [network("AdamW"), network("AdamW"), network("AdamW")];
    manualSeed(8);
    for await (const _ of fit((x, y) => a.step(x, y).loss, data, { ...options, dropLast, epochs: 3 }));
    const random = [...getRngState()];
    manualSeed(8);
    const compiled = compile(b.step);
    for await (const _ of fit((x, y) => compiled(x, y).loss, data, { ...options, dropLast, epochs: 3 }));
    manualSeed(8);
    using step = compile(c.step);
    using batches = step.over(data, { ...options, dropLast });
    expect(batches.batches).toBe(dropLast ? 3 : 4);
    batches.run(5);
    expect([batches.epoch, batches.batch]).toEqual(dropLast ? [1, 2] : [1, 1]);
    const { loss } = batches.run(3 * batches.batches - 5);
    expect(loss.shape).toEqual([]);
    expect([...getRngState()]).toEqual(random);
    expect(state(b.model)).toEqual(state(a.model));
    expect(state(c.model)).toEqual(state(a.model));
  });

  test.each([true, false])("a checkpoint goes on with the batch that comes next, shuffle: %s", (shuffle) => {
    const run = () => {
      const { model, optimizer, step } = network("AdamW");
      const compiled = compile((x: Tensor, y: Tensor) => step(x, y).loss);
      return { model, optimizer, batches: compiled.over(data, { batchSize: 8, shuffle }) };
    };
    const [whole, first] = [run(), run()];
    manualSeed(6);
    whole.batches.run(13);
    manualSeed(6);
    first.batches.run(6);
    const bytes = saveCheckpoint({ ...first });
    const second = run();
    second.batches.loadStateDict({ ...second.batches.stateDict(), seed: shuffle ? 1 : 0 });
    loadCheckpoint(bytes, { ...second });
    expect([second.batches.epoch, second.batches.batch]).toEqual([1, 2]);
    second.batches.run(7);
    expect(state(second.model)).toEqual(state(whole.model));
    for (const { batches } of [whole, first, second]) batches.dispose();
  });

  test("a state that does not fit is refused, and changes nothing", () => {
    using step = compile((x: Tensor, y: Tensor) => crossEntropyLoss(x, y));
    using batches = step.over(data, { batchSize: 8, seed: 1 });
    batches.run(2);
    const good = batches.stateDict();
    const refused = (change: object, error: string) =>
      expect(() => batches.loadStateDict({ ...good, ...change })).toThrow(error);
    refused({ rows: 27 }, "over: expected the state of batches with rows 26, got 27");
    refused({ dropLast: true }, "over: expected the state of batches with dropLast false, got true");
    refused({ batch: 4 }, "over: expected an integer from 0 to 3 for the state's batch, got 4");
    refused({ seed: -1 }, "for the state's seed, got -1");
    expect(() => batches.loadStateDict(null as never)).toThrow("over.loadStateDict: expected an object");
    expect(batches.stateDict()).toEqual(good);
  });

  test("goes on when a mode changes or the plan is gone, and gives its memory back", () => {
    const { model, step } = network("SGD");
    scope(() => void step(data.batch().x, data.batch().y));
    const before = memory();
    const compiled = compile(step);
    const batches = compiled.over(data, { batchSize: 13 });
    batches.run(4);
    model.eval();
    batches.run();
    compiled.dispose();
    model.train();
    batches.run(2);
    expect(() => batches.run(0)).toThrow("run: expected an integer ≥ 1, got 0");
    compiled.dispose();
    batches.dispose();
    expect({ ...memory(), reserved: 0 }).toEqual({ ...before, reserved: 0 });
    expect(() => compiled.over(data, { batchSize: 0 })).toThrow("over: batchSize is an integer ≥ 1, got 0");
    expect(() => batches.run()).toThrow(DisposedError);
  });
});

describe("describe", () => {
  test("lists the kernels that remain, with shapes and names", () => {
    const net = new Sequential(new Linear(2, 8), new ReLU(), new Linear(8, 1));
    const optimizer = new SGD(net.parameters());
    using step = compile((x: Tensor, y: Tensor) => {
      const loss = mseLoss(net.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    });
    step(randn([4, 2]), rand([4, 1]));
    const text = step.describe();
    expect(text).toContain("plan for [4, 2], [4, 1]");
    expect(text).toMatch(/linearReluForward .*0\.bias \[8\]/);
    expect(text).toMatch(/linearReluBackward/);
    expect(text).toMatch(/matmul .* input 0 \[4, 2\], d 0\.weight \[8, 2\]/);
    expect(text).toMatch(/sgdStep +d 0\.weight \[8, 2\], 0\.weight \[8, 2\]/);
    expect(text).not.toContain("reluForward ");
    expect(text.match(/ zero /g)).toHaveLength(1);
  });
});
