// The panel of activations, used as people would.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { describeInBrowser, NARROW } from "./playground";

/** What the table says of x, f(x) and f′(x). */
async function numbers(page: Page, column = 0): Promise<(number | string)[]> {
  const rows = await page.locator("table.numbers tbody tr").all();
  return Promise.all(
    rows.map(async (row, i) => {
      const text = (await row
        .locator("td")
        .nth(i === 0 ? 0 : column)
        .textContent())!.replaceAll("−", "-");
      return (
        { "∞": Infinity, "-∞": -Infinity, NaN: Number.NaN }[text] ?? (text === "–" ? text : Number(text))
      );
    }),
  );
}

/** Waits for the numbers to be these, to the accuracy of float32. */
async function shows(page: Page, expected: (number | string)[], column = 0): Promise<void> {
  const close = (value: number | string, wanted: number | string) =>
    Object.is(value, wanted) ||
    (typeof value === "number" &&
      typeof wanted === "number" &&
      (value === wanted || Math.abs(value - wanted) <= 3e-7 * Math.abs(wanted)));
  await expect
    .poll(async () => {
      const found = await numbers(page, column);
      return found.length === expected.length && found.every((value, i) => close(value, expected[i]!))
        ? expected
        : found;
    })
    .toEqual(expected);
}

async function choose(page: Page, name: string): Promise<void> {
  await page.getByLabel("Activation", { exact: true }).selectOption(name);
}

async function saturation(page: Page, pattern: RegExp): Promise<void> {
  await expect.poll(() => page.locator(".saturation").textContent()).toMatch(pattern);
}

const σ = (x: number) => 1 / (1 + Math.exp(-x));

/** f(x) and f′(x) at x = 1, with the options at their defaults. */
const AT_ONE: Record<string, [f: number, slope: number | string, more?: number]> = {
  identity: [1, 1],
  sigmoid: [0.7310586, 0.19661193],
  tanh: [0.7615942, 0.41997434],
  softsign: [0.5, 0.25],
  hardsigmoid: [4 / 6, 1 / 6],
  hardtanh: [1, 0],
  relu: [1, 1],
  leakyRelu: [1, 1],
  prelu: [1, 1, 0],
  rrelu: [1, 1],
  relu6: [1, 1],
  elu: [1, 1],
  celu: [1, 1],
  selu: [1.0507009873554805, 1.0507009873554805],
  softplus: [1.3132617, σ(1)],
  logSigmoid: [-0.3132617, σ(-1)],
  silu: [0.7310586, 0.92767051],
  gelu: [0.8413447, 1.08331547],
  mish: [0.86509839, 1.0490363],
  hardswish: [4 / 6, 5 / 6],
  softmax: [Math.E / (1 + 2 * Math.E), (Math.E * (1 + Math.E)) / (1 + 2 * Math.E) ** 2],
  logSoftmax: [-Math.log(2 + 1 / Math.E), 1 - Math.E / (1 + 2 * Math.E)],
  hardmax: [1, "–"],
  maxout: [0, 0],
};

