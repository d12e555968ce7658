import { execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { summarize } from "../stats";
import { type Effort, type Library, libraries, type Message, type Order, type Outcome } from "./protocol";
import type { Row } from "./rows";

/** All figures of one version of Node. */
export interface Section {
  node: string;
  v8: string;
  /** Settings of each library. */
  about: Partial<Record<Library, string>>;
  rows: RowResult[];
}

export interface RowResult {
  name: string;
  alone: boolean;
  flop?: number;
  outcomes: Partial<Record<Library, Outcome>>;
}

export const THOROUGH: Effort = { rounds: 2, time: 0.15, processes: 3 };
export const QUICK: Effort = { rounds: 2, time: 0.03, processes: 1 };

/**
 * Libraries that share a process take turns in it, for the other rows processes take turns. Each is started several
 * times, for in some processes some kernels are slower: tfjs's matmul takes 2.5 times as long in one of six.
 */
export async function measureAll(major: string, rows: readonly Row[], effort: Effort): Promise<Section> {
  const executable = nodeOf(major);
  const messages: Message[] = [];
  const measure = async (some: readonly Library[], alone: boolean) => {
    const names = rows.filter((row) => row.alone === alone).map(({ name }) => name);
    if (names.length === 0) return;
    await work(executable, { rows: names, libraries: [...some], effort }, (message) =>
      messages.push(message),
    );
  };
  for (let i = 0; i < effort.processes; i++) {
    await measure(libraries, false);
    for (const library of libraries) await measure([library], true);
  }
  const versions = JSON.parse(
    execFileSync(executable, ["-p", "JSON.stringify(process.versions)"], { encoding: "utf8" }),
  );
  const about = Object.fromEntries(messages.flatMap((m) => ("about" in m ? [[m.library, m.about]] : [])));
  return { node: versions.node, v8: versions.v8, about, rows: rows.map((row) => resultOf(row, messages)) };
}

function nodeOf(major: string): string {
  if (process.versions.node.split(".")[0] === major) return process.execPath;
  const args = ["--yes", "--package", `node@${major}`, "node", "-p", "process.execPath"];
  return execFileSync("npx", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}

/** Runs worker.ts to its end. */
async function work(executable: string, order: Order, onMessage: (message: Message) => void): Promise<void> {
  const worker = fileURLToPath(new URL("worker.ts", import.meta.url));
  const child = spawn(executable, ["--import", import.meta.resolve("tsx"), worker, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let complaints = "";
  child.stderr.on("data", (chunk) => {
    complaints += chunk;
  });
  const closed = new Promise<number | null>((resolve) => child.on("close", resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    // Libraries print, too.
    if (!line.startsWith('{"library"')) continue;
    const message = JSON.parse(line) as Message;
    if ("row" in message) process.stderr.write(`${message.row}: ${message.library}\n`);
    onMessage(message);
  }
  if ((await closed) !== 0) throw new Error(`${order.libraries.join(", ")}: ${complaints.slice(-500)}`);
}

function resultOf({ name, alone, flop }: Row, messages: readonly Message[]): RowResult {
  const outcomes: RowResult["outcomes"] = {};
  for (const library of libraries) {
    const own = messages.filter((m) => "row" in m && m.row === name && m.library === library);
    const samples = own.flatMap((m) => ("samples" in m ? m.samples : []));
    const wrong = own.flatMap((m) => ("wrong" in m ? [m.wrong] : []))[0];
    const unlike = own.some((m) => "unlike" in m && m.unlike);
    if (wrong !== undefined) outcomes[library] = { wrong };
    else if (samples.length > 0) outcomes[library] = { timing: summarize(samples), unlike };
  }
  return { name, alone, ...(flop !== undefined && { flop }), outcomes };
}
