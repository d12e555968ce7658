import { OptionError } from "../errors";
import { elementwise } from "./elementwiseLoss";

/**
 * (p − t)². The gradient 2 (p − t) meets a linear output as a − y. Shapes have to agree, here and in every loss: PyTorch
 * broadcasts, with a warning.
 */
export const mseLoss = elementwise("mseLoss", { symmetric: true });

/** |p − t|; the derivative is 0 at p = t. */
export const l1Loss = elementwise("l1Loss", { symmetric: true });

/**
 * With d = |p − t|: d < beta ? d² / (2 beta) : d − beta / 2. A parabola near 0 that joins lines of slope ±1; with
 * `beta: 0` it is l1Loss. `beta` ≥ 0, default 1. Both inputs may require a gradient.
 * @throws OptionError if beta is below 0
 */
export const smoothL1Loss = elementwise("smoothL1Loss", {
  symmetric: true,
  defaults: { beta: 1 },
  checkOptions: ({ beta }) => {
    if (!(beta >= 0)) throw new OptionError(`smoothL1Loss: beta is a number ≥ 0, got ${beta}`);
  },
});

/**
 * With d = |p − t|: d ≤ delta ? d² / 2 : delta (d − delta / 2), which is delta times smoothL1Loss with beta = delta.
 * `delta` > 0, default 1. Both inputs may require a gradient.
 * @throws OptionError if delta is not above 0
 */
export const huberLoss = elementwise("huberLoss", {
  symmetric: true,
  defaults: { delta: 1 },
  checkOptions: ({ delta }) => {
    if (!(delta > 0)) throw new OptionError(`huberLoss: delta is a number > 0, got ${delta}`);
  },
});

/** log cosh (p − t), as in Keras: (p − t)² / 2 near 0 and |p − t| − ln 2 far away. Both inputs may require a gradient. */
export const logCoshLoss = elementwise("logCoshLoss", { symmetric: true });

/** (log(1 + p) − log(1 + t))², both clipped to ≥ 1e-7 as in Keras. */
export const msleLoss = elementwise("msleLoss");

/** 100 |t − p| / max(|t|, 1e-7), as in Keras. */
export const mapeLoss = elementwise("mapeLoss");
