// From build/release.wasm, which wasm/compile.mjs made with relaxed SIMD and wasm/shrink.mjs shrank: build/baseline.wasm and
// build/relaxed.wasm, the same for those who bring the bytes themselves; build/binary.ts, the baseline compressed, from which
// the package makes both; build/pool.ts and build/worker.js, what threads run; build/abi.ts, which parameters of the kernels are
// pointers, and their signatures.
import { readFileSync, writeFileSync } from "node:fs";
import { transformSync } from "esbuild";
import { compress } from "lzma";
import { fuse } from "../src/binary/fuse";
import { uleb } from "./wasm/reader";
import { unfuse } from "./wasm/unfuse";

const build = new URL("../build/", import.meta.url);
const read = (name: string): Buffer => readFileSync(new URL(name, build));
const write = (name: string, data: string | Uint8Array): void => writeFileSync(new URL(name, build), data);

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** With a custom section that says what it is, for `init`. */
function labelled(bytes: Uint8Array, simd: string): Uint8Array {
  const content = [...named("nablas"), ...Buffer.from(`${version} ${simd}`)];
  return Uint8Array.from([...bytes, 0, ...uleb(content.length), ...content]);
}

function named(name: string): number[] {
  return [...uleb(name.length), ...Buffer.from(name)];
}

/** Without the header, which says what assembly/unpack/lzma.ts takes for granted. */
function packed(bytes: Uint8Array): Buffer {
  const stream = Buffer.from(compress(bytes, 9));
  const LC3_LP0_PB2 = 93;
  if (stream[0] !== LC3_LP0_PB2) throw new Error(`unexpected parameters of LZMA: ${stream[0]}`);
  return stream.subarray(13);
}

interface Kernel {
  name: string;
  types: string[];
  returns: boolean;
}

/** For each exported function, in the order of the exports, the types of its parameters and whether it returns anything. */
function declarations(): Kernel[] {
  const found = new Map<string, Kernel>();
  let types: string[] = [];
  const parts = /@param \w+ `(\w+)`|export function (\w+)\([^)]*\): (\w+)/g;
  for (const [, type, name, result] of read("release.d.ts").toString().matchAll(parts)) {
    if (type !== undefined) types.push(type);
    if (name === undefined) continue;
    found.set(name, { name, types, returns: result !== "void" });
    types = [];
  }
  const exported = WebAssembly.Module.exports(new WebAssembly.Module(Uint8Array.from(read("baseline.wasm"))));
  return exported.filter(({ kind }) => kind === "function").map(({ name }) => found.get(name)!);
}

/** A bit for each parameter, the first the lowest, set if it is a pointer. */
function pointerMask({ types }: Kernel): number {
  return types.reduce((mask, type, i) => mask + (type === "usize" ? 2 ** i : 0), 0);
}

const LETTERS: Record<string, string> = { usize: "i", i32: "i", f32: "f", f64: "d" };
const replaySource = readFileSync(new URL("../assembly/replay.ts", import.meta.url), "utf8");
const SIGNATURES = /enum Signature \{([^}]*)\}/.exec(replaySource)![1]!.match(/\w+/g)!;

/** The number of a kernel's signature in assembly/replay.ts; −1 for what computes a size, and for `replay` itself. */
function signatureOf({ name, types, returns }: Kernel): number {
  if (name === "replay" || !types.includes("usize")) return -1;
  const letters = types.map((type) => LETTERS[type]).join("");
  const at = SIGNATURES.indexOf(returns ? `search_${letters}` : letters);
  if (at < 0) throw new Error(`${name}: assembly/replay.ts has no case for the signature ${letters}`);
  return at;
}

/** A module without imports, which is a script as well. */
function workerSource(): string {
  const source = readFileSync(new URL("../src/threads/worker.ts", import.meta.url), "utf8");
  return transformSync(source, { loader: "ts", minify: true, target: "es2022", tsconfigRaw: {} }).code.trim();
}

const { bytes: baseline, count } = unfuse(read("release.wasm"));
const relaxed = baseline.slice();
if (fuse(relaxed) !== count) throw new Error("a multiply and an add of the source look like a multiply-add");
write("baseline.wasm", labelled(baseline, "baseline"));
write("relaxed.wasm", labelled(relaxed, "relaxed"));

const constant = (comment: string, name: string, value: unknown): string =>
  `/** ${comment} */\nexport const ${name} = ${JSON.stringify(value)};\n`;
write(
  "binary.ts",
  [
    constant("The baseline, an LZMA stream in base64.", "packed", packed(baseline).toString("base64")),
    constant("Its bytes when unpacked.", "size", baseline.length),
    constant("What unpacks it, in base64.", "unpacker", read("unpack.wasm").toString("base64")),
  ].join("\n"),
);
write("worker.js", `${workerSource()}\n`);
write(
  "pool.ts",
  [
    constant("What threads run, in base64.", "pool", read("pool.wasm").toString("base64")),
    constant("The source of a worker.", "worker", workerSource()),
  ].join("\n"),
);
const kernels = declarations();
write(
  "abi.ts",
  [
    constant("Of the package.", "version", version),
    constant(
      "For each kernel the bits of its parameters that are pointers.",
      "pointerMasks",
      kernels.map(pointerMask),
    ),
    constant(
      "For each kernel the number of its signature, or −1.",
      "signatureNumbers",
      kernels.map(signatureOf),
    ),
    constant("The signatures, of searches with a prefix.", "signatureNames", SIGNATURES),
  ].join("\n"),
);
