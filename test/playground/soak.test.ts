import { expect, test } from "vitest";
import { leavePage } from "../../scripts/soak/page";
import { describeInBrowser } from "./playground";
import { ready } from "./trainPanel";

describeInBrowser("a page left training", ({ open }) => {
  test("for a while: nothing grows", async () => {
    expect(await leavePage(1 / 4, { table: { add: () => {} }, timed: false })).toEqual([]);
  });

  test("whose worker dies says so, and starts again as it was set", async () => {
    const page = await open({ hash: "#train?lr=0.07&play=1" });
    await ready(page);
    const again = page.getByRole("button", { name: "Start again" });
    await page.waitForTimeout(500);
    expect(await again.count()).toBe(0);
    await page.workers()[0]!.evaluate("self.close()");
    await page.getByText("What computes here has ended").waitFor();
    await again.click();
    await ready(page);
    expect(await again.count()).toBe(0);
    expect(page.url()).toContain("lr=0.07");
  });

  test("says that there is room for 600 points", async () => {
    const page = await open({ hash: "#train?count=620" });
    await ready(page);
    await page.getByText("Only the first 600 of them can be edited").waitFor();
    await page.getByRole("button", { name: "Edit these points" }).click();
    await page.getByText("There are 600 points, which is all there is room for").waitFor();
    await page.getByRole("button", { name: "Undo point" }).click();
    await expect.poll(() => page.getByText("all there is room for").count()).toBe(0);
  });
});
