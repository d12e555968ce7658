import { OptionError, withDefaults } from "../errors";
import type { Tensor } from "../tensor";
import { binary } from "./binary";
import { unary } from "./unary";

export interface ClipOptions {
  /** Default: no lower bound. */
  min?: number;
  /** Default: no upper bound. */
  max?: number;
}

const bounded = unary("clip", "input", { min: -Infinity, max: Infinity });

/**
 * min(max(x, min), max), elementwise: x within bounds, of which at least one is given; NaN stays NaN. The
 * derivative is 1 inside and at the bounds, 0 outside. With min > max everything becomes max, as in PyTorch's
 * clamp and ONNX.
 * @throws OptionError without a bound
 */
export function clip(x: Tensor, options: ClipOptions): Tensor {
  const { min, max } = withDefaults("clip", bounded.defaults, options);
  if (Number.isNaN(min) || Number.isNaN(max) || (min === -Infinity && max === Infinity)) {
    throw new OptionError(`clip: expected a bound, { min }, { max } or both, got ${min} and ${max}`);
  }
  return bounded(x, { min, max });
}

/**
 * The larger of a and b, element by element; operands as of `add`. NaN if one is NaN. Equal ones share the
 * gradient half and half, as in PyTorch.
 * @throws ShapeError for shapes that do not broadcast
 */
export const maximum = binary("maximum", "inputs");

/**
 * The smaller of a and b, element by element; operands as of `add`. NaN if one is NaN. Equal ones share the
 * gradient half and half, as in PyTorch.
 * @throws ShapeError for shapes that do not broadcast
 */
export const minimum = binary("minimum", "inputs");
