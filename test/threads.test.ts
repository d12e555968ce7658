import { createHash } from "node:crypto";
import { afterAll, describe, expect, test, vi } from "vitest";
import {
  Adagrad,
  Adam,
  AdamW,
  BatchNorm1d,
  clipGradNorm,
  compile,
  crossEntropyLoss,
  Dropout,
  getRngState,
  init,
  LayerNorm,
  Linear,
  linear,
  manualSeed,
  matmul,
  NablasError,
  PReLU,
  ReLU,
  RMSprop,
  RReLU,
  randn,
  Sequential,
  SGD,
  scope,
  shutdown,
  softmax,
  type Tensor,
  tensor,
  threads,
} from "../src/index";
import { crew } from "../src/threads/threads";
import { finest } from "../src/threads/walk";
import { type Case, cases, draw, numbers, SEED, tensors, title, type Variant } from "./cases";

/** Of threads. */
const COUNTS = (process.env.NABLAS_COUNTS ?? "2,3,5,8").split(",").map(Number);

/** Starts threads that divide whatever can be divided, as finely as the kernels allow. */
async function start(count: number): Promise<void> {
  expect((await init({ threads: count })).threads).toBe(count);
  finest.grain = 8;
  crew!.divideAll();
}

afterAll(async () => {
  finest.grain = 16;
  await shutdown();
});

/** The bits of the elements: signs of zeros and NaN count, too. */
const bits = (t: Tensor | null) =>
  t === null
    ? "none"
    : createHash("sha1")
        .update(new Uint8Array(Float32Array.from(t.data).buffer))
        .digest("hex");

/** The bits of a case's result and gradients. */
function result(c: Case, variant: Variant): string[] {
  return scope(() => {
    const inputs = tensors(c, draw(c, variant), { requiresGrad: true });
    manualSeed(SEED);
    const y = c.run(inputs, variant);
    if (c.backward && y.requiresGrad) {
      y.backward({ gradient: tensor(Float32Array.from({ length: y.size }, numbers(3)), { shape: y.shape }) });
    }
    return [bits(y), ...inputs.map((x) => bits(x.grad)), String(getRngState())];
  });
}

/** Variants of so many elements or rows that sums have several blocks; not every op takes them. */
function large({ variants }: Case): Variant[] {
  const longer = (shape: readonly number[]) => [...shape.slice(0, -1), (shape.at(-1) ?? 1) * 20_011];
  const more = (shape: readonly number[]) => [(shape[0] ?? 1) * 211, ...shape.slice(1)];
  const { shapes, args } = variants[0]!;
  return [
    { shapes: shapes.map(longer), args },
    ...variants.map((variant) => ({ shapes: variant.shapes.map(more), args: variant.args })),
    ...variants.map((variant) => ({
      shapes: variant.shapes.map((s, i) => (i === 0 ? more(s) : s)),
      args: variant.args,
    })),
  ].filter((variant) =>
    variant.shapes.every((shape) => shape.length > 0 && shape.reduce((a, b) => a * b, 1) < 250_000),
  );
}

function attempt(c: Case, variant: Variant): string[] | undefined {
  try {
    return result(c, variant);
  } catch (error) {
    if (error instanceof NablasError) return undefined;
    throw error;
  }
}

describe("the bits are those of one thread", () => {
  const all = cases.flatMap((c) => [...c.variants, ...large(c)].map((variant) => ({ c, variant })));
  const one = new Map<object, string[] | undefined>();

  test("on one thread", async () => {
    await shutdown();
    for (const row of all) one.set(row, attempt(row.c, row.variant));
    expect([...one.values()].filter((bits) => bits !== undefined).length).toBeGreaterThan(700);
  });

  test.each(COUNTS)("of every op, on %i threads", async (count) => {
    await start(count);
    for (const row of all) {
      const { c, variant } = row;
      expect(attempt(c, variant), `${c.name} ${title(variant)}`).toEqual(one.get(row));
    }
  });
});

const optimizers: Record<string, (parameters: Tensor[]) => SGD | Adam | AdamW | RMSprop | Adagrad> = {
  SGD: (p) => new SGD(p, { lr: 0.1, weightDecay: 0.01 }),
  Nesterov: (p) => new SGD(p, { lr: 0.05, momentum: 0.9, nesterov: true }),
  Adam: (p) => new Adam(p, { lr: 0.01, amsgrad: true }),
  AdamW: (p) => new AdamW(p, { lr: 0.01, weightDecay: 0.1 }),
  RMSprop: (p) => new RMSprop(p, { lr: 0.01, centered: true, momentum: 0.5 }),
  Adagrad: (p) => new Adagrad(p, { lr: 0.05, lrDecay: 0.1 }),
};

