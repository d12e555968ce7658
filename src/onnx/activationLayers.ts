// How each activation is written.
import {
  type AnyModule,
  CELU,
  ELU,
  GELU,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  Identity,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Mish,
  PReLU,
  ReLU,
  ReLU6,
  RReLU,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Softsign,
  Tanh,
} from "../index";
import { type Attributes, type GraphWriter, layer, type Value, type Write } from "./writer";

/** One node, with attributes that follow from the layer. */
function node<M extends AnyModule>(
  opType: string,
  attributes: (layer: M) => Attributes = () => ({}),
): Write<M> {
  return (graph, layer, x) => ({ ...x, name: graph.node(opType, [x.name], attributes(layer)) });
}

/** Nodes that make of the name of x that of y. */
function nodes<M extends AnyModule>(make: (graph: GraphWriter, x: string, layer: M) => string): Write<M> {
  return (graph, layer, x) => ({ ...x, name: make(graph, x.name, layer) });
}

const alpha = ({ options }: ELU | CELU) => ({ alpha: { float: options.alpha } });
const axis = ({ options }: Softmax | LogSoftmax) => ({ axis: options.dim });

export const activations = () => [
  layer(Identity, node("Identity")),
  layer(Sigmoid, node("Sigmoid")),
  layer(Tanh, node("Tanh")),
  layer(ReLU, node("Relu")),
  layer(
    LeakyReLU,
    node("LeakyRelu", ({ options }) => ({ alpha: { float: options.negativeSlope } })),
  ),
  layer(PReLU, prelu),
  layer(
    RReLU,
    node("LeakyRelu", ({ options: { lower, upper } }) => ({ alpha: { float: (lower + upper) / 2 } })),
  ),
  layer(ELU, node("Elu", alpha)),
  layer(CELU, node("Celu", alpha)),
  layer(SELU, node("Selu")),
  layer(
    GELU,
    node("Gelu", ({ options }) => ({ approximate: options.approximate })),
  ),
  layer(
    SiLU,
    nodes((graph, x) => graph.node("Mul", [x, graph.node("Sigmoid", [x])])),
  ),
  layer(Mish, node("Mish")),
  layer(
    Softplus,
    nodes((graph, x, { options }) => softplus(graph, x, options)),
  ),
  layer(
    LogSigmoid,
    nodes((graph, x) => graph.node("Neg", [graph.node("Softplus", [graph.node("Neg", [x])])])),
  ),
  layer(Softsign, node("Softsign")),
  layer(
    Hardtanh,
    nodes((graph, x, { options: { minVal, maxVal } }) => clip(graph, x, minVal, maxVal)),
  ),
  layer(
    ReLU6,
    nodes((graph, x) => clip(graph, x, 0, 6)),
  ),
  layer(
    Hardsigmoid,
    node("HardSigmoid", () => ({ alpha: { float: 1 / 6 }, beta: { float: 0.5 } })),
  ),
  layer(Hardswish, node("HardSwish")),
  layer(Softmax, node("Softmax", axis)),
  layer(LogSoftmax, node("LogSoftmax", axis)),
];

/** ONNX broadcasts slopes from the last dimension; here they run along dimension 1. */
function prelu(graph: GraphWriter, { weight }: PReLU, x: Value): Value {
  const inner = Math.max(0, x.shape.length - 2);
  const slopes = graph.state(weight);
  const axes = () => graph.ints(Array.from({ length: inner }, (_, i) => i + 1));
  const spread = weight.size === 1 || inner === 0 ? slopes : graph.node("Unsqueeze", [slopes, axes()]);
  return { ...x, name: graph.node("PRelu", [x.name, spread]) };
}

/** What PyTorch has by default. */
const THRESHOLD = 20;

/**
 * log(1 + e^z) / beta with z = beta x; where z > 20 that is x to the last bit but one of float32, so that only a lower threshold
 * has to be written. Another one is written all the same where the last bit depends on it.
 */
function softplus(graph: GraphWriter, x: string, options: { beta: number; threshold: number }): string {
  const { beta, threshold } = options;
  const z = beta === 1 ? x : graph.node("Mul", [x, graph.float(beta)]);
  const y = graph.node("Softplus", [z]);
  const smooth = beta === 1 ? y : graph.node("Div", [y, graph.float(beta)]);
  if (threshold === THRESHOLD || (beta === 1 && threshold > THRESHOLD)) return smooth;
  return graph.node("Where", [graph.node("Greater", [z, graph.float(threshold)]), x, smooth]);
}

function clip(graph: GraphWriter, x: string, min: number, max: number): string {
  return graph.node("Clip", [x, graph.float(min), graph.float(max)]);
}
