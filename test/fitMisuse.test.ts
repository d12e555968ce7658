// What fit refuses before it changes anything, and what a training refuses afterwards.
import { describe, expect, test } from "vitest";
import {
  BatchNorm1d,
  compile,
  Dropout,
  dataset,
  type FitOptions,
  fit,
  Linear,
  mseLoss,
  NablasError,
  OptionError,
  Sequential,
  SGD,
  ShapeError,
  scope,
  type Tensor,
  Training,
  zeros,
} from "../src/index";

const rows = (n: number) =>
  dataset(
    Array.from({ length: n }, (_, i) => [i % 2, i % 3]),
    Array.from({ length: n }, (_, i) => [i % 2]),
  );
const data = rows(4);
const step = (_x: Tensor, y: Tensor) => mseLoss(y, y);

describe("an option of another kind is an error of fit itself, before the first step", () => {
  const functions = [{}, [], 1, "a", true, null];
  const wrong: Partial<Record<keyof FitOptions, readonly unknown[]>> = {
    epochs: [0, 1.5, "2", {}, []],
    batchSize: [0, 1.5, "2", {}],
    shuffle: [1, "yes", {}],
    seed: [-1, 0.5, "a", {}, Symbol("s")],
    dropLast: [1, "yes", {}],
    validation: [new Set([1]), {}, [], "0.5", true, 0, 1, Number.NaN, data.batch().x],
    evaluate: functions,
    model: [{}, [], 1, "a", () => {}, new SGD([zeros([1])], { lr: 1 })],
    optimizer: [{}, [], 1, "a", () => {}, { stateDict: 1 }],
    health: [1, "yes", { every: 0 }, { onFinding: 1 }, { often: 1 }],
    stopOnNaN: [1, "yes", {}],
    earlyStopping: ["", 0, Number.NaN, 3, true, {}, [], { patience: 0 }, { patience: 1, monitor: "loss" }],
    onBatch: [{}, [], 1, "a", true],
    signal: [{}, [], 1, "a", () => {}, { throwIfAborted: true }],
  };
  const cases = Object.entries(wrong).flatMap(([name, values]) =>
    values.map((value) => [name, value] as const),
  );

  test.each(cases)("%s: %o", (name, value) => {
    let steps = 0;
    const together =
      name === "evaluate" ? { validation: data } : name === "validation" ? { evaluate: () => 1 } : {};
    const options = { ...together, [name]: value } as FitOptions;
    const run = () => fit((x, y) => step(x, y.add(++steps)), data, options);
    if (name === "evaluate" && value === null) expect(run).toThrow(/go together/);
    else expect(run).toThrow(new RegExp(`${name}`));
    expect(run).toThrow(OptionError);
    expect(steps).toBe(0);
  });

  test("a step that is none, and data that is none", () => {
    expect(() => fit(new Linear(2, 1) as never, data)).toThrow(
      /expected a step, a function \(x, y\) => loss/,
    );
    expect(() => fit(step, [[1], [2]] as never)).toThrow(/expected a dataset; make one by dataset/);
  });
});

