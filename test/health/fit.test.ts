// What fit sees while it trains.
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Dataset, Epoch, Finding, FitOptions, Step, Tensor } from "../../src/index";
import * as n from "../../src/index";
import { Budget } from "../../src/pace";
import { observer } from "../../src/recording";
import { held, heldForGood } from "../held";
import { kaiming, layers } from "./networks";

afterEach(() => vi.restoreAllMocks());

async function all(epochs: AsyncIterable<Epoch>): Promise<number[]> {
  const losses: number[] = [];
  for await (const { loss } of epochs) losses.push(loss);
  return losses;
}

/** Points with classes, a model and its step; with `last` at its end. */
function trainee({ lr = 0.05, last = [] as n.Module[] } = {}) {
  n.manualSeed(7);
  const points = Array.from({ length: 64 }, (_, i) => [
    Math.SQRT2 * Math.sin(7 * i),
    Math.SQRT2 * Math.cos(3 * i),
  ]);
  const data = n.dataset(
    points,
    points.map(([a, b]) => Number(a! + b! > 0)),
  );
  const model = new n.Sequential(...layers([2, 16, 2], () => new n.Tanh(), kaiming), ...last);
  const optimizer = new n.SGD(model.parameters(), { lr, momentum: 0.9 });
  const step: Step = (x, y) => {
    const loss = n.crossEntropyLoss(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  return { data, model, step };
}

describe("health", () => {
  test("warns of each finding once, by default on the console", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const sick = trainee({ last: [new n.Softmax()] });
    await all(n.fit(sick.step, sick.data, { epochs: 2, health: { every: 1 } }));
    const told = warn.mock.calls.map(([message]) => message as string);
    expect(
      told.filter((message) =>
        message.startsWith("nablas: loss-mismatch: layer 3 (Softmax): crossEntropyLoss takes"),
      ),
    ).toHaveLength(1);
    expect(new Set(told).size).toBe(told.length);

    warn.mockClear();
    const healthy = trainee();
    await all(n.fit(healthy.step, healthy.data, { epochs: 3, health: true }));
    expect(warn).not.toHaveBeenCalled();
  });

  test("watches every k steps, or as often as the time allows", async () => {
    const watchedOf = async (health: FitOptions["health"]) => {
      const { data, step } = trainee();
      const watched: boolean[] = [];
      const noting: Step = (x, y) => {
        watched.push(observer !== undefined);
        return step(x, y);
      };
      await all(n.fit(noting, data, { batchSize: 8, ...(health === undefined ? {} : { health }) }));
      return watched.map(Number).join("");
    };
    expect(await watchedOf({ every: 3 })).toBe("10010010");
    expect(await watchedOf(undefined)).toBe("00000000");
    expect(await watchedOf(false)).toBe("00000000");
    expect(await watchedOf(true)).toMatch(/^10+$/);
  });

  test("trains to the same bits, compiled or not, and leaves nothing behind", async () => {
    const losses: number[][] = [];
    for (const health of [false, { every: 3 }, { every: 1 }]) {
      for (const make of [(step: Step) => step, (step: Step) => n.compile(step) as unknown as Step]) {
        const { data, model, step } = trainee();
        const made = make(step);
        losses.push(await all(n.fit(made, data, { epochs: 4, batchSize: 16, seed: 3, health })));
        (made as { dispose?: () => void }).dispose?.();
        model.dispose();
      }
    }
    for (const list of losses) expect(list).toEqual(losses[0]);
  });

  test("sees through compiled steps, and holds no memory", async () => {
    const { data, step } = trainee({ last: [new n.Sigmoid()] });
    const compiled = n.compile(step) as unknown as Step;
    const found: Finding[] = [];
    const health = { every: 2, onFinding: (finding: Finding) => found.push(finding) };
    await all(n.fit(compiled, data, { health }));
    const before = await heldForGood();
    await all(n.fit(compiled, data, { epochs: 3, health }));
    expect(held()).toEqual(before);
    expect(found.map(({ code, layer }) => `${code} ${layer}`)).toContain("loss-mismatch 3");
  });

  test("refuses other options", () => {
    const { data, step } = trainee();
    expect(() => n.fit(step, data, { health: 3 as never })).toThrow(/health is true, false or/);
    expect(() => n.fit(step, data, { health: { every: 0.5 } })).toThrow(/every is an integer ≥ 1, got 0.5/);
    expect(() => n.fit(step, data, { health: { each: 1 } as never })).toThrow(/unknown option "each"/);
  });

  test("a budget keeps to its share of the time", () => {
    let now = 1000;
    vi.spyOn(performance, "now").mockImplementation(() => now);
    const budget = new Budget(0.03);
    let spent = 0;
    for (let step = 0; step < 20_000; step++) {
      now += 1;
      if (!budget.due()) continue;
      budget.spend(() => {
        now += 2;
        spent += 2;
      });
    }
    expect(spent / (now - 1000)).toBeLessThan(0.03);
    expect(spent / (now - 1000)).toBeGreaterThan(0.02);
  });
});

/** The error that a training ends with. */
async function failure(step: Step, data: Dataset, options: FitOptions): Promise<n.NonFiniteError> {
  const error = await all(n.fit(step, data, { shuffle: false, batchSize: 16, ...options })).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(n.NonFiniteError);
  return error as n.NonFiniteError;
}

const hasFinite = (model: n.Module) => model.parameters().every((p) => [...p.data].every(Number.isFinite));

describe("health knows the step taken", () => {
  /** The value of the finding that a step is too large, of the first step of an optimizer. */
  async function tooLarge(make: (model: n.Module) => { zeroGrad(): void; step(): void }) {
    const { data, model } = trainee();
    const optimizer = make(model);
    const before = model.parameters().map((p) => [...p.data]);
    const changes: number[] = [];
    const step: Step = (x, y) => {
      const loss = n.crossEntropyLoss(model.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      for (const i of [0, 2]) {
        const { data: now, shape } = model.parameters()[i]!;
        const norm = Math.max(Math.hypot(...before[i]!), Math.sqrt(shape[0]! / 3));
        changes.push(Math.hypot(...[...now].map((w, k) => w - before[i]![k]!)) / norm);
      }
      return loss;
    };
    const found: Finding[] = [];
    const health = { every: 1, onFinding: (finding: Finding) => found.push(finding) };
    await all(n.fit(step, data, { batchSize: 64, health }));
    return { found: found.filter(({ code }) => code === "exploding-gradient"), most: Math.max(...changes) };
  }

  test("whatever the optimizer, its learning rate and what is done to the gradients", async () => {
    const large = [
      await tooLarge((model) => new n.SGD(model.parameters(), { lr: 50 })),
      await tooLarge((model) => new n.Adam(model.parameters(), { lr: 3 })),
    ];
    for (const { found, most } of large) {
      expect(found).toHaveLength(1);
      expect(found[0]!.value / most).toBeCloseTo(1, 5);
      expect(found[0]!.advice).toMatch(/^layer \d \(Linear\): the step changed the weight by \d/);
    }
    const small = [
      await tooLarge((model) => new n.SGD(model.parameters(), { lr: 0.1 })),
      await tooLarge((model) => new n.Adam(model.parameters(), { lr: 0.01 })),
      await tooLarge((model) => {
        const optimizer = new n.SGD(model.parameters(), { lr: 50 });
        const step = () => {
          n.clipGradNorm(model.parameters(), 1e-3);
          optimizer.step();
        };
        return { zeroGrad: () => optimizer.zeroGrad(), step };
      }),
    ];
    for (const { found, most } of small) {
      expect(most).toBeLessThan(1);
      expect(found).toEqual([]);
    }
  });
});

describe("stopOnNaN", () => {
  test("leaves a training that goes on with a lower learning rate, from the checkpoint or at once", async () => {
    const { data, model } = trainee();
    const optimizer = new n.SGD(model.parameters(), { lr: 1e6, momentum: 0.99 });
    const step: Step = (x) => {
      const loss = model.forward(x).square().mean();
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    };
    const error = await failure(step, data, { model, optimizer, epochs: 20 });
    for (const group of optimizer.groups) group.lr = 1e-3;
    const losses = await all(n.fit(step, data, { model, epochs: 2 }));
    expect(losses.every(Number.isFinite), String(losses)).toBe(true);

    const fresh = trainee().model;
    const anew = new n.SGD(fresh.parameters(), { lr: 1e-3 });
    const training = n.fit(step, data, { model, shuffle: false, batchSize: 16, epochs: 20 });
    n.loadCheckpoint(error.checkpoint!, { model: fresh, optimizer: anew, training });
    expect(anew.groups[0]).toMatchObject({ lr: 1e6, momentum: 0.99 });
    expect(hasFinite(fresh)).toBe(true);
    expect(training.steps).toBeLessThan(20 * 4);
  });

  test("without the optimizer leaves its state as it is", async () => {
    const { data, model } = trainee();
    const optimizer = new n.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const step: Step = (x, y) => {
      const loss = n.crossEntropyLoss(model.forward(x).mul(Number.NaN), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    };
    const error = await failure(step, data, { model });
    expect(hasFinite(model)).toBe(true);
    const momenta = Object.values(optimizer.stateDict().state).map((s) => Object.values(s)[0]!);
    expect(momenta.every((t) => [...t.data].some(Number.isNaN))).toBe(true);
    expect(() => n.loadCheckpoint(error.checkpoint!, { optimizer })).toThrow(/no state of "optimizer"/);
  });

  test("names the row of the data, with or without a model", async () => {
    const { model, step } = trainee();
    const rows = Array.from({ length: 64 }, (_, i) => [i === 37 ? Number.NaN : Math.sin(i), Math.cos(i)]);
    const data = n.dataset(
      rows,
      rows.map((_, i) => i % 2),
    );
    const known = await failure(step, data, { model });
    expect(known.message).toMatch(
      /^fit: the loss is NaN in epoch 0, batch 2; inputs: the number in row 37, column 0 of the data set is NaN/,
    );
    expect(known.finding).toMatchObject({ code: "non-finite", layer: "inputs" });
    expect(hasFinite(model)).toBe(true);
    const unknown = await failure(trainee().step, data, {});
    expect(unknown.message).toMatch(/inputs: the number in row 37/);
    expect(unknown.checkpoint).toBeUndefined();
  });

  test("names layer and op, and has the last good checkpoint", async () => {
    class Log extends n.Module {
      forward(x: Tensor): Tensor {
        return n.log(x);
      }
    }
    const { data, model, step } = trainee({ last: [new Log()] });
    const start = model.parameters().map((p) => [...p.data]);
    for (const made of [step, n.compile(step) as unknown as Step]) {
      const error = await failure(made, data, { model });
      expect(error.message).toMatch(
        /epoch 0, batch 0; layer 3 \(Log\): the output of log in row \d+, column \d is NaN/,
      );
      expect(model.parameters().map((p) => [...p.data])).toEqual(start);
      const fresh = trainee().model;
      n.loadCheckpoint(error.checkpoint!, { model: fresh });
      expect(fresh.parameters().map((p) => [...p.data])).toEqual(start);
    }
  });

  test("says that weights have grown too large", async () => {
    const { data, model } = trainee();
    const optimizer = new n.SGD(model.parameters(), { lr: 1e10 });
    const step: Step = (x) => {
      const loss = model.forward(x).square().mean();
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    };
    const error = await failure(step, data, { model, epochs: 20 });
    expect(error.message).toMatch(/lower the learning rate, or clip/);
    expect(error.checkpoint).toBeInstanceOf(Uint8Array);
    expect(hasFinite(model)).toBe(true);
    const blind = await failure((x) => x.mean().mul(Number.NaN), data, {});
    expect(blind.message).toMatch(/pass \{ model \} to learn where it arose/);
  });

  test("can be switched off", async () => {
    const { data } = trainee();
    const losses = await all(n.fit((x) => x.mean().mul(Number.NaN), data, { epochs: 2, stopOnNaN: false }));
    expect(losses).toEqual([Number.NaN, Number.NaN]);
  });
});
