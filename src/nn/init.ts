// Initial weights: how widely to draw so that neither signals nor gradients shrink or grow from layer to layer.
// Xavier: Glorot and Bengio 2010; Kaiming: He et al. 2015; names, defaults and gains of torch.nn.init.
import { OptionError, ShapeError, text, withDefaults } from "../errors";
import { normal, uniform } from "../ops/random";
import { type Shape, sizeOf, type Tensor } from "../tensor";

export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/**
 * By how much to widen the weights for the activation that follows.
 * @param parameter the negative slope of leakyRelu; default 0.01
 */
export function calculateGain(nonlinearity: Nonlinearity, parameter = 0.01): number {
  switch (nonlinearity) {
    case "linear":
    case "sigmoid":
      return 1;
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.SQRT2;
    case "leakyRelu":
      return Math.sqrt(2 / (1 + parameter ** 2));
    case "selu":
      return 3 / 4;
    default:
      throw new OptionError(
        `calculateGain: nonlinearity is linear, sigmoid, tanh, relu, leakyRelu or selu, got "${nonlinearity}"`,
      );
  }
}

/** Inputs and outputs of one unit for a weight [out, in, ...]. */
function fans(op: string, shape: Shape): { fanIn: number; fanOut: number } {
  if (!Array.isArray(shape) || shape.length < 2) {
    throw new ShapeError(
      `${op}: fans need a weight of at least two dimensions [out, in], got ${text(shape)}`,
    );
  }
  const field = sizeOf(shape.slice(2));
  return { fanIn: shape[1]! * field, fanOut: shape[0]! * field };
}

function xavierStd(op: string, shape: Shape, options: XavierOptions | undefined): number {
  const { gain } = withDefaults(op, { gain: 1 }, options);
  const { fanIn, fanOut } = fans(op, shape);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

function kaimingStd(op: string, shape: Shape, options: KaimingOptions | undefined): number {
  const defaults = { mode: "fanIn" as const, nonlinearity: "leakyRelu" as Nonlinearity, negativeSlope: 0 };
  const { mode, nonlinearity, negativeSlope } = withDefaults<Required<KaimingOptions>>(op, defaults, options);
  if (mode !== "fanIn" && mode !== "fanOut") {
    throw new OptionError(`${op}: mode is "fanIn" or "fanOut", got "${mode}"`);
  }
  return calculateGain(nonlinearity, negativeSlope) / Math.sqrt(fans(op, shape)[mode]);
}

/** Uniform numbers of the given standard deviation: the bound is √3 times as large. */
function uniformOf(shape: Shape, std: number): Tensor {
  const bound = Math.sqrt(3) * std;
  return uniform(shape, -bound, bound);
}

export interface XavierOptions {
  /** Default 1. @see calculateGain */
  gain?: number;
}

/** Uniform within ±gain √(6 / (in + out)). */
export function xavierUniform(shape: Shape, options?: XavierOptions): Tensor {
  return uniformOf(shape, xavierStd("xavierUniform", shape, options));
}

/** Normal with standard deviation gain √(2 / (in + out)). */
export function xavierNormal(shape: Shape, options?: XavierOptions): Tensor {
  return normal(shape, 0, xavierStd("xavierNormal", shape, options));
}

export interface KaimingOptions {
  /** Preserve the size of signals ("fanIn", default) or of gradients ("fanOut"). */
  mode?: "fanIn" | "fanOut";
  /** The activation that follows; default "leakyRelu". */
  nonlinearity?: Nonlinearity;
  /** Of leakyRelu; default 0, which makes it relu. */
  negativeSlope?: number;
}

/** Uniform within ±gain √(3 / fan). */
export function kaimingUniform(shape: Shape, options?: KaimingOptions): Tensor {
  return uniformOf(shape, kaimingStd("kaimingUniform", shape, options));
}

/** Normal with standard deviation gain / √fan. */
export function kaimingNormal(shape: Shape, options?: KaimingOptions): Tensor {
  return normal(shape, 0, kaimingStd("kaimingNormal", shape, options));
}
