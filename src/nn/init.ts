// Initial weights: how widely to draw so that neither signals nor gradients shrink or grow from layer to layer.
// Xavier: Glorot and Bengio 2010; Kaiming: He et al. 2015; LeCun: LeCun et al. 1998; orthogonal: Saxe et al. 2013.
// Names, defaults and gains of torch.nn.init.
import { filled, shapeOf } from "../create";
import { OptionError, ShapeError, text, withDefaults } from "../errors";
import { normal, uniform } from "../ops/random";
import { type Shape, sizeOf, type Tensor } from "../tensor";

/** An activation for which a gain is known. @see calculateGain */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/**
 * By how much to widen the weights for the activation that follows: 1 for linear and sigmoid, 5/3 for tanh,
 * √2 for relu, √(2 / (1 + slope²)) for leakyRelu, 3/4 for selu; as torch.nn.init.calculate_gain.
 * @param parameter the negative slope of leakyRelu; default 0.01
 * @throws OptionError for another nonlinearity
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
      return Math.sqrt(2 / (1 + parameter * parameter));
    case "selu":
      return 3 / 4;
    default:
      throw new OptionError(
        `calculateGain: nonlinearity is linear, sigmoid, tanh, relu, leakyRelu or selu, got ${text(nonlinearity)}`,
      );
  }
}

/** Inputs and outputs of one unit for a weight [out, in, ...]. */
function fans(op: string, shape: Shape, options?: object): { fanIn: number; fanOut: number } {
  shapeOf(op, shape, options);
  if (!Array.isArray(shape) || shape.length < 2) {
    throw new ShapeError(
      `${op}: fans need a weight of at least two dimensions [out, in], got ${text(shape)}`,
    );
  }
  const field = sizeOf(shape.slice(2));
  return { fanIn: shape[1]! * field, fanOut: shape[0]! * field };
}

