// ONNX files by hand, in the few words in which graphs are written in papers.
import {
  ATTRIBUTE,
  type AttributeProto,
  encodeModel,
  FLOAT,
  INT32,
  INT64,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from "../src/onnx/proto";

export type Value = number | string | number[] | { float: number } | { tensor: TensorProto };

function attribute(name: string, value: Value): AttributeProto {
  if (typeof value === "number") return { name, type: ATTRIBUTE.i, i: value };
  if (typeof value === "string") return { name, type: ATTRIBUTE.s, s: new TextEncoder().encode(value) };
  if (Array.isArray(value)) return { name, type: ATTRIBUTE.ints, ints: value };
  if ("float" in value) return { name, type: ATTRIBUTE.f, f: value.float };
  return { name, type: ATTRIBUTE.t, t: value.tensor };
}

/** `output = op(inputs)`, named as PyTorch names it: by its output. */
export function node(
  output: string,
  opType: string,
  input: string[] = [],
  attributes: Record<string, Value> = {},
): NodeProto {
  const name = output.replace(/_output_\d+$/, "");
  const list = Object.entries(attributes).map(([key, value]) => attribute(key, value));
  return { name, opType, input, output: [output], attribute: list };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer, byteOffset, byteLength).slice();

export const floats = (values: Iterable<number>, dims: number[], name = ""): TensorProto => ({
  ...{ name, dims, dataType: FLOAT, rawData: bytesOf(Float32Array.from(values)) },
});

export const longs = (values: Iterable<number>, dims: number[], name = ""): TensorProto => ({
  ...{ name, dims, dataType: INT64, rawData: bytesOf(BigInt64Array.from([...values], BigInt)) },
});

/** A node Constant of one float. */
export const constant = (output: string, value: number) =>
  node(output, "Constant", [], { value: { tensor: floats([value], []) } });

/** A node Constant of integers. */
export const integers = (output: string, values: number[]) =>
  node(output, "Constant", [], { value: { tensor: longs(values, [values.length]) } });

export interface Graph {
  nodes: NodeProto[];
  initializers?: TensorProto[];
  /** Open sizes have names. */
  inputs: Record<string, { shape: (number | string)[]; type?: "float" | "int32" | "int64" }>;
  outputs: string[];
  opset: number;
  irVersion?: number;
}

const TYPES = { float: FLOAT, int32: INT32, int64: INT64 };

export function modelOf(graph: Graph): ModelProto {
  const { nodes, initializers = [], inputs, outputs, opset, irVersion = 8 } = graph;
  return {
    irVersion,
    producerName: "pytorch",
    opsetImport: [{ domain: "", version: opset }],
    graph: {
      name: "main_graph",
      node: nodes,
      initializer: initializers,
      input: Object.entries(inputs).map(([name, { shape, type = "float" }]) => {
        const dim = shape.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
        return { name, type: { tensorType: { elemType: TYPES[type], shape: { dim } } } };
      }),
      output: outputs.map((name) => ({ name, type: { tensorType: { elemType: FLOAT } } })),
    },
  };
}

export const fileOf = (graph: Graph): Uint8Array => encodeModel(modelOf(graph));
