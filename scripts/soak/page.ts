// The playground's Train panel, left training in Chromium.
import { fileURLToPath } from "node:url";
import type { CDPSession, Page } from "playwright-core";
import { preview } from "vite";
import { launch } from "../../test/browser/chromium";
import { type Lines, Table } from "./table";
import { InWorker, REMEMBER_IN_WORKERS } from "./worker";

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

/** Parts into which the time is divided. */
const PARTS = 10;

const HEADS = ["part", "frames/s", "steps/s", "page heap", "worker heap", "wasm", "nodes", "listeners"];

/** Counts the frames: each changes the number of steps that is shown. */
const COUNT = `
  globalThis.soak = { frames: 0 };
  new MutationObserver(() => { soak.frames++; })
    .observe(document.querySelector(".standing dd"), { characterData: true, childList: true, subtree: true });`;

/** Milliseconds, for what hangs. */
const TIMEOUT = 300_000;

interface Options {
  table?: Lines;
  /** Whether to look for slowness, too: on a machine that has nothing else to do. */
  timed?: boolean;
}

/**
 * Leaves the panel training at full speed for `minutes`, and returns what has grown or become slow, in lines. The page
 * has to have been built.
 */
export async function leavePage(
  minutes: number,
  { table = new Table(HEADS, 8), timed = true }: Options = {},
): Promise<string[]> {
  const root = fileURLToPath(new URL("../../playground", import.meta.url));
  const server = await preview({ root, logLevel: "error", preview: { host: "127.0.0.1", port: 0 } });
  const browser = await launch();
  const url = `${server.resolvedUrls!.local[0]}#train?speed=full&play=1`;
  const said: string[] = [];
  const open = async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", ({ message }) => said.push(message));
    page.setDefaultTimeout(TIMEOUT);
    await page.addInitScript(REMEMBER_IN_WORKERS);
    return page;
  };
  const part = (60 * minutes) / PARTS;
  try {
    const readings = await leave(await open(), url, part, PARTS, table);
    const found = grown(readings);
    if (timed) {
      await browser.contexts()[0]!.close();
      const [, fresh] = await leave(await open(), url, part, 2, table);
      found.push(...slow(readings.at(-1)!, fresh!));
    }
    return [...found, ...said.map((line) => `the console says: ${line}`)];
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

/** Last parts of which the smallest counts: what is on its way between page and worker differs from one to the next. */
const LAST = 3;

/** Of a training that goes on: from the second part, when the curves have all their points, to the last ones. */
function grown(readings: readonly Reading[]): string[] {
  const found: string[] = [];
  if (!readings.slice(1).some(({ steps }) => steps > 0)) found.push("the training stands still");
  const compare = (what: keyof Reading, most: (first: number) => number) => {
    const first = readings[1]![what];
    const last = Math.min(...readings.slice(-LAST).map((reading) => reading[what]));
    if (last > most(first)) found.push(`${what}: ${first}, then ${last}`);
  };
  for (const what of ["heap", "workerHeap", "wasm"] as const) {
    compare(what, (first) => MOST.share * first + MOST.bytes);
  }
  for (const what of ["nodes", "listeners"] as const) compare(what, (first) => first + MOST.nodes);
  return found;
}

/** The last part, as compared with a page that has just been opened. */
function slow(last: Reading, fresh: Reading): string[] {
  if (last.frames >= MOST.frames * fresh.frames) return [];
  return [`frames in a second: ${last.frames}, and ${fresh.frames} in a page opened afterwards`];
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
