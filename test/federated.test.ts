// The example with real processes and a real broker, which .ci/run installs.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hasBroker } from "../examples/federated/broker";

const isThere = hasBroker();
if (!isThere)
  console.error("\nSKIPPED: federated training, for nats-server is missing (apt-get install nats-server)\n");

interface End {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** However busy the machine is, no worker counts as silent. */
const PATIENT = ["--patience", "300000"];

function run(...args: string[]): Promise<End> {
  const child = spawn(
    process.execPath,
    ["--import", "tsx", "examples/federated/index.ts", ...PATIENT, ...args],
    {
      cwd: join(import.meta.dirname, ".."),
    },
  );
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (text) => {
      texts[name] += text;
    });
  }
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, ...texts })));
}

/** The accuracies that it prints. */
function accuracies({ stdout }: End): { workers: string[]; whole: number; share: number } {
  const workers = [...stdout.matchAll(/^worker \d, (round .*)$/gm)].map(([, text]) => text!);
  const [whole, share] = [...stdout.matchAll(/^one .* accuracy (.*)$/gm)].map(([, text]) => Number(text));
  return { workers, whole: whole!, share: share! };
}

const valueIn = (text: string | undefined) => Number(text?.match(/[\d.]+$/)?.[0]);

describe.skipIf(!isThere)("npm run federated", () => {
  test("comes near to one process with all the rows", async () => {
    const { workers, whole, share } = accuracies(await run());
    expect(workers).toHaveLength(2);
    expect(workers[0]).toMatch(/^round 100, with 1 others/);
    expect(workers[1]).toBe(workers[0]);
    expect(valueIn(workers[0])).toBeGreaterThan(whole - 0.01);
    expect(valueIn(workers[0])).toBeGreaterThan(share);
  });

  test("of one worker is training alone", async () => {
    const { workers, whole } = accuracies(await run("--workers", "1"));
    expect(workers).toHaveLength(1);
    expect(workers[0]).toMatch(/^round 100, with 0 others/);
    expect(valueIn(workers[0])).toBe(whole);
  });

  test("knows all digits though each of three workers has seen only some", async () => {
    const { workers, share } = accuracies(await run("--divide", "digits", "--workers", "3"));
    expect(new Set(workers).size).toBe(1);
    expect(workers).toHaveLength(3);
    expect(share).toBeLessThan(0.45);
    expect(valueIn(workers[0])).toBeGreaterThan(0.9);
  });

  test("goes on when a worker is killed, and takes its successor in", async () => {
    const end = await run("--kill", "--patience", "20000");
    const { workers, whole } = accuracies(end);
    expect(end.status).toBe(0);
    expect(end.stdout).toMatch(/^worker 1 is killed after round \d+$/m);
    expect(end.stderr).toMatch(/^worker 0, round \d+: worker 1 is silent, going on without it$/m);
    expect(end.stdout).toMatch(/^worker 1 is started again after round \d+ of the others$/m);
    const taken = Number(/^worker 1: takes over the weights of round (\d+)$/m.exec(end.stderr)?.[1]);
    expect(taken).toBeGreaterThanOrEqual(40);
    expect(workers).toHaveLength(2);
    expect(workers[0]).toMatch(/^round 100, with 1 others/);
    expect(workers[1]).toBe(workers[0]);
    expect(valueIn(workers[0])).toBeGreaterThan(whole - 0.02);
  });
});

test("without the server that it is told to use, it ends", async () => {
  const { status, stderr } = await run("--server", "nats://127.0.0.1:1");
  expect(status).toBe(1);
  expect(stderr).toMatch(/^federated: a worker failed$/m);
});

test.concurrent.each<[string, string[], string]>([
  ["no workers", ["--workers", "0"], '--workers must be a whole number from 1 to 10, got "0"'],
  ["another division", ["--divide", "rows"], '--divide is even or digits, got "rows"'],
  ["an unknown option", ["--round", "1"], "Unknown option '--round'; --help lists the options"],
])("refuses %s in one line", async (_, args, message) => {
  expect(await run(...args)).toEqual({ status: 1, stdout: "", stderr: `federated: ${message}\n` });
});
