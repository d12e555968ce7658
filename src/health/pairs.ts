// Which losses fit which output layers.
import { show } from "../errors";
import { sizeOf } from "../tensor";
import { isActivation, type Stage, type Trace } from "./trace";

/** Ops that hand values on in another form, or not at all. */
const LAYOUT = new Set(["reshape", "transpose", "slice", "clone", "identity", "dropout"]);

/** Losses of scores that may be any number: their own sigmoid, softmax or margin is inside. */
const SCORES = new Set(
  `crossEntropyLoss bceWithLogitsLoss focalLoss hingeLoss squaredHingeLoss exponentialLoss softMarginLoss
   multiMarginLoss`.split(/\s+/),
);

/** Losses of the difference between prediction and target; `sub` in those that are written op by op. */
const DIFFERENCES = new Set(["mseLoss", "l1Loss", "smoothL1Loss", "huberLoss", "logCoshLoss", "sub"]);

const LOG_PROBABILITIES = new Set(["nllLoss", "klDivLoss"]);

const SQUASHED = new Set(["sigmoid", "hardsigmoid", "softmax"]);
const POSITIVE = new Set(["relu", "relu6", "softplus"]);

/** Whether the loss is one of differences, as in a regression. */
export function isDifference(loss: Stage | undefined): boolean {
  return loss !== undefined && DIFFERENCES.has(loss.op);
}

/** The loss, and the stage whose values it takes. */
export interface Pair {
  loss: Stage | undefined;
  prediction: Stage | undefined;
}

/**
 * The last op that is a loss, among the stages of the trace or of another pass through the loss. In a loss that is
 * written op by op it is the subtraction, if nothing else takes the prediction: what takes its logarithm is none of
 * differences.
 */
export function pairOf({ output, stages: own }: Trace, stages: readonly Stage[] = own): Pair {
  const loss = stages.findLast(({ op }) => op.endsWith("Loss"));
  const given = output && behind(output);
  if (loss !== undefined) return { loss, prediction: (loss.inputs[0] && behind(loss.inputs[0])) ?? given };
  const takers = stages.filter(({ op, inputs }) =>
    stages === own ? !LAYOUT.has(op) && inputs.some((x) => behind(x) === given) : inputs.length === 0,
  );
  const isOne = given !== undefined && takers.length > 0 && takers.every(({ op }) => op === "sub");
  return { loss: isOne ? takers[0] : undefined, prediction: given };
}

/** The stage whose values a stage hands on. */
function behind(stage: Stage): Stage {
  const [from] = stage.inputs;
  return LAYOUT.has(stage.op) && from !== undefined ? behind(from) : stage;
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
  if (op === "sub" && loss.inputs.length === 1 && sizeOf(loss.shape) > sizeOf(prediction.shape)) {
    const shapes = `${show(prediction.shape)} minus the targets is ${show(loss.shape)}`;
    return `${shapes}: each prediction meets each target by broadcasting; reshape the targets to ${show(prediction.shape)}`;
  }
  if (DIFFERENCES.has(op) && SQUASHED.has(last)) {
    const instead = last === "softmax" ? "crossEntropyLoss" : "bceWithLogitsLoss";
    const which = op === "sub" ? "a difference" : op;
    return (
      `the gradient of ${which} after ${last} has the derivative of ${last} in it, which is near 0 where the network is ` +
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
  return op === "linear" || op === "matmul" || op === "logSoftmax" || isActivation(op);
}

/** Between which bounds output layers give their values. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  sigmoid: [0, 1],
  hardsigmoid: [0, 1],
  softmax: [0, 1],
  tanh: [-1, 1],
  hardtanh: [-1, 1],
  softsign: [-1, 1],
  relu: [0, Infinity],
  relu6: [0, 6],
  softplus: [0, Infinity],
  logSigmoid: [-Infinity, 0],
};

/** What the prediction is made by, and between which bounds it is for that. */
export function rangeOf({
  activation,
  op,
}: Stage): [by: string, range: readonly [number, number] | undefined] {
  const by = activation ?? op;
  return [by, RANGES[by]];
}
