// What fromOnnx allocates for files that are made to let it allocate: processes of the built package that would run out of memory.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { encodeModel, type ModelProto, type NodeProto } from "../src/onnx/proto";
import { fileOf, type Graph } from "./onnxFile";

const root = new URL("../", import.meta.url);

/** Bytes of heap for each byte of the file. fromOnnx states this bound. */
const BOUND = 128;
/** What a process has before. */
const START = 24e6;

const script = `
  import { readFileSync } from "node:fs";
  import { fromOnnx } from "nablas/onnx";
  const file = readFileSync(0);
  let outcome = "read";
  try {
    fromOnnx(file);
  } catch (error) {
    outcome = error.constructor.name;
  }
  console.log(outcome);`;

function outcomeOf(file: Uint8Array): string {
  const heap = Math.ceil((START + BOUND * file.length) / 2 ** 20);
  const options = [`--max-old-space-size=${heap}`, "--input-type=module", "--eval", script];
  return spawnSync(process.execPath, options, { cwd: root, input: file, encoding: "utf8" }).stdout.trim();
}

const COUNT = 100_000;
const name = (i: number) => (i === 0 ? "_" : i.toString(36));

/** The shortest nodes that there are, one after another. */
function chain(op: string): Uint8Array {
  const nodes: NodeProto[] = Array.from({ length: COUNT }, (_, i) => ({
    ...{ opType: op, input: [name(i)], output: [name(i + 1)] },
  }));
  const graph: Graph = { nodes, opset: 20, inputs: { _: { shape: [1] } }, outputs: [name(COUNT)] };
  return fileOf(graph);
}

const empty = (): ModelProto => ({ graph: { node: Array.from({ length: 4 * COUNT }, () => ({})) } });
const dims = (): ModelProto => ({
  graph: { initializer: [{ name: "w", dims: Array.from({ length: 10 * COUNT }, () => 1) }] },
});

test.each<[string, () => Uint8Array, string]>([
  ["short nodes", () => chain("Neg"), "read"],
  ["short nodes of an unknown operator", () => chain("N"), "FormatError"],
  ["empty messages", () => encodeModel(empty()), "FormatError"],
  ["sizes of one byte", () => encodeModel(dims()), "FormatError"],
])("%s: at most 128 bytes for each byte of the file", (_, make, outcome) => {
  expect(outcomeOf(make())).toBe(outcome);
});
