// Every example for thousands of steps, and every panel at the ends of its settings: the page goes on answering.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { describeInBrowser } from "./playground";
import { button, ready, value } from "./trainPanel";

const STEPS = 3000;

/** Trains until it has made STEPS, or has stopped because the loss is no number; then the page still does what it is told. */
async function toTheEnd(page: Page): Promise<void> {
  const stopped = page.getByRole("alert").getByText("no longer a finite number");
  const ended = async () => (await value(page, "steps")) >= STEPS || (await stopped.count()) > 0;
  await expect.poll(ended).toBe(true);
  if ((await stopped.count()) === 0) await button(page, /Pause/).click();
  await page.getByRole("img", { name: /^Gradient/ }).waitFor();
  await button(page, "Start over").click();
  await expect.poll(() => value(page, "steps")).toBeLessThan(STEPS);
}

describeInBrowser("to the end", ({ open }) => {
  test("of every example", async () => {
    const page = await open({ hash: "#train" });
    await ready(page);
    const select = page.getByLabel("Examples");
    const names = await select
      .locator("option")
      .evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value));
    expect(names.length).toBe(11);
    for (const name of names.slice(1)) {
      await select.selectOption(name);
      await page.getByLabel("Speed").selectOption("full");
      await toTheEnd(page);
    }
  });

  const DEEP = Array.from({ length: 8 }, () => "Linear:8,Sigmoid").join();
  test.each([
    ["a huge rate", "layers=Linear:32,ReLU&optimizer=SGD&lr=100&momentum=0.99"],
    ["huge inputs, weights and rate", "layers=Linear:8,ReLU&scale=100&init=huge&lr=100&loss=mseLoss"],
    ["an exponential loss", "scale=100&init=huge&lr=100&loss=exponentialLoss"],
    ["gradients that vanish", `layers=${DEEP}&scale=0.001&init=tiny&optimizer=SGD&lr=0.00001`],
    ["weights of zero", "init=zeros&layers=Linear:8,ReLU,Linear:8,ReLU"],
    ["weights that decay to nothing", "layers=Linear:8,ReLU,Linear:8,ReLU&optimizer=SGD&lr=1&l2=0.9&l1=1"],
  ])("of a training with %s", async (_, settings) => {
    const page = await open({ hash: `#train?${settings}&speed=full&play=1` });
    await toTheEnd(page);
  });

  test("of the slow neuron, from every corner", async () => {
    const page = await open({ hash: "#neuron" });
    for (const loss of ["mse", "l1", "huber", "logCosh", "bce", "bceWithLogits", "focal"]) {
      for (const [w, b, lr] of [
        [4, 4, 10],
        [-4, -4, 0.01],
      ]) {
        await page.evaluate((hash) => {
          location.hash = hash;
        }, `#neuron?left=${loss}&right=${loss}&w=${w}&b=${b}&lr=${lr}&epoch=300`);
        await expect.poll(() => page.getByLabel("Weight w").inputValue()).toBe(String(w));
        await page.getByRole("img", { name: /^Gradient.*from .* to / }).waitFor();
      }
    }
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  test("of the activations, at the ends of their options", async () => {
    const page = await open({ hash: "#activations" });
    for (const [f, options] of [
      ["leakyRelu", "negativeSlope=-1"],
      ["prelu", "slope=0"],
      ["rrelu", "lower=-1&upper=-1"],
      ["elu", "alpha=0"],
      ["celu", "alpha=4"],
      ["softplus", "beta=5&threshold=0"],
      ["hardtanh", "minVal=4&maxVal=4"],
      ["softmax", "z2=-6&z3=6"],
      ["maxout", "k=2"],
      ["identity", ""],
    ] as const) {
      for (const x of ["NaN", "-∞", "3e38", "1e-45"]) {
        await page.evaluate(
          (hash) => {
            location.hash = hash;
          },
          `#activations?f=${f}&x=${encodeURIComponent(x)}&${options}`,
        );
        await expect.poll(() => page.locator("table.numbers thead th").allTextContents()).toEqual([f]);
      }
      await page.getByRole("img", { name: new RegExp(`f = ${f}\\.`) }).waitFor();
    }
  });

  test.each(["1", "0.00001"])("of reading digits, learnt at a rate of %s", async (lr) => {
    const page = await open({ hash: `#digits?lr=${lr}&epochs=2&examples=500` });
    await page.locator(".training button.primary").waitFor();
    await page.locator("table.matrix").waitFor();
    await page.getByRole("img", { name: /^Loss/ }).waitFor();
  });
});
