// The blocks of migrating.md in another library, each with ours behind it: both have to print the same numbers.
//   tsx pairs.ts js|py     in a folder with the document, the packages and nablas
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { transformSync } from "esbuild";
import { type Block, blocksOf, missing, outputOf } from "./blocks";

const [language] = process.argv.slice(2);
const blocks = blocksOf("migrating.md", readFileSync("migrating.md", "utf8"));

/** brain.js has no seed. */
const SEEDED = "let state = 1; Math.random = () => (state = (state * 48271) % 2147483647) / 2147483647;\n";

function run(block: Block): string {
  const python = block.language === "py";
  const file = `${block.name}.${python ? "py" : "mjs"}`;
  const code = block.language === "ts" ? transformSync(block.code, { loader: "ts" }).code : block.code;
  writeFileSync(file, block.language === "js" ? SEEDED + code : code);
  const { NABLAS_PYTHON = "python3" } = process.env;
  const ran = spawnSync(python ? NABLAS_PYTHON : process.execPath, [file], { encoding: "utf8" });
  if (ran.status !== 0) fail(block, ran.error?.message ?? ran.stderr);
  const absent = missing(outputOf(block), ran.stdout);
  if (absent !== undefined) fail(block, `it does not print ${absent}, but\n${ran.stdout}`);
  return ran.stdout;
}

function fail(block: Block, reason: string): never {
  console.log(`${block.place}: ${reason}`);
  process.exit(1);
}

const numbersOf = (text: string): number[] => (text.match(/-?\d+(\.\d+)?(e[+-]?\d+)?/g) ?? []).map(Number);

let agree = 0;
for (const [i, block] of blocks.entries()) {
  if (block.language !== language) continue;
  const [theirs, ours] = [run(block), run(blocks[i + 1]!)];
  const [wanted, got] = [numbersOf(theirs), numbersOf(ours)];
  const near = wanted.every((value, j) => Math.abs(value - got[j]!) <= 1e-5 * Math.max(1, Math.abs(value)));
  if (wanted.length === 0 || got.length !== wanted.length || !near) {
    fail(block, `it prints\n${theirs}and ours\n${ours}`);
  }
  agree++;
}
console.log(`${agree} pairs agree`);
