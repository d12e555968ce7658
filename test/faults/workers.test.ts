// Trainings whose workers are killed on the way: fewer threads, or an error and a return to the last checkpoint; the same bits.
import { Worker } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import { worker as source } from "../../build/pool";
import {
  Adam,
  compile,
  init,
  Linear,
  loadCheckpoint,
  manualSeed,
  memory,
  mseLoss,
  ReLU,
  randn,
  Sequential,
  saveCheckpoint,
  shutdown,
  type Tensor,
  threads,
  WorkerError,
} from "../../src/index";
import { patience } from "../../src/threads/pool";
import { crew } from "../../src/threads/threads";

const STEPS = 12;
const usual = { ...patience };

afterEach(async () => {
  Object.assign(patience, usual);
  await shutdown();
});

/** Trains; `before` each step something may happen to the threads. */
async function weights(compiled: boolean, before: (step: number) => unknown = () => {}): Promise<Buffer> {
  manualSeed(5);
  const model = new Sequential(new Linear(64, 128), new ReLU(), new Linear(128, 8));
  const optimizer = new Adam(model.parameters());
  const [x, y] = [randn([256, 64]), randn([256, 8])];
  const eager = (x: Tensor, y: Tensor) => {
    const loss = mseLoss(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  const step = compiled ? compile(eager) : eager;
  let kept = saveCheckpoint({ model, optimizer });
  for (let i = 0; i < STEPS; ) {
    await before(i);
    try {
      step(x, y).item();
      kept = saveCheckpoint({ model, optimizer });
      i++;
    } catch (error) {
      // A worker that was killed with a piece of work in its hands.
      expect(error).toBeInstanceOf(WorkerError);
      loadCheckpoint(kept, { model, optimizer });
    }
  }
  for (const t of [x, y]) t.dispose();
  return Buffer.from(kept);
}

test.each([
  ["eager", "between steps", false, 0],
  ["compiled", "between steps", true, 0],
  ["eager", "in the middle of steps", false, 1],
  ["compiled", "in the middle of steps", true, 1],
] as const)("%s, killed %s, one after another", async (_, __, compiled, inside) => {
  const expected = await weights(compiled);
  patience.piece = 300;
  const workers: Worker[] = [];
  const createWorker = () => {
    const worker = new Worker(source, { eval: true, execArgv: [] });
    workers.push(worker);
    return worker;
  };
  const start = async () => {
    await init({ threads: 4, createWorker });
    crew!.divideAll();
  };
  await start();
  const died: Promise<unknown>[] = [];
  const given = await weights(compiled, async (step) => {
    if (step % 3 !== 1) return;
    const worker = workers.pop();
    if (worker === undefined) return;
    const ended = worker.terminate();
    died.push(ended);
    // Otherwise it ends while the step is under way.
    if (inside === 0) await ended;
  });
  await Promise.all(died);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(threads().count).toBe(1);
  expect(given.equals(expected)).toBe(true);
  await start();
  expect(threads()).toEqual({ count: 4 });
  expect((await weights(compiled)).equals(expected)).toBe(true);
});

test("killed while they start: the others work, and nothing is left", async () => {
  const expected = await weights(false);
  for (let i = 0; i < 5; i++) {
    const workers: Worker[] = [];
    const starting = init({
      threads: 3,
      createWorker: () => {
        const worker = new Worker(source, { eval: true, execArgv: [] });
        workers.push(worker);
        if (workers.length === 2) setTimeout(() => void worker.terminate(), i);
        return worker;
      },
    });
    await starting;
    crew?.divideAll();
    expect(threads().count).toBeGreaterThanOrEqual(2);
    expect((await weights(false)).equals(expected)).toBe(true);
    await shutdown();
  }
  expect(memory().bytes).toBeLessThan(2 ** 24);
});

test("a worker without memory for its heap: the others work", async () => {
  const expected = await weights(false);
  const createWorker = () =>
    new Worker("const all = []; for (;;) all.push(new Array(1000).fill({}));", {
      ...{ eval: true, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 8 } },
    });
  let first = true;
  const mixed = () => {
    if (!first) return new Worker(source, { eval: true, execArgv: [] });
    first = false;
    return createWorker();
  };
  await init({ threads: 3, createWorker: mixed });
  expect(threads().count).toBe(2);
  expect(threads().reason).toMatch(/memory/);
  crew!.divideAll();
  expect((await weights(false)).equals(expected)).toBe(true);
});
