// A server of dist/ and of the files beside this one.
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { transformSync } from "esbuild";

const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };
const PAGE = '<!doctype html><title></title><script type="module" src="/page.js"></script>';
const HERE = new URL("./", import.meta.url);
const DIST = new URL("../../dist/", import.meta.url);

export const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

export interface Site {
  readonly url: string;
  close(): void;
}

/** A page at /, the package under /nablas/ and its worker at /worker.js, all with these headers. */
export async function serve(headers: Record<string, string> = {}): Promise<Site> {
  const server = createServer(({ url }, response) => {
    const path = url === "/" ? "/index.html" : url!;
    const body = contents(path);
    const type = { "content-type": TYPES[extname(path)] ?? "application/octet-stream" };
    response.writeHead(body === undefined ? 404 : 200, { ...type, ...headers }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function contents(path: string): string | Buffer | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name === "index.html") return PAGE;
  if (name === "favicon.ico") return "";
  if (name === "ops.js")
    return transformSync(`${readFileSync(new URL("ops.ts", HERE))}`, { loader: "ts" }).code;
  const file = new URL(name, name === "page.js" ? HERE : DIST);
  return existsSync(file) ? readFileSync(file) : undefined;
}
