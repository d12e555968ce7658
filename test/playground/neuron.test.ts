// The panel of the slow neuron, used as people would. The figures are those of docs/lab.md, section 1.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { describeInBrowser, NARROW } from "./playground";

/** a, C and ∂C/∂w at the epoch that is shown. */
async function numbers(page: Page, side: "left" | "right"): Promise<number[]> {
  const table = page.locator("table.state").nth(side === "left" ? 0 : 1);
  const cells = await table.locator("td").allTextContents();
  return cells.map((text) => Number(text.replaceAll("−", "-")));
}

/** Waits for these three of a side; undefined is any. */
async function shows(page: Page, side: "left" | "right", expected: (number | undefined)[]): Promise<void> {
  const wanted = expected.map((value) => value ?? expect.any(Number));
  await expect.poll(() => numbers(page, side)).toEqual(wanted);
}

async function goTo(page: Page, epoch: number): Promise<void> {
  await page.getByLabel("Epoch", { exact: true }).fill(String(epoch));
}

describeInBrowser("the slow neuron", ({ open, shoot, objections }) => {
  test("gives the figures of the book from its starts", async () => {
    const page = await open({ hash: "#neuron?epoch=0&w=1" });
    await page.getByRole("button", { name: "(0.6, 0.9)" }).click();
    await shows(page, "left", [0.818, undefined, 0.122]);
    await shows(page, "right", [0.818, undefined, 0.818]);
    await goTo(page, 100);
    await shows(page, "left", [0.211, undefined, undefined]);
    await shows(page, "right", [0.0371, undefined, undefined]);
    await goTo(page, 300);
    await shows(page, "left", [0.094, undefined, undefined]);
    await page.getByRole("button", { name: "(2, 2)" }).click();
    await shows(page, "left", [0.203, undefined, undefined]);
    await shows(page, "right", [0.012, undefined, undefined]);
    await goTo(page, 200);
    await shows(page, "left", [0.789, undefined, undefined]);
    await shows(page, "right", [0.0186, undefined, undefined]);
    await goTo(page, 100);
    await shows(page, "left", [0.964, undefined, undefined]);
    await shows(page, "right", [0.0411, undefined, undefined]);
    await goTo(page, 0);
    await shows(page, "left", [0.982, 0.482, 0.0173]);
    await shows(page, "right", [0.982, 4.02, 0.982]);
    const [left, right] = await page.locator(".side").allTextContents();
    expect(left).toContain("C′(a) · σ′(z) · x = 0.982 · 0.0177 · 1 = 0.0173");
    expect(left).toContain("saturated");
    expect(left).toContain("does not reach a < 0.1 within 300 epochs");
    expect(right).toContain("a − y = 0.982 is left");
    expect(right).toMatch(/It needs \d\d epochs to reach a < 0\.1/);
  });

  test("starts where one drags it, and a link restores it", async () => {
    const page = await open({ hash: "#neuron" });
    const pad = page.locator(".pad svg");
    await shows(page, "left", [0.964, undefined, undefined]);
    const canvas = page.locator(".uplot canvas").first();
    const before = await canvas.screenshot();
    const { x, y, width } = (await pad.boundingBox())!;
    const place = (w: number, b: number) =>
      [
        x + ((26 + ((w + 4) / 8) * 266) / 300) * width,
        y + ((8 + ((4 - b) / 8) * 266) / 300) * width,
      ] as const;
    await page.mouse.move(...place(2, 2));
    await page.mouse.down();
    await page.mouse.move(...place(0, 0), { steps: 4 });
    await page.mouse.move(...place(-1, 3), { steps: 4 });
    await page.mouse.up();
    await page.mouse.move(...place(3, 3));
    expect(await page.getByLabel("Weight w").inputValue()).toBe("-1");
    expect(await page.getByLabel("Bias b").inputValue()).toBe("3");
    await goTo(page, 0);
    await shows(page, "right", [0.881, 2.13, 0.881]);
    await goTo(page, 100);
    expect(await canvas.screenshot()).not.toEqual(before);
    expect(await pad.getAttribute("aria-label")).toContain("w = −1, b = 3");

    await page.getByLabel("Weight w").focus();
    await page.keyboard.press("ArrowRight");
    await page.getByLabel("Learning rate").fill("0");
    await page.getByLabel("Right loss").selectOption("focal");
    const hash = "#neuron?w=-0.95&b=3&lr=1&right=focal";
    await expect.poll(() => new URL(page.url()).hash).toBe(hash);
    await expect.poll(async () => (await numbers(page, "right"))[0]).toBeLessThan(0.2);
    const [left, right] = [await numbers(page, "left"), await numbers(page, "right")];
    const again = await open({ hash });
    await shows(again, "left", left);
    await shows(again, "right", right);
  });

  test("runs through its epochs, and stops where it is told to", async () => {
    const page = await open({ hash: "#neuron?epoch=300" });
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 3_600_000);
    const epoch = async () => Number(await page.getByLabel("Epoch", { exact: true }).inputValue());
    await page.getByRole("button", { name: "Play" }).click();
    await page.clock.runFor(1000);
    await page.getByRole("button", { name: "Pause" }).click();
    const at = await epoch();
    expect(at).toBeGreaterThan(60);
    expect(at).toBeLessThan(100);
    await page.clock.runFor(1000);
    expect(await epoch()).toBe(at);
    await page.getByRole("button", { name: "Play" }).click();
    await page.clock.runFor(2000);
    expect(await epoch()).toBeLessThan(300);
    await page.clock.runFor(2000);
    expect(await epoch()).toBe(300);
    await page.getByRole("button", { name: "Play" }).waitFor();

    await page.emulateMedia({ reducedMotion: "reduce" });
    await goTo(page, 10);
    await page.getByRole("button", { name: "Play" }).click();
    expect(await epoch()).toBe(300);
  });

  test("shows the surface of either loss", async () => {
    const page = await open({ hash: "#neuron" });
    const pixels = () =>
      page.locator(".pad canvas").evaluate((canvas: HTMLCanvasElement) => {
        const copy = new OffscreenCanvas(256, 256).getContext("2d", { willReadFrequently: true })!;
        copy.drawImage(canvas, 0, 0);
        return [64, 128, 192].map((i) => copy.getImageData(i, 256 - i, 1, 1).data[0]!);
      });
    // At (−2, −2), (0, 0) and (2, 2), of their largest: squared error 0, 1/4 and 0.96, cross-entropy 0, 0.09 and 1/2.
    await expect.poll(async () => new Set(await pixels()).size).toBeGreaterThan(1);
    const [, middle, high] = (await pixels()) as [number, number, number];
    await page.getByLabel("Surface").selectOption("right");
    await expect.poll(async () => (await pixels())[1]).toBeGreaterThan(middle);
    expect((await pixels())[2]).toBeGreaterThan(high);
  });

  test("offers every loss", async () => {
    const page = await open({ hash: "#neuron?epoch=0" });
    const losses: [name: string, cost: number, gradient: number][] = [
      ["l1", 0.982, 0.0177],
      ["huber", 0.214, 0.00442],
      ["logCosh", 0.42, 0.0133],
      ["bce", 4.02, 0.982],
      ["bceWithLogits", 4.02, 0.982],
      ["focal", 3.87, 1.09],
      ["mse", 0.482, 0.0173],
    ];
    const options = await page.getByLabel("Left loss").locator("option").count();
    expect(options).toBe(losses.length);
    for (const [name, cost, gradient] of losses) {
      await page.getByLabel("Left loss").selectOption(name);
      await shows(page, "left", [0.982, cost, gradient]);
    }
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  test("is in order in both languages, themes and widths", async () => {
    for (const [name, options] of Object.entries({
      wide: {},
      "wide-dark-zh": { colorScheme: "dark", locale: "zh-CN" },
      "narrow-dark": { colorScheme: "dark", viewport: NARROW },
      "narrow-zh": { locale: "zh-CN", viewport: NARROW },
    } as const)) {
      const page = await open({ hash: "#neuron", ...options });
      await shows(page, "right", [0.0411, undefined, undefined]);
      if ("locale" in options) {
        const left = await page.locator(".side").first().textContent();
        expect(left).toMatch(/第 100 轮.*已饱和.*300 轮之内达不到 a < 0\.1/);
      }
      expect(await page.evaluate("document.documentElement.scrollWidth === innerWidth")).toBe(true);
      expect(await objections(page)).toEqual([]);
      await shoot(page, `neuron-${name}`);
    }
  });
});
