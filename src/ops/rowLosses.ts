import { gradient, record } from "../autograd";
import { DomainError, OptionError, ShapeError, sameShape, show, withDefaults } from "../errors";
import { Buffer } from "../memory";
import { expectNone } from "../recording";
import { expectTensor, sizeOf, type Tensor, type TensorData } from "../tensor";
import { kernels } from "../wasm";
import { asClassWeight, asRows, asTarget, type ClassTargets, checkClasses, lossOf } from "./classTargets";
import { composed } from "./composed";
import { recordRows } from "./crossEntropy";
import {
  checkConstant,
  checkPair,
  checkReduction,
  checkSigns,
  checkWithin,
  fitted,
  isColumnOf,
  type LossOptions,
  type Reduction,
} from "./elementwiseLoss";
import { asFloat } from "./operand";

/** The options of `multiMarginLoss`. */
export interface MultiMarginOptions extends LossOptions {
  /** Exponent of the parts, 1 or 2; default 1. */
  p?: number;
  /** Default 1. */
  margin?: number;
  /** Factor of each class as a target, [classes]. "mean" still divides by the number of rows. */
  weight?: Tensor | TensorData;
}

const multiMarginDefaults = {
  p: 1,
  margin: 1,
  weight: undefined as Tensor | TensorData | undefined,
  reduction: "mean" as Reduction,
};

/**
 * weight[t] / C · Σ max(0, margin − x[t] + x[i])^p over the C classes i other than the target t; the
 * derivative is 0 on the margin. The class axis is 1. The loss has one value per row. As in PyTorch. Crammer
 * and Singer 2001 take the largest term instead of the sum.
 * @param scores [batch, classes], [classes] or, beyond PyTorch, [batch, classes, …]
 * @param target class indices (i32) of the shape without the class axis
 * @throws ShapeError, DTypeError for targets of another shape or dtype, DomainError for an index that is no
 *   class
 * @throws OptionError if p is neither 1 nor 2
 */
export function multiMarginLoss(scores: Tensor, target: ClassTargets, options?: MultiMarginOptions): Tensor {
  const op = "multiMarginLoss";
  const { p, margin, weight, reduction } = withDefaults(op, multiMarginDefaults, options);
  checkReduction(op, reduction);
  if (p !== 1 && p !== 2) throw new OptionError(`${op}: p is 1 or 2, got ${p}`);
  return composed(() => {
    const rows = asRows(op, scores);
    const { x, rows: n, classes } = rows;
    const w = asClassWeight(op, weight, classes);
    const t = asTarget(op, target, scores);
    checkClasses(op, t, rows.shape);
    expectNone(
      "firstNoClass",
      t,
      [n, classes],
      (at, value) =>
        new DomainError(`${op}: expected classes 0 … ${classes - 1}, got ${value} at position ${at}`),
    );
    const y = lossOf(rows.shape, reduction);
    const saved = new Buffer(n * classes);
    const sizes = [n, classes, Number(reduction === "none"), reduction === "mean" ? 1 / n : 1] as const;
    kernels.multiMarginLossForward(
      x.ptr,
      t.ptr,
      w?.ptr ?? 0,
      saved.ptr,
      y.ptr,
      ...sizes,
      margin,
      Number(p === 2),
    );
    return recordRows(op, rows, y, saved, reduction);
  });
}

/**
 * max(0, 1 + max_i (1 − t_i) p_i − Σ t_i p_i) over the last dimension, t one-hot, as in Keras; the derivative
 * is 0 on the margin, and the first of equal maxima has it. pred and target are [..., classes] of one shape;
 * the loss has one value per row, [...]. PyTorch has none; `multiMarginLoss` is near it.
 * @throws ShapeError if the shapes differ, GraphError if the target requires a gradient
 * @throws DomainError if a target lies outside [0, 1]
 */
