// A block as the script of a page that is cross-origin isolated and has the package under its name.
import { fileURLToPath } from "node:url";
import { launch } from "../browser/chromium";
import { ISOLATED, serve } from "../browser/site";

const PAGE = `<!doctype html><title></title>
<script type="importmap">{ "imports": { "nablas": "/nablas/index.js", "nablas/": "/subpaths/" } }</script>
<script type="module" src="/block.js"></script>`;

export async function runInPage(code: string): Promise<{ printed: string; errors: string[] }> {
  const [site, browser] = [await serve(ISOLATED), await launch()];
  try {
    const page = await browser.newPage();
    const [printed, errors]: [string[], string[]] = [[], []];
    page.on("console", (message) => (message.type() === "error" ? errors : printed).push(message.text()));
    page.on("pageerror", ({ message }) => errors.push(message));
    const answer = (contentType: string, body: string) => ({ contentType, body, headers: ISOLATED });
    await page.route(`${site.url}block.html`, (route) => route.fulfill(answer("text/html", PAGE)));
    const script = `${code}\ndocument.title = "ended";`;
    await page.route(`${site.url}block.js`, (route) => route.fulfill(answer("text/javascript", script)));
    await page.route(`${site.url}subpaths/*`, async (route) => {
      const response = await route.fetch({ url: `${route.request().url()}.js` });
      await route.fulfill({ response });
    });
    await page.route(`${site.url}tfjs/*`, (route) => {
      const path = fileURLToPath(new URL(`files${new URL(route.request().url()).pathname}`, import.meta.url));
      return route.fulfill({ path, headers: ISOLATED });
    });
    await page.goto(`${site.url}block.html`);
    await page
      .waitForFunction('document.title === "ended"', undefined, { timeout: 300_000 })
      .catch((error) => {
        errors.push(String(error));
      });
    return { printed: printed.join("\n"), errors };
  } finally {
    await browser.close();
    site.close();
  }
}
