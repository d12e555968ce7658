// The panel Speed.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { describeInBrowser, NARROW } from "./playground";

/** Rows that take little time. */
const FEW = `#speed?filter=${encodeURIComponent("matmul 64|Matmul 128|relu 64k")}`;
const NAMES = ["matmul 64x64x64", "matmul 128x128x128", "relu 64k"];

const start = (page: Page) => page.getByRole("button", { name: "Start", exact: true });
const stop = (page: Page) => page.getByRole("button", { name: "Stop" });

/** How many workers answer: Playwright goes on listing those that ended with the worker that had started them. */
async function alive(page: Page): Promise<number> {
  const answers = page.workers().map((worker) => {
    const pause = new Promise<number>((resolve) => setTimeout(resolve, 300, 0));
    return Promise.race([worker.evaluate("1").then(Number, () => 0), pause]);
  });
  return (await Promise.all(answers)).reduce((sum, answer) => sum + answer, 0);
}

/** Waits until what there is to measure is known, and measures it. */
async function measure(page: Page): Promise<void> {
  await start(page).click();
  await page
    .getByText(/rows? measured in/)
    .first()
    .waitFor();
}

/** The table: the headers of its columns, and each row with its cells. */
async function table(page: Page): Promise<string[][]> {
  const rows = await page.getByRole("row").all();
  return Promise.all(rows.map((row) => row.locator("th, td").allInnerTexts()));
}

/** "13.5 µs 9.80×" → [13.5e-6, 9.8] */
function figures(cell: string): [seconds: number, ratio: number] {
  const [, time, unit, ratio] = /^([\d.]+) (ns|µs|ms|s)\s+([\d.]+)×$/.exec(cell) ?? [];
  return [Number(time) * { ns: 1e-9, µs: 1e-6, ms: 1e-3, s: 1 }[unit!]!, Number(ratio)];
}

