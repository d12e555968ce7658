// What losses of classes take: scores as rows of classes, and classes or distributions as targets.
import { filledWith, read } from "../create";
import { ShapeError, sameShape, show } from "../errors";
import { expectTensor, type Shape, sizeOf, Tensor, type TensorData } from "../tensor";
import type { Reduction } from "./elementwiseLoss";
import { reshape, transpose } from "./layout";
import { isData, toTensor } from "./operand";

/**
 * Classes as an i32 tensor, a typed array of integers or (nested) integers; or distributions as a tensor or nested
 * numbers.
 */
export type ClassTargets = Tensor | TensorData;

/** Scores seen as rows of classes: the class axis is 1, or 0 where there is only one. */
export interface Rows {
  x: Tensor;
  rows: number;
  classes: number;
  /** The shape of class targets and of unreduced losses. */
  shape: Shape;
}

export function asRows(op: string, scores: Tensor): Rows {
  expectTensor(op, scores).use(op);
  const { shape: sizes } = scores;
  const [batch, classes] = [sizes[0], sizes[Math.min(1, sizes.length - 1)]];
  if (batch === undefined || classes === undefined || classes === 0) {
    throw new ShapeError(
      `${op}: expected [classes], [batch, classes] or [batch, classes, …], got ${show(sizes)}`,
    );
  }
  if (sizes.length === 1) return { x: scores, rows: 1, classes, shape: [] };
  if (sizes.length === 2) return { x: scores, rows: batch, classes, shape: [batch] };
  const rest = sizes.slice(2);
  const shape = [batch, ...rest];
  return {
    x: transpose(reshape(scores, [batch, classes, sizeOf(rest)])),
    rows: sizeOf(shape),
    classes,
    shape,
  };
}

/**
 * The targets as a tensor. Nested numbers are distributions (f32) if they nest as deep as the scores, else classes (i32), as
 * typed arrays of integers are.
 */
export function asTarget(op: string, target: ClassTargets, scores: Tensor): Tensor {
  if (!isData(target)) return expectTensor(op, target);
  const data = read(op, target);
  const classes = data.shape.length < scores.shape.length && data.kind !== "floats";
  return filledWith(op, data, classes ? "i32" : "f32");
}

/** @throws DTypeError or ShapeError unless `t` has a class index for each row */
export function checkClasses(op: string, t: Tensor, shape: Shape): void {
  t.use(op, "i32", "class targets are");
  if (sameShape(t.shape, shape)) return;
  throw new ShapeError(
    `${op}: expected class targets ${show(shape)}, got ${show(t.shape)}` +
      (sizeOf(shape) === t.size ? `; reshape them to ${show(shape)}` : ""),
  );
}

export function asClassWeight(
  op: string,
  weight: Tensor | TensorData | undefined,
  classes: number,
): Tensor | undefined {
  if (weight === undefined) return undefined;
  const w = toTensor(op, weight);
  w.use(op);
  if (sameShape(w.shape, [classes])) return w;
  throw new ShapeError(`${op}: expected one weight for each of the ${classes} classes, got ${show(w.shape)}`);
}

/** The tensor for a loss with one value per row. */
export function lossOf(shape: Shape, reduction: Reduction): Tensor {
  return new Tensor(reduction === "none" ? shape : []);
}
