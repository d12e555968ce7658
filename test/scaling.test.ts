// The code that docs/scaling.md shows, with the package as it is built.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const text = readFileSync(join(root, "docs/scaling.md"), "utf8");
const blocks = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
mkdirSync(join(root, "build"), { recursive: true });
/** Inside of the package, where its own name leads to it. */
const folder = mkdtempSync(join(root, "build/scaling-"));
afterAll(() => rmSync(folder, { recursive: true }));

function run(block: string): Promise<{ status: number | null; output: string }> {
  writeFileSync(join(folder, "block.mjs"), block);
  const child = spawn(process.execPath, ["block.mjs"], { cwd: folder });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      output += data;
    });
  }
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, output })));
}

test("two threads, each with half of exclusive or, both learn all of it", async () => {
  const { status, output } = await run(blocks.find((block) => block.includes("averageGradients("))!);
  expect(status).toBe(0);
  expect(output.trim().split("\n").sort()).toEqual(["0 [ 0, 1, 1, 0 ]", "1 [ 0, 1, 1, 0 ]"]);
});

test("a model and rows for batch inference are written", async () => {
  expect(await run(blocks.find((block) => block.includes("toOnnx("))!)).toEqual({ status: 0, output: "" });
  expect(["model.onnx", "rows/9.npy"].filter((name) => !existsSync(join(folder, name)))).toEqual([]);
});
