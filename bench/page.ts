/** How smooth the playground is, in Chromium: `npm run bench:page`. The machine has to have nothing else to do. */
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { preview } from "vite";
import { launch } from "../test/browser/chromium";

/** Milliseconds: of a frame and of an update of what is shown, in the median; of the longest task; of a stop. */
const MOST = { frame: 17, update: 17, task: 50, stop: 1000 };

type Figures = Partial<Record<keyof typeof MOST, number>>;

/** Notes the page's long tasks from now on; returns the milliseconds of the longest, 0 if there was none. */
async function longTasks(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const seen: number[] = [0];
    Object.assign(window, { seen });
    const note = (entries: PerformanceEntryList) => seen.push(...entries.map(({ duration }) => duration));
    new PerformanceObserver((list) => note(list.getEntries())).observe({ type: "longtask" });
  });
  return () => page.evaluate<number>("Math.max(...seen)");
}

/** A task that is long has to be noticed. */
async function noticed(page: Page): Promise<void> {
  const longest = await longTasks(page);
  await page.evaluate(() => {
    setTimeout(() => {
      const end = performance.now() + 80;
      while (performance.now() < end);
    });
  });
  await page.waitForTimeout(500);
  if ((await longest()) < 80) throw new Error("this browser reports no long tasks");
}

/** Trains at full speed for four seconds. */
async function training(page: Page): Promise<Figures> {
  await page.waitForFunction("/\\d{3}/.test(document.querySelector('.standing dd')?.textContent)");
  const longest = await longTasks(page);
  const medians = await page.evaluate(async () => {
    const text = () => document.querySelector(".standing dd")!.textContent;
    const [intervals, changes]: [number[], number[]] = [[], []];
    let [last, changed, shown] = [performance.now(), performance.now(), text()];
    const end = last + 4000;
    while (last < end) {
      const now = await new Promise<number>(requestAnimationFrame);
      intervals.push(now - last);
      last = now;
      if (text() === shown) continue;
      changes.push(now - changed);
      [changed, shown] = [now, text()];
    }
    const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
    return { frame: median(intervals), update: median(changes) };
  });
  return { ...medians, task: await longest() };
}

/** Learns digits, and reads what is drawn meanwhile. */
async function drawing(page: Page): Promise<Figures> {
  await page.locator(".epoch", { hasText: /Epoch [1-9]/ }).waitFor();
  const longest = await longTasks(page);
  const { x, y, width } = (await page.locator(".digits .pad canvas").boundingBox())!;
  await page.mouse.move(x + 0.5 * width, y + 0.2 * width);
  await page.mouse.down();
  await page.mouse.move(x + 0.5 * width, y + 0.8 * width, { steps: 20 });
  await page.mouse.up();
  await page.waitForTimeout(1000);
  return { task: await longest() };
}

/** Measures matmul in workers, and stops in the middle. */
async function measuring(page: Page): Promise<Figures> {
  const longest = await longTasks(page);
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByText(/^Row 2 of/).waitFor();
  const before = performance.now();
  await page.getByRole("button", { name: "Stop" }).click();
  await page
    .getByText(/rows? measured in/)
    .first()
    .waitFor();
  return { stop: performance.now() - before, task: await longest() };
}

const PARTS: Record<string, [hash: string, measure: (page: Page) => Promise<Figures>]> = {
  training: ["#train?data=spirals&layers=Linear:32,ReLU,Linear:32,ReLU&speed=full&play=1", training],
  digits: ["#digits?examples=20000&epochs=50&hidden=256", drawing],
  speed: [`#speed?filter=${encodeURIComponent("matmul")}`, measuring],
};

const root = fileURLToPath(new URL("../playground", import.meta.url));
const server = await preview({ root, logLevel: "error", preview: { host: "127.0.0.1", port: 0 } });
const browser = await launch();
try {
  const open = async (hash: string) => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: "en-GB" });
    await page.goto(`${server.resolvedUrls!.local[0]}${hash}`);
    return page;
  };
  await noticed(await open(""));
  for (const [name, [hash, measure]] of Object.entries(PARTS)) {
    const page = await open(hash);
    for (const [what, ms] of Object.entries(await measure(page)) as [keyof typeof MOST, number][]) {
      const tooLong = ms > MOST[what];
      console.log(
        `${name.padEnd(9)} ${what.padEnd(7)} ${ms.toFixed(1).padStart(7)} ms${tooLong ? "  TOO LONG" : ""}`,
      );
      if (tooLong) process.exitCode = 1;
    }
    await page.close();
  }
} finally {
  await browser.close();
  await server.close();
}
