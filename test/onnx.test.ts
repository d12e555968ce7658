// ONNX's own node tests: test/onnx.json, written by scripts/onnx-cases.py, through the operations of test/onnx.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scope, type Tensor } from "../src/index";
import { different, operations } from "./onnx";
import type { Attributes } from "./onnxOptimizers";
import { faults, type RawTensor, readValues, toTensor } from "./oracle";

interface Node {
  name: string;
  op: string;
  attributes: Attributes;
  /** Numbers of tensors; null stands for an optional input that the node leaves out. */
  inputs: (number | null)[];
  outputs: number[];
}

const file: { tensors: RawTensor[]; cases: Node[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, "onnx.json"), "utf8"),
);
const tensors = file.tensors.map(readValues);

/** ONNX's tests allow rtol 1e-3 and atol 1e-7; where the expected float32 sums cancel, both sides round. */
const TOLERANCE = { rtol: 1e-5, atol: 2e-6 };

const inputsOf = ({ inputs }: Node) =>
  inputs.map((i) => (i === null ? undefined : toTensor(tensors[i]!))) as Tensor[];

const nodes = file.cases.map((node) => ({
  ...node,
  why: scope(() => different(node.op, node.attributes, inputsOf(node))),
}));

describe("the node tests of ONNX", () => {
  it("reach every operation of the table, and no other", () => {
    const used = new Set(nodes.map(({ op }) => op));
    expect([...used].sort()).toEqual(Object.keys(operations).sort());
  });

  it("differ in what is known to", () => {
    const names = nodes.filter(({ why }) => why !== undefined).map(({ name }) => name);
    expect(names.filter((name) => !name.endsWith("_select_last_index"))).toEqual(["slice_neg_steps"]);
  });

  it.each(nodes.filter(({ why }) => why === undefined))("$name", (node) => {
    scope(() => {
      const got = [operations[node.op]!(inputsOf(node), node.attributes, node.outputs.length)].flat();
      const wrong = node.outputs.map((i, k) => faults(got[k]!, tensors[i]!, TOLERANCE));
      expect(wrong).toEqual(node.outputs.map(() => []));
    });
  });
});
