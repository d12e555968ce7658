import { binary } from "./binary";
import { unary } from "./unary";

/** The options of `clip`. */
export interface ClipOptions {
  /** Default: −Infinity, no lower bound. */
  min?: number;
  /** Default: Infinity, no upper bound. */
  max?: number;
}

/**
 * min(max(x, min), max), elementwise: x within bounds, `min` (default −Infinity: none) and `max` (default
 * Infinity: none), of which at least one is given, infinite or not; NaN stays NaN. The derivative is 1 inside and at the
 * bounds, 0 outside. With min > max everything becomes max, as in PyTorch's clamp and ONNX.
 * @throws OptionError without a bound
 */
export const clip = unary("clip", "input", { min: -Infinity, max: Infinity }, (_, given) =>
  given?.min === undefined && given?.max === undefined
    ? "expected a bound, { min }, { max } or both"
    : undefined,
);

/**
 * The larger of a and b, element by element; operands as of `add`. NaN if one is NaN. Equal ones share the
 * gradient half and half, and beside a NaN both get all of it, as in PyTorch.
 * @throws ShapeError for shapes that do not broadcast
 */
export const maximum = binary("maximum", { a: "ab", b: "ab" });

/**
 * The smaller of a and b, element by element; operands as of `add`. NaN if one is NaN. Equal ones share the
 * gradient half and half, and beside a NaN both get all of it, as in PyTorch.
 * @throws ShapeError for shapes that do not broadcast
 */
export const minimum = binary("minimum", { a: "ab", b: "ab" });
