// Writes build/wasm.ts: the two binaries as base64 strings, so that tests and bundles load the same bytes and the
// package needs no file beside it; and for plans which parameters of the kernels are pointers, and their signatures.
import { readFileSync, writeFileSync } from "node:fs";

const build = new URL("../build/", import.meta.url);
const read = (name) => readFileSync(new URL(name, build));

function binary(name, file) {
  const bytes = read(file);
  return `/** build/${file}, ${bytes.length} bytes, base64. */\nexport const ${name} = "${bytes.toString("base64")}";\n`;
}

/** For each exported function, in the order of the exports, the types of its parameters and whether it returns anything. */
function declarations() {
  const found = new Map();
  let types = [];
  const parts = /@param \w+ `(\w+)`|export function (\w+)\([^)]*\): (\w+)/g;
  for (const [, type, name, result] of read("release.d.ts").toString().matchAll(parts)) {
    if (type !== undefined) types.push(type);
    if (name === undefined) continue;
    found.set(name, { name, types, returns: result !== "void" });
    types = [];
  }
  const exported = WebAssembly.Module.exports(new WebAssembly.Module(read("release.wasm")));
  return exported.filter(({ kind }) => kind === "function").map(({ name }) => found.get(name));
}

/** A bit for each parameter, the first the lowest, set if it is a pointer. */
const pointerMask = ({ types }) => types.reduce((mask, type, i) => mask + (type === "usize" ? 2 ** i : 0), 0);

const LETTERS = { usize: "i", i32: "i", f32: "f", f64: "d" };

/** The number of a kernel's signature in assembly/replay.ts; −1 for what computes a size, and for \`replay\` itself. */
function signatureOf({ name, types, returns }) {
  if (name === "replay" || !types.includes("usize")) return -1;
  const letters = types.map((type) => LETTERS[type]).join("");
  const at = SIGNATURES.indexOf(returns ? `search_${letters}` : letters);
  if (at < 0) throw new Error(`${name}: assembly/replay.ts has no case for the signature ${letters}`);
  return at;
}

const replaySource = readFileSync(new URL("../assembly/replay.ts", import.meta.url), "utf8");
const SIGNATURES = /enum Signature \{([^}]*)\}/.exec(replaySource)[1].match(/\w+/g);

const kernels = declarations();
const list = (comment, name, values) =>
  `/** ${comment} */\nexport const ${name} = ${JSON.stringify(values)};\n`;
const masks = list(
  "For each kernel the bits of its parameters that are pointers.",
  "pointerMasks",
  kernels.map(pointerMask),
);
const numbers = list(
  "For each kernel the number of its signature, or −1.",
  "signatureNumbers",
  kernels.map(signatureOf),
);
const names = list("The signatures, of searches with a prefix.", "signatureNames", SIGNATURES);
writeFileSync(
  new URL("wasm.ts", build),
  [binary("baseline", "release.wasm"), binary("relaxed", "relaxed.wasm"), masks, numbers, names].join("\n"),
);
