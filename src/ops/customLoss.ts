import { callBack, gradient, noGrad, record } from "../autograd";
import {
  expectFunction,
  isDropped,
  OptionError,
  ShapeError,
  sameShape,
  show,
  text,
  withDefaults,
} from "../errors";
import { ended, scopeOf } from "../scope";
import { expectTensor, Tensor } from "../tensor";
import { kernels } from "../wasm";
import { composed } from "./composed";
import { type LossOptions, type Reduction, reduce } from "./elementwiseLoss";

/** A loss of one's own, written with tensors. */
export interface CustomLoss {
  /** For errors; default "customLoss". */
  name?: string;
  /**
   * The unreduced values: of the prediction's shape, or of its leading dimensions (one value per row). Unlike those of the
   * other losses they are float32 before they are added.
   */
  forward: (pred: Tensor, target: Tensor) => Tensor;
  /** ∂value / ∂pred, of the prediction's shape. Without it, autograd differentiates `forward`. */
  backward?: (pred: Tensor, target: Tensor) => Tensor;
}

/**
 * A loss function with the usual reductions from the values, and the derivative if given, that one writes
 * oneself: `customLoss({ forward: (pred, target) => pred.sub(target).abs() })`.
 * @throws OptionError, when it is made, for a definition without functions, and when called, if they give no
 *   f32 tensor
 * @throws ShapeError if the derivative, or values with a derivative, are not of the prediction's shape, or if there are more
 *   values than predictions
 */
export function customLoss(
  definition: CustomLoss,
): (pred: Tensor, target: Tensor, options?: LossOptions) => Tensor {
  const { name = "customLoss", forward, backward } = definition ?? {};
  expectFunction(`${name}, forward`, forward);
  if (backward !== undefined) expectFunction(`${name}, backward`, backward);
  return (pred, target, options) => {
    const { reduction } = withDefaults(name, { reduction: "mean" as Reduction }, options);
    expectTensor(name, pred).use(name);
    return composed(() => {
      const derive = backward === undefined ? forward : withDerivative(name, forward, backward);
      const values = returned(name, "forward", derive(pred, target));
      if (values.size <= pred.size) return reduce(name, values, reduction);
      throw new ShapeError(
        `${name}: forward gave ${show(values.shape)} for a prediction ${show(pred.shape)}: each value met each target by ` +
          `broadcasting; reshape the target to ${show(pred.shape)}`,
      );
    });
  };
}

/** forward with `backward` as its derivative by the prediction, instead of what autograd would record. */
function withDerivative(
  name: string,
  forward: CustomLoss["forward"],
  backward: NonNullable<CustomLoss["backward"]>,
): CustomLoss["forward"] {
  return (pred, target) => {
    const values = noGrad(() => returned(name, "forward", forward(pred, target)));
    const rows = values.shape.length;
    if (!sameShape(values.shape, pred.shape.slice(0, rows))) {
      throw new ShapeError(
        `${name}: forward gave ${show(values.shape)}; expected ${show(pred.shape)} or its leading dimensions`,
      );
    }
    const y = new Tensor(values.shape, "f32", values.buffer.share());
    return record(name, y, [pred], [pred, target], (dy) =>
      scopeOf(ended(`backward of ${name}`), () => {
        const slope = callBack(() => returned(name, "backward", backward(pred, target)));
        if (!sameShape(slope.shape, pred.shape)) {
          throw new ShapeError(
            `${name}: backward gave ${show(slope.shape)} for a prediction ${show(pred.shape)}`,
          );
        }
        const cols = pred.size / Math.max(1, values.size);
        kernels.crossEntropyLossBackward(slope.use(name), dy, gradient(pred), values.size, cols, 1);
      }),
    );
  };
}

/** @throws OptionError if a function of the definition gave something else than an f32 tensor */
function returned(name: string, part: string, value: unknown): Tensor {
  if (value instanceof Tensor && value.dtype === "f32") return value;
  const got = value instanceof Tensor ? value.dtype : isDropped(value) ? "a promise" : text(value);
  throw new OptionError(`${name}: ${part} gets tensors and returns an f32 tensor, got ${got}`);
}
