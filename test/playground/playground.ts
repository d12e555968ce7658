// What the tests of the panels share: the page as it is built, on a server like those that publish it.
import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { announce, executablePath, launch } from "../browser/chromium";
import { ISOLATED } from "../browser/site";

const BUILT = new URL("../../build/playground/", import.meta.url);
/** For a human to look at. */
const SCREENSHOTS = new URL("../../build/screenshots/", import.meta.url);

/** Milliseconds, for what hangs. */
const TIMEOUT = 300_000;

export const WIDE = { width: 1280, height: 900 };
export const NARROW = { width: 390, height: 844 };

interface Open extends BrowserContextOptions {
  /** The part of the address after the page: "#train?lr=0.1". */
  hash?: string;
  /** Of the server; default: those that isolate a page. */
  headers?: Record<string, string>;
}

export interface Tools {
  /** A page; errors and what it writes to its console fail the test. */
  open(options?: Open): Promise<Page>;
  /** Writes a screenshot of the whole page to build/screenshots. */
  shoot(page: Page, name: string): Promise<void>;
  /** What axe objects to, in lines; the rules of WCAG 2.2 AA and its best practices. */
  objections(page: Page): Promise<string[]>;
  /** An empty page; errors and what it writes to its console fail the test. */
  newPage(options?: BrowserContextOptions): Promise<Page>;
}

/** A group of tests in Chromium; where there is none, it says so and skips them. */
export function describeInBrowser(name: string, tests: (tools: Tools) => void): void {
  announce(name);
  describe.skipIf(executablePath === undefined)(name, () => {
    let browser: Browser;
    const closing: (() => void)[] = [];
    const said: string[] = [];
    beforeAll(async () => {
      mkdirSync(SCREENSHOTS, { recursive: true });
      browser = await launch();
    });
    afterAll(() => browser?.close());
    afterEach(async () => {
      for (const context of browser.contexts()) await context.close();
      for (const close of closing.splice(0)) close();
      expect(said.splice(0)).toEqual([]);
    });

    async function serve(headers: Record<string, string> = ISOLATED): Promise<string> {
      const server = createServer(({ url }, response) => {
        const name = url === "/" ? "index.html" : url!.slice(1);
        const type = name.endsWith(".js") ? "text/javascript" : "text/html; charset=utf-8";
        const known = name === "index.html" || name === "offline.js";
        response.writeHead(known ? 200 : 404, { "content-type": type, ...headers });
        response.end(known ? readFileSync(new URL(name, BUILT)) : "");
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      closing.push(() => {
        server.close();
        server.closeAllConnections();
      });
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    }

    async function newPage(options: BrowserContextOptions = {}): Promise<Page> {
      const context = await browser.newContext({ viewport: WIDE, locale: "en-GB", ...options });
      context.setDefaultTimeout(TIMEOUT);
      const page = await context.newPage();
      page.on("console", (message) => said.push(message.text()));
      page.on("pageerror", ({ message }) => said.push(message));
      return page;
    }

    async function open({ hash = "", headers, ...options }: Open = {}): Promise<Page> {
      const page = await newPage(options);
      await page.goto(`${await serve(headers)}${hash}`);
      return page;
    }

    async function shoot(page: Page, name: string): Promise<void> {
      await page.screenshot({ path: new URL(`${name}.png`, SCREENSHOTS).pathname, fullPage: true });
    }

    tests({ open, newPage, shoot, objections });
  });
}

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

interface Violations {
  violations: { id: string; help: string; nodes: { target: string[]; failureSummary: string }[] }[];
}

async function objections(page: Page): Promise<string[]> {
  if (!(await page.evaluate("'axe' in globalThis"))) await page.addScriptTag({ path: AXE });
  const { violations } = await page.evaluate<Violations>("axe.run()");
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(" ")}: ${failureSummary}`),
  );
}
