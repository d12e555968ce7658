// Writes build/wasm.ts: the two binaries as base64 strings, so that tests and bundles load the same bytes and the
// package needs no file beside it.
import { readFileSync, writeFileSync } from "node:fs";

const build = new URL("../build/", import.meta.url);
const lines = ["release", "relaxed"].map((name) => {
  const bytes = readFileSync(new URL(`${name}.wasm`, build));
  const exported = name === "release" ? "baseline" : name;
  return `/** build/${name}.wasm, ${bytes.length} bytes, base64. */\nexport const ${exported} = "${bytes.toString("base64")}";\n`;
});
writeFileSync(new URL("wasm.ts", build), lines.join("\n"));
