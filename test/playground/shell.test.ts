// The page around the panels: how it loads, what it asks of the network, its languages and colours.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { describeInBrowser } from "./playground";

const PANELS = ["Activations", "Slow neuron", "Train", "Digits", "Speed"];
const FILE = new URL("../../build/playground/index.html", import.meta.url);

const tab = (page: Page, name: string) => page.getByRole("tab", { name });

/** Opens each panel, and trains a little, which takes a worker. */
async function useAll(page: Page): Promise<void> {
  for (const name of PANELS) await tab(page, name).click();
  await tab(page, "Train").click();
  await page.getByRole("button", { name: "Play" }).click();
  const steps = page.locator(".standing dd").first();
  await expect.poll(async () => Number(await steps.innerText())).toBeGreaterThan(10);
}

describeInBrowser("the playground", ({ open, newPage }) => {
  test("loads less than 200 kB", () => {
    const bytes = gzipSync(readFileSync(FILE), { level: 9 }).length;
    console.log(`the playground weighs ${(bytes / 1000).toFixed(1)} kB gzipped`);
    expect(bytes).toBeLessThan(200_000);
  });

  test("goes through its panels by keyboard", async () => {
    const page = await open();
    await tab(page, "Activations").focus();
    const selected = () => page.getByRole("tab", { selected: true }).textContent();
    for (const name of [...PANELS.slice(1), PANELS[0]]) {
      await page.keyboard.press("ArrowRight");
      expect(await selected()).toBe(name);
      await page.getByRole("tabpanel", { name: name! }).getByRole("heading", { level: 2 }).waitFor();
    }
    await page.keyboard.press("End");
    expect(await selected()).toBe("Speed");
    await page.keyboard.press("ArrowLeft");
    expect(await selected()).toBe("Digits");
    await page.keyboard.press("Home");
    await expect.poll(() => page.url()).toMatch(/#activations$/);
  });

  test("asks nothing of the network once it is loaded", async () => {
    const page = await open();
    await page.evaluate(() => navigator.serviceWorker.ready);
    const asked: string[] = [];
    page.context().on("request", (request) => asked.push(request.url()));
    await useAll(page);
    expect(asked.filter((url) => !/^(blob|data):/.test(url))).toEqual([]);
  });

  test("opens again without a network, and is isolated then", async () => {
    const page = await open({ headers: {} });
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
    const other = await page.evaluate(async () => {
      const frame = Object.assign(document.createElement("iframe"), { src: "./offline.js" });
      await new Promise((resolve) => {
        frame.addEventListener("load", resolve);
        document.body.append(frame);
      });
      return frame.contentDocument!.body.innerText;
    });
    expect(other).toContain("The service worker: keeps the page");
    await page.context().setOffline(true);
    await page.reload();
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await useAll(page);
  });

  test("works from a file", async () => {
    const page = await newPage();
    await page.goto(FILE.href);
    await useAll(page);
  });

  test("works where workers of a page's own text are allowed, and nothing else is loaded", async () => {
    const policy =
      "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:; style-src 'unsafe-inline'; " +
      "worker-src 'self' blob:; img-src data:; connect-src 'self'";
    const page = await open({ headers: { "content-security-policy": policy } });
    await tab(page, "Train").click();
    await page.getByRole("button", { name: "Step", exact: true }).click();
    await expect.poll(() => page.locator(".standing dd").first().innerText()).toBe("1");
  });

  test("remembers language and colours", async () => {
    const page = await open();
    await page.getByLabel("Language").selectOption("中文");
    expect(await page.evaluate(() => document.documentElement.lang)).toBe("zh-Hans");
    await page.getByLabel("颜色").selectOption("深色");
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const darkOne = await background();
    await page.reload();
    expect(await tab(page, "训练").count()).toBe(1);
    expect(await background()).toBe(darkOne);
    await page.getByLabel("颜色").selectOption("浅色");
    expect(await background()).not.toBe(darkOne);
  });

  test.each(["zh-CN", "zh-TW", "en-US", "de"])("speaks to a browser of %s", async (locale) => {
    const page = await open({ locale });
    const language = locale.startsWith("zh") ? "zh-Hans" : "en";
    expect(await page.evaluate(() => document.documentElement.lang)).toBe(language);
  });

  test("a link leads to a panel, and back", async () => {
    const page = await open({ hash: "#digits" });
    await page.getByRole("tabpanel", { name: "Digits" }).waitFor();
    await page.evaluate(() => {
      location.hash = "#train?lr=0.5";
    });
    const train = page.getByRole("tabpanel", { name: "Train" });
    expect(await train.getByLabel("Learning rate").getAttribute("aria-valuetext")).toBe("0.5");
    await page.goBack();
    await page.getByRole("tabpanel", { name: "Digits" }).waitFor();
  });

  test("follows an address that changes just when the page would write its own", async () => {
    const page = await newPage();
    await page.addInitScript(() => {
      const due = new Set<unknown>();
      const { setTimeout, clearTimeout } = globalThis;
      // Timers that last longer than a task run when the test says so.
      Object.assign(globalThis, {
        due,
        setTimeout: (run: () => void, ms = 0) => (ms < 200 ? setTimeout(run, ms) : due.add(run) && run),
        clearTimeout: (timer: unknown) => due.delete(timer) || clearTimeout(timer as number),
      });
    });
    await page.goto(`${FILE.href}#digits`);
    await page.getByRole("tabpanel", { name: "Digits" }).waitFor();
    for (const [hash, name] of [
      ["#train?lr=0.5", "Train"],
      ["#digits?lr=0.5", "Digits"],
      ["#neuron", "Slow neuron"],
    ] as const) {
      await page.evaluate((hash) => {
        location.hash = hash;
        for (const run of (globalThis as unknown as { due: Set<() => void> }).due) run();
      }, hash);
      await page.getByRole("tabpanel", { name }).waitFor();
      expect(new URL(page.url()).hash).toBe(hash);
    }
  });
});
