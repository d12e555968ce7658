// What can go wrong with workers, and what becomes of it.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test, vi } from "vitest";
import { worker as source } from "../build/pool";
import {
  compile,
  gelu,
  init,
  Linear,
  matmul,
  memory,
  mseLoss,
  OutOfMemoryError,
  randn,
  SGD,
  scope,
  shutdown,
  sum,
  type Tensor,
  threads,
  WorkerError,
} from "../src/index";
import { patience } from "../src/threads/pool";
import { Run, reserved } from "../src/threads/run";
import { crew } from "../src/threads/threads";

const usual = { ...patience };

afterEach(async () => {
  Object.assign(patience, usual);
  await shutdown();
});

/** Workers of the package's own source, which the test can reach. */
function reachable() {
  const workers: Worker[] = [];
  const createWorker = () => {
    const worker = new Worker(source, { eval: true, execArgv: [] });
    workers.push(worker);
    return worker;
  };
  return { workers, createWorker };
}

const madeOf = (code: string) => () => new Worker(code, { eval: true, execArgv: [] });

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Something to do for all threads, and what it has to come to. */
const x = randn([300, 700]);
const expected = gelu(x).toArray();
function expectRight(): void {
  scope(() => expect(gelu(x).toArray()).toEqual(expected));
}

/** Starts threads, and has them do everything that can be divided. */
async function start(count: number, options = {}): Promise<void> {
  await init({ threads: count, ...options });
  crew?.divideAll();
}

describe("starting", () => {
  test("a worker that never starts: the others work, and threads() tells", async () => {
    patience.start = 300;
    expect(await init({ threads: 2, createWorker: madeOf("setInterval(() => {}, 1000)") })).toMatchObject({
      threads: 1,
    });
    expect(threads()).toEqual({ count: 1, reason: "a worker did not start within 300 ms" });
    expectRight();
  });

  test("some start, one does not", async () => {
    const { createWorker } = reachable();
    let n = 0;
    const options = {
      createWorker: () => (n++ === 1 ? madeOf("throw new Error('no luck')")() : createWorker()),
    };
    await start(3, options);
    expect(threads()).toEqual({ count: 2, reason: "a worker failed: no luck" });
    expectRight();
  });

  test("a createWorker that throws", async () => {
    const createWorker = () => {
      throw new Error("forbidden");
    };
    await start(2, { createWorker });
    expect(threads()).toEqual({ count: 1, reason: "forbidden" });
    expectRight();
  });

  test("a workerUrl without a file", async () => {
    await start(2, { workerUrl: new URL("nowhere.js", import.meta.url) });
    expect(threads().count).toBe(1);
    expect(threads().reason).toMatch(/a worker failed: .*nowhere\.js/);
  });

  test("numbers that cannot be", async () => {
    for (const count of [0, -1, 1.5, 65, Number.NaN, "two"]) {
      await expect(init({ threads: count as number })).rejects.toThrow(/init: threads is/);
    }
    await expect(init({ threads: 2, workerUrl: "w.js", createWorker: madeOf("") })).rejects.toThrow(
      /got both/,
    );
  });

  test("twice: nothing happens for the same number, others replace the workers", async () => {
    const { workers, createWorker } = reachable();
    await start(3, { createWorker });
    await start(3, { createWorker });
    await init();
    expect([threads().count, workers.length]).toEqual([3, 2]);
    await start(2, { createWorker });
    expect([threads().count, workers.length]).toEqual([2, 3]);
    expectRight();
  });

  test("at the same time: one after the other", async () => {
    const asked = [2, 4, 3].map((count) => init({ threads: count }));
    expect((await Promise.all(asked)).map(({ threads }) => threads)).toEqual([2, 4, 3]);
    expect(threads()).toEqual({ count: 3 });
    expectRight();
  });

  test("as many as there are processors", async () => {
    const { threads: count } = await init({ threads: "auto" });
    expect(count).toBe(threads().count);
    expectRight();
  });
});

