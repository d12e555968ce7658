import type { Tensor } from "../tensor";
import { checkSigns, elementwise, type LossName } from "./elementwiseLoss";

/** A loss of targets −1 and 1. */
function ofSigns(op: LossName) {
  return elementwise(op, { check: (_: Tensor, target: Tensor) => checkSigns(op, target) });
}

/** max(0, 1 − t p) for targets −1 and 1; the derivative is 0 on the margin. Keras takes labels 0 and 1 as well. */
export const hingeLoss = ofSigns("hingeLoss");

/** max(0, 1 − t p)² for targets −1 and 1. Keras takes labels 0 and 1 as well. */
export const squaredHingeLoss = ofSigns("squaredHingeLoss");

/** e^(−t p) for targets −1 and 1. */
export const exponentialLoss = ofSigns("exponentialLoss");

/** log(1 + e^(−t p)) for targets −1 and 1: bceWithLogitsLoss with labels of that kind. */
export const softMarginLoss = ofSigns("softMarginLoss");
