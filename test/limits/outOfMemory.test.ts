// Linear memory that is full, in truth: it may not grow, and all of it is taken but for a budget. With every budget from
// nothing to enough each of these either works or says OutOfMemoryError, and then everything is as before.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  Adam,
  BatchNorm1d,
  compile,
  crossEntropyLoss,
  dataset,
  fit,
  init,
  Linear,
  loadCheckpoint,
  matmul,
  memory,
  mul,
  OutOfMemoryError,
  ReLU,
  Sequential,
  SGD,
  saveCheckpoint,
  scope,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index";
import { Buffer, settled } from "../../src/memory";
import { held, heldForGood } from "../held";

/** A buffer of this test's, not of an op under way. */
function kept(elements: number): Buffer {
  const buffer = new Buffer(elements);
  settled();
  return buffer;
}

/** Takes all that is free and forbids memory to grow. The largest pieces come first. */
function fillMemory(): Buffer[] {
  vi.spyOn(WebAssembly.Memory.prototype, "grow").mockImplementation(() => {
    throw new RangeError("no more");
  });
  const taken: Buffer[] = [];
  for (let elements = 2 ** 24; elements >= 4; elements /= 2) {
    for (;;) {
      try {
        taken.push(kept(elements));
      } catch {
        break;
      }
    }
  }
  return taken;
}

/** Runs `attempt` with more and more memory until it works. `state` is what has to be as before if it fails. */
function withBudgets(attempt: () => void, state: () => unknown = () => 0): number {
  let failures = 0;
  for (let budget = 0; budget < 1500; budget = Math.ceil(budget * 1.1) + 1) {
    vi.restoreAllMocks();
    const places = Array.from({ length: budget }, () => kept(272));
    const all = fillMemory();
    for (const place of places) place.free("dispose");
    const before = { ...held(), state: state() };
    try {
      attempt();
      return failures;
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
      failures++;
      expect({ ...held(), state: state() }, `with ${budget} places`).toEqual(before);
    } finally {
      for (const buffer of all) buffer.free("dispose");
      vi.restoreAllMocks();
    }
  }
  throw new Error("never enough");
}

const rows = 24;
const inputs = Array.from({ length: rows }, (_, i) =>
  Array.from({ length: 12 }, (_, j) => Math.sin(i * 12 + j)),
);
const labels = Array.from({ length: rows }, (_, i) => i % 3);

const net = () => new Sequential(new Linear(12, 40), new BatchNorm1d(40), new ReLU(), new Linear(40, 3));
const numbersOf = (model: Sequential) => Object.values(model.stateDict()).map((t) => [...t.data]);