/** The bits of losses and of everything that is learnt, after 200 steps. */
function trained(kind: string, compiled: boolean): string[] {
  return scope(() => {
    manualSeed(3);
    const model = new Sequential(
      new Linear(33, 70),
      new BatchNorm1d(70),
      new ReLU(),
      new Dropout({ p: 0.2 }),
      new Linear(70, 40),
      new LayerNorm(40),
      new RReLU(),
      new Linear(40, 24),
      new PReLU(),
      new Linear(24, 5),
    );
    const optimizer = optimizers[kind]!(model.parameters());
    const x = randn([50, 33]);
    const labels = tensor(Int32Array.from({ length: 50 }, (_, i) => i % 5));
    const step = (x: Tensor, labels: Tensor) => {
      const logits = model.forward(x);
      const loss = crossEntropyLoss(logits, labels);
      const share = softmax(logits.detach());
      optimizer.zeroGrad();
      loss.backward();
      clipGradNorm(model.parameters(), 1);
      optimizer.step();
      return { loss, share };
    };
    const run = compiled ? compile(step) : step;
    const seen: string[] = [];
    for (let i = 0; i < 200; i++) {
      scope(() => {
        const { loss, share } = run(x, labels);
        seen.push(bits(loss));
        if (i % 50 === 49) seen.push(bits(share));
      });
    }
    return [...seen, ...Object.values(model.stateDict()).map(bits), String(getRngState())];
  });
}

describe("200 training steps have the bits of one thread", () => {
  const kinds = Object.keys(optimizers);
  const one = new Map<string, string[]>();

  test("on one thread", async () => {
    await shutdown();
    for (const kind of kinds) {
      one.set(kind, trained(kind, false));
      expect(trained(kind, true)).toEqual(one.get(kind));
    }
  });

  test.each(COUNTS)("on %i threads", async (count) => {
    await start(count);
    for (const kind of kinds) {
      expect(trained(kind, false), `${kind}, eager`).toEqual(one.get(kind));
      expect(trained(kind, true), `${kind}, compiled`).toEqual(one.get(kind));
    }
    expect(threads()).toEqual({ count });
  });
});

describe("products of many terms have the bits of one thread", () => {
  const shapes = [
    [9001, 1, 40],
    [9001, 40, 1],
    [9001, 9, 70],
    [9001, 70, 33],
  ] as const;
  const one = new Map<object, string[]>();

  /** The bits of a layer's result and gradients over many rows, and of a product of as many columns. */
  const products = ([K, M, N]: (typeof shapes)[number]) =>
    scope(() => {
      manualSeed(4);
      const [x, w] = [randn([K, M]), randn([N, M])];
      for (const leaf of [x, w]) leaf.requiresGrad = true;
      const y = linear(x, w);
      const values = [y, matmul(x, y, { transposeA: true })].map(bits);
      y.mul(y).sum().backward();
      return [...values, bits(x.grad), bits(w.grad)];
    });

  test("on one thread", async () => {
    await shutdown();
    for (const shape of shapes) one.set(shape, products(shape));
  });

  test.each(COUNTS)("on %i threads", async (count) => {
    await start(count);
    for (const shape of shapes) expect(products(shape), shape.join(" x ")).toEqual(one.get(shape));
  });
});

test("a plan forks once for each stretch between searches", async () => {
  await start(2);
  const model = new Sequential(new Linear(20, 30), new ReLU(), new Linear(30, 5));
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const labels = tensor(Int32Array.from({ length: 40 }, (_, i) => i % 5));
  const x = randn([40, 20]);
  using step = compile((x: Tensor) => {
    const loss = crossEntropyLoss(model.forward(x), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  });
  step(x);
  const execute = vi.spyOn(crew!.pool, "execute");
  step(x);
  // The input is copied into place; then forward, the search for labels that are no class, and all the rest.
  expect(execute.mock.calls.map(([run]) => run.count > 1)).toEqual([true, true, true]);
  execute.mockRestore();
});
