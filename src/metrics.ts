// How good predictions are, as numbers: nothing here is differentiated.
import { noGrad } from "./autograd";
import { tensor } from "./create";
import { DomainError, DTypeError, OptionError, ShapeError, sameShape, show, withDefaults } from "./errors";
import type { ClassTargets } from "./ops/crossEntropy";
import { toTensor } from "./ops/operand";
import { argmax } from "./ops/reductions";
import { scope } from "./scope";
import { expectTensor, type Nested, Tensor, type TensorData } from "./tensor";

/** Classes as an i32 tensor, an Int32Array or (nested) integers; or as an f32 tensor of scores of every class. */
export type ClassPredictions = ClassTargets;

/** Class indices, and how many classes there are if scores tell. */
interface Classes {
  index: Tensor;
  classes: number | undefined;
}

/** Runs `fn` without recording and frees what it made. */
function measuring<T>(fn: () => T): T {
  return scope(() => noGrad(fn));
}

function asClasses(op: string, what: string, given: ClassTargets): Tensor {
  const index =
    typeof given === "number" || Array.isArray(given)
      ? tensor(given as Nested, { dtype: "i32" })
      : toTensor(op, given as Tensor | Int32Array);
  if (index.dtype !== "i32") {
    throw new DTypeError(
      `${op}: ${what} are classes (i32), got f32 ${show(index.shape)}; make them by tensor(labels, { dtype: "i32" })`,
    );
  }
  index.use(op, "i32");
  return index;
}

/** Scores [batch, classes, ...] or [classes] to the class of the largest; classes as they are. */
function predictedClasses(op: string, predicted: ClassPredictions): Classes {
  if (!(predicted instanceof Tensor) || predicted.dtype === "i32") {
    return { index: asClasses(op, "predictions", predicted), classes: undefined };
  }
  const dim = predicted.shape.length > 1 ? 1 : 0;
  return { index: argmax(predicted, { dim }), classes: predicted.shape[dim] };
}

/** @throws ShapeError unless there is a prediction for each target, and at least one */
function checkPairs(op: string, predicted: readonly number[], target: Tensor): void {
  if (!sameShape(predicted, target.shape)) {
    throw new ShapeError(`${op}: expected targets ${show(predicted)}, got ${show(target.shape)}`);
  }
  if (target.size === 0)
    throw new ShapeError(`${op}: expected at least one target, got ${show(target.shape)}`);
}

/** @throws DomainError for an index that is no class */
function checkRange(op: string, what: string, index: Tensor, classes: number): void {
  const at = index.data.findIndex((i) => i < 0 || i >= classes);
  if (at < 0) return;
  throw new DomainError(
    `${op}: expected classes 0 … ${classes - 1}, got ${what} ${index.data[at]} at position ${at}`,
  );
}

/**
 * Share of the targets that are predicted, from 0 to 1.
 * @param predicted scores (f32) [batch, classes], [batch, classes, …] or [classes], of which the first largest is the
 *   prediction; or classes of the targets' shape
 * @param targets classes
 * @throws ShapeError without targets, DomainError for a target that is no class of the scores
 */
export function accuracy(predicted: ClassPredictions, targets: ClassTargets): number {
  const op = "accuracy";
  return measuring(() => {
    const { index, classes } = predictedClasses(op, predicted);
    const target = asClasses(op, "targets", targets);
    checkPairs(op, index.shape, target);
    if (classes !== undefined) checkRange(op, "target", target, classes);
    const [guesses, truths] = [index.data, target.data];
    let right = 0;
    for (let i = 0; i < truths.length; i++) if (guesses[i] === truths[i]) right++;
    return right / truths.length;
  });
}

/**
 * Share of the targets that are among the k classes of the largest scores. Of equal scores the first is the larger, and
 * NaN is larger than every number, as `argmax` has it: `topK` of 1 is `accuracy`.
 * @param logits scores [batch, classes] or [classes]
 * @param targets classes [batch] or []
 * @throws OptionError unless k is an integer from 1 to the number of classes
 */