beforeEach(() => {
  vi.restoreAllMocks();
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("when memory is full", () => {
  test("what lives goes on, and what is freed can be had again", () => {
    const model = net();
    const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const x = tensor(inputs);
    const step = () =>
      scope(() => {
        const loss = crossEntropyLoss(model.forward(x), labels);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss.item();
      });
    const first = step();
    const large = zeros([2 ** 20]);
    const taken = fillMemory();
    const before = held();
    expect(() => mul(large, 2)).toThrow(OutOfMemoryError);
    expect(step).toThrow(OutOfMemoryError);
    expect(held()).toEqual(before);
    large.dispose();
    expect(step()).toBeLessThan(first);
    const another = zeros([2 ** 19]);
    expect(another.data[2 ** 19 - 1]).toBe(0);
    for (const buffer of taken) buffer.free("dispose");
    for (const item of [another, model, optimizer, x]) item.dispose();
  });

  test("a compiled step that has its memory goes on, and one that has not is recorded later", () => {
    const model = net();
    const optimizer = new Adam(model.parameters());
    const step = compile((x: Tensor, y: Tensor) => {
      const loss = crossEntropyLoss(model.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    });
    const [x, y] = [tensor(inputs), tensor(labels, { dtype: "i32" })];
    const [few, fewer] = [tensor(inputs.slice(1)), tensor(labels.slice(1), { dtype: "i32" })];
    const first = step(x, y).item();
    const taken = fillMemory();
    const before = held();
    for (let i = 0; i < 10; i++) expect(() => step(few, fewer)).toThrow(OutOfMemoryError);
    expect(held()).toEqual(before);
    let last = first;
    for (let i = 0; i < 20; i++) last = step(x, y).item();
    expect(last).toBeLessThan(first);
    for (const buffer of taken) buffer.free("dispose");
    expect(step(few, fewer).item()).toBeGreaterThan(0);
    for (const item of [step, model, optimizer, x, y, few, fewer]) item.dispose();
  });

  test("the error says how much was wanted, what is held, and in debug mode which are the largest", async () => {
    const large = zeros([3, 1000, 1000]);
    const [column, row] = [zeros([500, 1]), zeros([1, 1000])];
    const taken = fillMemory();
    const { bytes, reserved, tensors } = memory();
    const wanted = "[500, 1000]: cannot allocate 2000000 bytes";
    expect(() => matmul(column, row)).toThrow(
      `${wanted}: ${tensors} tensors hold ${bytes} of ${reserved} bytes, and linear memory ends at 4 GiB at most; `,
    );
    for (const buffer of taken) buffer.free("dispose");
    vi.restoreAllMocks();
    await init({ debug: true });
    const mine = zeros([2, 1000, 1000]);
    expect(() => zeros([2 ** 31])).toThrow(
      /^zeros \[2147483648\]: cannot allocate 8589934592 bytes: .*\n8000000 bytes were made\n {4}at .*outOfMemory.test/s,
    );
    await init({ debug: false });
    expect(() => zeros([2 ** 31])).toThrow(/init\(\{ debug: true \}\) tells which live$/);
    for (const t of [large, mine, column, row]) t.dispose();
  });
});

describe("with every budget", () => {
  test("a step of training is made, or the error leaves weights and memory as they were", () => {
    const model = net();
    const optimizer = new Adam(model.parameters());
    const x = tensor(inputs);
    const failures = withBudgets(
      () =>
        scope(() => {
          const loss = crossEntropyLoss(model.forward(x), labels);
          optimizer.zeroGrad();
          loss.backward();
          optimizer.step();
        }),
      () => model.parameters().map((t) => [...t.data]),
    );
    expect(failures).toBeGreaterThan(5);
    for (const item of [model, optimizer, x]) item.dispose();
  });

  test("a compiled step is recorded, or nothing of it stays", () => {
    const model = net();
    const optimizer = new Adam(model.parameters());
    const [x, y] = [tensor(inputs), tensor(labels, { dtype: "i32" })];
    const run = (a: Tensor, b: Tensor) => {
      const loss = crossEntropyLoss(model.forward(a), b);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return { loss, twice: [mul(loss, 2)] };
    };
    scope(() => run(x, y)); // gradients and averages, which stay
    const step = compile(run);
    const failures = withBudgets(() => void step(x, y));
    expect(failures).toBeGreaterThan(5);
    expect(step(x, y).twice[0]!.item()).toBeCloseTo(2 * step(x, y).loss.item(), 0);
    const data = dataset(inputs, labels);
    const runs = withBudgets(() => {
      using plans = compile(run);
      using batches = plans.over(data, { batchSize: 7, seed: 1 });
      batches.run(8);
    });
    expect(runs).toBeGreaterThan(3);
    for (const item of [step, model, optimizer, x, y]) item.dispose();
  });

  test("a checkpoint is loaded whole or not at all", () => {
    const [from, to] = [net(), net()].map((model) => ({ model, optimizer: new Adam(model.parameters()) }));
    const x = tensor(inputs);
    scope(() => {
      crossEntropyLoss(from!.model.forward(x), labels).backward();
      from!.optimizer.step();
    });
    const saved = saveCheckpoint(from!);
    const { model } = to!;
    const failures = withBudgets(
      () => {
        using optimizer = new Adam(model.parameters());
        loadCheckpoint(saved, { model, optimizer });
        expect(Object.values(optimizer.stateDict().state)).toHaveLength(6);
      },
      () => ({ weights: numbersOf(model), gradients: model.parameters().map(({ grad }) => grad === null) }),
    );
    expect(failures).toBeGreaterThan(3);
    expect(numbersOf(model)).toEqual(numbersOf(from!.model));
    expect(model.parameters().every(({ grad }) => grad?.fate === undefined)).toBe(true);
    for (const item of [x, ...Object.values(from!), ...Object.values(to!)]) item.dispose();
  });

  test("rows become batches, or none of them stays", () => {
    const data = dataset(inputs, labels);
    expect(
      withBudgets(() => {
        for (const { x } of data.batches({ batchSize: 9 })) expect(x.shape[1]).toBe(12);
      }),
    ).toBeGreaterThan(0);
    expect(withBudgets(() => void data.map((x) => mul(x, 2)))).toBeGreaterThan(1);
  });
});

test("fit that runs out of memory in a step throws it, and leaves the state as it was", async () => {
  const model = net();
  const optimizer = new Adam(model.parameters());
  const data = dataset(inputs, labels);
  let grow = false;
  const hogs: Tensor[] = [];
  const step = (x: Tensor, y: Tensor) => {
    while (grow) hogs.push(zeros([2 ** 12]));
    const loss = crossEntropyLoss(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  const run = async () => {
    for await (const { loss } of fit(step, data, { epochs: 3, model, optimizer, health: true }))
      expect(loss).toBeLessThan(5);
  };
  await run();
  const before = await heldForGood();
  const taken = fillMemory();
  grow = true;
  await expect(run()).rejects.toThrow(OutOfMemoryError);
  grow = false;
  for (const buffer of taken) buffer.free("dispose");
  vi.restoreAllMocks();
  expect(held()).toEqual(before);
  expect(model.training).toBe(true);
  await run();
  for (const item of [model, optimizer]) item.dispose();
});
