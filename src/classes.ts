// What metrics compare: predictions and targets in whatever form, as class indices of one shape.
import { nesting, tensor } from "./create";
import { DomainError, OptionError, ShapeError, sameShape, show } from "./errors";
import type { ClassTargets } from "./ops/classTargets";
import { asFloat, toIntegers, toTensor } from "./ops/operand";
import { argmax, sum } from "./ops/reductions";
import { placeIn } from "./recording";
import { type Shape, Tensor } from "./tensor";

/** Class indices (i32) of one shape, and how many classes there are if scores tell. */
interface Paired {
  guesses: Tensor;
  truths: Tensor;
  classes: number | undefined;
}

/**
 * Predictions and targets as classes.
 * @throws ShapeError unless there is a prediction for each target, and at least one
 */
export function pairedClasses(
  op: string,
  predicted: ClassTargets,
  targets: ClassTargets,
  threshold: number | undefined,
): Paired {
  const scores = predicted instanceof Tensor && predicted.dtype === "f32" ? predicted : undefined;
  const single = scores !== undefined && isSingle(scores.shape, targets);
  if (!single && threshold !== undefined) {
    throw new OptionError(`${op}: threshold is for one score a sample, [batch] or [batch, 1]`);
  }
  if (scores === undefined) {
    const guesses = asClasses(op, "predictions", predicted);
    return { guesses, truths: trueClasses(op, targets, guesses.shape, undefined), classes: undefined };
  }
  if (single) return pairedLabels(op, scores, targets, threshold);
  const axis = classAxis(scores.shape);
  const guesses = argmax(scores, { dim: axis });
  const classes = scores.shape[axis]!;
  return { guesses, truths: trueClasses(op, targets, guesses.shape, classes), classes };
}

/** Scores [batch, classes, …], or [classes] of a single sample. */
function classAxis(shape: Shape): number {
  return shape.length > 1 ? 1 : 0;
}

/**
 * Whether there is one score a sample: [batch, 1, …], or [batch] with more than a single class for target.
 */
function isSingle(shape: Shape, targets: ClassTargets): boolean {
  if (shape.length > 1) return shape[1] === 1;
  return shape.length === 1 && depth(targets) > 0;
}

/** How deep arrays nest; the number of dimensions of a tensor. */
function depth(x: ClassTargets | undefined): number {
  if (x instanceof Tensor) return x.shape.length;
  return x === undefined ? 0 : nesting(x, "").length;
}

/** One score a sample against labels 0 and 1 (i32 or f32), with or without the axis of size 1. */
function pairedLabels(
  op: string,
  scores: Tensor,
  targets: ClassTargets,
  threshold: number | undefined,
): Paired {
  if (typeof threshold !== "number" || Number.isNaN(threshold)) {
    throw new OptionError(
      `${op}: ${show(scores.shape)} is one score a sample: pass { threshold: 0 } for logits, { threshold: 0.5 } for ` +
        `probabilities, got ${String(threshold)}`,
    );
  }
  scores.use(op);
  const shape = scores.shape.length > 1 ? scores.shape.toSpliced(1, 1) : scores.shape;
  const labels = toTensor(op, targets);
  labels.use(op, labels.dtype);
  if (!sameShape(labels.shape, scores.shape)) checkShape(op, shape, labels.shape);
  checkSome(op, labels);
  const at = labels.data.findIndex((t) => t !== 0 && t !== 1);
  if (at >= 0) {
    throw new DomainError(
      `${op}: expected targets 0 and 1 for one score a sample, got ${labels.data[at]} at position ${placeIn(labels, at)}`,
    );
  }
  const indices = (values: Float32Array | Int32Array, label: (x: number) => number) =>
    tensor(Int32Array.from(values, label), { shape });
  const guesses = indices(scores.data, (x) => Number(x > threshold));
  return { guesses, truths: indices(labels.data, (t) => t), classes: 2 };
}

/**
 * Targets as classes of the given shape: they are classes, or one-hot rows.
 * @param classes how many there are, undefined if nothing but one-hot rows tells
 */
export function trueClasses(
  op: string,
  targets: ClassTargets,
  shape: Shape,
  classes: number | undefined,
): Tensor {
  const truths =
    depth(targets) > shape.length
      ? oneHotClasses(op, targets, shape, classes)
      : asClasses(op, "targets", targets);
  checkShape(op, shape, truths.shape);
  checkSome(op, truths);
  return truths;
}

function asClasses(op: string, what: string, given: ClassTargets): Tensor {
  const index = toIntegers(op, given);
  index.use(op, "i32", `${what} are`);
  return index;
}

/** Rows of a 1 and zeros [batch, classes, …] as the positions of the 1. */
function oneHotClasses(op: string, targets: ClassTargets, shape: Shape, classes: number | undefined): Tensor {
  const rows = asFloat(op, toTensor(op, targets));
  const axis = Math.min(1, shape.length);
  const wanted = shape.toSpliced(axis, 0, classes ?? rows.shape[axis]!);
  if (!sameShape(rows.shape, wanted)) {
    throw new ShapeError(
      `${op}: expected targets ${show(shape)} or one-hot rows ${show(wanted)}, got ${show(rows.shape)}`,
    );
  }
  const at = rows.data.findIndex((t) => t !== 0 && t !== 1);
  const ones = sum(rows, { dim: axis }).data;
  const row = ones.findIndex((count) => count !== 1);
  if (at >= 0 || row >= 0) {
    const got =
      at >= 0 ? `${rows.data[at]} at element ${placeIn(rows, at)}` : `${ones[row]} ones at position ${row}`;
    throw new DomainError(`${op}: one-hot targets are a single 1 and zeros in each row, got ${got}`);
  }
  return argmax(rows, { dim: axis });
}

/** @throws ShapeError unless targets have the shape of the predictions */
function checkShape(op: string, wanted: Shape, got: Shape): void {
  if (!sameShape(wanted, got))
    throw new ShapeError(`${op}: expected targets ${show(wanted)}, got ${show(got)}`);
}

/** @throws ShapeError without targets */
function checkSome(op: string, targets: Tensor): void {
  if (targets.size > 0) return;
  throw new ShapeError(`${op}: expected at least one target, got ${show(targets.shape)}`);
}

/** @throws DomainError for an index that is no class */
export function checkRange(op: string, what: string, index: Tensor, classes: number): void {
  const at = index.data.findIndex((i) => i < 0 || i >= classes);
  if (at < 0) return;
  throw new DomainError(
    `${op}: expected classes 0 … ${classes - 1}, got ${what} ${index.data[at]} at position ${placeIn(index, at)}`,
  );
}
