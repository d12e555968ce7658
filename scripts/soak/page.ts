// The playground's Train panel, left training in Chromium.
import { fileURLToPath } from "node:url";
import type { CDPSession, Page } from "playwright-core";
import { preview } from "vite";
import { launch } from "../../test/browser/chromium";
import { type Lines, Table } from "./table";

/** What is measured of a part. */
interface Reading {
  /** In a second. */
  frames: number;
  steps: number;
  /** Bytes of the page's JavaScript, of the worker's, and of the worker's linear memory. */
  heap: number;
  workerHeap: number;
  wasm: number;
  nodes: number;
  listeners: number;
}

/**
 * What counts as growth: bytes beyond this share and so many, nodes or listeners beyond so many. Of frames there have to be this
 * share of those that a page opened afterwards shows, for machines have other things to do, too.
 */
const MOST = { share: 1.05, bytes: 2 ** 20, nodes: 100, frames: 0.6 };

/** What is wrong, in lines. */
interface Found {
  grown: string[];
  /** Of a machine that has nothing else to do. */
  slow: string[];
}

/** Parts into which the time is divided. */
const PARTS = 10;

const HEADS = ["part", "frames/s", "steps/s", "page heap", "worker heap", "wasm", "nodes", "listeners"];

/** Counts the frames: each changes the number of steps that is shown. */
const COUNT = `
  globalThis.soak = { frames: 0 };
  new MutationObserver(() => { soak.frames++; })
    .observe(document.querySelector(".standing dd"), { characterData: true, childList: true, subtree: true });`;

/**
 * Leaves the panel training at full speed for so many minutes, and returns what has grown, and what was slow, in lines. The page
 * has to have been built.
 */
