// Writes build/wasm.ts: the two binaries as base64 strings, so that tests and bundles load the same bytes and the
// package needs no file beside it; and which parameters of the kernels are pointers, for plans to move what they point to.
import { readFileSync, writeFileSync } from "node:fs";

const build = new URL("../build/", import.meta.url);
const read = (name) => readFileSync(new URL(name, build));

function binary(name, file) {
  const bytes = read(file);
  return `/** build/${file}, ${bytes.length} bytes, base64. */\nexport const ${name} = "${bytes.toString("base64")}";\n`;
}

/** In the order of the exports: a bit for each parameter, the first the lowest, set if its type is usize. */
function pointerMasks() {
  const types = new Map();
  let parameters = [];
  for (const [, type, name] of read("release.d.ts")
    .toString()
    .matchAll(/@param \w+ `(\w+)`|export function (\w+)/g)) {
    if (type !== undefined) parameters.push(type);
    if (name === undefined) continue;
    types.set(name, parameters);
    parameters = [];
  }
  const functions = WebAssembly.Module.exports(new WebAssembly.Module(read("release.wasm"))).filter(
    ({ kind }) => kind === "function",
  );
  return functions.map(({ name }) =>
    types.get(name).reduce((mask, type, i) => mask + (type === "usize" ? 2 ** i : 0), 0),
  );
}

const masks = `/** For each exported function the bits of its parameters that are pointers. */\nexport const pointerMasks = ${JSON.stringify(pointerMasks())};\n`;
writeFileSync(
  new URL("wasm.ts", build),
  [binary("baseline", "release.wasm"), binary("relaxed", "relaxed.wasm"), masks].join("\n"),
);
