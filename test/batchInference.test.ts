// The example as a program of its own, killed where it hurts.
import { type ChildProcess, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Linear, manualSeed, noGrad, ReLU, randn, Sequential, scope, tensor } from "../src/index";
import { loadNpy, saveNpy } from "../src/numpy/index";
import { toOnnx } from "../src/onnx/index";

const FILES = 40;
const ROWS = 800;
const folder = mkdtempSync(join(tmpdir(), "nablas-batch-"));
const path = (...names: string[]) => join(folder, ...names);
afterAll(() => rmSync(folder, { recursive: true }));

manualSeed(1);
const model = new Sequential(new Linear(64, 32), new ReLU(), new Linear(32, 10));

beforeAll(async () => {
  writeFileSync(path("model.onnx"), toOnnx(model, { input: [null, 64] }));
  mkdirSync(path("in"));
  for (let i = 0; i < FILES; i++)
    writeFileSync(
      path("in", `${i}.npy`),
      scope(() => saveNpy(randn([ROWS + i, 64]))),
    );
  expect(await end(start("whole"))).toMatchObject({ status: 0 });
});

/** Few rows at a time, so that there is something to kill. */
function start(output: string, { input = "in", options = [] as string[] } = {}): ChildProcess {
  const args = ["--model", path("model.onnx"), "--input", path(input), "--output", path(output)];
  const program = ["--import", "tsx", "examples/batch-inference/index.ts"];
  return spawn(process.execPath, [...program, ...args, "--workers", "2", "--batch", "2", ...options], {
    cwd: join(import.meta.dirname, ".."),
  });
}

interface End {
  status: number | null;
  stdout: string;
  stderr: string;
}

function end(child: ChildProcess): Promise<End> {
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) child[name]!.on("data", (text) => (texts[name] += text));
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, ...texts })));
}

const ledger = (output: string) => readFileSync(path(output, "ledger.ndjson"), "utf8");
const doneIn = (output: string) =>
  existsSync(path(output, "ledger.ndjson")) ? ledger(output).split("\n").length - 2 : 0;
const results = (output: string) =>
  Object.fromEntries(
    readdirSync(path(output))
      .filter((name) => name.endsWith(".npy"))
      .map((name) => [name, readFileSync(path(output, name), "base64")]),
  );

test("gives what the model gives", () => {
  let gap = 0;
  for (let i = 0; i < FILES; i++) {
    const x = loadNpy(readFileSync(path("in", `${i}.npy`)));
    const y = loadNpy(readFileSync(path("whole", `${i}.npy`)));
    expect(y.shape).toEqual([ROWS + i, 10]);
    scope(() => {
      const wanted = noGrad(() => model.forward(tensor(x.data as Float32Array, { shape: x.shape }))).data;
      wanted.forEach((value, at) => {
        gap = Math.max(gap, Math.abs(value - y.data[at]!));
      });
    });
  }
  expect(gap).toBeLessThan(2e-6);
});

test("killed again and again, it comes to the same results, each file once", async () => {
  // Long before the end, so that there is something left to do whenever the signal comes.
  for (const files of [2, 6, 10, 14]) {
    const child = start("killed");
    const ended = end(child);
    while (doneIn("killed") < files && child.exitCode === null)
      await new Promise((done) => setTimeout(done, 1));
    child.kill("SIGKILL");
    expect((await ended).status).toBeNull();
    expect(doneIn("killed")).toBeLessThan(FILES);
  }
  // And once as if it had been in the middle of a line.
  truncateSync(path("killed", "ledger.ndjson"), Buffer.byteLength(ledger("killed")) - 7);
  const before = doneIn("killed");
  const { status, stdout } = await end(start("killed"));
  const rows = FILES * ROWS + (FILES * (FILES - 1)) / 2;
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: `${FILES} files with ${rows} rows are done, 0 failed\n`,
  });
  expect(before).toBeGreaterThan(12);
  expect(results("killed")).toEqual(results("whole"));
  expect(readdirSync(path("killed")).filter((name) => name.endsWith(".partial"))).toEqual([]);
  const entries = ledger("killed").trim().split("\n").slice(1);
  const names = entries.map((line) => (JSON.parse(line) as { file: string }).file);
  expect(names.sort()).toEqual(Object.keys(results("whole")).sort());
});

