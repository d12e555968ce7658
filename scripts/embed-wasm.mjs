// Writes build/wasm.ts: the release binary as a base64 string, so that tests and bundles load the same bytes
// and the package needs no file beside it.
import { readFileSync, writeFileSync } from "node:fs";

const build = new URL("../build/", import.meta.url);
const bytes = readFileSync(new URL("release.wasm", build));
writeFileSync(
  new URL("wasm.ts", build),
  `/** build/release.wasm, ${bytes.length} bytes, base64. */\nexport const base64 = "${bytes.toString("base64")}";\n`,
);
