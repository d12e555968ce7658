// Links to networks, with their weights and without.
import { expect, test } from "vitest";
import { describeInBrowser } from "./playground";
import { button, layers, ready, standing, steps } from "./trainPanel";

describeInBrowser("links to networks", ({ open }) => {
  test("a link has the weights and all the rest, too", async () => {
    const page = await open({
      hash: "#train?layers=Linear:8,BatchNorm1d,ReLU,Dropout:0.2&optimizer=AdamW",
      permissions: ["clipboard-read", "clipboard-write"],
    });
    await ready(page);
    await steps(page, 9);
    await button(page, "Copy link").click();
    await page.getByText("Link copied").waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link).toContain("&state=");
    await steps(page, 2);
    const after = await standing(page, "train loss");
    const other = await open({ hash: new URL(link).hash });
    await expect.poll(() => standing(other, "steps")).toBe("9");
    await steps(other, 2);
    expect(await standing(other, "train loss")).toBe(after);
    await expect.poll(() => other.url()).not.toContain("state=");
    expect(other.url()).toContain("optimizer=AdamW");
    await page.evaluate((hash) => {
      location.hash = hash;
    }, new URL(link).hash);
    await expect.poll(() => standing(page, "steps")).toBe("9");
  });

  test("a link to what is no network has the settings alone", async () => {
    const hash = "#train?layers=Linear%3A7%2CMaxout%3A2";
    const page = await open({ hash, permissions: ["clipboard-read", "clipboard-write"] });
    await page.getByRole("alert").waitFor();
    await button(page, "Copy link").click();
    await page.getByText("Link copied").waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(new URL(link).hash).toBe(hash);
  });

  test.each([
    ["no-state", "state=abc"],
    ["bad layers", "layers=Linear:1e9,Nonsense"],
    ["bad numbers", "lr=-1&classes=77&points=%%&loss=none&batch=x"],
  ])("a link with %s starts as if it had none", async (_, hash) => {
    const page = await open({ hash: `#train?${hash}` });
    await ready(page);
    expect(await layers(page).count()).toBe(5);
    await expect.poll(() => page.url()).toMatch(/#train$/);
  });
});
