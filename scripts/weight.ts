// What the package weighs in a bundle, minified and gzipped. Fails when a row is above its limit.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const dist = new URL("../dist/", import.meta.url);
const path = (file: string): string => new URL(file, dist).pathname;

interface Row {
  name: string;
  /** Gzipped, in kB of 1,000 bytes: 1 to 3 % above what it was when the limit was set, room for some ops. */
  limit: number;
  bytes: () => Promise<Uint8Array>;
}

/** A file as it is. */
const file = (name: string) => async (): Promise<Uint8Array> => readFileSync(path(name));

/** The bundle of a program that uses these exports. */
const using =
  (names: string, entry = "index.js") =>
  async (): Promise<Uint8Array> => {
    const contents = `import { ${names} } from "./${entry}"; console.log(${names});`;
    const { outputFiles } = await build({
      ...{
        stdin: { contents, resolveDir: dist.pathname },
        bundle: true,
        minify: true,
        format: "esm",
        write: false,
      },
    });
    return outputFiles[0]!.contents;
  };

const rows: Row[] = [
  { name: "everything, both binaries", limit: 101, bytes: file("index.js") },
  { name: "everything, kernels brought (nablas/slim)", limit: 73, bytes: file("slim.js") },
  {
    name: "train: Linear ReLU Sequential SGD crossEntropyLoss compile fit dataset",
    limit: 73,
    bytes: using("Linear, ReLU, Sequential, SGD, crossEntropyLoss, compile, fit, dataset"),
  },
  {
    name: "train by hand: Linear ReLU Sequential SGD crossEntropyLoss",
    limit: 51,
    bytes: using("Linear, ReLU, Sequential, SGD, crossEntropyLoss"),
  },
  { name: "nablas/onnx, beside the library", limit: 14.8, bytes: file("onnx.js") },
  { name: "softmax", limit: 43, bytes: using("softmax") },
  { name: "nothing", limit: 0.1, bytes: using("") },
];

const width = Math.max(...rows.map(({ name }) => name.length));
console.log(`${"".padEnd(width)}  minified  gzipped   limit`);
for (const { name, limit, bytes } of rows) {
  const content = await bytes();
  const [minified, gzipped] = [content.length / 1000, gzipSync(content, { level: 9 }).length / 1000];
  const cells = [minified, gzipped, limit].map((kB) => `${kB.toFixed(1).padStart(5)} kB`);
  console.log(`${name.padEnd(width)}  ${cells.join("  ")}${gzipped > limit ? "  too heavy" : ""}`);
  if (gzipped > limit) process.exitCode = 1;
}
