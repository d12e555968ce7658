// From what a trace has measured to findings. Each threshold has its reason.
import type { Tensor } from "../tensor";
import { initFindings } from "./initRules";
import { isDifference, lossAmong, mismatch, predictionOf } from "./pairs";
import { type Finding, type FindingCode, isRelu, nameOf, percent, weightOf } from "./report";
import { type Statistics, statistics } from "./statistics";
import { BOUNDS, type Stage, type Trace } from "./trace";

/**
 * Norm of the gradient at the first layer as a share of that at the last. Glorot and Bengio 2010 want 1; two hidden
 * layers of sigmoids, whose derivative is at most 1/4, keep 1/30, and with less than this the first layers rest.
 */
const VANISHING = 1e-3;
/** The same, when it grows. */
const EXPLODING = 1e3;
/** lr ‖g‖ / ‖w‖: a step that changes a weight by more than all of itself. About 1e-3 is usual (Karpathy, CS231n). */
const UPDATE = 1;
/** Share of the ReLUs of a layer that never fire: half of the layer is not there. CS231n has seen 40 % at high rates. */
const DEAD = 0.5;
/** Share of a layer's values on the flat part. Of tanh with its gain of 5/3 it is 17 % at the start. */
const SATURATED = 0.5;
/**
 * How many of its standard deviations a unit's mean is off 0, as a root mean square over the units: beyond this a unit
 * passes on nearly a constant. The layer after one layer of sigmoids has 5, of hardsigmoids 7; the tenth after ReLUs 2.5.
 */
const SHIFT = 10;
/** Root mean square of inputs and targets; standardised ones have 1, initial weights are meant for that. */
const LARGE = 5;
/** The same when they are too small. One-hot inputs of 1,000 classes have 0.03. */
const SMALL = 0.01;
/** Standard deviation of the outputs over the batch, as a share of their root mean square. */
const CONSTANT = 1e-3;
/** Rows that it takes to say something of a unit: a ReLU that fires in half of all cases is silent in 1 of 256. */
const ROWS = 8;

const MAX_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

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

/** The tensors that go into a step. */
export interface Batch {
  inputs: Tensor | undefined;
  targets: Tensor | undefined;
}

/** What is wrong, worst first. After a number that is not finite nothing else is to be measured. */
export function findingsOf(trace: Trace, batch: Batch, lr: number): Finding[] {
  const mismatches = pairFindings(trace, trace.stages);
  const broken = nonFinite(trace, batch);
  if (broken !== undefined) return [broken, ...mismatches];
  return sorted([
    ...mismatches,
    ...dataFindings(trace, batch),
    ...initFindings(trace),
    ...gradientFindings(trace, lr),
    ...hiddenFindings(trace),
    ...constantOutput(trace, batch),
  ]);
}

/** What the loss finds in front of it: an op of the loss function's own, or else the model's output. */
export function pairFindings({ output }: Trace, stages: readonly Stage[]): Finding[] {
  const loss = lossAmong(stages);
  const within = predictionOf(loss);
  const prediction = within ?? (output && predictionOf({ ...output, inputs: [output] }));
  if (loss === undefined || prediction === undefined) return [];
  const advice = mismatch(loss, prediction);
  const layer = nameOf(prediction);
  return advice === undefined ? [] : [{ code: "loss-mismatch", layer, value: 1, threshold: 0, advice }];
}

function valuesOf(t: Tensor | undefined): Statistics | undefined {
  return t === undefined || t.dtype !== "f32" || t.size === 0 ? undefined : statistics(t.ptr, t.shape);
}

