/** Does for long what training does, and looks whether anything grows: `npm run soak`, or `npm run soak -- --help`. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { init } from "../../src/index";
import { header, soak } from "./gauge";
import { PAGE, scenarios } from "./scenarios";

const HELP = `npm run soak -- [NAME ...] [options]

  NAME              what to do, as in "replay" for all whose name has that in it: ${Object.keys(scenarios).join(", ")}, ${PAGE}
  --steps N         how often, instead of the number of each
  --minutes M       how long the page is left training; default 10
  --simd BINARY     baseline or relaxed; default: the one the library chooses
  --help            this text

Each runs in a process of its own. The lines are: before; when it has found its size (after a tenth; half-way where nobody calls
the garbage collector); at the end of the work; and when all is given back. Ends with code 1 if anything grows.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: "string" },
    minutes: { type: "string", default: "10" },
    simd: { type: "string" },
    help: { type: "boolean", default: false },
    only: { type: "string" },
  },
});

/** Node 20 has relaxed SIMD behind a flag. */
const isOld = Number(process.versions.node.split(".")[0]) < 21;
const FLAGS = isOld ? ["--experimental-wasm-relaxed-simd"] : [];

/** In this process. */
async function one(name: string): Promise<string[]> {
  if (name === PAGE) return (await import("./page")).leavePage(Number(values.minutes));
  if (values.simd !== undefined) await init({ simd: values.simd as "baseline" | "relaxed" });
  const scenario = scenarios[name]!;
  return soak(scenario, Number(values.steps ?? scenario.full), header());
}

/** Each in a process of its own; their number that failed. */
function all(names: readonly string[]): number {
  const path = fileURLToPath(import.meta.url);
  const rest = process.argv.slice(2).filter((arg) => !positionals.includes(arg));
  return names.filter((name) => {
    const args = [...process.execArgv, ...FLAGS, path, ...rest, "--only", name];
    return spawnSync(process.execPath, args, { stdio: "inherit" }).status !== 0;
  }).length;
}

if (values.help) console.log(HELP);
else if (values.only !== undefined) {
  const grown = await one(values.only);
  for (const line of grown) console.log(`FAILS: ${line}`);
  process.exitCode = grown.length === 0 ? 0 : 1;
} else {
  const known = [...Object.keys(scenarios), PAGE];
  const chosen =
    positionals.length === 0
      ? known
      : known.filter((name) => positionals.some((part) => name.includes(part)));
  if (chosen.length === 0) throw new Error(`no such name; there are ${known.join(", ")}`);
  process.exitCode = all(chosen) === 0 ? 0 : 1;
}
