// A network as a module of its own in a page and its worker, where a policy allows neither wasm nor code from strings.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GELU, Linear, manualSeed, noGrad, randn, Sequential } from "../../src/index";
import { toModule } from "../../src/standalone/index";
import { announce, executablePath, launch } from "./chromium";

announce("a written network in Chromium");

const SITE = "http://network.test/";
const POLICY = "default-src 'none'; script-src 'self'; worker-src 'self'";

describe.skipIf(executablePath === undefined)("a written network in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

  test("predicts in a page and in a worker, with as strict a policy as there is", async () => {
    manualSeed(2);
    const model = new Sequential(new Linear(6, 9), new GELU(), new Linear(9, 3));
    const x = randn([4, 6]);
    const wanted = noGrad(() => model.forward(x)).toArray() as number[][];
    const input = JSON.stringify([...x.data]);
    const files: Record<string, [type: string, body: string]> = {
      "": ["text/html", '<!doctype html><title></title><script type="module" src="/page.js"></script>'],
      "network.js": ["text/javascript", toModule(model).code],
      "worker.js": [
        "text/javascript",
        `import { predict } from "/network.js"; postMessage([...predict(${input})]);`,
      ],
      "page.js": [
        "text/javascript",
        `import { predict } from "/network.js";
         const worker = new Worker("/worker.js", { type: "module" });
         const later = await new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(data); });
         let forbidden = 0;
         try { new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)); } catch { forbidden++; }
         try { Function("return 1")(); } catch { forbidden++; }
         const results = document.body.appendChild(document.createElement("pre"));
         results.textContent = JSON.stringify({ forbidden, page: [...predict(${input})], worker: later });`,
      ],
    };
    const page = await browser.newPage();
    await page.route(`${SITE}**`, (route) => {
      const [contentType, body] = files[new URL(route.request().url()).pathname.slice(1)] ?? [
        "text/plain",
        "",
      ];
      return route.fulfill({ contentType, body, headers: { "content-security-policy": POLICY } });
    });
    await page.goto(SITE);
    const results = JSON.parse((await page.textContent("pre"))!) as Record<"page" | "worker", number[]>;
    expect(results).toHaveProperty("forbidden", 2);
    for (const got of [results.page, results.worker]) {
      expect(got).toHaveLength(12);
      for (const [i, y] of wanted.flat().entries()) expect(got[i]).toBeCloseTo(y, 5);
    }
  });
});