/** The first number that is not finite: in the data, in the forward pass, in the backward pass. */
export function nonFinite({ stages }: Trace, { inputs, targets }: Batch): Finding | undefined {
  type Place = [layer: string, what: string, values: Statistics | undefined, remedy: string];
  const data = "clean the data, or drop the row";
  const rate = "lower the learning rate, or clip the gradients by clipGradNorm";
  const forward = stages.flatMap((stage): Place[] => {
    const layer = stage.op.endsWith("Loss") ? "loss" : nameOf(stage);
    const { weights, op, output } = stage;
    const own = weights.map(({ name, values }): Place => [layer, `the parameter ${name}`, values, rate]);
    const domain = "keep what goes in within the op's domain, or scale it down";
    return [...own, [layer, `the output of ${op}`, output, domain]];
  });
  const backward = stages.toReversed().flatMap((stage): Place[] => {
    const { weights, op, gradient } = stage;
    const own = weights.map((w): Place => [nameOf(stage), `the gradient of ${w.name}`, w.gradient, rate]);
    return [[nameOf(stage), `the gradient of ${op}`, gradient, rate], ...own];
  });
  const first: Place[] = [
    ["inputs", "the input", valuesOf(inputs), data],
    ["targets", "the target", valuesOf(targets), data],
  ];
  for (const [layer, what, values, remedy] of [...first, ...forward, ...backward]) {
    if (values?.nonFinite === undefined) continue;
    const { row, column, value } = values.nonFinite;
    const advice = `${what} in row ${row}, column ${column} is ${value}, the first that is not finite; ${remedy}`;
    return { code: "non-finite", layer, value, threshold: MAX_FLOAT32, advice };
  }
  return undefined;
}

/** Inputs, and targets of a regression, whose scale is far from 1 or whose mean is far from 0. */
function dataFindings({ stages }: Trace, { inputs, targets }: Batch): Finding[] {
  const regression = isDifference(lossAmong(stages));
  const [x, y] = [valuesOf(inputs), regression ? valuesOf(targets) : undefined];
  const found: Finding[] = [];
  const add = (layer: string, value: number, threshold: number, what: string) => {
    const advice = `${layer}: ${what}; standardise them to mean 0 and deviation 1, as Standardise does`;
    found.push({ code: "not-normalised", layer, value, threshold, advice });
  };
  for (const [layer, values] of [
    ["inputs", x],
    ["targets", y],
  ] as const) {
    if (values === undefined) continue;
    const rms = Math.hypot(values.mean, values.std);
    if (rms > LARGE) add(layer, rms, LARGE, `the root mean square is ${short(rms)}, more than ${LARGE}`);
    else if (rms > 0 && rms < SMALL)
      add(layer, rms, SMALL, `the root mean square is ${short(rms)}, less than ${SMALL}`);
  }
  if (found.length > 0 || x === undefined || !(x.unitStd > 0)) return found;
  const shift = x.unitMean / x.unitStd;
  if (shift > SHIFT)
    add("inputs", shift, SHIFT, `the means are ${short(shift)} deviations off 0, more than ${SHIFT}`);
  return found;
}

/** Gradients that shrink or grow on their way to the first layers, or are too large for the weights. */
function gradientFindings({ layers }: Trace, lr: number): Finding[] {
  const weighted = layers.filter((stage) => weightOf(stage) !== undefined && stage.gradient !== undefined);
  const last = weighted.at(-1);
  const found: Finding[] = [];
  if (last !== undefined && last.gradient!.norm > 0) {
    const ratios = weighted.map((stage) => ({ stage, ratio: stage.gradient!.norm / last.gradient!.norm }));
    const [least, most] = [
      ratios.toSorted((a, b) => a.ratio - b.ratio)[0]!,
      ratios.toSorted((a, b) => b.ratio - a.ratio)[0]!,
    ];
    if (least.ratio < VANISHING) found.push(vanishing(least.stage, least.ratio));
    if (most.ratio > EXPLODING) found.push(exploding(most.stage, most.ratio));
  }
  const updates = weighted.flatMap((stage) => {
    const { gradient, values, tensor } = weightOf(stage)!;
    // Weights near 0 have to grow: they count as large as PyTorch starts them, deviation √(1 / 3 in).
    const norm = Math.max(values.norm, Math.sqrt(tensor.shape[0]! / 3));
    return gradient === undefined ? [] : [{ stage, ratio: (lr * gradient.norm) / norm }];
  });
  const worst = updates.toSorted((a, b) => b.ratio - a.ratio)[0];
  if (
    worst !== undefined &&
    worst.ratio > UPDATE &&
    found.every(({ code }) => code !== "exploding-gradient")
  ) {
    const advice =
      `layer ${nameOf(worst.stage)}: a step of lr ${lr} changes the weight by ${short(worst.ratio)} times its own ` +
      "norm, where about 0.001 is usual; lower the learning rate, clip the gradients by clipGradNorm, or scale the data";
    found.push({
      ...{ code: "exploding-gradient", layer: nameOf(worst.stage) },
      ...{ value: worst.ratio, threshold: UPDATE, advice },
    });
  }
  return found;
}

