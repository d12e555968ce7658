// Files are data: nothing in the package makes code or markup of text, apart from what is listed here.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";
import { expect, test } from "vitest";
import { BatchNorm1d, Linear, ReLU, Sequential, saveCheckpoint, saveSafetensors } from "../../src/index";
import { saveNpy, saveNpz } from "../../src/numpy/index";
import { toOnnx } from "../../src/onnx/index";
import { idx } from "../playground/digitFiles";
import { named } from "../tfjsCases";

const root = new URL("../../", import.meta.url);
const files = (folder: string, ending: string) =>
  (readdirSync(new URL(folder, root), { recursive: true }) as string[])
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name}`);

const MAKES_CODE = new Set([
  "eval",
  "Function",
  "importScripts",
  "execScript",
  "runInThisContext",
  "runInNewContext",
]);
const MAKES_MARKUP = new Set(["innerHTML", "outerHTML", "insertAdjacentHTML", "srcdoc", "write", "writeln"]);

/** What makes code or markup of text in a source: with its first 60 characters. */
function evaluations(name: string): string[] {
  const found: string[] = [];
  const source = ts.createSourceFile(name, readFileSync(new URL(name, root), "utf8"), ts.ScriptTarget.Latest);
  const visit = (node: ts.Node): void => {
    if (makesCode(node, source)) found.push(node.getText(source).replaceAll(/\s+/g, " ").slice(0, 60));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function makesCode(node: ts.Node, source: ts.SourceFile): boolean {
  if (ts.isPropertyAccessExpression(node)) {
    const isDocument = node.expression.getText(source).endsWith("document");
    return MAKES_MARKUP.has(node.name.text) && (isDocument || !node.name.text.startsWith("write"));
  }
  if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return false;
  const { expression: callee, arguments: [first] = [] as readonly ts.Expression[] } = node;
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return first === undefined || !ts.isStringLiteral(first);
  const name = ts.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText(source);
  if (name === "setTimeout" || name === "setInterval")
    return first !== undefined && ts.isStringLiteralLike(first);
  if (ts.isNewExpression(node) && name.endsWith("Worker")) return true;
  // model.eval() takes nothing.
  return MAKES_CODE.has(name) && first !== undefined;
}

test("the sources make workers of the package's own text, and nothing else of any text", () => {
  const found = files("src", ".ts").flatMap((name) => evaluations(name).map((text) => `${name}: ${text}`));
  expect(found).toHaveLength(3);
  for (const one of found) expect(one).toMatch(/^src\/threads\/workers\.ts: new (threads!\.)?Worker\(/);
});

test.each(files("dist", ".js"))("no more does %s", (name) => {
  for (const one of evaluations(name)) expect(one).toMatch(/^new (\w+\.)?Worker\(/);
});

const model = new Sequential(new Linear(2, 3), new BatchNorm1d(3), new ReLU());
const { model: json, shards } = named("several layers");
const inputs: Record<string, Uint8Array> = {
  safetensors: saveSafetensors(model.stateDict()),
  checkpoint: saveCheckpoint({ model }),
  npy: saveNpy(model.parameters()[0]!),
  npz: saveNpz(model.stateDict(), { compress: true }),
  onnx: toOnnx(model, { input: [null, 2] }),
  idx: idx([2], Uint8Array.of(1, 2)),
  tfjs: Buffer.from(JSON.stringify(json)),
  shards: Buffer.concat(shards),
};

test("every format is read, and what was read runs, where no text can become code", () => {
  const code = `
    import { readFileSync } from "node:fs";
    import * as n from "nablas";
    import { loadNpy, loadNpz } from "nablas/numpy";
    import { fromOnnx } from "nablas/onnx";
    import { fromTfjs } from "nablas/tfjs";
    const files = JSON.parse(readFileSync(0, "utf8"), (_, value) =>
      typeof value === "string" ? new Uint8Array(Buffer.from(value, "base64")) : value);
    const model = new n.Sequential(new n.Linear(2, 3), new n.BatchNorm1d(3), new n.ReLU());
    model.loadStateDict(n.loadSafetensors(files.safetensors).tensors);
    n.loadCheckpoint(files.checkpoint, { model });
    const step = n.compile((x) => n.sum(model.forward(x)));
    const read = [
      loadNpy(files.npy).shape.join(), Object.keys(loadNpz(files.npz)).length, (await n.readIdx(files.idx)).data.join(),
      fromOnnx(files.onnx).forward(n.ones([2, 2])).shape.join(), (await fromTfjs(files.tfjs, files.shards)).layers.length > 1,
      Number.isFinite(step(n.ones([4, 2])).item()),
    ];
    try { new Function("return 1")(); } catch (error) { read.push(error.constructor.name); }
    console.log(JSON.stringify(read));`;
  const input = JSON.stringify(
    Object.fromEntries(
      Object.entries(inputs).map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")]),
    ),
  );
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--disallow-code-generation-from-strings", "--input-type=module", "--eval", code],
    { cwd: root, input, encoding: "utf8" },
  );
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual(["3,2", 7, "1,2", "2,3", true, true, "EvalError"]);
});