export function topK(logits: Tensor, targets: ClassTargets, k: number): number {
  const op = "topK";
  return measuring(() => {
    expectTensor(op, logits).use(op);
    const classes = logits.shape.at(-1);
    if (classes === undefined || logits.shape.length > 2) {
      throw new ShapeError(`${op}: expected scores [batch, classes] or [classes], got ${show(logits.shape)}`);
    }
    if (!Number.isInteger(k) || k < 1 || k > classes) {
      throw new OptionError(`${op}: k is an integer from 1 to the number of classes, ${classes}, got ${k}`);
    }
    const target = asClasses(op, "targets", targets);
    checkPairs(op, logits.shape.slice(0, -1), target);
    checkRange(op, "target", target, classes);
    const [scores, truths] = [logits.data, target.data];
    let right = 0;
    for (let row = 0; row < truths.length; row++) {
      if (rank(scores.subarray(row * classes, (row + 1) * classes), truths[row]!) < k) right++;
    }
    return right / truths.length;
  });
}

/** How many scores come before the one at `index`. */
function rank(scores: ArrayLike<number>, index: number): number {
  const own = order(scores[index]!);
  let before = 0;
  for (let i = 0; i < scores.length; i++) {
    const other = order(scores[i]!);
    if (other > own || (i < index && other === own)) before++;
  }
  return before;
}

/** A number that compares as `argmax` does. */
function order(score: number): number {
  return Number.isNaN(score) ? Infinity : Math.min(score, Number.MAX_VALUE);
}

/**
 * How often each class is predicted as each: `matrix[truth][prediction]`.
 * @param predicted scores or classes, as `accuracy` takes them
 * @param options.classes number of classes; default: that of the scores, or one more than the largest class
 * @throws DomainError for a class beyond
 */
export function confusionMatrix(
  predicted: ClassPredictions,
  targets: ClassTargets,
  options?: { classes?: number },
): number[][] {
  const op = "confusionMatrix";
  const given = withDefaults(op, { classes: undefined as number | undefined }, options).classes;
  return measuring(() => {
    const { index, classes: scored } = predictedClasses(op, predicted);
    const target = asClasses(op, "targets", targets);
    checkPairs(op, index.shape, target);
    const [guesses, truths] = [index.data, target.data];
    const largest = () => [...guesses, ...truths].reduce((a, b) => Math.max(a, b), 0);
    const classes = given ?? scored ?? largest() + 1;
    if (!Number.isInteger(classes) || classes < 1) {
      throw new OptionError(`${op}: classes is an integer ≥ 1, got ${classes}`);
    }
    checkRange(op, "prediction", index, classes);
    checkRange(op, "target", target, classes);
    const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
    for (let i = 0; i < truths.length; i++) matrix[truths[i]!]![guesses[i]!]!++;
    return matrix;
  });
}

/**
 * Coefficient of determination, 1 − Σ (target − pred)² / Σ (target − mean)²: 1 is perfect, 0 as good as the mean. With
 * several outputs the mean over them. A target that never changes gives 1 if it is met exactly, else 0 (scikit-learn).
 * @param pred [rows] or [rows, ...]
 * @param target of the same shape
 * @throws ShapeError for fewer than two rows
 */
export function r2Score(pred: Tensor | TensorData, target: Tensor | TensorData): number {
  const op = "r2Score";
  return measuring(() => {
    const [p, t] = [toTensor(op, pred), toTensor(op, target)];
    p.use(op);
    t.use(op);
    if (!sameShape(p.shape, t.shape)) {
      throw new ShapeError(`${op}: expected a target ${show(p.shape)}, got ${show(t.shape)}`);
    }
    const rows = t.shape[0] ?? 1;
    if (rows < 2 || t.size === 0)
      throw new ShapeError(`${op}: expected at least two rows, got ${show(t.shape)}`);
    const outputs = t.size / rows;
    let total = 0;
    for (let i = 0; i < outputs; i++) total += determination(p.data, t.data, i, outputs);
    return total / outputs;
  });
}

/** Of the column that starts at `first`. */
function determination(
  pred: ArrayLike<number>,
  target: ArrayLike<number>,
  first: number,
  step: number,
): number {
  let mean = 0;
  for (let i = first; i < target.length; i += step) mean += target[i]!;
  mean /= target.length / step;
  let [residual, spread] = [0, 0];
  for (let i = first; i < target.length; i += step) {
    residual += (target[i]! - pred[i]!) ** 2;
    spread += (target[i]! - mean) ** 2;
  }
  if (spread === 0 && !Number.isNaN(residual)) return residual === 0 ? 1 : 0;
  return 1 - residual / spread;
}
