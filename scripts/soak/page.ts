// The playground's Train panel, left training in Chromium.
import { fileURLToPath } from "node:url";
import type { CDPSession, Page } from "playwright-core";
import { preview } from "vite";
import { launch } from "../../test/browser/chromium";
import { Table } from "./table";

/** What is measured, after a collection of garbage in the page and in the worker. */
interface Reading {
  frames: number;
  steps: number;
  /** Bytes of the page's JavaScript, of the worker's, and of the worker's linear memory. */
  heap: number;
  workerHeap: number;
  wasm: number;
  nodes: number;
  listeners: number;
}

/** What `leavePage` may come to without being called growth; frames as a share of those at first. */
const MOST = { bytes: 1 << 20, share: 1.05, nodes: 20, frames: 0.5 };

/** Parts into which the time is divided. */
const PARTS = 10;

/** Counts the frames: each changes the number of steps that is shown. */
const COUNT = `
  globalThis.soak = { frames: 0 };
  new MutationObserver(() => { soak.frames++; })
    .observe(document.querySelector(".standing dd"), { characterData: true, childList: true, subtree: true });`;

/**
 * Leaves the panel training at full speed for so many minutes, and returns what has grown, in lines. The page has to have
 * been built.
 */
export async function leavePage(minutes: number): Promise<string[]> {
  const root = fileURLToPath(new URL("../../playground", import.meta.url));
  const server = await preview({ root, logLevel: "error", preview: { host: "127.0.0.1", port: 0 } });
  const browser = await launch();
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    return await leave(page, `${server.resolvedUrls!.local[0]}#train?speed=full&play=1`, 60 * minutes);
  } finally {
    await browser.close();
    await server.close();
  }
}

async function leave(page: Page, url: string, seconds: number): Promise<string[]> {
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", ({ message }) => said.push(message));
  const session = await page.context().newCDPSession(page);
  const worker = await InWorker.of(session, () => page.goto(url));
  await page.waitForFunction("/[1-9]/.test(document.querySelector('.standing dd')?.textContent)");
  await page.evaluate(COUNT);
  const table = new Table([
    "part",
    "frames/s",
    "steps/s",
    "page heap",
    "worker heap",
    "wasm",
    "nodes",
    "listeners",
  ]);
  const readings: (Reading & { rate: number })[] = [];
  let [before, since] = [await read(page, session, worker), performance.now()];
  for (let part = 1; part <= PARTS; part++) {
    await page.waitForTimeout((1000 * seconds) / PARTS);
    // Timed before the collections, in which the worker stands still.
    const passed = (performance.now() - since) / 1000;
    const frames = await page.evaluate<number>("soak.frames");
    const now = await read(page, session, worker);
    const rate = (frames - before.frames) / passed;
    readings.push({ ...now, rate });
    const steps = (now.steps - before.steps) / ((performance.now() - since) / 1000);
    const { heap, workerHeap, wasm, nodes, listeners } = now;
    const bytes = [heap, workerHeap, wasm].map(Table.bytes);
    table.add([`${part}/${PARTS}`, rate.toFixed(1), steps.toFixed(0), ...bytes, `${nodes}`, `${listeners}`]);
    [before, since] = [now, performance.now()];
  }
  return [...grown(readings), ...said.map((line) => `the console says: ${line}`)];
}

/** From the second part, when the curves have all their points, to the last. */
function grown(readings: readonly (Reading & { rate: number })[]): string[] {
  const [first, last] = [readings[1]!, readings.at(-1)!];
  const found: string[] = [];
  for (const what of ["heap", "workerHeap", "wasm"] as const) {
    if (last[what] > MOST.share * first[what] + MOST.bytes)
      found.push(`${what}: ${first[what]} bytes, then ${last[what]}`);
  }
  for (const what of ["nodes", "listeners"] as const) {
    if (last[what] > first[what] + MOST.nodes) found.push(`${what}: ${first[what]}, then ${last[what]}`);
  }
  if (last.rate < MOST.frames * first.rate)
    found.push(`frames in a second: ${first.rate.toFixed(1)}, then ${last.rate.toFixed(1)}`);
  if (last.steps <= readings.at(-2)!.steps) found.push("the training stands still");
  return found;
}

async function read(page: Page, session: CDPSession, worker: InWorker): Promise<Reading> {
  await session.send("HeapProfiler.collectGarbage");
  await worker.send("HeapProfiler.collectGarbage");
  await session.send("Performance.enable");
  const { metrics } = await session.send("Performance.getMetrics");
  const metric = (name: string) => metrics.find((one) => one.name === name)!.value;
  const shown = await page.evaluate<string>("document.querySelector('.standing dd').textContent");
  return {
    frames: await page.evaluate<number>("soak.frames"),
    steps: Number(shown.replaceAll(",", "")),
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
