// What each layer of Keras is here: options, defaults and weights as tfjs-layers and Keras 2 and 3 write them.
import {
  BatchNorm1d,
  Dropout,
  ELU,
  Embedding,
  Flatten,
  Hardtanh,
  Identity,
  LayerNorm,
  LeakyReLU,
  Linear,
  type Module,
  PReLU,
  ReLU,
  ReLU6,
  Softmax,
  zeros,
} from "../index";
import { activation } from "./activations";
import { refuse } from "./json";
import { fill, type Layer, type Plan, type Shape, type Values } from "./layer";

type Reader = (layer: Layer, input: Shape) => Plan;

/** A layer that changes no shape and has no weights. */
const plain = (modules: (layer: Layer, input: Shape) => () => Module[]): Reader => {
  return (layer, input) => ({ output: input, modules: modules(layer, input) });
};

/** Noise for training only. */
const noise = plain(() => () => [new Identity()]);

/** By class. */
export const READERS = new Map<string, Reader>([
  ["InputLayer", plain(() => () => [])],
  ["Activation", plain(activation)],
  ["Dense", dense],
  ["Embedding", embedding],
  ["Flatten", flatten],
  ["BatchNormalization", batchNormalization],
  ["LayerNormalization", layerNormalization],
  ["PReLU", prelu],
  ["ReLU", plain(relu)],
  ["LeakyReLU", plain(leakyRelu)],
  ["ELU", plain(elu)],
  ["Softmax", plain(softmax)],
  ["Dropout", plain(dropout)],
  ["SpatialDropout1D", noise],
  ["GaussianNoise", noise],
  ["GaussianDropout", noise],
  ["AlphaDropout", noise],
]);

/** The size of a dimension, which has to be known. */
function sizeAt(layer: Layer, input: Shape, dim: number): number {
  return input[dim] ?? refuse(`${layer.label}: the size of dimension ${dim} is not known`);
}

/** y = activation(x · kernel + bias); kernel [in, units]. */
function dense(layer: Layer, input: Shape): Plan {
  const [inFeatures, units] = [sizeAt(layer, input, input.length - 1), layer.number("units")];
  const useBias = layer.boolean("use_bias", true);
  const kernel = layer.weight("kernel", [inFeatures, units]);
  const bias = useBias ? layer.weight("bias", [units]) : undefined;
  if (units < 1) refuse(`${layer.label}: units is an integer ≥ 1, got ${units}`);
  const after = activation(layer);
  const modules = (values: Values) => {
    const linear = new Linear(inFeatures, units, { bias: useBias, init: (shape) => zeros(shape) });
    fill(linear.weight, transposed(values(kernel), inFeatures, units));
    if (bias !== undefined) fill(linear.bias, values(bias));
    return [linear, ...after()];
  };
  return { output: [...input.slice(0, -1), units], modules };
}

function transposed(values: Float32Array, rows: number, cols: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) turned[j * rows + i] = values[i * cols + j]!;
  return turned;
}

function embedding(layer: Layer, input: Shape): Plan {
  const [num, dim] = [layer.number("input_dim"), layer.number("output_dim")];
  if (layer.boolean("mask_zero", false)) layer.lacks("mask_zero, a mask for the layers behind it");
  const weight = layer.weight("embeddings", [num, dim]);
  if (num < 1 || dim < 1) refuse(`${layer.label}: sizes are integers ≥ 1, got ${num} and ${dim}`);
  const modules = (values: Values) => {
    const module = new Embedding(num, dim);
    fill(module.weight, values(weight));
    return [module];
  };
  return { output: [...input, dim], modules };
}

function flatten(layer: Layer, input: Shape): Plan {
  const order = layer.option("data_format");
  const isChannelsFirst = order === "channels_first" || order === "channelsFirst";
  if (isChannelsFirst && input.length > 2) layer.lacks("channels first, which would be moved to the end");
  const rest = input.slice(1);
  const size = rest.includes(null) ? null : rest.reduce<number>((product, n) => product * n!, 1);
  return { output: [input[0]!, size], modules: () => [new Flatten()] };
}

