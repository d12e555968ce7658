// The page around the panels.
import { expect, test } from "vitest";
import { describeInBrowser } from "./playground";

describeInBrowser("the playground", ({ open }) => {
  test("goes through its panels by keyboard", async () => {
    const page = await open();
    await page.getByRole("tab", { name: "Activations" }).focus();
    await page.keyboard.press("ArrowRight");
    expect(await page.getByRole("tab", { selected: true }).textContent()).toBe("The slow neuron");
    await page.keyboard.press("End");
    expect(await page.getByRole("tab", { selected: true }).textContent()).toBe("Speed");
    await page.keyboard.press("ArrowRight");
    expect(await page.getByRole("tab", { selected: true }).textContent()).toBe("Activations");
  });
});
