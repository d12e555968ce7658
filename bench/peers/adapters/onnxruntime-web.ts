// A graph for each operation. A session copies its inputs and outputs in every run, which its interface does not spare;
// weights are initializers, which it packs once. It cannot train.
import proto, { type onnx } from "onnx-proto";
import * as ort from "onnxruntime-web/wasm";
import type { InferRow, MatmulRow } from "../rows";
import type { Adapter, Side } from "./adapter";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

interface Array2d {
  data: Float32Array;
  shape: number[];
}

const { AttributeProto, ModelProto, TensorProto } = proto.onnx;
const OPSET = 20;
const FLOAT = TensorProto.DataType.FLOAT;
const operators = {
  sigmoid: "Sigmoid",
  tanh: "Tanh",
  softplus: "Softplus",
  exp: "Exp",
  gelu: "Gelu",
  softmax: "Softmax",
  logSoftmax: "LogSoftmax",
};

export const adapter: Adapter = {
  about: "wasm with SIMD, one thread",
  async prepare(row) {
    switch (row.kind) {
      case "matmul":
        return matmul(row);
      case "map":
        return unary(operators[row.op], { data: row.inputs(), shape: [row.size] });
      case "rowwise": {
        const { op, rows, cols } = row;
        if (op === "crossEntropy") return undefined;
        return unary(operators[op], { data: row.inputs().x, shape: [rows, cols] });
      }
      case "train":
        return undefined;
      case "infer":
        return inference(row);
    }
  },
};

function unary(opType: string, x: Array2d): Promise<Side> {
  return session([{ opType, input: ["x"], output: ["y"] }], { x }, {});
}

function matmul({ M, K, N, transposeA, transposeB, weights, inputs }: MatmulRow): Promise<Side> {
  const operands = inputs();
  const a = { data: operands.a, shape: transposeA ? [K, M] : [M, K] };
  const b = { data: operands.b, shape: transposeB ? [N, K] : [K, N] };
  const node =
    transposeA || transposeB
      ? { opType: "Gemm", attribute: [integer("transA", transposeA), integer("transB", transposeB)] }
      : { opType: "MatMul" };
  const nodes = [{ ...node, input: ["a", "b"], output: ["y"] }];
  return weights ? session(nodes, { a }, { b }) : session(nodes, { a, b }, {});
}

function inference({ sizes, batch, inputs }: InferRow): Promise<Side> {
  const { x, parameters } = inputs();
  const layers = sizes.slice(1);
  const constants = layers.flatMap((size, i): [string, Array2d][] => [
    [`weight${i}`, { data: parameters[2 * i]!, shape: [size, sizes[i]!] }],
    [`bias${i}`, { data: parameters[2 * i + 1]!, shape: [size] }],
  ]);
  const nodes = layers.flatMap((_, i): onnx.INodeProto[] => {
    const last = i + 1 === layers.length;
    const input = [i === 0 ? "x" : `y${i - 1}`, `weight${i}`, `bias${i}`];
    const gemm = {
      opType: "Gemm",
      input,
      output: [last ? "y" : `z${i}`],
      attribute: [integer("transB", true)],
    };
    return last ? [gemm] : [gemm, { opType: "Relu", input: [`z${i}`], output: [`y${i}`] }];
  });
  return session(nodes, { x: { data: x, shape: [batch, sizes[0]!] } }, Object.fromEntries(constants));
}

/** A graph that ends in y, over inputs that come with each run and constants. */
async function session(
  node: onnx.INodeProto[],
  inputs: Record<string, Array2d>,
  constants: Record<string, Array2d>,
): Promise<Side> {
  const initializer = Object.entries(constants).map(([name, { data, shape }]) => ({
    name,
    dataType: FLOAT,
    dims: shape,
    rawData: new Uint8Array(data.buffer),
  }));
  const input = Object.entries(inputs).map(([name, { shape }]) => valueInfo(name, shape));
  const graph = { name: "row", node, input, initializer, output: [valueInfo("y")] };
  const model = ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: "", version: OPSET }], graph });
  const created = await ort.InferenceSession.create(model.finish(), { executionProviders: ["wasm"] });
  hideWorker();
  const tensors = Object.entries(inputs).map(([name, { data, shape }]) => [
    name,
    new ort.Tensor("float32", data, shape),
  ]);
  const feeds = Object.fromEntries(tensors);
  return {
    run: () => created.run(feeds),
    answer: async () => (await created.run(feeds)).y!.data as Float32Array,
    dispose: () => void created.release(),
  };
}

/** Its glue sets a global Worker in Node, by which jax-js would take itself to be in a browser. */
function hideWorker(): void {
  Reflect.deleteProperty(globalThis, "Worker");
}

function integer(name: string, value: boolean): onnx.IAttributeProto {
  return { name, type: AttributeProto.AttributeType.INT, i: Number(value) };
}

function valueInfo(name: string, shape?: number[]): onnx.IValueInfoProto {
  const dims = shape && { shape: { dim: shape.map((dimValue) => ({ dimValue })) } };
  return { name, type: { tensorType: { elemType: FLOAT, ...dims } } };
}
