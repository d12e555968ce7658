import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

const root = import.meta.dirname;
const project = resolve(root, "..");

/** Without these, pages have no shared memory, and so no threads. */
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** What npm would publish of the package as it is built, unpacked; the playground sees nothing else of it. */
function packed(): string {
  const folder = resolve(project, "build/packed");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const options = { cwd: project, encoding: "utf8" } as const;
  const pack = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
  const tarball = execFileSync("npm", pack, options).trim();
  execFileSync("tar", ["-xzf", tarball], { cwd: folder });
  return resolve(folder, "package/dist/index.js");
}

/** The service worker beside the page. */
const offline: Plugin = {
  name: "offline",
  apply: "build",
  generateBundle() {
    const source = readFileSync(resolve(root, "offline.js"), "utf8");
    this.emitFile({ type: "asset", fileName: "offline.js", source });
  },
};

// Workers are classic scripts, as is the default: a page from disk can start no module workers.
export default defineConfig({
  root,
  base: "./",
  resolve: { alias: { nablas: packed() } },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [viteSingleFile(), offline],
  server: { headers },
  preview: { headers },
  build: { outDir: resolve(project, "build/playground"), emptyOutDir: true, target: "es2022" },
});
