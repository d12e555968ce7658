// What the inputs and targets tell.
import { asFloat } from "../ops/operand";
import { type Shape, sizeOf, type Tensor } from "../tensor";
import { isDifference, pairOf, rangeOf } from "./pairs";
import { type Finding, percent, short } from "./report";
import { type Statistics, statistics } from "./statistics";
import type { Trace } from "./trace";

/** Root mean square of inputs and targets; standardised ones have 1, initial weights are meant for that. */
const LARGE = 5;
/** The same when they are too small. One-hot inputs of 1,000 classes have 0.03. */
const SMALL = 0.01;
/** Standard deviations that the means of the inputs may be off 0: a unit of the first layer passes on nearly a constant. */
const SHIFT = 10;
/** Share of the targets that may be where the output layer never comes to, and how far they have to be for that. */
const OUTSIDE = 0.01;
const MARGIN = 1e-3;

/** Rows that it takes to say something of a unit: a ReLU that fires in half of all cases is silent in 1 of 256. */
export const ROWS = 8;

/** The tensors that go into a step. */
export interface Batch {
  inputs: Tensor | undefined;
  targets: Tensor | undefined;
}

export function valuesOf(t: Tensor | undefined, bounds?: readonly [number, number]): Statistics | undefined {
  return t === undefined || t.dtype !== "f32" || t.size === 0
    ? undefined
    : statistics(t.ptr, t.shape, bounds);
}

/** In how many rows a shape has numbers of each unit. */
export function rowsOf(shape: Shape): number {
  return sizeOf(shape.slice(0, -1));
}

/** Whether the rows differ, by more than rounding. */
export function varies({ unitMean, unitStd }: Pick<Statistics, "unitMean" | "unitStd">): boolean {
  return unitStd > 1e-6 * unitMean;
}

/** Inputs, and targets of a regression, whose scale is far from 1 or whose mean is far from 0, and targets out of reach. */
export function dataFindings(trace: Trace, { inputs, targets }: Batch): Finding[] {
  const regression = isDifference(pairOf(trace).loss);
  const amounts = regression && targets !== undefined ? asFloat("diagnose", targets) : undefined;
  const [x, y] = [valuesOf(inputs), valuesOf(amounts)];
  const found = [...scale("inputs", x), ...scale("targets", y)];
  if (found.length === 0 && inputs !== undefined && rowsOf(inputs.shape) >= ROWS) found.push(...offset(x));
  return regression ? [...found, ...outOfReach(trace, amounts)] : found;
}

function scale(layer: string, values: Statistics | undefined): Finding[] {
  if (values === undefined) return [];
  const rms = Math.hypot(values.mean, values.std);
  const text = `the root mean square is ${short(rms)}`;
  if (rms > LARGE) return [notNormalised(layer, rms, LARGE, `${text}, more than ${LARGE}`)];
  if (rms > 0 && rms < SMALL) return [notNormalised(layer, rms, SMALL, `${text}, less than ${SMALL}`)];
  return [];
}

function offset(x: Statistics | undefined): Finding[] {
  if (x === undefined || !varies(x)) return [];
  const shift = x.unitMean / x.unitStd;
  if (!(shift > SHIFT)) return [];
  return [
    notNormalised(
      "inputs",
      shift,
      SHIFT,
      `the means are ${short(shift)} deviations off 0, more than ${SHIFT}`,
    ),
  ];
}

function notNormalised(layer: string, value: number, threshold: number, what: string): Finding {
  const advice = `${layer}: ${what}; standardise them to mean 0 and deviation 1, as Standardise does`;
  return { code: "not-normalised", layer, value, threshold, advice };
}

/** Targets that the output layer cannot give, as numbers below 0 behind a relu. */
function outOfReach(trace: Trace, targets: Tensor | undefined): Finding[] {
  const { prediction } = pairOf(trace);
  const [by, range] = prediction === undefined ? [] : rangeOf(prediction);
  if (range === undefined) return [];
  const [low, high] = range;
  const value = valuesOf(targets, [low - MARGIN, high + MARGIN])?.saturated ?? 0;
  if (!(value > OUTSIDE)) return [];
  const advice =
    `targets: ${percent(value)} of them are not within [${low}, ${high}], and ${by} gives no others; drop the ${by}, or ` +
    "scale the targets";
  return [{ code: "labels-out-of-range", layer: "targets", value, threshold: OUTSIDE, advice }];
}
