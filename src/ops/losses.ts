import { gradient, record, recording } from "../autograd";
import { DomainError, GraphError, OptionError, ShapeError, sameShape, show, withDefaults } from "../errors";
import { Buffer } from "../memory";
import { expectTensor, Tensor, type TensorData } from "../tensor";
import { type Kernels, kernels } from "../wasm";
import { softplus } from "./activations";
import { add, mul, neg, sub } from "./arithmetic";
import { composed } from "./composed";
import { toTensor } from "./operand";
import { mean, sum } from "./reductions";
import { broadcast } from "./shapes";

/** How the values of a loss become one: their mean, their sum, or not at all. */
export type Reduction = "mean" | "sum" | "none";

export interface LossOptions {
  /** Default: "mean". */
  reduction?: Reduction;
}

/** @throws OptionError if `reduction` is none of the three. */
export function checkReduction(op: string, reduction: string): asserts reduction is Reduction {
  if (reduction === "mean" || reduction === "sum" || reduction === "none") return;
  throw new OptionError(`${op}: reduction is "mean", "sum" or "none", got "${reduction}"`);
}

/** The values of a loss as its reduction wants them. */
export function reduce(op: string, values: Tensor, reduction: Reduction): Tensor {
  checkReduction(op, reduction);
  return reduction === "none" ? values : reduction === "sum" ? sum(values) : mean(values);
}

type LossName = keyof {
  [K in keyof Kernels as K extends `${infer Name}LossForward`
    ? `${Name}LossBackward` extends keyof Kernels
      ? `${Name}Loss`
      : never
    : never]: true;
};
type Kernel = (...args: number[]) => void;
type Loss = (pred: Tensor, target: Tensor, options?: LossOptions) => Tensor;

/**
 * The elementwise loss of the kernels `${op}Forward` and `${op}Backward`.
 * @param symmetric whether loss(p, t) = loss(t, p): then the target may require a gradient as well
 * @param check looks at the data of prediction and target
 */
function elementwise(op: LossName, symmetric: boolean, check?: (pred: Tensor, target: Tensor) => void): Loss {
  const forward = kernelOf(`${op}Forward`);
  const backward = kernelOf(`${op}Backward`);
  return (pred, target, options) => {
    const { reduction } = withDefaults(op, { reduction: "mean" as Reduction }, options);
    checkReduction(op, reduction);
    checkPair(op, pred, target, symmetric);
    check?.(pred, target);
    const n = pred.size;
    const whole = reduction === "none";
    const values = whole ? new Tensor(pred.shape).buffer : new Buffer(n);
    forward(pred.ptr, target.ptr, values.ptr, n);
    const y = new Tensor(whole ? pred.shape : [], "f32", whole ? values : undefined);
    const scale = reduction === "mean" ? 1 / n : 1;
    if (!whole) {
      kernels.sumForward(values.ptr, y.ptr, 1, n, 1, scale, 0);
      values.free("dispose");
    }
    return record(op, y, [pred, target], [pred, target], (dy) => {
      const step = Number(whole);
      if (pred.requiresGrad) backward(pred.ptr, target.ptr, dy, gradient(pred), n, step, scale);
      if (symmetric && target.requiresGrad)
        backward(target.ptr, pred.ptr, dy, gradient(target), n, step, scale);
    });
  };
}

function kernelOf(name: keyof Kernels): Kernel {
  return (...args) => (kernels[name] as Kernel)(...args);
}

function checkPair(op: string, pred: Tensor, target: Tensor, symmetric: boolean): void {
  expectTensor(op, pred).use(op);
  expectTensor(op, target).use(op);
  if (!sameShape(pred.shape, target.shape)) {
    throw new ShapeError(
      `${op}: prediction ${show(pred.shape)} and target ${show(target.shape)} differ in shape; reshape one of them`,
    );
  }
  if (!symmetric && recording([target])) {
    throw new GraphError(
      `${op}: the target requires a gradient, which this loss does not give; pass target.detach()`,
    );
  }
}

function checkProbabilities(op: string, what: string, x: Tensor): void {
  const at = kernels.firstOutside(x.ptr, x.size, 0, 1);
  if (at < 0) return;
  const fix = what === "prediction" ? "; use bceWithLogitsLoss for logits, or put a sigmoid in front" : "";
  throw new DomainError(`${op}: expected a ${what} within [0, 1], got ${x.data[at]} at element ${at}${fix}`);
}