export function categoricalHingeLoss(pred: Tensor, target: Tensor, options?: LossOptions): Tensor {
  const op = "categoricalHingeLoss";
  const { reduction } = withDefaults(op, { reduction: "mean" as Reduction }, options);
  checkReduction(op, reduction);
  if (!checkPair(op, pred, target, false)) {
    return fitted(op, pred, target, (t) => categoricalHingeLoss(pred, t, options));
  }
  const { shape, cols } = rowsOf(op, pred);
  checkWithin(op, "target", target, [0, 1]);
  const rows = { x: pred, rows: sizeOf(shape), classes: cols, shape };
  const y = lossOf(shape, reduction);
  const saved = new Buffer(pred.size);
  const sizes = [
    rows.rows,
    cols,
    Number(reduction === "none"),
    reduction === "mean" ? 1 / rows.rows : 1,
  ] as const;
  kernels.categoricalHingeLossForward(pred.ptr, target.ptr, saved.ptr, y.ptr, ...sizes);
  return recordRows(op, rows, y, saved, reduction);
}

/** The shape before the last dimension, and the size of that. */
function rowsOf(op: string, x: Tensor): { shape: number[]; cols: number } {
  const cols = x.shape.at(-1);
  if (cols === undefined)
    throw new ShapeError(`${op}: expected rows [features] or [batch, features], got a number`);
  return { shape: x.shape.slice(0, -1), cols };
}

/** The options of `cosineEmbeddingLoss`. */
export interface CosineEmbeddingOptions extends LossOptions {
  /** Cosine from which on rows that are to differ count; PyTorch suggests 0 to 0.5. Default 0. */
  margin?: number;
}

/**
 * For pairs of rows with the cosine c: 1 − c where the target is 1, max(0, c − margin) where it is −1, with c
 * = a·b / √((a·a + 1e-12)(b·b + 1e-12)), as in PyTorch. Both rows get their gradient; it is 0 on the margin.
 * Keras' CosineSimilarity is −c, without a target of that kind.
 * @param a [batch, features] or [features]
 * @param b of the shape of `a`
 * @param target −1 and 1, of the shape without the last dimension
 * @throws ShapeError if the shapes do not fit, DomainError for another target
 */
export function cosineEmbeddingLoss(
  a: Tensor,
  b: Tensor,
  target: Tensor,
  options?: CosineEmbeddingOptions,
): Tensor {
  const op = "cosineEmbeddingLoss";
  const { margin, reduction } = withDefaults(op, { margin: 0, reduction: "mean" as Reduction }, options);
  checkReduction(op, reduction);
  checkPairOfRows(op, a, b);
  const { shape, cols } = rowsOf(op, a);
  expectTensor(op, target).use(op, target.dtype);
  if (!sameShape(target.shape, shape) && !isColumnOf(target.shape, shape)) {
    throw new ShapeError(
      `${op}: expected targets ${show(shape)}, one for each row, got ${show(target.shape)}`,
    );
  }
  checkConstant(op, "target", target);
  return composed(() => {
    const t = asFloat(op, target);
    checkSigns(op, t);
    const n = sizeOf(shape);
    const rest = [n, cols, Number(reduction === "none"), reduction === "mean" ? 1 / n : 1, margin] as const;
    const y = lossOf(shape, reduction);
    kernels.cosineEmbeddingLossForward(a.ptr, b.ptr, t.ptr, y.ptr, ...rest);
    const [forA, forB] = [a.requiresGrad, b.requiresGrad];
    return record(op, y, [a, b], [a, b, t], (dy) => {
      if (forA && a.requiresGrad) {
        kernels.cosineEmbeddingLossBackward(a.ptr, b.ptr, t.ptr, dy, gradient(a), ...rest);
      }
      if (forB && b.requiresGrad) {
        kernels.cosineEmbeddingLossBackward(b.ptr, a.ptr, t.ptr, dy, gradient(b), ...rest);
      }
    });
  });
}

function checkPairOfRows(op: string, a: Tensor, b: Tensor): void {
  expectTensor(op, a).use(op);
  expectTensor(op, b).use(op);
  if (sameShape(a.shape, b.shape)) return;
  throw new ShapeError(`${op}: the shapes ${show(a.shape)} and ${show(b.shape)} of the two inputs differ`);
}