function xavierStd(op: string, shape: Shape, options: XavierOptions | undefined): number {
  const { fanIn, fanOut } = fans(op, shape, options);
  const { gain } = withDefaults(op, { gain: 1 }, options);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

function kaimingStd(op: string, shape: Shape, options: KaimingOptions | undefined): number {
  const defaults = { mode: "fanIn" as const, nonlinearity: "leakyRelu" as Nonlinearity, negativeSlope: 0 };
  const fan = fans(op, shape, options);
  const { mode, nonlinearity, negativeSlope } = withDefaults<Required<KaimingOptions>>(op, defaults, options);
  if (mode !== "fanIn" && mode !== "fanOut") {
    throw new OptionError(`${op}: mode is "fanIn" or "fanOut", got ${text(mode)}`);
  }
  return calculateGain(nonlinearity, negativeSlope) / Math.sqrt(fan[mode]);
}

/** Uniform numbers of the given standard deviation: the bound is √3 times as large. */
function uniformOf(op: string, shape: Shape, std: number): Tensor {
  const bound = Math.sqrt(3) * std;
  return uniform(op, shape, -bound, bound);
}

/** The options of `xavierUniform` and `xavierNormal`. */
export interface XavierOptions {
  /** Default 1. @see calculateGain */
  gain?: number;
}

/**
 * Uniform within ±gain √(6 / (in + out)), called glorot_uniform in Keras. Glorot and Bengio 2010.
 * @param shape [out, in, …]; Keras' weights are [in, out]
 * @throws ShapeError for fewer than two dimensions
 */
export function xavierUniform(shape: Shape, options?: XavierOptions): Tensor {
  return uniformOf("xavierUniform", shape, xavierStd("xavierUniform", shape, options));
}

/**
 * Normal with standard deviation gain √(2 / (in + out)). Glorot and Bengio 2010. Keras' glorot_normal,
 * he_normal and lecun_normal draw anew what lies beyond two standard deviations; these do not, as PyTorch's.
 * @param shape [out, in, …]
 * @throws ShapeError for fewer than two dimensions
 */
export function xavierNormal(shape: Shape, options?: XavierOptions): Tensor {
  return normal("xavierNormal", shape, 0, xavierStd("xavierNormal", shape, options));
}

/** The options of `kaimingUniform` and `kaimingNormal`. */
export interface KaimingOptions {
  /** Preserve the size of signals ("fanIn", default) or of gradients ("fanOut"). */
  mode?: "fanIn" | "fanOut";
  /** The activation that follows; default "leakyRelu". */
  nonlinearity?: Nonlinearity;
  /** Of leakyRelu; default 0, which makes it relu. */
  negativeSlope?: number;
}

/**
 * Uniform within ±gain √(3 / fan), called he_uniform in Keras. He et al. 2015. Defaults are PyTorch's: fan =
 * in, and the gain √2 of relu.
 * @param shape [out, in, …]
 * @throws ShapeError for fewer than two dimensions, OptionError for another mode or nonlinearity
 */
export function kaimingUniform(shape: Shape, options?: KaimingOptions): Tensor {
  return uniformOf("kaimingUniform", shape, kaimingStd("kaimingUniform", shape, options));
}

/**
 * Normal with standard deviation gain / √fan; options as of `kaimingUniform`. He et al. 2015.
 * @param shape [out, in, …]
 * @throws ShapeError for fewer than two dimensions, OptionError for another mode or nonlinearity
 */
export function kaimingNormal(shape: Shape, options?: KaimingOptions): Tensor {
  return normal("kaimingNormal", shape, 0, kaimingStd("kaimingNormal", shape, options));
}

/**
 * Uniform within ±√(3 / in), for selu: Kaiming's with a gain of 1. LeCun et al. 1998; as in Keras.
 * @param shape [out, in, …]
 * @throws ShapeError for fewer than two dimensions
 */
export function lecunUniform(shape: Shape): Tensor {
  return uniformOf("lecunUniform", shape, 1 / Math.sqrt(fans("lecunUniform", shape).fanIn));
}

/**
 * Normal with standard deviation 1 / √in, for selu: Kaiming's with a gain of 1. LeCun et al. 1998.
 * @param shape [out, in, …]
 * @throws ShapeError for fewer than two dimensions
 */
export function lecunNormal(shape: Shape): Tensor {
  return normal("lecunNormal", shape, 0, 1 / Math.sqrt(fans("lecunNormal", shape).fanIn));
}

/**
 * The given value everywhere.
 * @throws ShapeError unless the shape is an array of integers ≥ 0
 */
export function constant(shape: Shape, value: number): Tensor {
  return filled("constant", shape, value);
}

/** The options of `orthogonal`. */
export interface OrthogonalOptions {
  /** Default 1. @see calculateGain */
  gain?: number;
}

/**
 * `gain` times a random matrix [out, in · …] with orthonormal rows, or columns if there are more rows, evenly
 * distributed over all of them. Saxe et al. 2013.
 * @param shape [out, in, …]
 * @throws ShapeError for fewer than two dimensions
 */
export function orthogonal(shape: Shape, options?: OrthogonalOptions): Tensor {
  const { fanIn: cols } = fans("orthogonal", shape, options);
  const { gain } = withDefaults("orthogonal", { gain: 1 }, options);
  const [rows, size] = [shape[0]!, sizeOf(shape)];
  const t = normal("orthogonal", shape, 0, 1);
  const { data } = t;
  const [count, length] = [Math.min(rows, cols), Math.max(rows, cols)];
  // Vector v has its element i at index v · step + i · stride.
  const [step, stride] = rows <= cols ? [cols, 1] : [1, cols];
  const q = Float64Array.from(
    { length: size },
    (_, k) => data[Math.floor(k / length) * step + (k % length) * stride]!,
  );
  orthonormalise(q, count, length);
  for (let k = 0; k < size; k++) data[Math.floor(k / length) * step + (k % length) * stride] = gain * q[k]!;
  return t;
}

/**
 * Gram-Schmidt on the rows of q [count, length], again where cancellation has taken more than half of a row.
 */
function orthonormalise(q: Float64Array, count: number, length: number): void {
  for (let v = 0; v < count; v++) {
    const row = q.subarray(v * length, (v + 1) * length);
    let before: number;
    let norm = euclidean(row);
    do {
      before = norm;
      for (let u = 0; u < v; u++) subtractProjection(row, q.subarray(u * length, (u + 1) * length));
      norm = euclidean(row);
    } while (norm < before / 2);
    for (let i = 0; i < length; i++) row[i]! /= norm;
  }
}

/** x −= (x · u) u */
function subtractProjection(x: Float64Array, u: Float64Array): void {
  let dot = 0;
  for (let i = 0; i < x.length; i++) dot += x[i]! * u[i]!;
  for (let i = 0; i < x.length; i++) x[i]! -= dot * u[i]!;
}

function euclidean(x: Float64Array): number {
  let square = 0;
  for (const v of x) square += v * v;
  return Math.sqrt(square);
}
