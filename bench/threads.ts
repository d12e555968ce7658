/**
 * Times the library on several threads against itself on one: `npm run bench:threads`, or `npm run bench:threads -- --help`.
 *
 * Both run in turns in one process, each with workers that have just been started: what threads learn, they learn in the
 * time that is measured.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { init, manualSeed, scope, shutdown } from "nablas";
import { sample } from "./harness";
import { machine } from "./machine";
import { rows } from "./rows/index";
import { start } from "./simd";
import { summarize, type Timing } from "./stats";
import { time } from "./table";

const HELP = `npm run bench:threads -- [options]

  --filter PATTERN  only the rows whose name matches this regular expression
  --threads N       default: 2
  --busy            while another process keeps one processor busy
  --rounds N        turns of each; default: 5
  --simd BINARY     baseline or relaxed
  --help            this text

Columns: the median time of a call on one thread and on several; how many times faster those are; and the same of the fastest
samples, which nobody else on the machine has disturbed.`;

/** Seconds of a turn, and before its first sample. */
const TURN = 0.15;
const WARM_UP = 0.2;

async function main(): Promise<void> {
  const { filter, threads, busy, rounds, simd, help } = parseArgs({
    options: {
      filter: { type: "string", default: "" },
      threads: { type: "string", default: "2" },
      busy: { type: "boolean", default: false },
      rounds: { type: "string", default: "5" },
      simd: { type: "string" },
      help: { type: "boolean", default: false },
    },
  }).values;
  if (help) {
    console.log(HELP);
    return;
  }
  const pattern = new RegExp(filter, "i");
  const binary = await start(simd);
  const { cpu, node } = machine();
  const other = busy ? saturate() : undefined;
  console.log(`${binary}, ${threads} threads${busy ? ", one processor busy" : ""}, ${cpu}, Node ${node}\n`);
  console.log(line("", ["1", threads, "ratio", "fastest"]));
  try {
    for (const row of rows.filter(({ name }) => pattern.test(name))) {
      manualSeed(0);
      const { wasm } = row.prepare();
      const [one, several] = await inTurns(() => scope(wasm), Number(threads), Number(rounds));
      const ratios = [one.median / several.median, one.min / several.min].map((ratio) => ratio.toFixed(2));
      console.log(line(row.name, [time(one.median), time(several.median), ...ratios]));
    }
  } finally {
    other?.kill();
    await shutdown();
  }
}

async function inTurns(run: () => void, threads: number, rounds: number): Promise<[Timing, Timing]> {
  const samples: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const [i, count] of [1, threads].entries()) {
      await init({ threads: count });
      sample(run, WARM_UP);
      samples[i]!.push(...sample(run, TURN));
    }
  }
  return [summarize(samples[0]), summarize(samples[1])];
}

/** A process that never rests as long as this one is there, on one processor where it can be told to keep to it. */
function saturate(): ChildProcess {
  const command = [process.execPath, "-e", `while (process.ppid === ${process.pid});`];
  const pin = spawnSync("taskset", ["--version"]).status === 0 ? ["taskset", "-c", "1"] : [];
  const [file, ...args] = [...pin, ...command];
  return spawn(file!, args, { stdio: "ignore" });
}

function line(name: string, cells: string[]): string {
  return `| ${name.padEnd(36)} | ${cells.map((cell) => cell.padStart(8)).join(" | ")} |`;
}

main().catch((error: Error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