describeInBrowser("speed", ({ open, shoot, objections }) => {
  test("measures every side that there is, and ends its workers", async () => {
    const page = await open({ hash: FEW });
    await measure(page);
    const [header, ...rows] = await table(page);
    expect(header).toEqual(["row", "JS", "SIMD", "relaxed SIMD", expect.stringMatching(/^\d+ threads$/)]);
    expect(rows.map(([name]) => name)).toEqual(NAMES);
    for (const [, js, ...sides] of rows) {
      expect(js).toMatch(/^[\d.]+ (ns|µs|ms)$/);
      const [first] = sides.map(figures);
      for (const [seconds, ratio] of sides.map(figures)) {
        expect(ratio).toBeGreaterThan(0);
        // All sides are held against the same JavaScript; both numbers have three digits.
        expect((seconds * ratio) / (first![0] * first![1])).toBeCloseTo(1, 1);
      }
    }
    await expect.poll(() => alive(page)).toBe(0);
  });

  test("stops within a row, and starts again", async () => {
    const page = await open({ hash: "#speed?rows=all" });
    await start(page).click();
    await page
      .getByText(/^Row ([2-9]|\d\d+) of/)
      .first()
      .waitFor();
    // An answer may take long while a worker measures.
    await expect.poll(() => alive(page)).toBeGreaterThan(0);
    await stop(page).click();
    const stopped = page.getByText(/^Stopped: \d+ of \d+ rows measured\.$/).first();
    const [, rows, all] = /: (\d+) of (\d+)/.exec((await stopped.textContent())!)!;
    expect(Number(rows)).toBeLessThan(Number(all));
    await expect.poll(() => alive(page)).toBe(0);
    expect((await table(page)).length).toBe(1 + Number(rows));
    await page.getByLabel("Only rows that match").fill("matmul 4x");
    await measure(page);
    expect((await table(page)).map(([name]) => name)).toEqual(["row", "matmul 4x4x4"]);
    expect(await page.getByRole("progressbar").evaluate((bar: HTMLProgressElement) => bar.value)).toBe(1);
  });

  test("copies a table of Markdown, and gives it to copy by hand where the browser refuses", async () => {
    const page = await open({
      hash: "#speed?filter=matmul+64&rows=selection",
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const copy = page.getByRole("button", { name: "Copy as Markdown" });
    expect(await copy.isDisabled()).toBe(true);
    await measure(page);
    await copy.click();
    await page.getByText("Copied.").waitFor();
    const [where, empty, header, rule, ...lines] = (await page.evaluate(() => navigator.clipboard.readText()))
      .trimEnd()
      .split("\n");
    expect(where).toMatch(
      /^nablas [\d.]+, .*\d+, Processors: \d+, .* isolated: yes, SIMD: relaxed, Threads: \d+, /,
    );
    expect(empty).toBe("");
    const cells = (line: string) => line.slice(2, -2).split(" | ");
    const columns = ["row", "JS", "SIMD", "ratio", "relaxed SIMD", "ratio"];
    expect(cells(header!)).toEqual([...columns, expect.stringMatching(/threads$/), "ratio"]);
    expect(rule).toBe("| :-- | --: | --: | --: | --: | --: | --: | --: |");
    expect(lines.map((line) => cells(line)[0])).toEqual(["matmul 64x64x64"]);
    expect(cells(lines[0]!).length).toBe(8);

    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error("refused"));
    });
    await copy.click();
    const area = page.getByRole("textbox", { name: "The browser does not let this page copy" });
    await area.waitFor();
    const selected = await area.evaluate((it: HTMLTextAreaElement) =>
      it.value.slice(it.selectionStart, it.selectionEnd),
    );
    expect(selected.split("\n").slice(2, -1)).toEqual([header, rule, ...lines]);
  });

  test("says why there are no threads", async () => {
    const page = await open({ hash: "#speed?filter=matmul+64", headers: {} });
    await page.getByText("not cross-origin isolated").waitFor();
    await measure(page);
    expect((await table(page))[0]).toEqual(["row", "JS", "SIMD", "relaxed SIMD"]);
  });

  test("does not take workers that it has ended for dead", async () => {
    const page = await open({ hash: "#speed" });
    // As browsers do when the end comes soon after the request: they grant it all the same.
    await page.evaluate(() => {
      const { locks } = navigator;
      const request = locks.request.bind(locks);
      const grant = (name: string, _: LockOptions, granted: () => void) => request(name, granted);
      Object.assign(locks, { request: grant });
    });
    const pending = () =>
      page.evaluate(async () => {
        const { pending } = await navigator.locks.query();
        return pending!.filter(({ name }) => name!.startsWith("speed")).length;
      });
    await start(page).click();
    await expect.poll(pending).toBeGreaterThan(0);
    await stop(page).click();
    await expect.poll(pending).toBe(0);
    await start(page).waitFor();
    expect(await page.getByRole("button", { name: "Start again" }).count()).toBe(0);
  });

  test("takes a filter as it is written, and keeps it in the link", async () => {
    const page = await open({ hash: "#speed" });
    const filter = page.getByLabel("Only rows that match");
    await page.getByText(/^18 rows, about/).waitFor();
    // As a pattern it would take centuries.
    await filter.fill("((([a-z0-9 ]+)+)+)+%");
    await page.getByText("No row matches.").waitFor();
    expect(await start(page).isDisabled()).toBe(true);
    await filter.fill("relu 1M");
    await page.getByText(/^1 row, about/).waitFor();
    await expect.poll(() => new URL(page.url()).hash).toBe("#speed?filter=relu+1M");
  });

  test("is accessible, and looks well on wide and narrow screens, light and dark", async () => {
    const page = await open({ hash: FEW, colorScheme: "light" });
    await measure(page);
    expect(await objections(page)).toEqual([]);
    await shoot(page, "speed-wide-light");
    await page.emulateMedia({ colorScheme: "dark" });
    await page.getByLabel("Language").selectOption("zh");
    expect(await objections(page)).toEqual([]);
    await shoot(page, "speed-wide-dark-zh");
    await page.setViewportSize(NARROW);
    expect(await objections(page)).toEqual([]);
    await shoot(page, "speed-narrow-dark-zh");
    await page.emulateMedia({ colorScheme: "light" });
    await page.getByLabel("语言").selectOption("en");
    await shoot(page, "speed-narrow-light");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(NARROW.width);
  });
});
