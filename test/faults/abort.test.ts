// Trainings that are stopped at any moment: what is left is the state after a whole step, and goes on to the same bits.
import { getEventListeners } from "node:events";
import { beforeAll, describe, expect, test } from "vitest";
import {
  Adam,
  BatchNorm1d,
  crossEntropyLoss,
  Dropout,
  dataset,
  type FitOptions,
  fit,
  Linear,
  loadCheckpoint,
  manualSeed,
  memory,
  Sequential,
  saveCheckpoint,
  type Tensor,
} from "../../src/index";

const BATCHES = 5;
const EPOCHS = 3;
const stop = new Error("stop");

/** A training in which everything that has a state takes part; `inside` is called where a step could be left. */
function training(inside: (place: string) => void = () => {}, options: FitOptions = {}) {
  manualSeed(3);
  const points = Array.from({ length: 8 * BATCHES }, (_, i) => [Math.sin(i), Math.cos(3 * i), i % 3]);
  const data = dataset(
    points,
    points.map(([a]) => Number(a! > 0)),
  );
  const model = new Sequential(
    new Linear(3, 8),
    new BatchNorm1d(8),
    new Dropout({ p: 0.2 }),
    new Linear(8, 2),
  );
  const optimizer = new Adam(model.parameters());
  const step = (x: Tensor, labels: Tensor) => {
    inside("begin");
    const loss = crossEntropyLoss(model.forward(x), labels);
    inside("forward");
    optimizer.zeroGrad();
    loss.backward();
    inside("backward");
    optimizer.step();
    inside("step");
    return loss;
  };
  const evaluate = (x: Tensor, labels: Tensor) => {
    inside("evaluate");
    return crossEntropyLoss(model.forward(x), labels);
  };
  const onBatch = () => inside("batch");
  const run = fit(step, data, {
    ...{ epochs: EPOCHS, batchSize: 8, seed: 1, model, onBatch },
    ...{ validation: data, evaluate },
    ...options,
  });
  return { model, optimizer, run };
}

type Parts = ReturnType<typeof training>;
const stateOf = ({ model, optimizer, run }: Parts) => Buffer.from(saveCheckpoint({ model, optimizer, run }));

async function finish({ run }: Parts): Promise<void> {
  for await (const _ of run);
}

/** After each step of a training that nobody stops, and at its end. */
async function reference(): Promise<Buffer[]> {
  const states: Buffer[] = [];
  const parts: Parts = training(undefined, { onBatch: () => void states.push(stateOf(parts)) });
  await finish(parts);
  states.push(stateOf(parts));
  return states;
}

/** One of the ways in which a training ends. */
async function round(way: number, signal: AbortSignal): Promise<void> {
  const step = (x: Tensor) => {
    if (way === 3) throw stop;
    return x.mean();
  };
  const run = fit(step, dataset([[1]], [[1]]), {
    ...{ signal: way === 2 ? AbortSignal.abort(stop) : signal, epochs: 2, seed: 1 },
  });
  try {
    for await (const _ of run) if (way === 1) break;
  } catch (error) {
    expect(error).toBe(stop);
  }
}

// First, as long as there is no garbage that could go meanwhile.
test("10,000 trainings leave nothing behind: tensors, listeners, timers", async () => {
  const { signal } = new AbortController();
  for (let i = 0; i < 100; i++) await round(i % 4, signal);
  const before = memory();
  for (let i = 0; i < 10_000; i++) await round(i % 4, signal);
  expect(memory()).toEqual(before);
  expect(getEventListeners(signal, "abort")).toEqual([]);
  expect(process.getActiveResourcesInfo().filter((name) => name === "Timeout").length).toBeLessThan(5);
});

let states: Buffer[] = [];

/** What goes on from these bytes ends with the bits of what nobody stopped. */
async function expectResumes(bytes: Uint8Array): Promise<void> {
  const parts = training();
  manualSeed(99);
  loadCheckpoint(bytes, parts);
  await finish(parts);
  expect(stateOf(parts).equals(states.at(-1)!)).toBe(true);
}

