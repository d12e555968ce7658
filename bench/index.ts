/**
 * Times the library against plain JavaScript: `npm run bench`, or `npm run bench -- --help`.
 *
 * Compare the ratios, not the times: all sides run in turns in one process, so a noisy machine slows each of them.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { manualSeed, scope } from "nablas";
import { QUICK, THOROUGH } from "./contest";
import { machine } from "./machine";
import { measure, type Result } from "./result";
import { rows } from "./rows/index";
import { start } from "./simd";
import { formatRow, HEADER } from "./table";
import { createYardsticks } from "./yardsticks";

const HELP = `npm run bench -- [options]

  --filter PATTERN  only the rows whose name matches this regular expression, as in --filter "relu|tanh"
  --quick           less time and more noise
  --simd BINARY     baseline or relaxed, which has fused multiply-add; default: the one the library chooses
  --json FILE       writes the figures there, too
  --help            this text

Columns: the median time of a call in wasm and in plain JavaScript; how many times faster wasm is; its speed; its part of
the peak of multiply-adds in registers, or its time in copies of as many elements; half the distance of its quartiles.`;

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

async function main(): Promise<void> {
  const { filter, quick, simd, json, help } = parseArgs({
    options: {
      filter: { type: "string", default: "" },
      quick: { type: "boolean", default: false },
      simd: { type: "string" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  }).values;
  if (help) {
    console.log(HELP);
    return;
  }
  const pattern = new RegExp(filter, "i");
  const chosen = rows.filter(({ name }) => pattern.test(name));
  if (chosen.length === 0)
    throw new Error(`no row matches ${filter}; there are\n${rows.map(({ name }) => name).join("\n")}`);

  const binary = await start(simd);
  const where = machine();
  const yardsticks = createYardsticks(binary);
  manualSeed(0);
  console.log(`nablas ${version} (${binary}), ${where.cpu}, Node ${where.node}, ${where.date}\n\n${HEADER}`);
  const results: Result[] = [];
  for (const row of chosen) {
    const result = scope(() => measure(row, yardsticks, quick ? QUICK : THOROUGH));
    console.log(formatRow(result));
    results.push(result);
  }
  if (json !== undefined) {
    const report = {
      nablas: version,
      simd: binary,
      ...where,
      effort: quick ? "quick" : "thorough",
      rows: results,
    };
    writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  }
}

// As in `npm run bench | head`: the reader has seen enough.
process.stdout.on("error", () => process.exit());

main().catch((error: Error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
