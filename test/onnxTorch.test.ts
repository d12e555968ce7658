// Graphs in the form in which PyTorch's exporters write them, made by hand: what they compute is what onnxruntime says.
import { describe, expect, test } from "vitest";
import * as nablas from "../src/index";
import { manualSeed, rand, randn, type Tensor, tensor } from "../src/index";
import { fromOnnx } from "../src/onnx/index";
import type { NodeProto, TensorProto } from "../src/onnx/proto";
import { constant, fileOf, floats, type Graph, integers, node } from "./onnxFile";
import { bitsOf, deviation, runtime } from "./onnxRuntime";
import { activations, gelu } from "./onnxSpelled";

const weight = (name: string, dims: number[]) =>
  floats(randn(dims).mul(0.4).data as Float32Array, dims, name);
const positive = (name: string, dims: number[]) =>
  floats(rand(dims).add(0.5).data as Float32Array, dims, name);

async function compare(graph: Graph, ...inputs: Tensor[]): Promise<void> {
  const bytes = fileOf(graph);
  const expected = await runtime(bytes, inputs);
  const y = fromOnnx(bytes).forward(...inputs);
  expect(y.shape).toEqual(expected.shape);
  expect(deviation(y.data, expected.data)).toBeLessThan(1e-5);
}

/** A graph from "x", [batch, 6, 5] unless said otherwise, to "y". */
const graphOf = (
  nodes: NodeProto[],
  initializers: TensorProto[] = [],
  opset = 17,
  shape = ["batch", 6, 5],
): Graph => ({
  ...{ nodes, initializers, opset, outputs: ["y"] },
  inputs: { x: { shape } },
  irVersion: opset < 13 ? 6 : 8,
});

describe("activations", () => {
  test.each(activations)("%s", async (name, nodes, op, opset) => {
    manualSeed(1);
    const [x, graph] = [randn([3, 6, 5]).mul(3), graphOf(nodes, [], opset)];
    // The runtime takes the logarithm of a sigmoid that is accurate to 1e-7, and near 1e-4 at −9.
    await compare(graph, name === "LogSigmoid" ? nablas.clip(x, { min: -2 }) : x);
    if (op === undefined) return;
    const read = fromOnnx(fileOf(graph));
    expect(String(read)).toContain(" 1 steps");
    expect(bitsOf(read.forward(x))).toEqual(bitsOf(op(x)));
  });

  test("PReLU, whose slopes the exporter spreads", async () => {
    manualSeed(2);
    const slope = weight("onnx::PRelu_5", [6, 1]);
    const graph = graphOf([node("y", "PRelu", ["x", "onnx::PRelu_5"])], [slope]);
    const x = randn([3, 6, 5]);
    await compare(graph, x);
    const read = fromOnnx(fileOf(graph));
    const slopes = read.stateDict()["onnx::PRelu_5"]!;
    expect(bitsOf(read.forward(x))).toEqual(bitsOf(nablas.prelu(x, slopes.reshape([6]))));
  });

  test("PReLU along the last dimension, as Keras has it", async () => {
    await compare(graphOf([node("y", "PRelu", ["x", "slope"])], [weight("slope", [5])]), randn([3, 6, 5]));
  });
});

const linear = (x: string, y: string, at: string) =>
  node(y, "Gemm", [x, `${at}.weight`, `${at}.bias`], { alpha: { float: 1 }, beta: { float: 1 }, transB: 1 });

