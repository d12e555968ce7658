import type { Tensor } from "../tensor";
import { checkSigns, elementwise, type LossName } from "./elementwiseLoss";

/** A loss of targets −1 and 1. */
function ofSigns(op: LossName) {
  return elementwise(op, { check: (_: Tensor, target: Tensor) => checkSigns(op, target) });
}

/**
 * max(0, 1 − t p) of scores p and targets t = ±1, [...] of one shape; the derivative is 0 on the margin and of NaN.
 * Keras turns labels 0 and 1 into signs, tfjs' core expects them; here they are an error. PyTorch has none.
 * @throws ShapeError if the shapes differ, DomainError for a target that is neither −1 nor 1
 */
export const hingeLoss = ofSigns("hingeLoss");

/**
 * max(0, 1 − t p)², inputs as of `hingeLoss`, and labels as in Keras: see there.
 * @throws ShapeError if the shapes differ, DomainError for a target that is neither −1 nor 1
 */
export const squaredHingeLoss = ofSigns("squaredHingeLoss");

/**
 * e^(−t p), inputs as of `hingeLoss`: what AdaBoost minimises (Freund and Schapire 1997). ∞ where −t p
 * exceeds 88.72.
 * @throws ShapeError if the shapes differ, DomainError for a target that is neither −1 nor 1
 */
export const exponentialLoss = ofSigns("exponentialLoss");

/**
 * log(1 + e^(−t p)), inputs as of `hingeLoss`, as PyTorch's: bceWithLogitsLoss with labels of that kind.
 * @throws ShapeError if the shapes differ, DomainError for a target that is neither −1 nor 1
 */
export const softMarginLoss = ofSigns("softMarginLoss");
