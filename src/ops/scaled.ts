import { unary } from "./unary";

/**
 * x > 0 ? x : alpha (e^(x / alpha) − 1), elementwise: elu whose derivative has no jump at 0. Barron 2017.
 *
 * `alpha`, default 1, as in PyTorch, Keras and ONNX.
 * @throws OptionError if alpha is 0
 */
export const celu = unary("celu", "input", { alpha: 1 }, ({ alpha }) =>
  Math.fround(alpha) === 0 ? "alpha is not 0" : undefined,
);

/**
 * log(1 + e^(beta x)) / beta, but x itself where beta x > threshold; elementwise. Dugas et al. 2001.
 *
 * `beta`, default 1, and `threshold`, default 20, as in PyTorch. Keras and ONNX have neither: they take the
 * logarithm everywhere, which `threshold: Infinity` does, too.
 */
export const softplus = unary("softplus", "input", { beta: 1, threshold: 20 });
