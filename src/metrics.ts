// How good predictions are, as numbers: nothing here is differentiated.
import { noGrad } from "./autograd";
import { checkRange, pairedClasses, trueClasses } from "./classes";
import { OptionError, ShapeError, sameShape, show, text, withDefaults } from "./errors";
import type { ClassTargets } from "./ops/classTargets";
import { isColumnOf } from "./ops/elementwiseLoss";
import { scope } from "./scope";
import { readValue } from "./stateDict";
import { expectTensor, type Tensor, type TensorData } from "./tensor";

/**
 * What is predicted: scores of every class, an f32 tensor [batch, classes], [batch, classes, …] or [classes];
 * one score a sample of two classes, f32 [batch] or [batch, 1]; or classes as an i32 tensor, a typed array of integers
 * or (nested) integers.
 */
export type ClassPredictions = ClassTargets;

/** Runs `fn` without recording and frees what it made. */
function measuring<T>(fn: () => T): T {
  return scope(() => noGrad(fn));
}

/** The options of `accuracy`. */
export interface AccuracyOptions {
  /**
   * Where there is one score a sample: it is class 1 above this. 0 for logits, 0.5 for probabilities; no
   * default.
   */
  threshold?: number;
}

/**
 * Share of the targets that are predicted, from 0 to 1.
 * @param predicted scores, of which the first largest along the class axis is the prediction; one score a
 *   sample, which predicts class 1 above `threshold`; or classes of the targets' shape
 * @param targets classes; one-hot rows of the scores' shape; for one score a sample labels 0 and 1, i32
 *   or f32, [batch] or [batch, 1]. Scores [n] with n labels are n samples, with a single class they are one
 * @throws ShapeError without targets, DomainError for a target that is no class of the scores
 * @throws OptionError for one score a sample without a threshold, or a threshold without them
 */
export function accuracy(
  predicted: ClassPredictions,
  targets: ClassTargets,
  options?: AccuracyOptions,
): number {
  const op = "accuracy";
  const { threshold } = withDefaults(op, { threshold: undefined as number | undefined }, options);
  return measuring(() => {
    const { guesses, truths, classes } = pairedClasses(op, predicted, targets, threshold);
    if (classes !== undefined) checkRange(op, "target", truths, classes);
    const [guess, truth] = [guesses.data, truths.data];
    let right = 0;
    for (let i = 0; i < truth.length; i++) if (guess[i] === truth[i]) right++;
    return right / truth.length;
  });
}

/**
 * Share of the targets that are among the k classes of the largest scores. Of equal scores the first is the
 * larger, and NaN is larger than every number, as `argmax` has it: `topK` of 1 is `accuracy`.
 * @param logits scores [batch, classes] or [classes]
 * @param targets classes [batch] or [], or one-hot rows of the scores' shape
 * @throws ShapeError without targets, DomainError for a target that is no class
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
      throw new OptionError(
        `${op}: k is an integer from 1 to the number of classes, ${classes}, got ${text(k)}`,
      );
    }
    const target = trueClasses(op, targets, logits.shape.slice(0, -1), classes);
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

/** The options of `confusionMatrix`. */
export interface ConfusionMatrixOptions extends AccuracyOptions {
  /** Number of classes; default: that of the scores, or one more than the largest class. */
  classes?: number;
}

const confusionDefaults = {
  classes: undefined as number | undefined,
  threshold: undefined as number | undefined,
};

/**
 * How often each class is predicted as each: `matrix[truth][prediction]`, [classes][classes]. As in
 * scikit-learn, which takes the targets first.
 * @param predicted scores or classes, as `accuracy` takes them
 * @param targets classes, one-hot rows or labels, as `accuracy` takes them
 * @throws DomainError for a class beyond; otherwise as `accuracy`
 */
export function confusionMatrix(
  predicted: ClassPredictions,
  targets: ClassTargets,
  options?: ConfusionMatrixOptions,
): number[][] {
  const op = "confusionMatrix";
  const { threshold, classes: given } = withDefaults(op, confusionDefaults, options);
  return measuring(() => {
    const { guesses, truths, classes: known } = pairedClasses(op, predicted, targets, threshold);
    const [guess, truth] = [guesses.data, truths.data];
    const largest = () => [...guess, ...truth].reduce((a, b) => Math.max(a, b), 0);
    const classes = given ?? known ?? largest() + 1;
    if (!Number.isInteger(classes) || classes < 1) {
      throw new OptionError(`${op}: classes is an integer ≥ 1, got ${text(classes)}`);
    }
    checkRange(op, "prediction", guesses, classes);
    checkRange(op, "target", truths, classes);
    const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
    for (let i = 0; i < truth.length; i++) matrix[truth[i]!]![guess[i]!]!++;
    return matrix;
  });
}

/**
 * Coefficient of determination, 1 − Σ (target − pred)² / Σ (target − mean)²: 1 is perfect, 0 as good as the
 * mean. With several outputs the mean over them. A target that never changes gives 1 if it is met exactly,
 * else 0. As in scikit-learn, which takes the target first.
 * @param pred [rows] or [rows, ...]
 * @param target of the same shape, or [rows] against [rows, 1]; numbers of either dtype
 * @throws ShapeError for fewer than two rows, or shapes that differ
 */
export function r2Score(pred: Tensor | TensorData, target: Tensor | TensorData): number {
  const op = "r2Score";
  return measuring(() => {
    const [p, t] = [readValue(op, pred), readValue(op, target)];
    if (!sameShape(p.shape, t.shape) && !isColumnOf(p.shape, t.shape)) {
      throw new ShapeError(
        `${op}: expected a target ${show(p.shape)}, got ${show(t.shape)}; reshape one of them`,
      );
    }
    const rows = t.shape[0] ?? 1;
    const [guesses, truths] = [p.values(), t.values()];
    if (rows < 2 || truths.length === 0)
      throw new ShapeError(`${op}: expected at least two rows, got ${show(t.shape)}`);
    const outputs = truths.length / rows;
    let total = 0;
    for (let i = 0; i < outputs; i++) total += determination(guesses, truths, i, outputs);
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