describe("networks", () => {
  test("a perceptron with batch normalization, of the exporter by tracing", async () => {
    manualSeed(3);
    const names = ["weight", "bias", "running_mean"].map((name) => `1.${name}`);
    const graph: Graph = {
      opset: 17,
      inputs: { "input.1": { shape: ["batch_size", 4, 4] } },
      outputs: ["19"],
      initializers: [
        ...[weight("0.weight", [12, 16]), weight("0.bias", [12]), ...names.map((name) => weight(name, [12]))],
        ...[positive("1.running_var", [12]), weight("4.weight", [3, 12]), weight("4.bias", [3])],
      ],
      nodes: [
        node("/flatten/Flatten_output_0", "Flatten", ["input.1"], { axis: 1 }),
        linear("/flatten/Flatten_output_0", "/0/Gemm_output_0", "0"),
        node(
          "/1/BatchNormalization_output_0",
          "BatchNormalization",
          ["/0/Gemm_output_0", ...names, "1.running_var"],
          {
            ...{ epsilon: { float: 1e-5 }, momentum: { float: 0.9 }, training_mode: 0 },
          },
        ),
        ...gelu("/1/BatchNormalization_output_0", "/2/Mul_1_output_0", "/2"),
        linear("/2/Mul_1_output_0", "/4/Gemm_output_0", "4"),
        node("19", "Softmax", ["/4/Gemm_output_0"], { axis: -1 }),
      ],
    };
    await compare(graph, randn([5, 4, 4]));
    const read = fromOnnx(fileOf(graph));
    expect(read.parameters()).toHaveLength(6);
    expect(read.namedBuffers().map(([name]) => name)).toEqual(["1.running_mean", "1.running_var"]);
    expect(String(read)).toBe("OnnxModel(input.1 [null, 4, 4], 6 steps)");
  });

  test("tokens: Gather, LayerNormalization, and MatMul with the folded weight, the bias first", async () => {
    manualSeed(4);
    const graph: Graph = {
      opset: 17,
      inputs: { tokens: { shape: ["batch", "sequence"], type: "int64" } },
      outputs: ["logits"],
      initializers: [
        ...[weight("embed.weight", [11, 8]), weight("norm.weight", [8]), weight("norm.bias", [8])],
        ...[weight("onnx::MatMul_23", [8, 6]), weight("up.bias", [6])],
      ],
      nodes: [
        node("/embed/Gather_output_0", "Gather", ["embed.weight", "tokens"]),
        node(
          "/norm/LayerNormalization_output_0",
          "LayerNormalization",
          ["/embed/Gather_output_0", "norm.weight", "norm.bias"],
          { axis: -1, epsilon: { float: 1e-5 } },
        ),
        node("/up/MatMul_output_0", "MatMul", ["/norm/LayerNormalization_output_0", "onnx::MatMul_23"]),
        node("/up/Add_output_0", "Add", ["up.bias", "/up/MatMul_output_0"]),
        node("first", "Constant", [], { value: { tensor: { dims: [], dataType: 7, int64Data: [-1] } } }),
        node("/Gather_output_0", "Gather", ["/up/Add_output_0", "first"], { axis: 1 }),
        node("/Relu_output_0", "Relu", ["/Gather_output_0"]),
        node("logits", "LogSoftmax", ["/Relu_output_0"], { axis: 1 }),
      ],
    };
    const tokens = tensor(
      Int32Array.from({ length: 12 }, (_, i) => (i * 7) % 11),
      { shape: [3, 4] },
    );
    await compare(graph, tokens);
  });

  test("before opset 13: layer normalization spelt out, axes as attributes, initialisers among the inputs", async () => {
    manualSeed(5);
    const nodes = [
      node("mean", "ReduceMean", ["x"], { axes: [-1] }),
      node("centred", "Sub", ["x", "mean"]),
      constant("two", 2),
      node("square", "Pow", ["centred", "two"]),
      node("variance", "ReduceMean", ["square"], { axes: [-1] }),
      constant("eps", 1e-5),
      node("shifted", "Add", ["variance", "eps"]),
      node("deviation", "Sqrt", ["shifted"]),
      node("normal", "Div", ["centred", "deviation"]),
      node("scaled", "Mul", ["normal", "norm.weight"]),
      node("layer", "Add", ["scaled", "norm.bias"]),
      node("wider", "Unsqueeze", ["layer"], { axes: [1] }),
      node("turned", "Transpose", ["wider"], { perm: [0, 3, 1, 2] }),
      node("narrow", "Squeeze", ["turned"], { axes: [2] }),
      node("sum", "ReduceSum", ["narrow"], { axes: [2], keepdims: 0 }),
      node("low", "Neg", ["sum"]),
      node("least", "Min", ["sum", "low", "bound"]),
      node("y", "Max", ["least", "low"]),
    ];
    const graph = graphOf(
      nodes,
      [weight("norm.weight", [5]), weight("norm.bias", [5]), weight("bound", [1])],
      11,
    );
    graph.inputs["norm.weight"] = { shape: [5] };
    await compare(graph, randn([3, 6, 5]));
    expect(fromOnnx(fileOf(graph)).inputs.map(({ name }) => name)).toEqual(["x"]);
  });

  test("of the exporter by torch.export: every attribute, numbers as initialisers, one weight under two names", async () => {
    manualSeed(6);
    const gemm = { beta: { float: 1 }, alpha: { float: 1 }, transA: 0, transB: 1 };
    const number = (name: string, value: number) => floats([value], [], name);
    const nodes = [
      node("p_tied_weight", "Identity", ["layer.weight"]),
      node("linear", "Gemm", ["x", "layer.weight", "layer.bias"], gemm),
      node("val_1", "Div", ["linear", "val_0"]),
      node("val_2", "Erf", ["val_1"]),
      node("val_4", "Add", ["val_2", "val_3"]),
      node("val_6", "Mul", ["val_5", "val_4"]),
      node("gelu", "Mul", ["linear", "val_6"]),
      node("dropout", "Dropout", ["gelu", "rate", "no"]),
      node("linear_1", "Gemm", ["dropout", "p_tied_weight", "layer.bias"], gemm),
      node("val_8", "Constant", [], { value_ints: [0, 2, 3] }),
      node("view", "Reshape", ["linear_1", "val_8"], { allowzero: 0 }),
      integers("val_9", [-1]),
      node("amax", "ReduceMax", ["view", "val_9"], { noop_with_empty_axes: 0, keepdims: 0 }),
      node("half", "Cast", ["amax"], { to: 1 }),
      node("y", "Mul", ["half", "scale"]),
    ];
    const initializers = [
      ...[weight("layer.weight", [6, 6]), weight("layer.bias", [6]), number("val_0", Math.SQRT2)],
      ...[number("val_3", 1), number("val_5", 0.5), number("rate", 0.1), number("scale", 3)],
      { name: "no", dims: [], dataType: 9, int32Data: [0] },
    ];
    const graph = graphOf(nodes, initializers, 18, ["s0", 6]);
    await compare(graph, randn([4, 6]));
    const read = fromOnnx(fileOf(graph));
    expect(Object.keys(read.stateDict())).toEqual(["layer.weight", "layer.bias"]);
    expect(String(read)).toContain(" 8 steps");
  });

  test("general Gemm, and axes that are no linear layer", async () => {
    manualSeed(7);
    const attributes = { alpha: { float: 0.5 }, beta: { float: 2 }, transA: 1 };
    const nodes = [
      node("product", "Gemm", ["x", "b", "c"], attributes),
      node("second", "Gemm", ["product", "d"], { transB: 0 }),
      node("y", "Gather", ["second", "rows"], { axis: 1 }),
    ];
    const rows = { name: "rows", dims: [2, 2], dataType: 7, int64Data: [0, -1, 2, 1] };
    const initializers = [weight("b", [5, 4]), weight("c", [1, 4]), weight("d", [4, 3]), rows];
    await compare(graphOf(nodes, initializers, 17, [5, "n"] as never), randn([5, 6]));
  });
});
