// Models made for a request and dropped, without a dispose: the garbage collector's word is all there is.
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
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
  manualSeed,
  matmul,
  ReLU,
  rand,
  Sequential,
  saveCheckpoint,
  scope,
  shutdown,
  type Tensor,
  tensor,
  threads,
} from "../../src/index";
import { crew } from "../../src/threads/threads";
import { type Scenario, turn, type Work } from "./gauge";

function made(hidden: number) {
  const layers = [new Linear(8, hidden), new BatchNorm1d(hidden), new ReLU(), new Linear(hidden, 4)];
  const model = new Sequential(...layers);
  const optimizer = new Adam(model.parameters());
  const step = (x: Tensor, labels: Tensor) => {
    const loss = crossEntropyLoss(model.forward(x), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  const y = Int32Array.from({ length: 40 }, (_, i) => i % 4);
  return { model, optimizer, step, data: dataset(rand([40, 8]), y) };
}

type Made = ReturnType<typeof made>;

/** What requests do, in turns: each leaves all that it made behind. */
const requests: ((made: Made) => void | Promise<void>)[] = [
  // A few eager steps.
  ({ step, data }) => {
    for (const { x, y } of data.batches({ batchSize: 16 })) step(x, y);
  },
  // A compiled function, and its data in linear memory.
  ({ step, data }) => {
    const compiled = compile(step);
    compiled(rand([8, 8]), new Int32Array(8));
    compiled.over(data, { batchSize: 16 }).run(3);
  },
  // Graphs that nobody walks back, tensors at top level, results of scopes.
  ({ model }) => {
    const y = model.forward(rand([16, 8]));
    matmul(y, rand([4, 4]))
      .relu()
      .sum();
    scope(() => ({ kept: model.forward(rand([16, 8])), list: [rand([100])] }));
  },
  // A training that is left midway.
  async ({ step, data }) => {
    for await (const { epoch } of fit(step, data, { epochs: 5, batchSize: 16 })) if (epoch === 1) break;
  },
  // A checkpoint, into another model of the kind.
  ({ model, optimizer, step, data }) => {
    const { x, y } = data.batch();
    step(x, y);
    const other = made(model.parameters()[0]!.shape[0]!);
    loadCheckpoint(saveCheckpoint({ model, optimizer }), { model: other.model, optimizer: other.optimizer });
  },
  // An error, with all that was alive then.
  ({ model }) => {
    try {
      model.forward(rand([16, 8])).add(model.forward(rand([16, 9])));
    } catch {}
  },
];

/** From small to a megabyte of weights. */
const HIDDEN = [8, 16, 64, 256, 8192];

function serve(around: (request: () => Promise<void>) => Promise<void>, end?: () => Promise<void>): Work {
  manualSeed(5);
  let done = 0;
  return {
    async run(times) {
      for (let i = 0; i < times; i++, done++) {
        const hidden = HIDDEN[Math.floor(done / requests.length) % HIDDEN.length]!;
        await around(async () => requests[done % requests.length]!(made(hidden)));
      }
    },
    ...(end !== undefined && { end }),
  };
}

/** As the requests of a server over HTTP. */
function overHttp(): Work {
  let request: () => Promise<void>;
  const server = createServer(async (_, response) => {
    await request();
    response.end("done");
  });
  const listening = once(server.listen(0, "127.0.0.1"), "listening");
  const ask = async (next: () => Promise<void>) => {
    await listening;
    request = next;
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    if ((await answer.text()) !== "done") throw new Error("no answer");
  };
  return serve(ask, async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
}

/** Models made and dropped in an event loop. */
export const dropped: Scenario = {
  name: "models dropped",
  full: 10_000,
  short: 300,
  unaided: true,
  start: () => serve((request) => request().then(turn)),
};

/** The same in a server. */
export const server: Scenario = {
  name: "models in a server",
  full: 10_000,
  short: 120,
  unaided: true,
  start: overHttp,
};

/** Listeners of the process, and threads that the system runs for it. */
function attached(): number {
  const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
  return listeners + (existsSync(TASKS) ? readdirSync(TASKS).length : 0);
}

const TASKS = "/proc/self/task";

/** Workers started and ended, with work in between. */
function workers(): Work {
  manualSeed(6);
  const { model, optimizer, step } = made(512);
  let before: number | undefined;
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        await init({ threads: 2 });
        crew!.divideAll();
        if (threads().count !== 2) throw new Error(`expected 2 threads, got ${threads().reason}`);
        scope(() => void step(rand([256, 8]), tensor(new Int32Array(256))));
        await shutdown();
      }
      before ??= attached();
      if (attached() > before) throw new Error(`${attached() - before} listeners or threads too many`);
    },
    end() {
      for (const owner of [model, optimizer]) owner.dispose();
    },
  };
}

export const cycles: Scenario = { name: "threads in cycles", full: 1000, short: 10, start: workers };