function checkSigns(op: string, target: Tensor): void {
  const at = kernels.firstUnsigned(target.ptr, target.size);
  if (at < 0) return;
  throw new DomainError(
    `${op}: expected targets −1 or 1, got ${target.data[at]} at element ${at}; labels 0 and 1 become signs as 2 t − 1`,
  );
}

/** (p − t)². The gradient 2 (p − t) meets a linear output as a − y. */
export const mseLoss = elementwise("mseLoss", true);

/** |p − t|; the derivative is 0 at p = t. */
export const l1Loss = elementwise("l1Loss", true);

/** (log(1 + p) − log(1 + t))², both clipped to ≥ 1e-7 as in Keras. */
export const msleLoss = elementwise("msleLoss", false);

/** 100 |t − p| / max(|t|, 1e-7), as in Keras. */
export const mapeLoss = elementwise("mapeLoss", false);

/** max(0, 1 − t p) for targets −1 and 1; the derivative is 0 on the margin. */
export const hingeLoss = elementwise("hingeLoss", false, (_, target) => checkSigns("hingeLoss", target));

/** e^(−t p) for targets −1 and 1. */
export const exponentialLoss = elementwise("exponentialLoss", false, (_, target) =>
  checkSigns("exponentialLoss", target),
);

const plainBce = elementwise("bceLoss", false, (pred, target) => {
  checkProbabilities("bceLoss", "prediction", pred);
  checkProbabilities("bceLoss", "target", target);
});

const plainBceWithLogits = elementwise("bceWithLogitsLoss", false, (_, target) =>
  checkProbabilities("bceWithLogitsLoss", "target", target),
);

export interface WeightedLossOptions extends LossOptions {
  /** Factor of each value, broadcast to the shape of the prediction. "mean" still divides by the number of values. */
  weight?: Tensor | TensorData;
}

/**
 * −(t log p + (1 − t) log(1 − p)) of probabilities p, logarithms clamped to ≥ −100 as in PyTorch.
 * @throws DomainError if a prediction or a target lies outside [0, 1]
 */
export function bceLoss(pred: Tensor, target: Tensor, options?: WeightedLossOptions): Tensor {
  const defaults = { weight: undefined as Tensor | TensorData | undefined, reduction: "mean" as Reduction };
  const { weight, reduction } = withDefaults("bceLoss", defaults, options);
  if (weight === undefined) return plainBce(pred, target, { reduction });
  return composed(() =>
    weighted("bceLoss", plainBce(pred, target, { reduction: "none" }), weight, reduction),
  );
}

export interface BceWithLogitsOptions extends WeightedLossOptions {
  /** Factor of the positive part, one per column: posWeight t softplus(−x) + (1 − t) softplus(x). */
  posWeight?: Tensor | TensorData;
}

/**
 * Sigmoid and binary cross-entropy in one: max(x, 0) − x t + log(1 + e^−|x|) of logits x. The gradient is σ(x) − t.
 * @throws DomainError if a target lies outside [0, 1]
 */
export function bceWithLogitsLoss(logits: Tensor, target: Tensor, options?: BceWithLogitsOptions): Tensor {
  const op = "bceWithLogitsLoss";
  const none = undefined as Tensor | TensorData | undefined;
  const { weight, posWeight, reduction } = withDefaults(
    op,
    { weight: none, posWeight: none, reduction: "mean" as Reduction },
    options,
  );
  if (posWeight === undefined && weight === undefined) {
    return plainBceWithLogits(logits, target, { reduction });
  }
  return composed(() => {
    let values: Tensor;
    if (posWeight === undefined) values = plainBceWithLogits(logits, target, { reduction: "none" });
    else {
      checkPair(op, logits, target, false);
      checkProbabilities(op, "target", target);
      const factor = mul(fitting(op, "posWeight", posWeight, logits), target);
      values = add(mul(factor, softplus(neg(logits))), mul(sub(1, target), softplus(logits)));
    }
    return weight === undefined ? reduce(op, values, reduction) : weighted(op, values, weight, reduction);
  });
}

function weighted(op: string, values: Tensor, weight: Tensor | TensorData, reduction: Reduction): Tensor {
  return reduce(op, mul(values, fitting(op, "weight", weight, values)), reduction);
}

/** A weight that broadcasts to the shape of `values`. */
function fitting(op: string, name: string, weight: Tensor | TensorData, values: Tensor): Tensor {
  const w = toTensor(op, weight);
  if (!sameShape(broadcast(`${op}, ${name}`, w.shape, values.shape), values.shape)) {
    throw new ShapeError(`${op}: ${name} ${show(w.shape)} does not broadcast to ${show(values.shape)}`);
  }
  return w;
}
