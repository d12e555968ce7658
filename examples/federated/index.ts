/**
 * Federated training of the digit classifier: `npm run federated -- --help`. Beside it the same network learns from all rows in
 * one process, and from the rows of one worker alone.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Dataset } from "nablas";
import { InputError } from "../digits/input-error";
import { startBroker } from "./broker";
import { Learner, makeData, shareOf } from "./learner";
import { HELP, type Options, readOptions } from "./options";

/** What a worker prints after each round. */
interface Report {
  worker: number;
  round: number;
  /** So many others took part. */
  others: number;
  /** A hash of the weights afterwards. */
  weights: string;
  accuracy: number;
}

type OnReport = (report: Report) => void;

/** Shares of the rounds after which the last worker is killed, and started again. */
const [DEATH, RETURN] = [0.2, 0.4];

interface Worker {
  child: ChildProcess;
  /** With its exit code, or the signal that ended it. */
  closed: Promise<[code: number | null, signal: string | null]>;
}

function startWorker(worker: number, server: string, onReport: OnReport): Worker {
  const path = fileURLToPath(new URL("worker.ts", import.meta.url));
  const args = [...process.argv.slice(2), "--server", server, "--worker", String(worker)];
  const child = spawn(process.execPath, ["--import", "tsx", path, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  createInterface(child.stdout!).on("line", (line) => onReport(JSON.parse(line) as Report));
  return { child, closed: once(child, "close") as Worker["closed"] };
}

/** The last report of each worker. */
async function trainTogether({ workers, rounds, kill }: Options, server: string): Promise<Report[]> {
  const last: Report[] = [];
  const victim = workers - 1;
  const started = Array.from({ length: workers }, (_, worker) => startWorker(worker, server, onReport));
  let fate: "to be killed" | "dead" | "back" = kill ? "to be killed" : "back";
  function onReport(report: Report): void {
    last[report.worker] = report;
    if (fate === "to be killed" && report.worker === victim && report.round >= DEATH * rounds) {
      console.log(`worker ${victim} is killed after round ${report.round}`);
      started[victim]!.child.kill("SIGKILL");
      fate = "dead";
    } else if (fate === "dead" && report.worker !== victim && report.round >= RETURN * rounds) {
      console.log(`worker ${victim} is started again after round ${report.round} of the others`);
      started.push(startWorker(victim, server, onReport));
      fate = "back";
    }
  }
  try {
    // The successor of a dead one comes later in the list.
    for (const { closed } of started) {
      const [code, signal] = await closed;
      if (code !== 0 && signal !== "SIGKILL") throw new InputError("a worker failed");
    }
  } finally {
    for (const { child } of started) child.kill();
  }
  return last;
}

async function trainAlone(data: Dataset, { rounds, seed }: Options, test: Dataset): Promise<number> {
  const learner = new Learner(seed);
  for (let round = 1; round <= rounds; round++) await learner.learn(data, round);
  return learner.test(test);
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") {
    console.log(HELP);
    return;
  }
  const { train, test } = makeData(options.count, options.seed);
  const share = shareOf(train, options.divide, 0, options.workers);
  const broker = options.server === undefined ? await startBroker() : undefined;
  try {
    const reports = await trainTogether(options, options.server ?? broker!.url);
    for (const { worker, round, others, weights, accuracy } of reports) {
      const how = `round ${round}, with ${others} others, weights ${weights}`;
      console.log(`worker ${worker}, ${how}: accuracy ${accuracy.toFixed(4)}`);
    }
  } finally {
    await broker?.stop();
  }
  const percent = [await trainAlone(train, options, test), await trainAlone(share, options, test)];
  console.log(`one process with all ${train.size} rows: accuracy ${percent[0]!.toFixed(4)}`);
  console.log(`one process with the ${share.size} rows of worker 0: accuracy ${percent[1]!.toFixed(4)}`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(`federated: ${error.message}`);
  process.exitCode = 1;
}