function batchNormalization(layer: Layer, input: Shape): Plan {
  const [axis] = layer.axes("axis", -1, input.length);
  if (axis !== 1 || input.length > 3) {
    layer.lacks(
      `axis ${axis} of ${input.length} dimensions: BatchNorm1d takes [batch, features] and [batch, features, length]`,
    );
    return { output: input, modules: () => [] };
  }
  const features = sizeAt(layer, input, 1);
  const [scale, center] = [layer.boolean("scale", true), layer.boolean("center", true)];
  const [eps, momentum] = [layer.number("epsilon", 1e-3), 1 - layer.number("momentum", 0.99)];
  if (eps < 0 || momentum < 0 || momentum > 1)
    refuse(`${layer.label}: epsilon is at least 0, momentum from 0 to 1, got ${eps} and ${1 - momentum}`);
  const gamma = scale ? layer.weight("gamma", [features]) : undefined;
  const beta = center ? layer.weight("beta", [features]) : undefined;
  const mean = layer.weight("moving_mean", [features]);
  const variance = layer.weight("moving_variance", [features]);
  const modules = (values: Values) => {
    const module = new BatchNorm1d(features, { eps, momentum, affine: scale || center });
    if (gamma !== undefined) fill(module.weight, values(gamma));
    if (beta !== undefined) fill(module.bias, values(beta));
    fill(module.runningMean, values(mean));
    fill(module.runningVar, values(variance));
    return [module];
  };
  return { output: input, modules };
}

function layerNormalization(layer: Layer, input: Shape): Plan {
  const axes = layer.axes("axis", -1, input.length);
  const first = input.length - axes.length;
  const isLast = axes.every((axis, i) => axis === first + i) && first > 0;
  if (!isLast || layer.boolean("rms_scaling", false)) {
    layer.lacks(
      isLast ? "rms_scaling" : `axes ${axes.join(", ")} of ${input.length}: LayerNorm takes the last`,
    );
    return { output: input, modules: () => [] };
  }
  const shape = axes.map((axis) => sizeAt(layer, input, axis));
  const [scale, center] = [layer.boolean("scale", true), layer.boolean("center", true)];
  const eps = layer.number("epsilon", 1e-3);
  if (eps < 0) refuse(`${layer.label}: epsilon is at least 0, got ${eps}`);
  const gamma = scale ? layer.weight("gamma", shape) : undefined;
  const beta = center ? layer.weight("beta", shape) : undefined;
  const modules = (values: Values) => {
    const module = new LayerNorm(shape, { eps, affine: scale || center });
    if (gamma !== undefined) fill(module.weight, values(gamma));
    if (beta !== undefined) fill(module.bias, values(beta));
    return [module];
  };
  return { output: input, modules };
}

/** Slopes of the shape of a row, 1 where they are shared; here they run along dimension 1, or there is one. */
function prelu(layer: Layer, input: Shape): Plan {
  const weight = layer.anyWeight("alpha");
  const { shape } = weight;
  const fits = shape.length === input.length - 1 && shape.every((n, i) => n === 1 || n === input[i + 1]);
  if (!fits) refuse(`${layer.label}: slopes [${shape.join(", ")}] for rows [${input.slice(1).join(", ")}]`);
  const numParameters = shape.reduce((product, n) => product * n, 1);
  if (numParameters !== 1 && numParameters !== shape[0])
    layer.lacks("slopes along several dimensions, or a late one");
  const modules = (values: Values) => {
    const module = new PReLU({ numParameters });
    fill(module.weight, values(weight));
    return [module];
  };
  return { output: input, modules };
}

/** min(max(x, 0), max_value), in Keras with a slope below a threshold; tfjs leaves out the slope. */
function relu(layer: Layer): () => Module[] {
  const [slope, threshold] = [layer.number("negative_slope", 0), layer.number("threshold", 0)];
  const max = layer.option("max_value") === undefined ? undefined : layer.number("max_value");
  if (threshold !== 0) layer.lacks(`the threshold ${threshold}`);
  if (slope !== 0 && max !== undefined) layer.lacks("negative_slope together with max_value");
  if (max !== undefined && max < 0) refuse(`${layer.label}: max_value is at least 0, got ${max}`);
  if (slope !== 0) return () => [new LeakyReLU({ negativeSlope: slope })];
  if (max === undefined) return () => [new ReLU()];
  return () => [max === 6 ? new ReLU6() : new Hardtanh({ minVal: 0, maxVal: max })];
}

/** The slope is alpha in tfjs and Keras 2, negative_slope in Keras 3. */
function leakyRelu(layer: Layer): () => Module[] {
  const negativeSlope = layer.number("alpha", layer.number("negative_slope", 0.3));
  return () => [new LeakyReLU({ negativeSlope })];
}

function elu(layer: Layer): () => Module[] {
  const alpha = layer.number("alpha", 1);
  return () => [new ELU({ alpha })];
}

function softmax(layer: Layer, input: Shape): () => Module[] {
  const axes = layer.axes("axis", -1, input.length);
  if (axes.length > 1) layer.lacks("several axes at once");
  const dim = axes[0]!;
  return () => [new Softmax({ dim: dim === input.length - 1 ? -1 : dim })];
}

/** Keras takes rates beyond [0, 1] for the nearer end. */
function dropout(layer: Layer): () => Module[] {
  const p = Math.min(Math.max(layer.number("rate"), 0), 1);
  return () => [new Dropout({ p })];
}
