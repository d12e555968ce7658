// Learning rates as plain functions of the step, which counts from 0. Whoever trains asks for the rate and sets it:
//
//   const schedule = warmup({ lr: cosineLR({ lr: 0.1, tMax: 900 }), totalIters: 100 });
//   for (let step = 0; step < 1000; step++) {
//     optimizer.groups[0].lr = schedule(step);
//     …
//   }
//
// `step` may count batches or epochs. At step k a schedule has the value that PyTorch's scheduler of that name has after
// k calls of its `step()`. Nothing is remembered, so a run that is taken up again has only to go on counting.
import { OptionError, withDefaults } from "../errors";

/** The learning rate of a step; the first step is 0. */
export type Schedule = (step: number) => number;

/** The options of `stepLR`. */
export interface StepLROptions {
  /** Learning rate of the first steps. */
  lr: number;
  /** After how many steps it falls. */
  stepSize: number;
  /** By what it is multiplied then; default 0.1. */
  gamma?: number;
}

/**
 * lr · gamma^⌊step / stepSize⌋, as torch's StepLR.
 * @throws OptionError for options, later for a step, out of range
 */
export function stepLR(options: StepLROptions): Schedule {
  const { lr, stepSize, gamma } = read("stepLR", { lr: NaN, stepSize: NaN, gamma: 0.1 }, options, [
    "stepSize",
  ]);
  return (step) => lr * gamma ** Math.floor(at("stepLR", step) / stepSize);
}

/** The options of `cosineLR`. */
export interface CosineLROptions {
  /** Learning rate of the first step. */
  lr: number;
  /** The step at which it arrives at etaMin. Beyond it, it rises again along the cosine. */
  tMax: number;
  /** Smallest learning rate; default 0. */
  etaMin?: number;
}

/**
 * etaMin + (lr − etaMin) (1 + cos(π step / tMax)) / 2, as torch's CosineAnnealingLR. Loshchilov and Hutter
 * 2017. Keras' CosineDecay stays at its end; this one rises again.
 * @throws OptionError for options, later for a step, out of range
 */
export function cosineLR(options: CosineLROptions): Schedule {
  const { lr, tMax, etaMin } = read("cosineLR", { lr: NaN, tMax: NaN, etaMin: 0 }, options, ["tMax"]);
  return (step) => cosine(lr, etaMin, at("cosineLR", step) / tMax);
}

/** The options of `oneCycleLR`. */
export interface OneCycleLROptions {
  /** Largest learning rate. */
  maxLr: number;
  /** Steps in the cycle. Beyond them the rate stays where it ended. */
  totalSteps: number;
  /** Share of the cycle in which the rate rises; default 0.3. */
  pctStart?: number;
  /** The first rate is maxLr / divFactor; default 25. */
  divFactor?: number;
  /** The last rate is the first one / finalDivFactor; default 1e4. */
  finalDivFactor?: number;
}

/**
 * From maxLr / divFactor up to maxLr, and down to maxLr / (divFactor · finalDivFactor), both along half a
 * cosine, as torch's OneCycleLR in two phases, without its momentum. Smith and Topin 2018.
 * @throws OptionError for options, later for a step, out of range
 */
export function oneCycleLR(options: OneCycleLROptions): Schedule {
  const defaults = { maxLr: NaN, totalSteps: NaN, pctStart: 0.3, divFactor: 25, finalDivFactor: 1e4 };
  const positive = ["totalSteps", "divFactor", "finalDivFactor"] as const;
  const { maxLr, totalSteps, pctStart, divFactor, finalDivFactor } = read(
    "oneCycleLR",
    defaults,
    options,
    positive,
  );
  if (pctStart > 1) throw new OptionError(`oneCycleLR: pctStart is a number from 0 to 1, got ${pctStart}`);
  const first = maxLr / divFactor;
  const [peak, end] = [pctStart * totalSteps - 1, totalSteps - 1];
  return (step) => {
    const t = Math.min(at("oneCycleLR", step), end);
    if (t <= peak) return cosine(first, maxLr, peak > 0 ? t / peak : 1);
    return cosine(maxLr, first / finalDivFactor, (t - peak) / (end - peak));
  };
}

/** The options of `warmup`. */
export interface WarmupOptions {
  /**
   * The learning rate afterwards: a number, or a schedule whose step 0 is the first step after warming up.
   */
  lr: number | Schedule;
  /** Steps until the full rate is reached; default 5. */
  totalIters?: number;
  /** Share of the rate with which the first step is taken; default 1/3. */
  startFactor?: number;
}

/**
 * A rate that grows linearly from startFactor · lr to lr, as torch's LinearLR, and what follows, as
 * SequentialLR.
 * @throws OptionError for options, later for a step, out of range
 */
export function warmup(options: WarmupOptions): Schedule {
  const after = typeof options?.lr === "function" ? options.lr : undefined;
  const given = { ...options, lr: after === undefined ? (options?.lr as number) : after(0) };
  const defaults = { lr: NaN, totalIters: 5, startFactor: 1 / 3 };
  const { lr, totalIters, startFactor } = read("warmup", defaults, given, ["totalIters"]);
  return (step) => {
    const left = totalIters - at("warmup", step);
    if (left > 0) return lr * (1 + ((startFactor - 1) * left) / totalIters);
    return after === undefined ? lr : after(-left);
  };
}

/** From `start` at share 0 to `end` at share 1 along half a cosine. */
function cosine(start: number, end: number, share: number): number {
  return end + ((start - end) * (1 + Math.cos(Math.PI * share))) / 2;
}

/**
 * Options over their defaults, numbers ≥ 0, `positive` ones above 0. NaN stands for one that has to be given.
 */
function read<T extends Record<string, number>>(
  op: string,
  defaults: T,
  given: Partial<T>,
  positive: readonly (keyof T & string)[],
): T {
  const options = withDefaults(op, defaults, given ?? {});
  for (const [key, value] of Object.entries(options)) {
    const above = positive.includes(key);
    if (typeof value === "number" && value < Infinity && (above ? value > 0 : value >= 0)) continue;
    throw new OptionError(`${op}: ${key} is a number ${above ? "above 0" : "≥ 0"}, got ${given?.[key]}`);
  }
  return options;
}

/** @throws OptionError if `step` is no number from 0 to below ∞ */
function at(op: string, step: number): number {
  if (typeof step === "number" && step >= 0 && step < Infinity) return step;
  throw new OptionError(`${op}: a step is a number ≥ 0, counted from 0, got ${step}`);
}
