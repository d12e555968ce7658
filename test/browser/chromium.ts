// The browser of the tests: Debian's.
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"];
const QUIET = ["--disable-background-networking", "--disable-component-update"];

export const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: executablePath!, args: [...ARGS, ...QUIET] });
}

/** Says that tests are skipped, where they are. */
export function announce(what: string): void {
  if (executablePath === undefined) console.warn(`SKIPPED ${what}: no /usr/bin/chromium`);
}
