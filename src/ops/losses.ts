import { OptionError } from "../errors";
import { elementwise } from "./elementwiseLoss";

/**
 * (p − t)² of predictions p and targets t, [...] of one shape; the prediction comes first, as in PyTorch, in
 * Keras the target. The gradient 2 (p − t) meets a linear output as a − y. Both inputs may require a
 * gradient.
 *
 * As in every loss of pairs, a target [n] fits predictions [n, 1], and the reverse, and i32 targets count as f32, each the
 * nearest.
 * @throws ShapeError if the shapes differ otherwise: no loss broadcasts, where PyTorch does with a warning
 */
export const mseLoss = elementwise("mseLoss", { symmetric: true });

/**
 * |p − t|, inputs as of `mseLoss`; the derivative is 0 at p = t. Both inputs may require a gradient.
 * @throws ShapeError if the shapes differ
 */
export const l1Loss = elementwise("l1Loss", { symmetric: true });

/**
 * With d = |p − t|: d < beta ? d² / (2 beta) : d − beta / 2, inputs as of `mseLoss`. A parabola near 0 that
 * joins lines of slope ±1; with `beta: 0` it is l1Loss. Girshick 2015. Both inputs may require a gradient.
 *
 * `beta` ≥ 0, default 1, as in PyTorch. Keras has huberLoss alone, which is beta times this one.
 * @throws ShapeError if the shapes differ, OptionError if beta is below 0
 */
export const smoothL1Loss = elementwise("smoothL1Loss", {
  symmetric: true,
  defaults: { beta: 1 },
  checkOptions: ({ beta }) => {
    if (!(beta >= 0)) throw new OptionError(`smoothL1Loss: beta is a number ≥ 0, got ${beta}`);
  },
});

/**
 * With d = |p − t|: d ≤ delta ? d² / 2 : delta (d − delta / 2), inputs as of `mseLoss`. It is delta times
 * smoothL1Loss with beta = delta: the lines have slope ±delta. Huber 1964. Both inputs may require a
 * gradient.
 *
 * `delta` > 0, default 1, as in PyTorch and Keras.
 * @throws ShapeError if the shapes differ, OptionError if delta is not above 0
 */
export const huberLoss = elementwise("huberLoss", {
  symmetric: true,
  defaults: { delta: 1 },
  checkOptions: ({ delta }) => {
    if (!(delta > 0)) throw new OptionError(`huberLoss: delta is a number > 0, got ${delta}`);
  },
});

/**
 * log cosh (p − t), inputs as of `mseLoss`: (p − t)² / 2 near 0 and |p − t| − ln 2 far away. As in Keras;
 * PyTorch has none. Both inputs may require a gradient.
 * @throws ShapeError if the shapes differ
 */
export const logCoshLoss = elementwise("logCoshLoss", { symmetric: true });

/**
 * (log(1 + p) − log(1 + t))², inputs as of `mseLoss`, both clipped to ≥ 1e-7 as in Keras: no gradient below.
 * PyTorch has none.
 * @throws ShapeError if the shapes differ, GraphError if the target requires a gradient
 */
export const msleLoss = elementwise("msleLoss");

/**
 * 100 |t − p| / max(|t|, 1e-7), inputs as of `mseLoss`: a percentage, as in Keras; scikit-learn and
 * torchmetrics give a fraction, without the 100. PyTorch has none.
 * @throws ShapeError if the shapes differ, GraphError if the target requires a gradient
 */
export const mapeLoss = elementwise("mapeLoss");
