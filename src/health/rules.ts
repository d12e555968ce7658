// From what a trace has measured to findings. Each threshold has its reason.
import { noGrad } from "../autograd";
import { tensor as tensorOf } from "../create";
import { sub } from "../ops/arithmetic";
import { scope } from "../scope";
import { type Batch, dataFindings, ROWS, rowsOf, valuesOf, varies } from "./data";
import { initFindings } from "./initRules";
import { nonFinite } from "./nonFinite";
import { isDifference, mismatch, pairOf } from "./pairs";
import { type Finding, type FindingCode, FLAG, findingAt, isRelu, percent, short, weightOf } from "./report";
import { statistics } from "./statistics";
import { BOUNDS, type Stage, type Trace, type Weight } from "./trace";

/**
 * Norm of the gradient at the first layer as a share of that at the last. Glorot and Bengio 2010 want 1; two hidden
 * layers of sigmoids, whose derivative is at most 1/4, keep 1/30, and with less than this the first layers rest.
 */
const VANISHING = 1e-3;
/** The same, when it grows. */
const EXPLODING = 1e3;
/** ‖Δw‖ / ‖w‖: a step that changes a weight by more than all of itself. About 1e-3 is usual (Karpathy, CS231n). */
const UPDATE = 1;
/**
 * Share of the ReLUs of a layer that never fire: half of it is not there. Where the inputs hardly vary each of n is silent
 * by chance, which deviates by 1 / 2√n: there have to be two of these more. CS231n has seen 40 % at high rates.
 */
const DEAD = 0.5;
/**
 * Share of a layer's values on the flat part: beyond this less than half of the gradient's norm, √(1 − 3/4), comes
 * through. Of tanh with its gain of 5/3 it is 17 % at the start, and up to 64 % in good classifiers.
 */
const SATURATED = 0.75;
/** The same of hardtanh, flat where a third of all normal numbers are: in good classifiers it is up to 84 %. */
const SATURATED_HARDTANH = 0.9;
/**
 * How many of its standard deviations a unit's mean is off 0, as a root mean square over the units. Half of all normal
 * numbers are beyond 0.674 deviations: if these are beyond 3, half of the units have the same sign in 99.9 % of the rows,
 * and bend nothing. ReLUs as He et al. start them come to 2.4 in the tenth layer and to this in the 22nd (Cho and Saul 2009).
 */
const SHIFT = 3 / 0.674;
/**
 * The same in front of activations that are nearly straight in the middle, where it only slows learning (LeCun et al.
 * 1998). Sigmoids of inputs with deviation s, 1/2 ± s/4, give the next layer 2/s, that gives 8/s, and that 32/s.
 */
const SHIFT_STRAIGHT = 20;
/** Standard deviation of the outputs over the batch, as a share of their root mean square. */
const CONSTANT = 1e-3;

/** Codes from the worst: what has to be mended first, since others may follow from it. */
const SEVERITY: readonly FindingCode[] = [
  "non-finite",
  "labels-out-of-range",
  "loss-mismatch",
  "constant-output",
  "exploding-gradient",
  "dead-relu",
  "saturated",
  "vanishing-gradient",
  "bad-init",
  "not-normalised",
  "bias-shift",
];

/** Worst first; of one code those that are farthest beyond their thresholds. */
export function sorted(findings: readonly Finding[]): Finding[] {
  const excess = ({ value, threshold }: Finding) => Math.abs(Math.log((value + 1e-30) / (threshold + 1e-30)));
  return findings.toSorted(
    (a, b) => SEVERITY.indexOf(a.code) - SEVERITY.indexOf(b.code) || excess(b) - excess(a),
  );
}

/**
 * What is wrong, worst first. After a number that is not finite nothing else is to be measured.
 * @param lr judges the size of a step; default: that of the step taken, for which the trace has to keep the parameters
 */
export function findingsOf(trace: Trace, batch: Batch, lr?: number): Finding[] {
  const mismatches = pairFindings(trace);
  const broken = nonFinite(trace, batch);
  if (broken !== undefined) return [broken, ...mismatches];
  return sorted([
    ...mismatches,
    ...dataFindings(trace, batch),
    ...initFindings(trace),
    ...flowFindings(trace),
    ...stepFindings(trace, lr),
    ...hiddenFindings(trace),
    ...constantOutput(trace, batch),
  ]);
}

/** What is wrong between the loss, in another pass through it if its stages are given, and what is in front of it. */
export function pairFindings(trace: Trace, stages?: readonly Stage[]): Finding[] {
  const { loss, prediction } = pairOf(trace, stages);
  if (loss === undefined || prediction === undefined) return [];
  const advice = mismatch(loss, prediction);
  return advice === undefined ? [] : [findingAt(prediction, "loss-mismatch", FLAG, advice)];
}

/** The layers with weights that a gradient has come to. */
function trained({ layers }: Trace): Stage[] {
  return layers.filter((stage) => weightOf(stage) !== undefined && stage.gradient !== undefined);
}