describe("a last batch of one row with batch norm", () => {
  const network = () => {
    const model = new Sequential(new Linear(2, 2), new Dropout(), new BatchNorm1d(2), new Linear(2, 1));
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    let steps = 0;
    const train = (x: Tensor, y: Tensor) => {
      const loss = mseLoss(model.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      steps++;
      return loss;
    };
    const state = () => Object.values(model.stateDict()).map((t) => t.toArray());
    return { model, train, state, steps: () => steps };
  };
  const dropLast = /more than one value per channel .*dropLast: true/;

  test.each<[string, Record<string, boolean | undefined>]>([
    ["fit", {}],
    ["fit with model", { model: true }],
    ["fit with health", { health: true }],
    ["fit on 33 of 40 rows", { validation: true }],
  ])("%s: is refused before the first step", async (_, { model, health, validation }) => {
    const net = network();
    const before = net.state();
    const all = rows(validation ? 40 : 33);
    const training = fit(net.train, all, {
      batchSize: 16,
      ...(model && { model: net.model }),
      ...(health && { health: { every: 1 } }),
      ...(validation && { validation: 7 / 40, evaluate: () => 1 }),
    });
    await expect(training.next()).rejects.toThrow(/dropLast: true } to fit/);
    expect(net.steps()).toBe(0);
    expect(net.state()).toEqual(before);
  });

  test("over and compiled steps of fit, too", async () => {
    const net = network();
    const before = net.state();
    using compiled = compile(net.train);
    expect(() => compiled.over(rows(33), { batchSize: 8 }).run()).toThrow(/dropLast: true } to over/);
    await expect(fit(compiled, rows(33), { batchSize: 8 }).next()).rejects.toThrow(ShapeError);
    expect(net.state()).toEqual(before);
    expect(compiled.over(rows(33), { batchSize: 8, dropLast: true }).run(4).item()).toBeGreaterThan(0);
  });

  test("of batches() is named when it comes", () => {
    const net = network();
    const last = [...rows(5).split(1 - 1 / 5, { shuffle: false })][1]!;
    expect(() => scope(() => net.train(last.batch().x, last.batch().y))).toThrow(dropLast);
  });

  test("that is left out, larger, has a length, or meets no batch norm in training, trains", async () => {
    const trained = async (net: ReturnType<typeof network>, size: number, options: FitOptions) => {
      for await (const { loss } of fit(net.train, rows(size), options)) expect(loss).toBeGreaterThan(0);
    };
    await trained(network(), 33, { batchSize: 16, dropLast: true });
    await trained(network(), 34, { batchSize: 16 });
    const evaluated = network();
    evaluated.model.eval();
    await trained(evaluated, 33, { batchSize: 16 });
    const norm = new BatchNorm1d(1);
    const long = (x: Tensor, y: Tensor) => mseLoss(norm.forward(x.reshape([-1, 1, 2])).sum({ dim: 2 }), y);
    await trained({ ...network(), train: long }, 33, { batchSize: 16 });
  });
});

describe("a training", () => {
  test("cannot be awaited, but gone through, returned in an object, and passed around", async () => {
    const training = fit(step, data);
    const awaiting = /no promise.* for await .*return \{ training \}/;
    // @ts-expect-error
    await expect((async () => await training)()).rejects.toThrow(awaiting);
    await expect(Promise.resolve(training as never)).rejects.toThrow(OptionError);
    await expect(Promise.all([training as never])).rejects.toThrow(awaiting);
    // @ts-expect-error
    await expect((async () => training)()).rejects.toThrow(awaiting);
    const { training: same } = await (async () => ({ training }))();
    expect(same).toBe(training);
    expect(scope(() => training)).toBeInstanceOf(Training);
    let epochs = 0;
    for await (const _ of training) epochs++;
    expect(epochs).toBe(1);
  });

  const again = async (training: Training) => {
    for await (const _ of training) throw new Error("an epoch");
  };
  const ended = /this training has ended after \d epochs/;

  test("that is finished cannot be gone through again", async () => {
    const training = fit(step, data, { epochs: 2 });
    for await (const _ of training);
    await expect(again(training)).rejects.toThrow(ended);
    expect(await training.next()).toEqual({ done: true, value: undefined });
  });

  test("nor one that was left, failed, returned or stopped early", async () => {
    const left = fit(step, data, { epochs: 3 });
    for await (const _ of left) break;
    const failed = fit(() => zeros([2]), data);
    await expect(failed.next()).rejects.toThrow(NablasError);
    const returned = fit(step, data);
    await returned.return();
    const stopped = fit(step, data, { epochs: 9, earlyStopping: { patience: 1 } });
    for await (const _ of stopped);
    const byHand = fit(step, data, { epochs: 1 });
    await byHand.next();
    for (const training of [left, failed, returned, stopped, byHand])
      await expect(again(training)).rejects.toThrow(ended);
  });

  test("whose state says that it is complete has nothing left, which is no error", async () => {
    const first = fit(step, data, { seed: 1 });
    for await (const _ of first);
    const second = fit(step, data, { seed: 1 });
    second.loadStateDict(first.stateDict());
    await again(second);
    await expect(again(second)).rejects.toThrow(ended);
  });

  test("goes on after an epoch that was asked for by hand", async () => {
    const training = fit(step, data, { epochs: 3 });
    await training.next();
    let epochs = 0;
    for await (const _ of training) epochs++;
    expect(epochs).toBe(2);
  });
});
