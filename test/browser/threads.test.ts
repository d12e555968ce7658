// Threads in Chromium, with the package as it is built. This project runs the baseline in Node, as pages do here.
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import * as nablas from "../../src/index";
import { announce, executablePath, launch } from "./chromium";
import { bits } from "./ops";
import { ISOLATED, type Site, serve } from "./site";

announce("threads in pages");

const STRICT = "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";
const STRICTEST =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'";

/** What `run` in page.js tells. */
interface Ran {
  threads: { count: number; reason?: string };
  bits: Record<string, string>;
  seen: Seen;
}

interface Seen {
  waits: number;
  runs: number;
  waited: number;
}

describe.skipIf(executablePath === undefined)("threads in Chromium", () => {
  let browser: Browser;
  let inNode: Record<string, string>;
  beforeAll(async () => {
    browser = await launch();
    inNode = bits(nablas);
  });
  afterAll(() => browser?.close());

  const sites: Site[] = [];
  let said: string[] = [];
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    for (const site of sites.splice(0)) site.close();
  });

  /** A page with nablas; what it writes to its console is kept. */
  async function open(headers: Record<string, string> = {}): Promise<Page> {
    const site = await serve(headers);
    sites.push(site);
    const page = await browser.newPage();
    said = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", ({ message }) => said.push(message));
    await page.goto(site.url);
    await loaded(page);
    return page;
  }

  const loaded = (page: Page) => expect.poll(() => page.title()).toBe("ready");
  const run = (page: Page, options: string) => page.evaluate<Ran>(`run(${options})`);

  describe("in an isolated page", () => {
    test.each([1, 2, 3, 5])("%i threads have the bits of Node", async (count) => {
      const page = await open(ISOLATED);
      const ran = await run(page, `{ threads: ${count} }`);
      expect(ran).toMatchObject({ threads: { count }, bits: inNode });
      expect(ran.threads.reason).toBeUndefined();
      if (count > 1) expect(ran.seen.runs).toBeGreaterThan(0);
      expect(page.workers().length).toBe(count - 1);
      expect([ran.seen.waits, said]).toEqual([0, []]);
    });

    test("the main thread waits for others, and never sleeps", async () => {
      const page = await open(ISOLATED);
      await page.evaluate("nablas.init({ threads: 8 })");
      const { waits, waited } = await page.evaluate<Seen>("work(1500)");
      expect(waits).toBe(0);
      expect(waited).toBeGreaterThan(1);
      expect(said).toEqual([]);
    });

    test("a module worker has threads of its own", async () => {
      const page = await open(ISOLATED);
      const ran = await page.evaluate<Ran>("inWorker({ threads: 2 })");
      expect(ran).toMatchObject({ threads: { count: 2 }, bits: inNode });
      expect(ran.threads.reason).toBeUndefined();
      expect(said).toEqual([]);
    });

    test("workers that are ended are gone", async () => {
      const page = await open(ISOLATED);
      for (let i = 0; i < 30; i++) {
        expect(await page.evaluate("nablas.init({ threads: 3 })")).toMatchObject({ threads: 3 });
        await page.evaluate("nablas.shutdown()");
      }
      await expect.poll(() => page.workers().length).toBe(0);
      expect(await page.evaluate("nablas.threads()")).toEqual({ count: 1 });
      expect(said).toEqual([]);
    });

    test("a page takes its workers with it", async () => {
      const page = await open(ISOLATED);
      for (let i = 0; i < 20; i++) {
        expect(await page.evaluate("nablas.init({ threads: 3 })")).toMatchObject({ threads: 3 });
        expect(page.workers().length).toBe(2);
        await page.reload();
        await loaded(page);
      }
      await expect.poll(() => page.workers().length).toBe(0);
    });
  });

  test("in a page that is not isolated: one thread, and why", async () => {
    const page = await open();
    const ran = await run(page, "{ threads: 2 }");
    const reason = expect.stringMatching(/not cross-origin isolated/);
    expect(ran).toMatchObject({ threads: { count: 1, reason }, bits: inNode });
    expect([ran.seen.runs, said]).toEqual([0, []]);
  });

  describe.each([STRICT, STRICTEST])("under the policy %s", (policy) => {
    const headers = { ...ISOLATED, "content-security-policy": policy };

    test("one thread, and what to do", async () => {
      const ran = await run(await open(headers), "{ threads: 2 }");
      const reason = expect.stringMatching(
        /^a worker failed: the page.s Content-Security-Policy .* workerUrl/,
      );
      expect(ran).toMatchObject({ threads: { count: 1, reason }, bits: inNode });
    });

    test.each(['workerUrl: "/worker.js"', "createWorker"])("with %s, threads", async (worker) => {
      const ran = await run(await open(headers), `{ threads: 2, ${worker} }`);
      expect(ran).toMatchObject({ threads: { count: 2 }, bits: inNode });
      expect(ran.seen.runs).toBeGreaterThan(0);
      expect([ran.threads.reason, said]).toEqual([undefined, []]);
    });
  });

  test("a workerUrl without a file: one thread, and which", async () => {
    const ran = await run(await open(ISOLATED), '{ threads: 2, workerUrl: "/nowhere.js" }');
    const reason = expect.stringMatching(
      /^a worker failed: \/nowhere\.js does not load; .*Cross-Origin-Embedder-Policy/,
    );
    expect(ran).toMatchObject({ threads: { count: 1, reason }, bits: inNode });
  });
});