describeInBrowser("activations", ({ open, shoot, objections }) => {
  test("shows f and f′ of each as its kernels give them", async () => {
    const page = await open();
    const options = page.getByLabel("Activation", { exact: true }).locator("option");
    expect((await options.allTextContents()).sort()).toEqual(Object.keys(AT_ONE).sort());
    for (const [name, values] of Object.entries(AT_ONE)) {
      await choose(page, name);
      await expect.poll(() => page.locator("table.numbers thead th").allTextContents()).toEqual([name]);
      await shows(page, [1, ...values] as (number | string)[]);
      expect(await page.locator(".formulas").textContent()).toContain("f(x) =");
      await expect
        .poll(() => page.locator(".plots canvas").first().getAttribute("aria-label"))
        .toContain(`f = ${name}.`);
      expect(await page.getByRole("alert").count()).toBe(0);
    }
  });

  test("moves parameters, and says what saturates", async () => {
    const page = await open({ hash: "#activations?x=-2" });
    await shows(page, [-2, σ(-2), σ(-2) * σ(2)]);
    await saturation(page, /for x ≤ −4.59 or x ≥ 4.59, .* maximum, 0.25/);
    await choose(page, "relu");
    await saturation(page, /for x ≤ 0, .* maximum, 1\. Of inputs drawn from N\(0, 1\), 50.0% fall there/);
    await choose(page, "leakyRelu");
    await shows(page, [-2, -0.02, 0.01]);
    await saturation(page, /for x ≤ 0,/);
    await page.getByLabel("negativeSlope a").fill("0.2");
    await shows(page, [-2, -0.4, 0.2]);
    await saturation(page, /nowhere/);
    expect(await page.locator(".plots canvas").first().getAttribute("aria-label")).toMatch(
      /leakyRelu.*nowhere/,
    );
    await choose(page, "hardtanh");
    await saturation(page, /for x ≤ −1 or x ≥ 1, .* 31\.7%/);
    await page.getByLabel("minVal m").fill("-3");
    await shows(page, [-2, -2, 1]);
    await saturation(page, /for x ≤ −3 or x ≥ 1,/);
    await choose(page, "gelu");
    await saturation(page, /for x ≤ −2.* or −0.87 ≤ x ≤ −0.66/);
    await page.getByLabel("approximate").selectOption("tanh");
    const [c, t] = [Math.sqrt(2 / Math.PI), Math.tanh(Math.sqrt(2 / Math.PI) * -2.35772)];
    await shows(page, [-2, -1 - t, (1 + t) / 2 - (1 - t ** 2) * c * 1.53658]);
    await choose(page, "prelu");
    await shows(page, [-2, -0.5, 0.25, -2]);
  });

  test("draws the slopes of rrelu in training", async () => {
    const page = await open({ hash: "#activations?f=rrelu&x=-1" });
    await shows(page, [-1, -(1 / 8 + 1 / 3) / 2, (1 / 8 + 1 / 3) / 2]);
    await page.getByLabel("training").check();
    await saturation(page, /draws a slope/);
    await expect.poll(async () => (await numbers(page))[2]).not.toBeCloseTo((1 / 8 + 1 / 3) / 2, 6);
    const [, f, slope] = (await numbers(page)) as number[];
    expect(slope).toBeGreaterThanOrEqual(1 / 8);
    expect(slope).toBeLessThan(1 / 3 + 1e-7);
    expect(f).toBe(-slope!);
    await shoot(page, "activations-rrelu");
  });

  test("follows the pointer, the keyboard, and what is typed", async () => {
    const page = await open({ hash: "#activations?f=tanh" });
    const over = page.locator(".u-over").first();
    await over.hover({ position: { x: 100, y: 50 } });
    const { width } = (await over.boundingBox())!;
    const x = Math.round(50 * ((16 * 100) / width - 8)) / 50;
    await expect.poll(async () => Math.abs(((await numbers(page))[0] as number) - x)).toBeLessThan(0.021);
    const [at] = (await numbers(page)) as [number];
    await shows(page, [at, Math.tanh(at), 1 / Math.cosh(at) ** 2]);
    const typed = page.getByLabel("Type x");
    await typed.fill("1e-30");
    await shows(page, [1e-30, 1e-30, 1]);
    await typed.fill("0.1");
    await shows(page, [0.1, 0.099667995, 0.99006629]);
    await typed.fill("1e");
    await expect.poll(() => page.getByRole("alert").textContent()).toMatch(/cannot be read/);
    expect(await typed.getAttribute("aria-invalid")).toBe("true");
    await page.getByLabel("Move x").focus();
    expect(await page.getByRole("alert").count()).toBe(0);
    await page.keyboard.press("ArrowRight");
    await shows(page, [0.12, Math.tanh(0.12), 1 / Math.cosh(0.12) ** 2]);
    await page.mouse.move(5, 5);
    await expect
      .poll(() => page.locator(".u-legend .u-value").allTextContents())
      .toEqual(["0.12", "0.119", "0.12", "0.986"]);
  });

  test("takes extreme inputs", async () => {
    const page = await open({ hash: "#activations?f=softplus" });
    const tries: [name: string, f: number, slope: number][] = [
      ["−1000", 0, 0],
      ["3e38", 3e38, 1],
      ["∞", Infinity, 1],
      ["100", 100, 1],
    ];
    for (const [name, f, slope] of tries) {
      await page.getByRole("button", { name, exact: true }).click();
      await shows(page, [name === "−1000" ? -1000 : f, f, slope]);
    }
    await page.getByRole("button", { name: "NaN" }).click();
    await shows(page, [Number.NaN, Number.NaN, Number.NaN]);
    await page.getByLabel("Type x").fill("-infinity");
    await shows(page, [-Infinity, 0, 0]);
    await page.getByLabel("Type x").fill("1e39");
    await shows(page, [Infinity, Infinity, 1]);
    await page.getByLabel("Type x").fill("1e-50");
    await shows(page, [0, Math.LN2, 0.5]);
  });

  test("says what the library objects to, until it is mended", async () => {
    const page = await open({ hash: "#activations?f=hardtanh&minVal=2" });
    await expect.poll(() => page.getByRole("alert").textContent()).toMatch(/minVal is at most maxVal/);
    await page.getByLabel("maxVal M").fill("3");
    await expect.poll(() => page.getByRole("alert").count()).toBe(0);
    await shows(page, [1, 2, 0]);
  });

  test("compares two, and restores it all from a link, in Chinese and dark", async () => {
    const page = await open();
    await choose(page, "elu");
    await page.getByLabel("alpha α").fill("2");
    await page.getByLabel("Compare").selectOption("softsign");
    await page.getByLabel("Type x").fill("-1");
    await shows(page, [-1, 2 * Math.expm1(-1), 2 * Math.exp(-1)]);
    await shows(page, [-1, -0.5, 0.25], 1);
    expect(await objections(page)).toEqual([]);
    await shoot(page, "activations-wide");
    const hash = "#activations?f=elu&with=softsign&x=-1&alpha=2";
    await expect.poll(() => new URL(page.url()).hash).toBe(hash);

    const again = await open({ hash, viewport: NARROW, locale: "zh-CN", colorScheme: "dark" });
    await shows(again, [-1, 2 * Math.expm1(-1), 2 * Math.exp(-1)]);
    expect(await again.locator(".saturation").textContent()).toMatch(/饱和区：x ≤ −3.22，/);
    expect(await again.evaluate("document.documentElement.scrollWidth")).toBe(NARROW.width);
    expect(await objections(again)).toEqual([]);
    await shoot(again, "activations-narrow-dark-zh");
  });

  test("is in order in the other languages, themes and widths, too", async () => {
    const dark = await open({ hash: "#activations?f=maxout&k=4", colorScheme: "dark" });
    await shows(dark, [1, 1 / 3 - 2 / 9, 1 / 3]);
    expect(await objections(dark)).toEqual([]);
    await shoot(dark, "activations-wide-dark");
    const narrow = await open({ hash: "#activations?f=softmax", viewport: NARROW });
    await shows(narrow, [1, ...AT_ONE.softmax!] as number[]);
    expect(await objections(narrow)).toEqual([]);
    await shoot(narrow, "activations-narrow");
    const wide = await open({ hash: "#activations?f=hardmax", locale: "zh-CN" });
    await shows(wide, [1, 1, "–"]);
    expect(await objections(wide)).toEqual([]);
    await shoot(wide, "activations-wide-zh");
  });
});
