// ONNX files that ask for more than there is, contradict themselves, or are broken.
import { describe, expect, test } from "vitest";
import { FormatError, memory } from "../src/index";
import { fromOnnx } from "../src/onnx/index";
import { encodeModel, type NodeProto, type TensorProto } from "../src/onnx/proto";
import { constant, fileOf, floats, type Graph, integers, modelOf, node } from "./onnxFile";

const graphOf = (nodes: NodeProto[], rest: Partial<Graph> = {}): Graph => ({
  ...{ nodes, opset: 20, inputs: { x: { shape: ["n", 4] } }, outputs: ["y"] },
  ...rest,
});

function refusalOf(bytes: Uint8Array): string {
  try {
    fromOnnx(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    return (error as Error).message;
  }
  return "none";
}

const relu = node("y", "Relu", ["x"]);

test("every node that cannot be run is named, by operator", () => {
  const nodes = [
    node("/0/Conv_output_0", "Conv", ["x", "w"]),
    node("/1/Relu_output_0", "Relu", ["/0/Conv_output_0"]),
    node("/2/Conv_output_0", "Conv", ["/1/Relu_output_0", "w"]),
    { ...node("/3/Gelu_output_0", "Gelu", ["/2/Conv_output_0"]), domain: "com.microsoft" },
    node("/4/Clip_output_0", "Clip", ["/3/Gelu_output_0", "/1/Relu_output_0"]),
    { ...node("/5/Split_output_0", "Split", ["/4/Clip_output_0"]), output: ["a", "b"] },
    node("y", "LeakyRelu", ["b"], { slope: { float: 0.1 } }),
  ];
  const initializers = [floats([1], [1], "w")];
  expect(refusalOf(fileOf(graphOf(nodes, { initializers })))).toBe(
    'fromOnnx: cannot run 6 of 7 nodes, by operator: Conv: "/0/Conv", "/2/Conv"; com.microsoft.Gelu: "/3/Gelu"; ' +
      'Clip: "/4/Clip" (input 1 is computed, and has to be in the file); Split: "/5/Split"; ' +
      'LeakyRelu: "y" (its attribute "slope" is not known)',
  );
});

test("what leads nowhere is no hindrance", () => {
  expect(refusalOf(fileOf(graphOf([node("z", "Conv", ["x"]), relu])))).toBe("none");
});

describe("refused", () => {
  const w = (more: Partial<TensorProto>): Graph =>
    graphOf([node("y", "Mul", ["x", "w"])], {
      initializers: [{ name: "w", dims: [4], dataType: 1, ...more }],
    });
  const cast = (to: number) => graphOf([node("y", "Cast", ["x"], { to })]);
  test.each<[string, Graph, string]>([
    ["an old opset", graphOf([relu], { opset: 8 }), "opset 8 is not known; export with one from 9 to 25"],
    ["one to come", graphOf([relu], { opset: 99 }), "opset 99 is not known"],
    ["two outputs", graphOf([relu], { outputs: ["y", "x"] }), "a module has one output, the graph has 2"],
    ["no output", graphOf([relu], { outputs: [] }), "a module has one output, the graph has 0"],
    ["an output of nothing", graphOf([relu], { outputs: ["z"] }), 'the graph reads "z", which nothing'],
    [
      "a value before it is made",
      graphOf([node("y", "Neg", ["z"]), node("z", "Neg", ["x"])]),
      'Neg "y" reads "z"',
    ],
    ["a value made twice", graphOf([relu, relu]), 'the value "y" is made twice'],
    [
      "an input twice",
      graphOf([relu], { initializers: [floats([1], [1], "w"), floats([1], [1], "w")] }),
      '"w" is made',
    ],
    ["a node for nothing", graphOf([{ opType: "Relu", input: ["x"] }]), "makes nothing"],
    ["a second output", graphOf([{ ...relu, output: ["z", "y"] }]), "only its first output is made"],
    ["weights elsewhere", w({ dataLocation: 1 }), 'the tensor "w" is in another file; save it all in one'],
    ["half precision", w({ dataType: 10, rawData: new Uint8Array(8) }), 'the tensor "w" is of float16'],
    ["texts", w({ dataType: 8 }), 'the tensor "w" is of string'],
    ["too few bytes", w({ rawData: new Uint8Array(12) }), 'the tensor "w" has 3 values for [4]'],
    ["half a number", w({ rawData: new Uint8Array(15) }), 'the tensor "w" has broken values for [4]'],
    ["no values", w({}), 'the tensor "w" has 0 values for [4]'],
    ["sizes below 0", w({ dims: [-4] }), 'the tensor "w" has the shape [-4]'],
    [
      "more than there is",
      w({ dims: [1e9, 1e9], floatData: [1] }),
      "has 1 values for [1000000000, 1000000000]",
    ],
    [
      "a name of ours",
      { ...w({ name: "forward", floatData: [1, 2, 3, 4] }), nodes: [node("y", "Mul", ["x", "forward"])] },
      'no parameter can be called "forward"',
    ],
    [
      "integers where floats go",
      graphOf([relu], { inputs: { x: { shape: [4], type: "int64" } } }),
      "input 0 is not float",
    ],
    [
      "floats as indices",
      graphOf([node("y", "Gather", ["w", "x"])], { initializers: [floats([1], [1, 1], "w")] }),
      "its indices are float",
    ],
    ["a cast to integers", cast(7), "casts to int64"],
    ["a cast to half precision", cast(10), "casts to float16"],
    ["a shape that is computed", graphOf([node("y", "Reshape", ["x", "x"])]), "input 1 is computed"],
    [
      "dropout in training",
      graphOf([constant("p", 0.5), constant("on", 1), node("y", "Dropout", ["x", "p", "on"])]),
      "is in training",
    ],
    [
      "dropout of everything and more",
      graphOf([node("y", "Dropout", ["x"], { ratio: { float: 1.5 } })]),
      "the ratio is 1.5",
    ],
    [
      "an unknown gelu",
      graphOf([node("y", "Gelu", ["x"], { approximate: "sigmoid" })]),
      'approximate is "sigmoid"',
    ],
    ["too few inputs", graphOf([node("y", "PRelu", ["x"])]), "input 1 is missing"],
    [
      "two bounds for one",
      graphOf([integers("b", [1, 2]), node("y", "Clip", ["x", "b"])]),
      "input 1 is not one number",
    ],
    ["no axes", graphOf([node("y", "Unsqueeze", ["x"])]), "the axes are missing"],
    [
      "an input of texts",
      graphOf([relu], { inputs: { x: { shape: [4], type: "string" as never } } }),
      'the input "x" is of',
    ],
  ])("%s", (_, graph, message) => {
    const before = memory();
    expect(refusalOf(fileOf(graph))).toContain(message);
    expect(memory()).toEqual(before);
  });

  test("what is no ONNX file", () => {
    expect(refusalOf(new Uint8Array())).toBe("fromOnnx: there is no graph in it; it is no ONNX file");
    expect(refusalOf(new TextEncoder().encode("not an ONNX file"))).toContain(
      "it is no ONNX file, or a broken one: ",
    );
    expect(refusalOf("file.onnx" as never)).toBe('fromOnnx: expected a Uint8Array, got "file.onnx"');
    expect(refusalOf(encodeModel({ ...modelOf(graphOf([relu])), opsetImport: [] }))).toContain("opset 0");
  });
});

describe("files that lie about lengths", () => {
  const good = fileOf(graphOf([relu]));
  test.each([
    ["a message beyond the file", Uint8Array.of(0x3a, 0x7f), "a length of 127 at 2 leads beyond 2"],
    [
      "a message beyond the one around it",
      Uint8Array.of(0x3a, 2, 0x0a, 0x10),
      "a length of 16 at 4 leads beyond 4",
    ],
    ["a length of ten bytes", Uint8Array.of(0x3a, ...new Uint8Array(9).fill(0xff), 1), "leads beyond"],
    ["a number that does not end", Uint8Array.of(0x08, 0x80, 0x80), "not more than 10 bytes"],
    ["a number for a message", Uint8Array.of(0x38, 1), "graph has the wire type 0"],
    ["a group, which nobody writes any more", Uint8Array.of(0x0b, 1), "wire type 3"],
    ["an unknown field of no type", Uint8Array.of(0xf6, 1, 1), "Unimplemented type"],
    ["the file cut off", good.slice(0, -1), "leads beyond"],
  ])("%s", (_, bytes, message) => {
    expect(refusalOf(bytes)).toContain(message);
  });

  test("unknown fields are passed over", () => {
    expect(refusalOf(Uint8Array.of(...good, 0xa2, 6, 2, 1, 2))).toBe("none");
  });

  test("long chains are no recursion, and doubled products no doubled work", () => {
    const names = Array.from({ length: 20_000 }, (_, i) => (i === 0 ? "x" : `v${i}`));
    const nodes = names.slice(1).map((name, i) => node(name, "Mul", [names[i]!, names[i]!]));
    expect(refusalOf(fileOf(graphOf([...nodes, node("y", "Mul", [names.at(-1)!, names.at(-1)!])])))).toBe(
      "none",
    );
  });
});

test.each(["__proto__", "constructor", "toString"])("an operator called %s is none", (op) => {
  expect(refusalOf(fileOf(graphOf([node("y", op, ["x"])])))).toContain(
    `cannot run 1 of 1 nodes, by operator: ${op}`,
  );
});
