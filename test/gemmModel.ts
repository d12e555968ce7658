// An ONNX file of Gemm, Relu and Gemm, field by field as onnx.proto numbers them. To be replaced by `toOnnx` of nablas/onnx.
import type { Tensor } from "../src/index";

const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)]);
const int = (field: number, n: number): number[] => [...varint(field << 3), ...varint(n)];
const bytes = (field: number, payload: ArrayLike<number>): number[] => [
  ...varint((field << 3) | 2),
  ...varint(payload.length),
  ...Array.from(payload),
];
const string = (field: number, text: string): number[] => bytes(field, new TextEncoder().encode(text));

/** NodeProto; Gemm with the weight as Linear has it, [out, in]. */
function node(type: string, inputs: string[], output: string): number[] {
  const transB = [...string(1, "transB"), ...int(3, 1), ...int(20, 2)];
  return [
    ...inputs.flatMap((name) => string(1, name)),
    ...string(2, output),
    ...string(4, type),
    ...(type === "Gemm" ? bytes(5, transB) : []),
  ];
}

/** TensorProto of float32. */
function initializer(name: string, { shape, data }: Tensor): number[] {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [...shape.flatMap((n) => int(1, n)), ...int(2, 1), ...string(8, name), ...bytes(9, raw)];
}

/** ValueInfoProto of float32 [rows, width]. */
function value(name: string, width: number): number[] {
  const shape = [...bytes(1, string(2, "rows")), ...bytes(1, int(1, width))];
  const tensor = [...int(1, 1), ...bytes(2, shape)];
  return [...string(1, name), ...bytes(2, bytes(1, tensor))];
}

/** ModelProto of a Linear, a ReLU and a Linear with this state dict. */
export function gemmModel(state: Readonly<Record<string, Tensor>>): Uint8Array {
  const [inputs, outputs] = [state["0.weight"]!.shape[1]!, state["2.weight"]!.shape[0]!];
  const graph = [
    ...bytes(1, node("Gemm", ["x", "0.weight", "0.bias"], "h")),
    ...bytes(1, node("Relu", ["h"], "a")),
    ...bytes(1, node("Gemm", ["a", "2.weight", "2.bias"], "y")),
    ...string(2, "gemm"),
    ...Object.entries(state).flatMap(([name, t]) => bytes(5, initializer(name, t))),
    ...bytes(11, value("x", inputs)),
    ...bytes(12, value("y", outputs)),
  ];
  const opset = [...string(1, ""), ...int(2, 17)];
  return Uint8Array.from([...int(1, 8), ...bytes(7, graph), ...bytes(8, opset)]);
}