export async function leavePage(minutes: number, table: Lines = new Table(HEADS, 8)): Promise<Found> {
  const root = fileURLToPath(new URL("../../playground", import.meta.url));
  const server = await preview({ root, logLevel: "error", preview: { host: "127.0.0.1", port: 0 } });
  const browser = await launch();
  const url = `${server.resolvedUrls!.local[0]}#train?speed=full&play=1`;
  const said: string[] = [];
  const open = async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", ({ message }) => said.push(message));
    return page;
  };
  const part = (60 * minutes) / PARTS;
  try {
    const readings = await leave(await open(), url, part, PARTS, table);
    await browser.contexts()[0]!.close();
    const [, fresh] = await leave(await open(), url, part, 2, table);
    const lines = said.map((line) => `the console says: ${line}`);
    return { grown: [...grown(readings), ...lines], slow: slow(readings.at(-1)!, fresh!) };
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Trains for so many parts of so many seconds, and measures after each. */
async function leave(
  page: Page,
  url: string,
  seconds: number,
  parts: number,
  table: Lines,
): Promise<Reading[]> {
  const session = await page.context().newCDPSession(page);
  const worker = await InWorker.of(session, () => page.goto(url));
  await page.waitForFunction("/[1-9]/.test(document.querySelector('.standing dd')?.textContent)");
  await page.evaluate(COUNT);
  const readings: Reading[] = [];
  for (let part = 1; part <= parts; part++) {
    const [before, since] = [await count(page), performance.now()];
    await page.waitForTimeout(1000 * seconds);
    const [after, passed] = [await count(page), (performance.now() - since) / 1000];
    const frames = (after.frames - before.frames) / passed;
    const steps = (after.steps - before.steps) / passed;
    const reading = { frames, steps, ...(await read(session, worker)) };
    readings.push(reading);
    const { heap, workerHeap, wasm, nodes, listeners } = reading;
    const bytes = [heap, workerHeap, wasm].map(Table.bytes);
    table.add([
      `${part}/${parts}`,
      frames.toFixed(1),
      steps.toFixed(0),
      ...bytes,
      `${nodes}`,
      `${listeners}`,
    ]);
  }
  return readings;
}

/** From the second part, when the curves have all their points, to the last. */
function grown(readings: readonly Reading[]): string[] {
  const [first, last] = [readings[1]!, readings.at(-1)!];
  const found: string[] = [];
  for (const what of ["heap", "workerHeap", "wasm"] as const) {
    if (last[what] > MOST.share * first[what] + MOST.bytes)
      found.push(`${what}: ${first[what]} bytes, then ${last[what]}`);
  }
  for (const what of ["nodes", "listeners"] as const) {
    if (last[what] > first[what] + MOST.nodes) found.push(`${what}: ${first[what]}, then ${last[what]}`);
  }
  return found;
}

/** The last part, as compared with a page that has just been opened. */
function slow(last: Reading, fresh: Reading): string[] {
  const found: string[] = [];
  if (!(last.frames >= MOST.frames * fresh.frames))
    found.push(`frames in a second: ${last.frames}, and ${fresh.frames} in a page opened afterwards`);
  if (!(last.steps > 0)) found.push("the training stands still");
  return found;
}

/** Frames, and the steps that are shown. */
async function count(page: Page): Promise<{ frames: number; steps: number }> {
  const shown = await page.evaluate<string>("document.querySelector('.standing dd').textContent");
  return { frames: await page.evaluate<number>("soak.frames"), steps: Number(shown.replaceAll(",", "")) };
}

/** After a collection of garbage in the page and in the worker. */
async function read(session: CDPSession, worker: InWorker): Promise<Omit<Reading, "frames" | "steps">> {
  await session.send("HeapProfiler.collectGarbage");
  await worker.send("HeapProfiler.collectGarbage");
  await session.send("Performance.enable");
  const { metrics } = await session.send("Performance.getMetrics");
  const metric = (name: string) => metrics.find((one) => one.name === name)!.value;
  return {
    heap: metric("JSHeapUsedSize"),
    workerHeap: (await worker.send<{ usedSize: number }>("Runtime.getHeapUsage")).usedSize,
    wasm: await worker.wasm(),
    nodes: metric("Nodes"),
    listeners: metric("JSEventListeners"),
  };
}

/** The protocol of a worker, by way of its page's. */
class InWorker {
  private last = 0;
  private readonly waiting = new Map<number, (result: unknown) => void>();

  private constructor(
    private readonly session: CDPSession,
    private readonly id: string,
  ) {
    session.on("Target.receivedMessageFromTarget", ({ message }) => {
      const { id, result } = JSON.parse(message);
      this.waiting.get(id)?.(result);
      this.waiting.delete(id);
    });
  }

  /** The first worker that starts after `open`. */
  static async of(session: CDPSession, open: () => Promise<unknown>): Promise<InWorker> {
    const attached = new Promise<string>((resolve) => {
      session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
        if (targetInfo.type === "worker") resolve(sessionId);
      });
    });
    await session.send("Target.setAutoAttach", {
      autoAttach: true,
      waitForDebuggerOnStart: false,
      flatten: false,
    });
    await open();
    return new InWorker(session, await attached);
  }

  async send<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.last;
    const answer = new Promise<unknown>((resolve) => this.waiting.set(id, resolve));
    const message = JSON.stringify({ id, method, params });
    await this.session.send("Target.sendMessageToTarget", { sessionId: this.id, message });
    return (await answer) as T;
  }

  /** Bytes of all linear memories that can be reached. */
  async wasm(): Promise<number> {
    interface Found {
      objects: { objectId: string };
      result: { objectId: string; value: number };
    }
    const group = { objectGroup: "soak" };
    const prototype = await this.send<Found>("Runtime.evaluate", {
      expression: "WebAssembly.Memory.prototype",
      ...group,
    });
    const prototypeObjectId = prototype.result.objectId;
    const { objects } = await this.send<Found>("Runtime.queryObjects", { prototypeObjectId, ...group });
    const { result } = await this.send<Found>("Runtime.callFunctionOn", {
      objectId: objects.objectId,
      functionDeclaration:
        "function () { return this.reduce((sum, { buffer }) => sum + buffer.byteLength, 0); }",
      returnByValue: true,
    });
    await this.send("Runtime.releaseObjectGroup", group);
    return result.value;
  }
}