test("reports files that cannot be, does the others, and tries again when they can", async () => {
  mkdirSync(path("some"));
  for (const i of [0, 1, 2]) cpSync(path("in", `${i}.npy`), path("some", `${i}.npy`));
  writeFileSync(path("some", "cut.npy"), readFileSync(path("in", "3.npy")).subarray(0, 5000));
  writeFileSync(path("some", "wide.npy"), saveNpy({ data: new Float32Array(130), shape: [2, 65] }));
  writeFileSync(path("some", "none.npy"), saveNpy({ data: new Float32Array(0), shape: [0, 64] }));
  mkdirSync(path("some", "folder.npy"));
  writeFileSync(path("some", "notes.txt"), "no data");
  const first = await end(start("some-out", { input: "some" }));
  expect(first).toMatchObject({ status: 1, stdout: "3 files with 2403 rows are done, 4 failed\n" });
  expect(first.stderr).toMatch(/^cut\.npy: .*bytes/m);
  expect(first.stderr).toMatch(/^wide\.npy: .*Got: 65 Expected: 64/m);
  expect(first.stderr).toMatch(/^none\.npy: no rows$/m);
  expect(first.stderr).toMatch(/^folder\.npy: EISDIR/m);
  for (const name of ["wide.npy", "none.npy", "folder.npy"]) rmSync(path("some", name), { recursive: true });
  cpSync(path("in", "3.npy"), path("some", "cut.npy"));
  // Another time of change is another file.
  utimesSync(path("some", "0.npy"), 1, 1);
  const again = await end(start("some-out", { input: "some" }));
  expect(again).toMatchObject({ status: 0, stdout: "4 files with 3206 rows are done, 0 failed\n" });
  expect(ledger("some-out").match(/"0\.npy"/g)).toHaveLength(2);
  expect(results("some-out")).toMatchObject({ "cut.npy": results("whole")["3.npy"] });
});

test("a thread that dies costs the file it was at, until the next start", async () => {
  // The engine, but for the 100th call in a thread, in which it ends.
  mkdirSync(join(import.meta.dirname, "../build"), { recursive: true });
  const engine = join(mkdtempSync(join(import.meta.dirname, "../build/engine-")), "engine.mjs");
  const source = `
    import * as ort from "onnxruntime-web";
    import { isMainThread } from "node:worker_threads";
    export const { env, Tensor } = ort;
    let calls = 0;
    export const InferenceSession = {
      async create(...args) {
        const session = await ort.InferenceSession.create(...args);
        const run = session.run.bind(session);
        session.run = (feeds) => (!isMainThread && ++calls === 100 ? process.exit(3) : run(feeds));
        return session;
      },
    };`;
  writeFileSync(engine, source);
  mkdirSync(path("few"));
  for (let i = 0; i < 8; i++) cpSync(path("in", `${i}.npy`), path("few", `${i}.npy`));
  // 17 calls for each file.
  const options = ["--workers", "1", "--batch", "50", "--engine", engine];
  const first = await end(start("few-out", { input: "few", options }));
  expect(first.status).toBe(1);
  const failed = first.stderr.match(/^\d\.npy: worker exited with code: 3$/gm) ?? [];
  expect(failed.length).toBeGreaterThan(0);
  expect(first.stdout).toContain(`${8 - failed.length} files with `);
  expect(await end(start("few-out", { input: "few", options }))).toMatchObject({
    status: 0,
    stdout: "8 files with 6428 rows are done, 0 failed\n",
  });
  rmSync(dirname(engine), { recursive: true });
});

test.concurrent.each<[string, string[], string]>([
  ["another batch size in the same folder", ["--batch", "3"], "take another output folder"],
  ["a model that is none", ["--model", join(import.meta.filename)], "onnxruntime-web cannot open"],
  ["the same folder twice", ["--output", path("in")], "the results would overwrite the inputs"],
  ["no folder", ["--input", path("nowhere")], "nowhere: no such file or folder"],
  ["an unknown option", ["--batches", "3"], "Unknown option '--batches'; --help lists the options"],
  ["no threads", ["--workers", "0"], '--workers must be a whole number from 1 to 256, got "0"'],
])("refuses %s in one line", async (_, options, message) => {
  const { status, stdout, stderr } = await end(start("whole", { options }));
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toMatch(/^batch: .*\n$/);
  expect(stderr).toContain(message);
});