function vanishing(stage: Stage, value: number): Finding {
  const advice =
    `layer ${nameOf(stage)}: the gradient is ${short(value)} times that of the last layer; use relu with ` +
    "kaimingNormal instead of sigmoid or tanh, put BatchNorm1d between the layers, or take fewer of them";
  return { code: "vanishing-gradient", layer: nameOf(stage), value, threshold: VANISHING, advice };
}

function exploding(stage: Stage, value: number): Finding {
  const advice =
    `layer ${nameOf(stage)}: the gradient is ${short(value)} times that of the last layer; start with smaller weights ` +
    "(kaimingNormal with relu, xavierNormal else), or clip the gradients by clipGradNorm";
  return { code: "exploding-gradient", layer: nameOf(stage), value, threshold: EXPLODING, advice };
}

/** Activations that are silent, flat or off the middle. */
function hiddenFindings({ layers, stages }: Trace): Finding[] {
  const loss = lossAmong(stages);
  const output = predictionOf(loss);
  return layers.flatMap((stage): Finding[] => {
    const { activation, shape } = stage;
    const rows = shape.slice(0, -1).reduce((product, n) => product * n, 1);
    if (activation === undefined || (stage === output && !isDifference(loss))) return [];
    const found = [...saturation(stage, activation)];
    if (rows >= ROWS) found.push(...silence(stage, activation));
    if (rows >= ROWS && stage !== output) found.push(...biasShift(stage, activation));
    return found;
  });
}

function silence(stage: Stage, activation: string): Finding[] {
  const value = stage.output.dead;
  if (!isRelu(activation) || !(value > DEAD)) return [];
  const advice =
    `layer ${nameOf(stage)}: ${percent(value)} of the ReLUs never fire; lower the learning rate, or use leakyRelu with ` +
    "Kaiming initialisation and biases of 0";
  return [{ code: "dead-relu", layer: nameOf(stage), value, threshold: DEAD, advice }];
}

function saturation(stage: Stage, activation: string): Finding[] {
  const value = stage.output.saturated;
  if (!(activation in BOUNDS) || !(value > SATURATED)) return [];
  const advice =
    `layer ${nameOf(stage)}: ${percent(value)} of the values of ${activation} are where it is flat; start with smaller ` +
    "weights (xavierNormal), standardise what goes in, or put BatchNorm1d in front";
  return [{ code: "saturated", layer: nameOf(stage), value, threshold: SATURATED, advice }];
}

/** Of what the activation takes; a fused one shows only what it gives. */
function biasShift(stage: Stage, activation: string): Finding[] {
  const { unitMean, unitStd } = (stage.op === "linear" ? stage : (stage.inputs[0] ?? stage)).output;
  const value = unitMean / unitStd;
  if (!(value > SHIFT) || value === Infinity) return [];
  const advice =
    `layer ${nameOf(stage)}: the units before ${activation} are ${short(value)} deviations off 0, and hardly vary; put ` +
    "BatchNorm1d in front, or use an activation with mean near 0, as tanh, elu or selu";
  return [{ code: "bias-shift", layer: nameOf(stage), value, threshold: SHIFT, advice }];
}

/** A model that gives the same whatever goes in. */
function constantOutput({ output }: Trace, { inputs }: Batch): Finding[] {
  const x = valuesOf(inputs);
  if (output === undefined || (output.shape[0] ?? 0) < 2 || (x !== undefined && !(x.unitStd > 0))) return [];
  const { unitStd, unitMean } = output.output;
  const size = Math.hypot(unitStd, unitMean);
  const value = size === 0 ? 0 : unitStd / size;
  if (!(value < CONSTANT)) return [];
  const advice =
    `the outputs vary by ${short(value)} of their size over the batch, so the inputs hardly count; start with larger ` +
    "weights, and look for dead, saturated or missing layers";
  return [{ code: "constant-output", layer: nameOf(output), value, threshold: CONSTANT, advice }];
}

function short(x: number): string {
  return String(Number(x.toPrecision(2)));
}
