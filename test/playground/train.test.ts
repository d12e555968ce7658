// Networks that learn in the page.
import { expect, test } from "vitest";
import { describeInBrowser, NARROW, WIDE } from "./playground";
import { button, layers, ready, standing, steps, value } from "./trainPanel";

describeInBrowser("the panel that trains", ({ open, shoot, objections }) => {
  test("learns when played, waits when paused", async () => {
    const page = await open({ hash: "#train" });
    await ready(page);
    expect(await standing(page, "steps")).toBe("0");
    await button(page, /Play/).click();
    await expect.poll(() => value(page, "test accuracy")).toBeGreaterThan(97);
    await button(page, /Pause/).click();
    expect(await value(page, "train loss")).toBeLessThan(0.2);
    await page.getByRole("img", { name: /^Loss; training: from 0\.\d+ to 0\.\d+; test: from/ }).waitFor();
    const at = await value(page, "steps");
    expect(at).toBeGreaterThan(20);
    await page.waitForTimeout(200);
    expect(await value(page, "steps")).toBeLessThan(at + 3);
    await expect(
      page.locator("p[aria-live]", { hasText: /After \d+ steps: test loss/ }).count(),
    ).resolves.toBe(1);
  });

  test("goes step by step, and the same way from the same seed", async () => {
    const page = await open({ hash: "#train?layers=Linear:8,ReLU,Dropout:0.2" });
    await ready(page);
    const start = await standing(page, "train loss");
    await steps(page, 3);
    const third = await standing(page, "train loss");
    expect(third).not.toBe(start);
    await button(page, "Start over").click();
    await expect.poll(() => standing(page, "steps")).toBe("0");
    expect(await standing(page, "train loss")).toBe(start);
    await steps(page, 3);
    expect(await standing(page, "train loss")).toBe(third);
    await button(page, "Next seed").click();
    await expect.poll(() => standing(page, "steps")).toBe("0");
    expect(await page.getByLabel("Seed", { exact: true }).inputValue()).toBe("2");
    expect(await standing(page, "train loss")).not.toBe(start);
  });

  test("builds the network layer by layer, and links restore it", async () => {
    const page = await open({ hash: "#train" });
    await ready(page);
    await page.getByLabel("Layer to add").selectOption("Dropout");
    await button(page, "Add layer").click();
    await page.getByLabel("p of layer 4").fill("0.5");
    await page.getByLabel("p of layer 4").press("Enter");
    await page.getByLabel("units of layer 2").fill("12");
    await page.getByLabel("units of layer 2").press("Enter");
    await page.getByLabel("Kind of layer 1").selectOption("LeakyReLU");
    await button(page, "Remove layer 3").click();
    await button(page, "Move layer 3 up").click();
    await page.locator(":focus[aria-label='Move layer 2 up']").waitFor();
    const restored = "layers=Linear%3A8%2CLeakyReLU%3A0.01%2CDropout%3A0.5%2CLinear%3A12";
    await expect.poll(() => page.url()).toContain(`#train?${restored}`);
    await page.getByRole("combobox", { name: "Loss" }).selectOption("mseLoss");
    await page.getByLabel("Optimizer").selectOption("SGD");
    await page.getByLabel("Momentum").fill("0.9");
    await expect.poll(() => page.url()).toContain("momentum=0.9");
    await steps(page, 2);
    const loss = await standing(page, "train loss");
    const other = await open({ hash: new URL(page.url()).hash });
    await ready(other);
    expect(await other.getByLabel("units of layer 3").inputValue()).toBe("12");
    await steps(other, 2);
    expect(await standing(other, "train loss")).toBe(loss);
  });

  test("says what is wrong beside the layer it speaks of", async () => {
    const page = await open({ hash: "#train" });
    await ready(page);
    expect(await page.locator(".findings").count()).toBe(0);
    await page.getByLabel("Output activation").selectOption("Softmax");
    await layers(page).last().getByText("The loss does not fit this output.").waitFor();
    await page.getByLabel("Examples").selectOption("vanishing");
    await layers(page).first().getByText("The gradient vanishes").waitFor();
    await page.getByLabel("Examples").selectOption("dying");
    await page.locator(".network li", { hasText: "Dead units" }).first().waitFor();
    await page.getByLabel("Scale inputs by").selectOption("100");
    await page.locator(".card", { hasText: "Number of points" }).getByText("far from mean 0").waitFor();
  });

  test("examples show what they say", async () => {
    const page = await open({ hash: "#train" });
    await ready(page);
    const follow = async (name: string) => {
      const before = await value(page, "steps");
      await page.getByLabel("Examples").selectOption(name);
      // At a step a frame, so that no look comes too late.
      if (before > 0) await expect.poll(() => value(page, "steps")).toBeLessThan(before);
      await page.getByLabel("Speed").selectOption("quick");
      await expect.poll(() => value(page, "steps")).toBeGreaterThan(600);
      return value(page, "test accuracy");
    };
    expect(await follow("linear")).toBeLessThan(75);
    expect(await follow("maxout")).toBeGreaterThan(85);
    expect(await follow("vanishing")).toBeLessThan(75);
    expect(await follow("cured")).toBeGreaterThan(85);
    expect(await follow("spirals")).toBeGreaterThan(90);
  });

  test("another rate goes on within the epoch, the same example again starts anew", async () => {
    const page = await open({ hash: "#train?count=20" });
    await ready(page);
    await steps(page, 9);
    await page.getByLabel("Learning rate").fill("-2");
    await steps(page, 1);
    expect(await standing(page, "epochs")).toBe("10.0");
    await page.getByLabel("Examples").selectOption("maxout");
    for (let i = 0; i < 2; i++) {
      await expect.poll(() => value(page, "steps")).toBeGreaterThan(180);
      await button(page, "Pause").click();
      const at = await value(page, "steps");
      await page.getByLabel("Examples").selectOption("maxout");
      await expect.poll(() => value(page, "steps")).toBeLessThan(at);
    }
  });

  test("learns points that people click", async () => {
    const page = await open({ hash: "#train?data=own" });
    const plane = page.getByRole("application");
    await page.getByText("Click here to add points.").waitFor();
    const { width, height } = (await plane.boundingBox())!;
    for (let i = 0; i < 8; i++) {
      await plane.click({ position: { x: 0.2 * width, y: (0.1 + 0.1 * i) * height } });
    }
    await page.getByLabel("orange").check();
    for (let i = 0; i < 8; i++) {
      await plane.click({ position: { x: 0.8 * width, y: (0.1 + 0.1 * i) * height } });
    }
    await button(page, /Play/).click();
    await expect.poll(() => standing(page, "test accuracy")).toBe("100%");
    await expect.poll(() => page.url()).toContain("points=");
    await plane.focus();
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await page.getByText("Cross at x = 0, y = 0.1").waitFor({ state: "attached" });
    await expect.poll(() => page.url()).toContain(Buffer.from([127, 131, 1]).toString("base64url"));
    await page.keyboard.press("Backspace");
    await button(page, "Undo point").click();
    await shoot(page, "train-own");
    await page.getByLabel("Classes").fill("3");
    await page.getByLabel("Classes").press("Enter");
    await page.getByLabel("green").check();
    await page.getByLabel("Classes").fill("2");
    await page.getByLabel("Classes").press("Enter");
    expect(await page.getByLabel("orange").isChecked()).toBe(true);
    await button(page, "Clear").click();
    await page.getByText("Click here to add points.").waitFor();
  });

  test("trains with every loss and every layer", async () => {
    const page = await open({ hash: "#train?output=Sigmoid&lr=0.001" });
    await ready(page);
    const select = page.getByRole("combobox", { name: "Loss" });
    const losses = await select
      .locator("option")
      .evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value));
    expect(losses.length).toBe(21);
    for (const loss of losses) {
      // The likelihood takes logarithms of probabilities.
      await page.getByLabel("Output activation").selectOption(loss === "nllLoss" ? "LogSoftmax" : "Sigmoid");
      await select.selectOption(loss);
      await expect.poll(() => standing(page, "steps")).toBe("0");
      await steps(page, 1);
      expect([loss, await page.getByRole("alert").allInnerTexts()]).toEqual([loss, []]);
    }
    const kind = page.getByLabel("Kind of layer 1");
    const kinds = await kind
      .locator("option")
      .evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value));
    expect(kinds.length).toBe(27);
    for (const name of kinds) {
      await kind.selectOption(name);
      await expect.poll(() => standing(page, "steps")).toBe("0");
      await steps(page, 1);
      expect([name, await page.getByRole("alert").allInnerTexts()]).toEqual([name, []]);
    }
  });

  test("says what does not fit, and goes on when it is mended", async () => {
    const page = await open({ hash: "#train?layers=Linear:7,Maxout:2" });
    await page
      .getByRole("alert")
      .getByText(/Maxout.* "1": /)
      .waitFor();
    expect(await button(page, /Play/).isDisabled()).toBe(true);
    await page.getByLabel("units of layer 0").fill("6");
    await page.getByLabel("units of layer 0").press("Enter");
    await ready(page);
    expect(await page.getByRole("alert").count()).toBe(0);
    await page.getByRole("combobox", { name: "Loss" }).selectOption("bceLoss");
    await page.getByRole("alert").getByText("bceLoss").waitFor();
    await page.getByText("The loss does not fit this output.").waitFor();
    await page.getByLabel("Output activation").selectOption("Sigmoid");
    await expect.poll(() => page.getByRole("alert").count()).toBe(0);
    await steps(page, 1);
  });

  test("stops when the loss is no number", async () => {
    const page = await open({ hash: "#train?optimizer=SGD&lr=100&loss=mseLoss&layers=Linear:8,ReLU&play=1" });
    await page.getByRole("alert").getByText("no longer a finite number").waitFor();
    await page.getByText("NaN or ∞ appeared here.").first().waitFor();
    await button(page, /Play/).waitFor();
    await page.getByLabel("Learning rate").fill("-2");
    await button(page, "Start over").click();
    await expect.poll(() => page.getByRole("alert").count()).toBe(0);
  });

  test.each([
    ["en-GB", "light", "wide", WIDE],
    ["zh-CN", "dark", "wide", WIDE],
    ["en-GB", "dark", "narrow", NARROW],
    ["zh-CN", "light", "narrow", NARROW],
  ] as const)("is accessible in %s, %s, %s", async (locale, colorScheme, width, viewport) => {
    const hash =
      "#train?data=spirals&classes=3&layers=Linear:32,ReLU,BatchNorm1d,Linear:16,Sigmoid&output=Softmax&speed=quick";
    const page = await open({ hash, locale, colorScheme, viewport });
    await page.getByRole("button", { name: /Play|播放/ }).click();
    await expect
      .poll(async () => Number((await page.locator(".standing dd").first().innerText()).replace(",", "")))
      .toBeGreaterThan(500);
    await page.getByRole("button", { name: /Pause|暂停/ }).click();
    expect(await objections(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width);
    await shoot(page, `train-${locale}-${colorScheme}-${width}`);
  });
});
