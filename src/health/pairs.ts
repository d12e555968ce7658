// Which losses fit which output layers.
import { ACTIVATIONS, type Stage } from "./trace";

/** Ops that hand values on in another form, or not at all. */
const LAYOUT = new Set(["reshape", "transpose", "slice", "clone", "identity", "dropout"]);

/** Losses of scores that may be any number: their own sigmoid, softmax or margin is inside. */
const SCORES = new Set(
  `crossEntropyLoss bceWithLogitsLoss focalLoss hingeLoss squaredHingeLoss exponentialLoss softMarginLoss
   multiMarginLoss`.split(/\s+/),
);

/** Losses of the difference between prediction and target. */
const DIFFERENCES = new Set(["mseLoss", "l1Loss", "smoothL1Loss", "huberLoss", "logCoshLoss"]);

const LOG_PROBABILITIES = new Set(["nllLoss", "klDivLoss"]);

const SQUASHED = new Set(["sigmoid", "hardsigmoid", "softmax"]);
const POSITIVE = new Set(["relu", "relu6", "softplus"]);

/** Whether the loss is one of differences, as in a regression. */
export function isDifference(loss: Stage | undefined): boolean {
  return loss !== undefined && DIFFERENCES.has(loss.op);
}

/** The loss among the stages: the last op of that name. */
export function lossAmong(stages: readonly Stage[]): Stage | undefined {
  return stages.findLast(({ op }) => op.endsWith("Loss"));
}

/** The stage whose values the loss takes. */
export function predictionOf(loss: Stage | undefined): Stage | undefined {
  let stage = loss?.inputs[0];
  while (stage !== undefined && LAYOUT.has(stage.op) && stage.inputs.length > 0) stage = stage.inputs[0];
  return stage;
}

/** What is wrong with a loss after the op whose values it takes, and what to do; undefined if they fit. */
export function mismatch(loss: Stage, prediction: Stage): string | undefined {
  const { op } = loss;
  const last = prediction.activation ?? prediction.op;
  if (SCORES.has(op)) return scoresMismatch(op, last, prediction);
  if (op === "bceLoss" && isRaw(last) && !SQUASHED.has(last)) {
    return `bceLoss takes probabilities, but ${last} gives any number; use bceWithLogitsLoss on the scores instead`;
  }
  if (LOG_PROBABILITIES.has(op) && (SQUASHED.has(last) || (isRaw(last) && !last.startsWith("log")))) {
    const instead = op === "nllLoss" ? ", or use crossEntropyLoss on the scores" : "";
    return `${op} takes log-probabilities, which ${last} does not give; put logSoftmax in front${instead}`;
  }
  if (DIFFERENCES.has(op) && SQUASHED.has(last)) {
    const instead = last === "softmax" ? "crossEntropyLoss" : "bceWithLogitsLoss";
    return (
      `the gradient of ${op} after ${last} has the derivative of ${last} in it, which is near 0 where the network is ` +
      `certainly wrong; drop the ${last} and use ${instead}, or for a regression nothing instead of the ${last}`
    );
  }
  return undefined;
}

function scoresMismatch(op: string, last: string, { shape }: Stage): string | undefined {
  if (SQUASHED.has(last) || (last === "logSoftmax" && op !== "crossEntropyLoss")) {
    return `${op} takes scores, and ${last} squeezes them beforehand; drop the ${last}`;
  }
  if (POSITIVE.has(last)) {
    return `${op} takes scores of either sign, and none is below 0 after ${last}; drop the ${last}`;
  }
  if (op === "crossEntropyLoss" && shape.length > 1 && shape[1] === 1) {
    return "crossEntropyLoss over a single class is always 0; use bceWithLogitsLoss, or an output for each class";
  }
  return undefined;
}

/** Whether an op gives numbers that nothing keeps within [0, 1]. */
function isRaw(op: string): boolean {
  return op === "linear" || op === "matmul" || op === "logSoftmax" || ACTIVATIONS.has(op);
}
