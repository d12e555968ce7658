/**
 * Times the library against plain JavaScript: `npm run bench`, or `npm run bench -- --help`.
 *
 * Compare the ratios, not the times: both sides run in turns in one process, so a noisy machine slows both.
 */
import { parseArgs } from "node:util";
import { manualSeed } from "nablas";
import { compare, QUICK, THOROUGH } from "./harness";
import { rows } from "./rows";
import { formatRow, HEADER } from "./table";

const HELP = `npm run bench -- [options]

  --only PATTERN  only the rows whose name matches this regular expression, as in --only "relu|tanh"
  --quick         less time and more noise
  --help          this text`;

function main(): void {
  const { only, quick, help } = parseArgs({
    options: {
      only: { type: "string", default: "" },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  }).values;
  if (help) {
    console.log(HELP);
    return;
  }
  const pattern = new RegExp(only, "i");
  const chosen = rows.filter(({ name }) => pattern.test(name));
  if (chosen.length === 0)
    throw new Error(`no row matches ${only}; there are\n${rows.map(({ name }) => name).join("\n")}`);

  manualSeed(0);
  console.log(HEADER);
  for (const row of chosen) {
    const { wasm, js, check } = row.prepare();
    console.log(formatRow(row, compare(row.name, { wasm, js }, check, quick ? QUICK : THOROUGH)));
  }
}

// As in `npm run bench | head`: the reader has seen enough.
process.stdout.on("error", () => process.exit());

try {
  main();
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  process.exitCode = 1;
}
