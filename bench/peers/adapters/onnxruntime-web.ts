// A graph for each operation. A session copies its inputs and outputs in every run, which its interface does not spare;
// weights are initializers, which it packs once. It cannot train.
import proto, { type onnx } from "onnx-proto";
import * as ort from "onnxruntime-web/wasm";
import type { MatmulRow } from "../rows";
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
        return session(operators[row.op], [{ data: row.inputs(), shape: [row.size] }]);
      case "rowwise": {
        const { op, rows, cols } = row;
        if (op === "crossEntropy") return undefined;
        return session(operators[op], [{ data: row.inputs().x, shape: [rows, cols] }]);
      }
      case "train":
        return undefined;
    }
  },
};

function matmul({ M, K, N, transposeA, transposeB, weights, inputs }: MatmulRow): Promise<Side> {
  const { a, b } = inputs();
  const A = { data: a, shape: transposeA ? [K, M] : [M, K] };
  const B = { data: b, shape: transposeB ? [N, K] : [K, N] };
  const arrays = weights ? [[A], [B]] : [[A, B], []];
  if (!transposeA && !transposeB) return session("MatMul", ...(arrays as [Array2d[], Array2d[]]));
  return session("Gemm", ...(arrays as [Array2d[], Array2d[]]), {
    transA: Number(transposeA),
    transB: Number(transposeB),
  });
}

/** A graph of one operator, over inputs that come with each run and then constants. */
async function session(
  operator: string,
  inputs: Array2d[],
  constants: Array2d[] = [],
  attributes: Record<string, number> = {},
): Promise<Side> {
  const operands = [...inputs, ...constants].map((_, i) => `x${i}`);
  const model = ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: OPSET }],
    graph: {
      name: operator,
      node: [
        {
          opType: operator,
          input: operands,
          output: ["y"],
          attribute: Object.entries(attributes).map(integer),
        },
      ],
      input: inputs.map(({ shape }, i) => valueInfo(`x${i}`, shape)),
      initializer: constants.map(({ data, shape }, i) => ({
        name: `x${inputs.length + i}`,
        dataType: FLOAT,
        dims: shape,
        rawData: new Uint8Array(data.buffer),
      })),
      output: [valueInfo("y")],
    },
  }).finish();
  const created = await ort.InferenceSession.create(model, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  });
  hideWorker();
  const feeds = Object.fromEntries(
    inputs.map(({ data, shape }, i) => [`x${i}`, new ort.Tensor("float32", data, shape)]),
  );
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

function integer([name, value]: [string, number]): onnx.IAttributeProto {
  return { name, type: AttributeProto.AttributeType.INT, i: value };
}

function valueInfo(name: string, shape?: number[]): onnx.IValueInfoProto {
  const dims = shape && { shape: { dim: shape.map((dimValue) => ({ dimValue })) } };
  return { name, type: { tensorType: { elemType: FLOAT, ...dims } } };
}
