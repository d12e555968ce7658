import { Dataset } from "./data/dataset";
import type { EarlyStopping } from "./earlyStopping";
import { OptionError, text, withDefaults } from "./errors";
import type { HealthOptions } from "./health/watch";
import { isStateful, type Stateful } from "./io/checkpoint";
import type { Measures } from "./measures";
import { type AnyModule, Module } from "./nn/module";
import type { Tensor } from "./tensor";
import { Training } from "./training";

/** One step of training: from a batch to its loss, a tensor of one element. It changes the parameters on the way. */
export type Step = (x: Tensor, y: Tensor) => Tensor;

/** What `fit` tells of an epoch. */
export interface Epoch {
  /** Counted from 0. */
  epoch: number;
  /** Mean over the rows of the losses of the steps, each taken before its update. */
  loss: number;
  /** Means over the rows of the validation data of what `evaluate` gave. */
  validation?: Record<string, number>;
  /** Time that training and evaluating took. */
  seconds: number;
  /** Number of steps. */
  batches: number;
}

/** An AbortSignal. */
interface Signal {
  throwIfAborted(): void;
}

/** The options of `fit`. */
export interface FitOptions {
  /** How often to go through the data; default 1. */
  epochs?: number;
  /** Rows in a batch; default 32. */
  batchSize?: number;
  /** Whether each epoch has an order of its own; default true. */
  shuffle?: boolean;
  /** Of the orders and of the split for validation; default: drawn from the generator that `manualSeed` starts. */
  seed?: number;
  /** Whether to leave out a last batch of fewer rows; default false. */
  dropLast?: boolean;
  /** Data to evaluate after each epoch, or the share of `data` to keep for it: drawn, or the end without `shuffle`. */
  validation?: Dataset | number;
  /** Measures a batch of the validation data; nothing is recorded. The means are exact for what is a mean over rows. */
  evaluate?: (x: Tensor, y: Tensor) => Measures;
  /** Set to evaluation (as `model.eval()` does) while `evaluate` runs; kept in checkpoints for `stopOnNaN`. */
  model?: AnyModule;
  /** What changes the model: kept in checkpoints for `stopOnNaN` beside it. */
  optimizer?: Stateful;
  /** Whether to watch some of the steps for what `diagnose` finds, and how; default false. */
  health?: boolean | HealthOptions;
  /**
   * Whether to stop when the loss is NaN or ∞; default true. With `model` the error says which layer and op is to blame,
   * for which it makes the step once more, and has a checkpoint with `model`, `training` and, if it is given,
   * `optimizer`, from a step of late; model and optimizer are left as they were in that.
   */
  stopOnNaN?: boolean;
  /** When to stop before the last epoch; default: never. */
  earlyStopping?: EarlyStopping;
  /** Called after each step. If it returns a promise, training waits for it. */
  onBatch?: (batch: { epoch: number; batch: number; loss: number }) => void | Promise<void>;
  /** Stops between two batches: the loop over the epochs throws the signal's reason. */
  signal?: Signal;
}

const defaults = {
  epochs: 1,
  batchSize: 32,
  shuffle: true,
  seed: undefined as number | undefined,
  dropLast: false,
  validation: undefined as Dataset | number | undefined,
  evaluate: undefined as FitOptions["evaluate"],
  model: undefined as AnyModule | undefined,
  optimizer: undefined as Stateful | undefined,
  health: undefined as FitOptions["health"],
  stopOnNaN: true,
  earlyStopping: undefined as EarlyStopping | undefined,
  onBatch: undefined as FitOptions["onBatch"],
  signal: undefined as Signal | undefined,
};

/** The options with their defaults. */
export type Settings = typeof defaults;

/**
 * Trains, an epoch for each turn of the loop: `for await (const { loss } of fit(step, data, { epochs: 30 })) …`.
 * Leaving the loop ends the training. Each step runs in a `scope`, and the event loop gets its turn every few
 * milliseconds.
 * @param step gets a batch, x [rows, ...] and y [rows, ...], and returns its loss
 * @throws OptionError at once for options that do not fit; later what `step`, `evaluate`, `onBatch` or `signal` throws,
 *   and NonFiniteError for a loss that is NaN or ∞
 */
export function fit(step: Step, data: Dataset, options?: FitOptions): Training {
  if (typeof step !== "function") {
    throw new OptionError(
      `fit: expected a step, a function (x, y) => loss that also changes the parameters, got ${text(step)}`,
    );
  }
  if (!(data instanceof Dataset)) throw new OptionError("fit: expected a dataset; make one by dataset(x, y)");
  const settings = withDefaults("fit", defaults, options);
  const { validation, evaluate } = settings;
  checkKinds(settings);
  if ((validation === undefined) !== (evaluate === undefined)) {
    throw new OptionError(
      "fit: validation, the data, and evaluate, which measures a batch of them, go together",
    );
  }
  return new Training(step, data, settings);
}

/** What the options are of which `withDefaults` does not know the kind. */
const kinds: { [K in keyof Settings]?: [wanted: string, fits: (value: unknown) => boolean] } = {
  epochs: ["an integer ≥ 1", (n) => Number.isInteger(n) && (n as number) >= 1],
  validation: ["a dataset, or the share of the rows", (x) => x instanceof Dataset || typeof x === "number"],
  evaluate: ["a function of a batch's x and y", isFunction],
  model: ["a module", (x) => x instanceof Module],
  optimizer: ["an optimizer", isStateful],
  onBatch: ["a function", isFunction],
  signal: ["an AbortSignal", (x) => isFunction((x as Signal).throwIfAborted)],
};

function isFunction(x: unknown): boolean {
  return typeof x === "function";
}

/** @throws OptionError for an option of another kind */
function checkKinds(settings: Settings): void {
  for (const [name, [wanted, fits]] of Object.entries(kinds)) {
    const value = settings[name as keyof Settings];
    if (value !== undefined && !fits(value))
      throw new OptionError(`fit: ${name} is ${wanted}, got ${text(value)}`);
  }
}