describe("what is there already", () => {
  /** A script in a process of its own, where no memory is shared yet. */
  const script = (code: string) =>
    execFileSync(process.execPath, ["--input-type=module", "-e", code], {
      encoding: "utf8",
      cwd: new URL("..", import.meta.url),
    });

  test("tensors, graphs and plans go on when memory becomes shared, and old views end", () => {
    const training = (threads: number) =>
      JSON.parse(
        script(`
          import * as n from "./dist/index.js";
          n.manualSeed(1);
          const model = new n.Linear(20, 30);
          const optimizer = new n.Adam(model.parameters(), { lr: 0.1 });
          const x = n.randn([50, 20]);
          const step = n.compile((x) => {
            const loss = n.mean(n.square(model.forward(x)));
            optimizer.zeroGrad();
            loss.backward();
            optimizer.step();
            return loss;
          });
          const values = [step(x).item(), step(x).item()];
          const pending = n.sum(n.tanh(model.forward(x)));
          const view = x.data;
          const { threads } = await n.init({ threads: ${threads} });
          values.push(x.toArray());
          pending.backward();
          values.push(step(x).item());
          await n.shutdown();
          values.push(step(x).item(), model.weight.toArray());
          console.log(JSON.stringify({ threads, view: view.length, values }));
        `),
      );
    const alone = training(1);
    expect(alone).toMatchObject({ threads: 1, view: 1000 });
    expect(training(2)).toEqual({ ...alone, threads: 2, view: 0 });
  });

  test("memory grows while workers are there", async () => {
    await start(3);
    const many: Tensor[] = [];
    const before = memory().reserved;
    while (memory().reserved < before + 2 ** 26) many.push(randn([512, 512]));
    const [a, b] = [many[0]!, many.at(-1)!];
    const product = matmul(a, b);
    const total = sum(b).item();
    await shutdown();
    expect(product.toArray()).toEqual(matmul(a, b).toArray());
    expect(total).toBe(sum(b).item());
    for (const t of many) t.dispose();
  });

  test("where memory has no room for scratch, one thread does the work", async () => {
    await start(2);
    const { pool } = crew!;
    const [a, b] = [randn([200, 300]), randn([300, 200])];
    const product = matmul(a, b).toArray();
    const reserve = vi.spyOn(pool, "reserveScratch").mockImplementation(() => {
      throw new OutOfMemoryError("no room");
    });
    const execute = vi.spyOn(pool, "execute");
    expect(matmul(a, b).toArray()).toEqual(product);
    using step = compile((a: Tensor) => matmul(a, b));
    expect(step(a).toArray()).toEqual(product);
    expect(step(a).toArray()).toEqual(product);
    expect(execute).not.toHaveBeenCalled();
    reserve.mockRestore();
    expect(matmul(a, b).toArray()).toEqual(product);
    expect(execute).toHaveBeenCalled();
  });

  test("a plan that was recorded on threads goes on without, and the other way round", async () => {
    const model = new Linear(40, 50);
    const optimizer = new SGD(model.parameters(), { lr: 0.01 });
    const [x, y] = [randn([60, 40]), randn([60, 50])];
    await start(2);
    using step = compile((x: Tensor, y: Tensor) => {
      const loss = mseLoss(model.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    });
    const losses = [step(x, y).item(), step(x, y).item()];
    await shutdown();
    losses.push(step(x, y).item());
    await start(3);
    losses.push(step(x, y).item());
    await start(2);
    losses.push(step(x, y).item());
    expect(losses.every((loss, i) => i === 0 || loss < losses[i - 1]!)).toBe(true);
  });
});

/**
 * A run in which this thread's piece (0) or the worker's (1) reads beyond memory. The worker sleeps, so that this thread
 * takes the first.
 */
async function trapping(thread: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  const [big, y] = [randn([1000, 1000]), randn([1000, 1000])];
  const run = new Run(reserved);
  const good = ["geluForward", [big.ptr, y.ptr, y.size]] as const;
  const bad = ["copyForward", [2 ** 32 - 65_536, y.ptr, 16_384]] as const;
  try {
    for (const [name, args] of thread === 0 ? [bad, good] : [good, bad]) run.add(name, args);
    crew!.pool.execute(run);
  } finally {
    run.dispose();
    big.dispose();
    y.dispose();
  }
}

describe("workers that end", () => {
  const ended = (worker: Worker) => new Promise((resolve) => worker.once("exit", resolve));

  test("while they have nothing to do: the others go on", async () => {
    const { workers, createWorker } = reachable();
    await start(3, { createWorker });
    expectRight();
    for (const count of [2, 1]) {
      const worker = workers.pop()!;
      const end = ended(worker);
      await worker.terminate();
      await end;
      expect(threads()).toEqual({ count, reason: "a worker ended with code 1" });
      expectRight();
    }
    await start(2);
    expect(threads()).toEqual({ count: 2 });
  });

  test("with a piece: an error, and nothing else is harmed", async () => {
    patience.piece = 200;
    // Takes a piece, and never comes back: LEFT is the first cell of the control block.
    const thief = `const { parentPort } = require("node:worker_threads");
      parentPort.once("message", ({ memory, control }) => {
        const cells = new Int32Array(memory.buffer, control);
        parentPort.postMessage("ready");
        setTimeout(() => { while (Atomics.load(cells, 0) <= 0); Atomics.sub(cells, 0, 1); process.exit(); }, 500);
      });`;
    await start(2, { createWorker: madeOf(thief) });
    let error: unknown;
    while (error === undefined) {
      try {
        scope(() => void gelu(x));
      } catch (caught) {
        error = caught;
      }
      await turn();
    }
    expect(error).toBeInstanceOf(WorkerError);
    expect(String(error)).toMatch(
      /a worker has been gone with a piece of work for 200 ms; what the op was writing/,
    );
    expect(threads().count).toBe(1);
    expectRight();
    Object.assign(patience, usual);
    await start(2);
    expect(threads()).toEqual({ count: 2 });
    expectRight();
  });

  test("an exception in a worker: an error that quotes it, and the worker goes on", async () => {
    await start(2);
    // Where the worker does not get a processor in time, this thread does its piece.
    let error: unknown;
    while (!(error instanceof WorkerError)) error = await trapping(1).catch((e: unknown) => e);
    expect(String(error)).toMatch(
      /a worker failed: RuntimeError: .*; what the op was writing is undefined now/,
    );
    expect(threads()).toEqual({ count: 2 });
    expectRight();
  });

  test("an exception in the caller's piece: as on one thread", async () => {
    await start(2);
    let error: unknown;
    while (!(error instanceof WebAssembly.RuntimeError)) error = await trapping(0).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(WebAssembly.RuntimeError);
    expect(threads()).toEqual({ count: 2 });
    expectRight();
  });
});

describe("the end", () => {
  test("a process with idle workers exits by itself", () => {
    const code = `
      import * as n from "./dist/index.js";
      await n.init({ threads: 4 });
      n.scope(() => void n.gelu(n.randn([1000, 1000])));
      console.log(n.threads().count);
    `;
    const out = execFileSync(process.execPath, ["--input-type=module", "-e", code], {
      encoding: "utf8",
      cwd: new URL("..", import.meta.url),
    });
    expect(out).toBe("4\n");
  });

  test("workers have left before others start, where nobody tells when they end, as in pages", async () => {
    const { workers, createWorker } = reachable();
    const exits: Promise<unknown>[] = [];
    const untold = () => {
      const worker = createWorker();
      exits.push(once(worker, "exit"));
      return Object.assign(worker, { terminate: () => undefined });
    };
    for (let i = 0; i < 20; i++) {
      await start(3, { createWorker: untold });
      expectRight();
      await shutdown();
    }
    expect(workers.length).toBe(40);
    await Promise.all(exits);
  });

  test("thirty starts and shutdowns leak nothing", async () => {
    const use = () => ({
      ...memory(),
      handles: process.getActiveResourcesInfo().filter((s) => /Worker|Message/.test(s)).length,
    });
    const cycle = async () => {
      await init({ threads: 3 });
      expectRight();
      await shutdown();
    };
    for (let i = 0; i < 5; i++) await cycle();
    const before = use();
    for (let i = 0; i < 30; i++) await cycle();
    const after = use();
    expect(after).toMatchObject({ reserved: before.reserved, handles: before.handles });
    expect(after.tensors).toBeLessThanOrEqual(before.tensors);
    expect(after.bytes).toBeLessThanOrEqual(before.bytes);
  });
});
