// The panel "Digits", as a person uses it: draws, trains, opens files, saves and loads.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { csv, drop, idx, images28, LABELS, REFUSED } from "./digitFiles";
import { draw, fingerDraw, keysDraw } from "./digitStrokes";
import { describeInBrowser, NARROW } from "./playground";

/** A short training. */
const SHORT = "#digits?examples=2000&epochs=8";
/** One of many seconds. */
const LONG = "#digits?examples=20000&epochs=50&hidden=256";

describeInBrowser("digits", ({ open, shoot, objections }) => {
  test("learns by itself, counts what it took for what, and shows what it misread", async () => {
    const page = await open({ hash: SHORT });
    await trained(page);
    const counts = await matrix(page);
    const right = counts.reduce((sum, row, digit) => sum + row[digit]!, 0);
    expect(counts.flat().reduce((sum, count) => sum + count)).toBe(400);
    expect(right / 400).toBeGreaterThan(0.9);
    expect(await page.locator(".state").textContent()).toContain(`${((100 * right) / 400).toFixed(1)}%`);
    expect(await page.locator(".epoch").textContent()).toContain("Epoch 8 of 8");

    const misread = page.locator(".misreads button");
    expect(await misread.count()).toBe(Math.min(12, 400 - right));
    const name = await misread.first().getAttribute("aria-label");
    const [, truth, guess] = /: (\d) taken for (\d), probability/.exec(name!)!;
    expect(counts[Number(truth)]![Number(guess)]).toBeGreaterThan(0);
    await misread.first().click();
    await reads(page, Number(guess));
  });

  test("reads digits as they are drawn, by mouse", async () => {
    const page = await open({ hash: SHORT });
    const [pad, ink] = await Promise.all(
      [".digits .pad", ".digits .pad canvas"].map((place) => page.locator(place).boundingBox()),
    );
    // Within the border of a pixel: the line is where the pointer is.
    expect([ink!.x - pad!.x, ink!.y - pad!.y, pad!.width - ink!.width, pad!.height - ink!.height]).toEqual([
      1, 1, 2, 2,
    ]);
    await trained(page);
    expect(await page.locator(".verdict").textContent()).toBe("What will I read?");
    for (const digit of [7, 1, 4, 2]) {
      await draw(page, digit);
      if (digit === 1) expect(await inkAt(page, 0.5, 0.5)).toBeGreaterThan(0);
      await reads(page, digit);
      const shares = await probabilities(page);
      expect(shares.indexOf(Math.max(...shares))).toBe(digit);
      await page.getByRole("button", { name: "Clear" }).click();
      await page.locator(".bars li", { hasText: "–" }).nth(9).waitFor();
    }
    await draw(page, 4);
    await page.getByRole("button", { name: "Undo stroke" }).click();
    await expect.poll(() => page.locator(".verdict").getAttribute("data-digit")).not.toBe("4");
    await page.getByRole("button", { name: "Undo stroke" }).click();
    expect(await page.getByRole("button", { name: "Clear" }).isDisabled()).toBe(true);
  });

  test("answers while it learns, and stops when asked to", async () => {
    const page = await open({ hash: LONG });
    await page.locator(".epoch", { hasText: /Epoch [1-9]/ }).waitFor();
    await draw(page, 7);
    await reads(page, 7);
    await shoot(page, "digits-learning");
    await page.getByRole("button", { name: "Stop" }).click();
    await trained(page);
    expect((await matrix(page)).flat().reduce((sum, count) => sum + count)).toBe(4000);
    expect(await page.locator(".epoch").textContent()).not.toContain("Epoch 50 of");
  });

  test("reads what is drawn by finger on a phone", async () => {
    const page = await open({ hash: SHORT, viewport: NARROW, hasTouch: true, isMobile: true });
    await trained(page);
    await fingerDraw(page, 7);
    await reads(page, 7);
    expect(await page.evaluate(() => scrollY)).toBe(0);
  });

  test("is drawn in and asked by keyboard", async () => {
    const page = await open({ hash: SHORT });
    await trained(page);
    await page.getByRole("application", { name: "Drawing area" }).focus();
    await keysDraw(page);
    await reads(page, 7);
    await shoot(page, "digits-keys");
    await page.locator("[role=status]", { hasText: /^I read a 7, probability/ }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("What will I read?").waitFor();
    let right = 0;
    for (let digit = 0; digit < 10; digit++) {
      await page.getByRole("button", { name: `An example of ${digit}` }).press("Enter");
      await page.locator(".verdict[data-digit]").waitFor();
      right += Number((await page.locator(".verdict").getAttribute("data-digit")) === String(digit));
      await page.getByRole("button", { name: "Clear" }).click();
      await page.locator(".verdict:not([data-digit])").waitFor();
    }
    expect(right).toBeGreaterThanOrEqual(8);
  });

  test("learns from a CSV file, and from a gzipped one that is dropped", async () => {
    const page = await open({ hash: SHORT });
    await trained(page);
    await choose(page, { name: "mine.csv", bytes: csv(500) });
    await page.getByText("mine.csv: 400 to learn from, 100 to test with, 8 × 8 pixels.").waitFor();
    await trained(page);
    expect((await matrix(page)).flat().reduce((sum, count) => sum + count)).toBe(100);
    await drop(page, [{ name: "packed", bytes: gzipSync(csv(1000)) }]);
    await page.getByText("packed: 800 to learn from").waitFor();
    await trained(page);
    await draw(page, 7);
    await reads(page, 7);
    await page.getByRole("button", { name: "Back to the generator" }).click();
    await page.getByText("Digits of the built-in generator: 1,600 to learn from").waitFor();
    await trained(page);
  });

  test("learns from MNIST's files, at once or one after the other", async () => {
    const page = await open({ hash: "#digits?epochs=6" });
    const pixels = { name: "images.gz", bytes: gzipSync(idx([1000, 28, 28], images28(1000))) };
    const labels = { name: "labels", bytes: idx([1000], LABELS(1000)) };
    await drop(page, [labels, pixels]);
    await page.getByText("images.gz: 800 to learn from, 200 to test with, 28 × 28 pixels.").waitFor();
    await trained(page);
    await draw(page, 7);
    await reads(page, 7);
    await page.getByRole("img", { name: "28 × 28 pixels" }).waitFor();
    await shoot(page, "digits-28");

    await choose(page, { name: "a", bytes: idx([500, 28, 28], images28(500)) });
    await page.getByText("a: 500 images. Now open the file of their labels.").waitFor();
    await choose(page, { name: "b", bytes: idx([400], LABELS(400)) });
    await page.getByRole("alert").getByText("as many labels as images, got 400 / 500").waitFor();
    await choose(page, { name: "b", bytes: idx([500], LABELS(500)) });
    await page.getByText("a: 400 to learn from, 100 to test with").waitFor();
    await trained(page);
  });

  test("refuses files that do not fit, and goes on with what it has", async () => {
    const page = await open({ hash: SHORT });
    await trained(page);
    await draw(page, 7);
    await reads(page, 7);
    const before = await probabilities(page);
    for (const [what, name, bytes, message] of REFUSED) {
      await choose(page, { name, bytes });
      await expect.poll(() => page.getByRole("alert").textContent(), { message: what }).toContain(message);
    }
    await page.getByRole("button", { name: "Dismiss" }).click();
    const files = [csv(10), idx([2], LABELS(2))].map((bytes, i) => ({ name: `${i}.csv`, bytes }));
    await drop(page, files);
    await page.getByRole("alert").getByText("0.csv came together with others").waitFor();
    const twice = ["one", "two"].map((name) => ({ name, bytes: idx([2, 28, 28], images28(2)) }));
    await drop(page, twice);
    await page.getByRole("alert").getByText("two: a second file of images").waitFor();
    expect(await probabilities(page)).toEqual(before);
    await page.getByRole("button", { name: "Clear" }).click();
    await draw(page, 1);
    await reads(page, 1);
  });

  test("saves the network, and loads it after the page was closed", async () => {
    const page = await open({ hash: SHORT });
    await trained(page);
    await page.getByRole("button", { name: "An example of 5" }).click();
    await reads(page, 5);
    const [before, counted] = [await probabilities(page), await matrix(page)];
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save the model" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("nablas-digits.safetensors");
    const bytes = readFileSync(await download.path());

    const later = await open({ hash: LONG });
    await drop(later, [{ name: "torn", bytes: bytes.subarray(0, bytes.length - 9) }]);
    await later
      .getByRole("alert")
      .getByText("torn is no model that was saved here, or is incomplete")
      .waitFor();
    const other = Buffer.from(bytes.toString("latin1").replace('hidden\\":64', 'hidden\\":32'), "latin1");
    await drop(later, [{ name: "other", bytes: other }]);
    await later.getByRole("alert").getByText("other: its weights do not fit the network").waitFor();
    await drop(later, [{ name: "mine.safetensors", bytes }]);
    await later.getByText("The network of mine.safetensors is in use: 64 pixels, 64 hidden units").waitFor();
    await later.getByRole("button", { name: "An example of 5" }).click();
    await reads(later, 5);
    expect(await probabilities(later)).toEqual(before);
    expect(await matrix(later)).toEqual(counted);
  });

  for (const [name, options] of Object.entries({
    "en-light": { locale: "en-GB", colorScheme: "light" },
    "zh-dark": { locale: "zh-CN", colorScheme: "dark" },
    "narrow-en-dark": { locale: "en-GB", colorScheme: "dark", viewport: NARROW },
    "narrow-zh-light": { locale: "zh-CN", colorScheme: "light", viewport: NARROW },
  } as const)) {
    test(`is for everyone: ${name}`, async () => {
      const page = await open({ hash: SHORT, ...options });
      await trained(page);
      expect(await objections(page)).toEqual([]);
      await draw(page, 2);
      await reads(page, 2);
      await shoot(page, `digits-${name}`);
      await choose(page, { name: "iris.csv", bytes: Buffer.from("5.1,3.5,1.4,0.2,0\n") });
      const words = options.locale === "zh-CN" ? "应有 65 列" : "expected 65 columns";
      await page.getByRole("alert").getByText(words).waitFor();
      expect(await objections(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
      await shoot(page, `digits-${name}-refused`);
    });
  }
});

/** Waits until the training that was asked for is over, and its test. */
async function trained(page: Page): Promise<void> {
  await page.locator(".training button.primary").waitFor();
  await page.locator("table.matrix").waitFor();
}

/** Waits until the drawing is taken for the digit. */
async function reads(page: Page, digit: number): Promise<void> {
  await expect.poll(() => page.locator(".verdict").getAttribute("data-digit")).toBe(String(digit));
}

/** The ink that is to be seen at a place of the pad, from 0 to 255. */
async function inkAt(page: Page, u: number, v: number): Promise<number> {
  return page.getByRole("application").evaluate(
    (pad, [u, v]) => {
      const [area, canvas] = [pad.getBoundingClientRect(), pad.querySelector("canvas")!];
      const { left, top, width, height } = canvas.getBoundingClientRect();
      const x = ((area.left + u * area.width - left) / width) * canvas.width;
      const y = ((area.top + v * area.height - top) / height) * canvas.height;
      return canvas.getContext("2d")!.getImageData(x, y, 1, 1).data[3]!;
    },
    [u, v] as const,
  );
}

async function matrix(page: Page): Promise<number[][]> {
  const rows = await page.locator("table.matrix tbody tr").all();
  return Promise.all(rows.map(async (row) => (await row.locator("td").allTextContents()).map(Number)));
}

/** As they are drawn, not as they are rounded. */
async function probabilities(page: Page): Promise<number[]> {
  const bars = await page.locator(".bars i i").all();
  return Promise.all(bars.map((bar) => bar.evaluate(({ style }) => Number.parseFloat(style.width))));
}

async function choose(page: Page, { name, bytes }: { name: string; bytes: Buffer }): Promise<void> {
  await page
    .locator("input[type=file]")
    .setInputFiles({ name, mimeType: "application/octet-stream", buffer: bytes });
}
