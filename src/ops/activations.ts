import { ShapeError, show, withDefaults } from "../errors";
import { expectTensor, type Tensor } from "../tensor";
import { binary } from "./binary";
import { composed } from "./composed";
import { oneHotRows, reshape, transpose } from "./layout";
import { argmax, max } from "./reductions";
import { dimension } from "./shapes";
import { unary } from "./unary";

/** y = x. Elementwise, [...] to [...]; no options. */
export const identity = unary("identity", "nothing");

/** σ(x) = 1 / (1 + e^−x), elementwise. dx = dy · σ(x) σ(−x), which does not cancel where σ is near 1. */
export const sigmoid = unary("sigmoid", "input");

/** tanh x = (e^x − e^−x) / (e^x + e^−x), elementwise. */
export const tanh = unary("tanh", "input");

/**
 * max(x, 0), elementwise; the derivative is 0 at 0, as in PyTorch and Keras. NaN stays NaN, with derivative 0. Nair and
 * Hinton 2010.
 */
export const relu = unary("relu", "input");

/**
 * x > 0 ? x : negativeSlope · x, elementwise; the derivative at 0 is the slope. Maas et al. 2013.
 *
 * `negativeSlope`, default 0.01, as in PyTorch and ONNX; Keras' layer has 0.3, its function and that of tfjs
 * 0.2.
 */
export const leakyRelu = unary("leakyRelu", "input", { negativeSlope: 0.01 });

/**
 * x > 0 ? x : alpha (e^x − 1), elementwise; the derivative at 0 is alpha. Clevert et al. 2016.
 *
 * `alpha`, default 1, as in PyTorch, Keras and ONNX.
 */
export const elu = unary("elu", "input", { alpha: 1 });

/**
 * scale (x > 0 ? x : alpha (e^x − 1)), elementwise, with scale 1.0507009873554805 and alpha
 * 1.6732632423543772, the fixed point at which layers keep mean 0 and variance 1. Klambauer et al. 2017.
 */
export const selu = unary("selu", "input");

/** log σ(x) = −log(1 + e^−x), elementwise, x for large negative x: finite where log(sigmoid(x)) is −∞. */
export const logSigmoid = unary("logSigmoid", "input");

/** x / (1 + |x|), elementwise, from −1 to 1. */
export const softsign = unary("softsign", "input");

/**
 * min(max(x, minVal), maxVal), elementwise; the derivative is 0 at both bounds and beyond, 1 between (of
 * `clip` it is 1 at the bounds, too). NaN stays NaN, with derivative 0. Collobert 2004.
 *
 * `minVal`, default −1, and `maxVal`, default 1, as in PyTorch.
 * @throws OptionError if minVal exceeds maxVal
 */
export const hardtanh = unary("hardtanh", "input", { minVal: -1, maxVal: 1 }, ({ minVal, maxVal }) =>
  minVal > maxVal ? "minVal is at most maxVal" : undefined,
);

/** min(max(x, 0), 6), elementwise; the derivative is 0 at 0, at 6 and of NaN, which stays. Krizhevsky 2010. */
export const relu6 = unary("relu6", "input");

/**
 * min(max((x + 3) / 6, 0), 1), elementwise; the derivative is 0 at ±3 and of NaN, which stays. Howard et al. 2019.
 *
 * As in PyTorch and Keras 3. Keras 2, tfjs and, by default, ONNX have another slope: x / 5 + 1/2, clipped
 * alike.
 */
export const hardsigmoid = unary("hardsigmoid", "input");

const scaleNegative = binary("prelu", { a: "ab", b: "a" });

/**
 * x > 0 ? x : slope · x, elementwise, with a learned slope. He et al. 2015.
 *
 * As in PyTorch slopes run along dimension 1. Keras has one for each element of a row unless axes are shared,
 * ONNX broadcasts the slope as arithmetic does.
 * @param x [...]
 * @param slope one number, of whatever shape, or [channels] with channels the size of x's dimension 1, or of
 *   its only one
 * @throws ShapeError for slopes of another shape
 */
export function prelu(x: Tensor, slope: Tensor): Tensor {
  expectTensor("prelu", x);
  expectTensor("prelu", slope);
  if (slope.size === 1) return composed(() => scaleNegative(x, reshape(slope, [])));
  const channels = x.shape[x.shape.length > 1 ? 1 : 0];
  if (slope.shape.length !== 1 || slope.size !== channels) {
    throw new ShapeError(
      `prelu: expected one slope, or one for each of the ${channels} channels of ${show(x.shape)}, got ${show(slope.shape)}`,
    );
  }
  const spread = [channels, ...x.shape.slice(2).map(() => 1)];
  return composed(() => scaleNegative(x, reshape(slope, spread)));
}

/**
 * 1 at the first maximum along `dim` (default −1: the last), 0 elsewhere, [...] to [...], as in ONNX; PyTorch
 * has none. No gradient.
 * @throws ShapeError for a dimension that does not exist, or has no elements
 */
export function hardmax(x: Tensor, options?: { dim?: number }): Tensor {
  const { dim } = withDefaults("hardmax", { dim: -1 }, options);
  expectTensor("hardmax", x);
  return composed(() => {
    const along = dimension("hardmax", dim, x.shape.length);
    const rows = oneHotRows("hardmax", argmax(x, { dim }), x.shape[along]!);
    let y = rows;
    for (let d = x.shape.length - 1; d > along; d--) y = transpose(y, d - 1, d);
    return y;
  });
}

/**
 * The largest of each group of `k` consecutive features, [..., features] to [..., features / k]; of equal
 * ones the first has the gradient. Goodfellow et al. 2013. `k` has no default; PyTorch, Keras and ONNX have
 * no such op.
 * @throws ShapeError unless the last dimension divides into groups of k
 */
export function maxout(x: Tensor, options: { k: number }): Tensor {
  const { k } = withDefaults("maxout", { k: 0 }, options);
  const features = expectTensor("maxout", x).shape.at(-1);
  if (features === undefined || !Number.isInteger(k) || k < 1 || features % k !== 0) {
    throw new ShapeError(
      `maxout: the last dimension of ${show(x.shape)} does not divide into groups of ${k}`,
    );
  }
  return composed(() => max(reshape(x, [...x.shape.slice(0, -1), features / k, k]), { dim: -1 }));
}
