// ONNX's own node tests (test/onnx.json, see test/onnx.test.ts), each as a file of one node that fromOnnx reads.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scope } from "../src/index";
import { fromOnnx } from "../src/onnx/index";
import { operators } from "../src/onnx/operators";
import type { TensorProto } from "../src/onnx/proto";
import { fileOf, floats, longs, node, type Value } from "./onnxFile";
import { faults, type RawTensor, readValues, toTensor, type Values } from "./oracle";

interface Case {
  name: string;
  op: string;
  attributes: Record<string, number | number[] | string>;
  inputs: (number | null)[];
  outputs: number[];
}

const file: { tensors: RawTensor[]; cases: Case[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, "onnx.json"), "utf8"),
);
const tensors = file.tensors.map(readValues);
const cases = file.cases.filter(({ op }) => Object.hasOwn(operators, op));

/** What the library does not do, and why. */
const refused: Record<string, string> = {
  batchnorm_example_training_mode: "is in training",
  batchnorm_epsilon_training_mode: "is in training",
  training_dropout_zero_ratio: "is in training",
  training_dropout_zero_ratio_mask: "is in training",
  pow_types_float32_int64: "input 1 is not float",
  pow_types_float32_int32: "input 1 is not float",
  pow_types_float32_uint64: "input 1 is not float",
  pow_types_float32_uint32: "input 1 is not float",
};

const TOLERANCE = { rtol: 1e-5, atol: 2e-6 };

/** Attributes that are floats even where their value is an integer. */
const FLOATS = new Set(["alpha", "beta", "gamma", "epsilon", "momentum", "ratio"]);

function attributeOf(name: string, value: number | number[] | string): Value {
  return typeof value === "number" && FLOATS.has(name) ? { float: value } : value;
}

const stored = ({ data, shape }: Values, name: string): TensorProto =>
  data instanceof Int32Array ? longs(data, [...shape], name) : floats(data as Float32Array, [...shape], name);

/** The first input is that of the graph, the others are in the file. */
function bytesOf({ op, attributes, inputs }: Case): Uint8Array {
  const names = inputs.map((at, i) => (at === null ? "" : `input${i}`));
  const { shape, data } = tensors[inputs[0]!]!;
  const type = data instanceof Int32Array ? "int64" : "float";
  const initializers = inputs.flatMap((at, i) =>
    i === 0 || at === null ? [] : [stored(tensors[at]!, names[i]!)],
  );
  const list = Object.entries(attributes).map(([name, value]) => [name, attributeOf(name, value)] as const);
  const nodes = [node("y", op, names, Object.fromEntries(list))];
  return fileOf({
    nodes,
    initializers,
    opset: 17,
    outputs: ["y"],
    inputs: { input0: { shape: [...shape], type } },
  });
}

describe("the node tests of ONNX", () => {
  it.each(cases.filter(({ name }) => !Object.hasOwn(refused, name)))("$name", (one) => {
    scope(() => {
      const y = fromOnnx(bytesOf(one)).forward(toTensor(tensors[one.inputs[0]!]!));
      expect(faults(y, tensors[one.outputs[0]!]!, TOLERANCE)).toEqual([]);
      return undefined;
    });
  });

  it.each(Object.entries(refused))("%s is refused", (name, message) => {
    expect(() => fromOnnx(bytesOf(cases.find((one) => one.name === name)!))).toThrow(message);
  });

  it("are there for most operators", () => {
    const tested = new Set(cases.map(({ op }) => op));
    const untested = Object.keys(operators).filter((op) => !tested.has(op));
    expect(untested).toEqual(["Cast", "Erf", "Gelu", "Mish"]);
  });
});
