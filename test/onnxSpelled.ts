// Activations in the nodes in which PyTorch's exporters write them.

import type { Tensor } from "../src/index";
import * as nablas from "../src/index";
import type { NodeProto } from "../src/onnx/proto";
import { constant, node } from "./onnxFile";

/** Before opset 20, which has an operator for it. */
export const gelu = (x: string, y: string, at: string): NodeProto[] => [
  constant(`${at}/Constant_output_0`, Math.SQRT2),
  node(`${at}/Div_output_0`, "Div", [x, `${at}/Constant_output_0`]),
  node(`${at}/Erf_output_0`, "Erf", [`${at}/Div_output_0`]),
  constant(`${at}/Constant_1_output_0`, 1),
  node(`${at}/Add_output_0`, "Add", [`${at}/Erf_output_0`, `${at}/Constant_1_output_0`]),
  node(`${at}/Mul_output_0`, "Mul", [x, `${at}/Add_output_0`]),
  constant(`${at}/Constant_2_output_0`, 0.5),
  node(y, "Mul", [`${at}/Mul_output_0`, `${at}/Constant_2_output_0`]),
];

/** √(2/π) (x + 0.044715 x³), x³ as a power or as products. */
const geluTanh = (cube: NodeProto[]): NodeProto[] => [
  ...cube,
  constant("kappa", 0.044715),
  node("term", "Mul", ["kappa", "cube"]),
  node("sum", "Add", ["x", "term"]),
  constant("beta", Math.sqrt(2 / Math.PI)),
  node("inner", "Mul", ["beta", "sum"]),
  node("tanh", "Tanh", ["inner"]),
  constant("one", 1),
  node("gate", "Add", ["one", "tanh"]),
  constant("half", 0.5),
  node("scaled", "Mul", ["half", "x"]),
  node("y", "Mul", ["scaled", "gate"]),
];

/** The nodes of an activation, and the op that they are one step of. */
export const activations: [string, NodeProto[], ((x: Tensor) => Tensor) | undefined, number?][] = [
  ["GELU", gelu("x", "y", "/0"), (x) => nablas.gelu(x)],
  [
    "GELU with tanh, by a power",
    geluTanh([constant("three", 3), node("cube", "Pow", ["x", "three"])]),
    (x) => nablas.gelu(x, { approximate: "tanh" }),
  ],
  [
    "GELU with tanh, by products",
    geluTanh([node("square", "Mul", ["x", "x"]), node("cube", "Mul", ["x", "square"])]),
    (x) => nablas.gelu(x, { approximate: "tanh" }),
  ],
  [
    "Softsign",
    [
      node("magnitude", "Abs", ["x"]),
      constant("one", 1),
      node("divisor", "Add", ["magnitude", "one"]),
      node("y", "Div", ["x", "divisor"]),
    ],
    (x) => nablas.softsign(x),
  ],
  [
    "SiLU",
    [node("/0/Sigmoid_output_0", "Sigmoid", ["x"]), node("y", "Mul", ["x", "/0/Sigmoid_output_0"])],
    nablas.silu,
  ],
  [
    "Mish",
    [
      node("/0/Softplus_output_0", "Softplus", ["x"]),
      node("/0/Tanh_output_0", "Tanh", ["/0/Softplus_output_0"]),
      node("y", "Mul", ["x", "/0/Tanh_output_0"]),
    ],
    nablas.mish,
  ],
  [
    "LogSigmoid",
    [node("/0/Sigmoid_output_0", "Sigmoid", ["x"]), node("y", "Log", ["/0/Sigmoid_output_0"])],
    nablas.logSigmoid,
  ],
  [
    "Softplus with beta",
    [
      constant("beta", 2),
      node("/0/Mul_output_0", "Mul", ["x", "beta"]),
      node("/0/Softplus_output_0", "Softplus", ["/0/Mul_output_0"]),
      node("y", "Div", ["/0/Softplus_output_0", "beta"]),
    ],
    (x) => nablas.softplus(x, { beta: 2 }),
  ],
  [
    "Hardswish before opset 14",
    [
      node("/0/HardSigmoid_output_0", "HardSigmoid", ["x"], {
        alpha: { float: 1 / 6 },
        beta: { float: 0.5 },
      }),
      node("y", "Mul", ["x", "/0/HardSigmoid_output_0"]),
    ],
    nablas.hardswish,
    13,
  ],
  ["ReLU6", [constant("low", 0), constant("high", 6), node("y", "Clip", ["x", "low", "high"])], nablas.relu6],
  [
    "ReLU6 before opset 11",
    [node("y", "Clip", ["x"], { min: { float: 0 }, max: { float: 6 } })],
    nablas.relu6,
    10,
  ],
  ["a bound", [constant("high", 1), node("y", "Clip", ["x", "", "high"])], (x) => nablas.clip(x, { max: 1 })],
  ["ELU", [node("y", "Elu", ["x"], { alpha: { float: 1.3 } })], (x) => nablas.elu(x, { alpha: 1.3 })],
  ["LeakyReLU", [node("y", "LeakyRelu", ["x"])], nablas.leakyRelu],
  ["Softmax before opset 13", [node("y", "Softmax", ["x"], { axis: 2 })], nablas.softmax, 11],
  ["Softmax before opset 13, of several dimensions", [node("y", "Softmax", ["x"])], undefined, 11],
  ["LogSoftmax before opset 13, of several dimensions", [node("y", "LogSoftmax", ["x"])], undefined, 11],
  ["HardSigmoid of ONNX", [node("y", "HardSigmoid", ["x"])], undefined],
  [
    "Selu of another paper",
    [node("y", "Selu", ["x"], { alpha: { float: 2 }, gamma: { float: 3 } })],
    undefined,
  ],
];