describe("an abort", () => {
  beforeAll(async () => {
    states = await reference();
  });

  // The step under way is made whole, and counts.
  test.each<[place: string, at: number, steps: number]>([
    ["begin", 7, 7],
    ["forward", 7, 7],
    ["backward", 1, 1],
    ["step", 12, 12],
    ["batch", 9, 9],
    ["batch", 5, 5],
    ["evaluate", 2, 5],
    ["evaluate", 5, 5],
    ["evaluate", 6, 10],
  ])("inside %s, the %ith time, leaves %i whole steps", async (place, at, steps) => {
    const controller = new AbortController();
    let count = 0;
    const inside = (where: string) => void (where === place && ++count === at && controller.abort(stop));
    const parts = training(inside, { signal: controller.signal });
    await expect(finish(parts)).rejects.toBe(stop);
    // The last step of the last evaluation of an epoch completes it.
    expect(parts.run.steps).toBe(steps);
    const bytes = stateOf(parts);
    if (place !== "evaluate") expect(bytes.equals(states[steps - 1]!)).toBe(true);
    await expectResumes(bytes);
  });

  test("before the start changes nothing", async () => {
    const parts = training(undefined, { signal: AbortSignal.abort(stop) });
    const before = stateOf(parts);
    await expect(finish(parts)).rejects.toBe(stop);
    expect(stateOf(parts).equals(before)).toBe(true);
    await expectResumes(before);
  });

  test("between two epochs, while the training waits for its turn, and from a task of its own", async () => {
    const controller = new AbortController();
    const parts = training(undefined, { signal: controller.signal });
    await parts.run.next();
    controller.abort(stop);
    await expect(parts.run.next()).rejects.toBe(stop);
    expect(parts.run.epoch).toBe(1);
    await expectResumes(stateOf(parts));

    const later = new AbortController();
    let asked = false;
    const busy = (place: string) => {
      const start = performance.now();
      while (place === "begin" && performance.now() < start + 4);
      // Its turn comes only when the training yields: before another batch.
      if (!asked) setImmediate(() => later.abort(stop));
      asked = true;
    };
    const slow = training(busy, { signal: later.signal });
    await expect(finish(slow)).rejects.toBe(stop);
    expect(slow.run.steps).toBeGreaterThan(0);
    expect(slow.run.steps).toBeLessThan(BATCHES * EPOCHS);
    expect(stateOf(slow).equals(states[slow.run.steps - 1]!)).toBe(true);
    await expectResumes(stateOf(slow));
  });
});

test.each([1, 2])("break after epoch %i leaves its state", async (epochs) => {
  const parts = training();
  for await (const { epoch } of parts.run) if (epoch === epochs - 1) break;
  expect(parts.run.steps).toBe(epochs * BATCHES);
  await expect(parts.run.next()).resolves.toEqual({ done: true, value: undefined });
  await expectResumes(stateOf(parts));
});

describe("an error", () => {
  test.each(["begin", "forward", "backward", "evaluate"])(
    "thrown in %s reaches the caller",
    async (place) => {
      let count = 0;
      const inside = (where: string) => {
        if (where === place && ++count === 8) throw stop;
      };
      const parts = training(inside);
      await expect(finish(parts)).rejects.toBe(stop);
      const bytes = stateOf(parts);
      const weights = ({ model, optimizer }: Parts) =>
        [
          ...model.namedParameters(),
          ...Object.entries(optimizer.stateDict().state).flatMap(([, s]) => Object.entries(s)),
        ].map(([, t]) => [...t.data]);
      // Of the step that failed nothing is in the parameters, and it does not count.
      const whole = training();
      const steps = place === "evaluate" ? 2 * BATCHES : 7;
      expect(parts.run.steps).toBe(steps);
      loadCheckpoint(states[steps - 1]!, whole);
      expect(weights(parts)).toEqual(weights(whole));
      // From the last checkpoint it goes on; so it does from here where the step had drawn and measured nothing yet.
      await expectResumes(states[steps - 1]!);
      if (place === "begin" || place === "evaluate") await expectResumes(bytes);
    },
  );
});