/** Gradients that shrink or grow on their way to the first layers. */
function flowFindings(trace: Trace): Finding[] {
  const stages = trained(trace);
  const last = stages.at(-1)?.gradient?.norm ?? 0;
  if (last === 0) return [];
  const ratios = stages
    .map((stage) => ({ stage, ratio: stage.gradient!.norm / last }))
    .toSorted((a, b) => a.ratio - b.ratio);
  const [least, most] = [ratios[0]!, ratios.at(-1)!];
  const found: Finding[] = [];
  const add = (
    code: FindingCode,
    { stage, ratio }: (typeof ratios)[number],
    threshold: number,
    remedy: string,
  ) => {
    const advice = `the gradient is ${short(ratio)} times that of the last layer; ${remedy}`;
    found.push(findingAt(stage, code, [ratio, threshold], advice));
  };
  const relu = "use relu with kaimingNormal, put BatchNorm1d between the layers, or take fewer of them";
  const smaller =
    "start with smaller weights (kaimingNormal with relu, xavierNormal else), or clip by clipGradNorm";
  if (least.ratio < VANISHING) add("vanishing-gradient", least, VANISHING, relu);
  if (most.ratio > EXPLODING) add("exploding-gradient", most, EXPLODING, smaller);
  return found;
}

/** A step that is too large for the weights. */
function stepFindings(trace: Trace, lr: number | undefined): Finding[] {
  const ratios = trained(trace).map((stage) => {
    const weight = weightOf(stage)!;
    // Weights near 0 have to grow: they count as large as PyTorch starts them, deviation √(1 / 3 in).
    const norm = Math.max(weight.values.norm, Math.sqrt(weight.tensor.shape[0]! / 3));
    return { stage, ratio: (lr === undefined ? change(weight) : lr * (weight.gradient?.norm ?? 0)) / norm };
  });
  const [worst] = ratios.toSorted((a, b) => b.ratio - a.ratio);
  if (worst === undefined || !(worst.ratio > UPDATE)) return [];
  const step = lr === undefined ? "the step changed" : `a step of lr ${lr} changes`;
  const advice =
    `${step} the weight by ${short(worst.ratio)} times its own norm, where about 0.001 is usual; lower the learning ` +
    "rate, clip the gradients by clipGradNorm, or scale the data";
  return [findingAt(worst.stage, "exploding-gradient", [worst.ratio, UPDATE], advice)];
}

/** ‖Δw‖ of the step taken; 0 where the trace has not kept what was before it. */
function change({ tensor, before }: Weight): number {
  if (before === undefined) return 0;
  return scope(() => {
    const difference = noGrad(() => sub(tensor, tensorOf(before, { shape: tensor.shape })));
    return statistics(difference.ptr, tensor.shape).norm;
  });
}

/** Activations that are silent, flat or off the middle. */
function hiddenFindings(trace: Trace): Finding[] {
  const { loss, prediction } = pairOf(trace);
  const judged = trace.layers.filter(
    (stage) => stage.activation !== undefined && (stage !== prediction || isDifference(loss)),
  );
  const many = judged.filter(({ shape }) => rowsOf(shape) >= ROWS);
  // What is shifted shifts what comes after it: the first layer is the one to mend.
  const shifted = many.filter((stage) => stage !== prediction).flatMap(biasShift);
  return [...judged.flatMap(saturation), ...many.flatMap(silence), ...shifted.slice(0, 1)];
}

function silence(stage: Stage): Finding[] {
  const value = stage.output.dead;
  const threshold = Math.min(DEAD + 1 / Math.sqrt(stage.shape.at(-1)!), 0.99);
  if (!isRelu(stage.activation) || !(value > threshold)) return [];
  const advice =
    `${percent(value)} of the ReLUs never fire; lower the learning rate, or use leakyRelu with Kaiming initialisation ` +
    "and biases of 0";
  return [findingAt(stage, "dead-relu", [value, threshold], advice)];
}

function saturation(stage: Stage): Finding[] {
  const { activation, output } = stage;
  const threshold = activation === "hardtanh" ? SATURATED_HARDTANH : SATURATED;
  if (!(activation! in BOUNDS) || !(output.saturated > threshold)) return [];
  const advice =
    `${percent(output.saturated)} of the values of ${activation} are where it is flat; start with smaller weights ` +
    "(xavierNormal), standardise what goes in, or put BatchNorm1d in front";
  return [findingAt(stage, "saturated", [output.saturated, threshold], advice)];
}

/** Of what the activation takes; a fused one shows only what it gives. */
function biasShift(stage: Stage): Finding[] {
  const { activation, fans, inputs, output } = stage;
  const { unitMean, unitStd } = fans === undefined ? (inputs[0]?.output ?? output) : output;
  const value = unitMean / unitStd;
  const straight = activation! in BOUNDS && !isRelu(activation);
  const threshold = straight ? SHIFT_STRAIGHT : SHIFT;
  if (!(value > threshold) || !varies({ unitMean, unitStd })) return [];
  const start = straight
    ? "or start with xavierNormal and biases of 0"
    : "start with kaimingNormal and biases of 0, or use an activation with mean near 0, as tanh, elu or selu";
  const advice =
    `the units before ${activation} are ${short(value)} deviations off 0, and hardly vary; put BatchNorm1d in front, ` +
    start;
  return [findingAt(stage, "bias-shift", [value, threshold], advice)];
}

/** A model that gives the same whatever goes in. */
function constantOutput({ output }: Trace, { inputs }: Batch): Finding[] {
  const x = valuesOf(inputs);
  if (output === undefined || (output.shape[0] ?? 0) < 2 || (x !== undefined && !varies(x))) return [];
  const { unitStd, unitMean } = output.output;
  const size = Math.hypot(unitStd, unitMean);
  const value = size === 0 ? 0 : unitStd / size;
  if (!(value < CONSTANT)) return [];
  const advice =
    `the outputs vary by ${short(value)} of their size over the batch, so the inputs hardly count; start with larger ` +
    "weights, and look for dead, saturated or missing layers";
  return [findingAt(output, "constant-output", [value, CONSTANT], advice)];
}
