// How each layer is written, in evaluation, with the operators of opset 20.
import {
  type AnyModule,
  BatchNorm1d,
  Dropout,
  Embedding,
  Flatten,
  LayerNorm,
  Linear,
  Maxout,
  OptionError,
  Sequential,
  ShapeError,
} from "../index";
import { activations } from "./activationLayers";
import { type Dim, type GraphWriter, type Layers, layer, type Value, type Write } from "./writer";

/** How every layer is written that can be. */
export function knownLayers(): Layers {
  const layers: Layers = new Map([
    ...activations(),
    layer(Linear, linear),
    layer(Flatten, flatten),
    layer(Dropout, dropout),
    layer(BatchNorm1d, batchNorm),
    layer(LayerNorm, layerNorm),
    layer(Embedding, (graph, { weight, dim }, x) => ({
      name: graph.node("Gather", [graph.state(weight), x.name], { axis: 0 }),
      shape: [...x.shape, dim],
    })),
    layer(Maxout, maxout),
    layer(Sequential, (graph, sequential, x) => {
      const { path } = graph;
      const prefix = path === "" ? "" : `${path}.`;
      const y = sequential.layers.reduce((value, child, i) => {
        graph.path = prefix + i;
        return writerOf(layers, child)!(graph, child, value);
      }, x);
      graph.path = path;
      return y;
    }),
  ]);
  return layers;
}

/** How a module is written; undefined if its forward pass is unknown. */
export function writerOf(layers: Layers, module: AnyModule): Write<AnyModule> | undefined {
  return layers.get(Object.getPrototypeOf(module).forward);
}

const ACTIVATIONS = { relu: "Relu", sigmoid: "Sigmoid", tanh: "Tanh" } as const;

/** Of two dimensions one Gemm; otherwise the weight, transposed, in a MatMul, which batches. */
function linear(graph: GraphWriter, { weight, bias, outFeatures, activation }: Linear, x: Value): Value {
  const shape = [...x.shape.slice(0, -1), outFeatures];
  const [w, b] = [graph.state(weight), bias && graph.state(bias)];
  let name: string;
  if (x.shape.length === 2) {
    name = graph.node("Gemm", b === null ? [x.name, w] : [x.name, w, b], { transB: 1 });
  } else {
    name = graph.node("MatMul", [x.name, graph.node("Transpose", [w])]);
    if (b !== null) name = graph.node("Add", [name, b]);
  }
  if (activation !== undefined) name = graph.node(ACTIVATIONS[activation], [name]);
  return { name, shape };
}

/** ONNX has ratios below 1. */
function dropout(graph: GraphWriter, { options: { p } }: Dropout, x: Value): Value {
  const name = p < 1 ? graph.node("Dropout", [x.name, graph.float(p)]) : graph.node("Identity", [x.name]);
  return { ...x, name };
}

/** ONNX' Flatten makes two dimensions. */
function flatten(graph: GraphWriter, { options }: Flatten, x: Value): Value {
  const [first, last] = [options.startDim, options.endDim].map((d) => (d < 0 ? d + x.shape.length : d)) as [
    number,
    number,
  ];
  const joined = x.shape.slice(first, last + 1);
  const after = x.shape.slice(last + 1);
  const shape = [...x.shape.slice(0, first), product(joined), ...after];
  if (first === 1 && after.length === 0) return { name: graph.node("Flatten", [x.name], { axis: 1 }), shape };
  // 0 takes the size over, −1 is worked out.
  const wanted = shape.map((size, d) => (d < first ? 0 : typeof size === "number" ? size : -1));
  if (wanted.filter((size) => size === -1).length > 1) {
    throw new ShapeError(
      `toOnnx: "${graph.path}": of the sizes that Flatten joins and those behind them one may be open; give the others`,
    );
  }
  return { name: graph.node("Reshape", [x.name, graph.ints(wanted)]), shape };
}

function product(sizes: readonly Dim[]): Dim {
  const open = sizes.filter((size) => typeof size === "string");
  if (open.length === 0) return (sizes as number[]).reduce((a, b) => a * b, 1);
  return sizes.length === 1 ? sizes[0]! : sizes.join("*");
}

function batchNorm(graph: GraphWriter, { features, options, ...layer }: BatchNorm1d, x: Value): Value {
  const { weight, bias, runningMean, runningVar } = layer;
  const inputs = [
    weight === null ? graph.float(new Float32Array(features).fill(1), [features]) : graph.state(weight),
    bias === null ? graph.float(new Float32Array(features), [features]) : graph.state(bias),
    graph.state(runningMean!),
    graph.state(runningVar!),
  ];
  // ONNX' momentum is the share of the old statistics.
  const momentum = options.momentum === null ? {} : { momentum: { float: 1 - options.momentum } };
  const attributes = { epsilon: { float: options.eps }, ...momentum };
  return { ...x, name: graph.node("BatchNormalization", [x.name, ...inputs], attributes) };
}

/** Why a module cannot be written, though its class can. */
export function faultOf(module: AnyModule): string | undefined {
  return module instanceof BatchNorm1d && module.runningMean === null
    ? "has no running statistics (trackRunningStats: false), and a file has no batch to take them of"
    : undefined;
}

function layerNorm(graph: GraphWriter, layer: LayerNorm, x: Value): Value {
  const { normalizedShape, weight, bias, options } = layer;
  const size = normalizedShape.reduce((a, b) => a * b, 1);
  const scale =
    weight === null ? graph.float(new Float32Array(size).fill(1), normalizedShape) : graph.state(weight);
  const inputs = bias === null ? [x.name, scale] : [x.name, scale, graph.state(bias)];
  const attributes = { axis: -normalizedShape.length, epsilon: { float: options.eps } };
  return { ...x, name: graph.node("LayerNormalization", inputs, attributes) };
}

/** The largest along a new dimension of k. */
function maxout(graph: GraphWriter, { options: { k } }: Maxout, x: Value): Value {
  const [batch, features] = [x.shape.slice(0, -1), x.shape.at(-1)!];
  if (typeof features === "string") {
    throw new OptionError(`toOnnx: "${graph.path}": Maxout needs to know its features; give the last size`);
  }
  const groups = graph.ints([...batch.map(() => 0), features / k, k]);
  const grouped = graph.node("Reshape", [x.name, groups]);
  const name = graph.node("ReduceMax", [grouped, graph.ints([-1])], { keepdims: 0 });
  return { name, shape: [...batch, features / k] };
}
