import { ShapeError, show, withDefaults } from "../errors";
import { expectTensor, type Tensor } from "../tensor";
import { binary } from "./binary";
import { composed } from "./composed";
import { oneHotRows, reshape, transpose } from "./layout";
import { argmax, max } from "./reductions";
import { dimension } from "./shapes";
import { unary } from "./unary";

/** x */
export const identity = unary("identity", "input");

/** 1 / (1 + e^−x) */
export const sigmoid = unary("sigmoid", "input");

/** tanh x */
export const tanh = unary("tanh", "input");

/** max(x, 0); the derivative is 0 at 0. */
export const relu = unary("relu", "input");

/** x > 0 ? x : negativeSlope · x; default slope 0.01. */
export const leakyRelu = unary("leakyRelu", "input", { negativeSlope: 0.01 });

/** x > 0 ? x : alpha (e^x − 1); default alpha 1. Clevert et al. 2016. */
export const elu = unary("elu", "input", { alpha: 1 });

/** x > 0 ? x : alpha (e^(x / alpha) − 1); default alpha 1. Barron 2017. */
export const celu = unary("celu", "input", { alpha: 1 }, ({ alpha }) =>
  Math.fround(alpha) === 0 ? "alpha is not 0" : undefined,
);

/** 1.0507 (x > 0 ? x : 1.6733 (e^x − 1)), which keeps mean 0 and variance 1. Klambauer et al. 2017. */
export const selu = unary("selu", "input");

/** log(1 + e^(beta x)) / beta, x itself where beta x > threshold; defaults 1 and 20. */
export const softplus = unary("softplus", "input", { beta: 1, threshold: 20 });

/** log(1 / (1 + e^−x)) */
export const logSigmoid = unary("logSigmoid", "input");

/** x / (1 + |x|) */
export const softsign = unary("softsign", "input");

/** x clipped to [minVal, maxVal]; defaults −1 and 1. The derivative is 0 at both. */
export const hardtanh = unary("hardtanh", "input", { minVal: -1, maxVal: 1 }, ({ minVal, maxVal }) =>
  minVal > maxVal ? "minVal is at most maxVal" : undefined,
);

/** x clipped to [0, 6] */
export const relu6 = unary("relu6", "input");

/** (x + 3) / 6 clipped to [0, 1] */
export const hardsigmoid = unary("hardsigmoid", "input");

const scaleNegative = binary("prelu", "inputs");

/**
 * x > 0 ? x : slope · x with a learned slope: one number for all of x, or one per channel (dimension 1, or the only
 * one). He et al. 2015.
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

/** 1 at the first maximum along `dim` (default: the last), 0 elsewhere. No gradient. */
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
 * The largest of each group of k consecutive features: [..., features] to [..., features / k]. Goodfellow et al. 2013.
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
