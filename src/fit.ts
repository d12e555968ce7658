import { noGrad } from "./autograd";
import { batchRows, checkBatches, Dataset } from "./data/dataset";
import { randomNumbers } from "./data/random";
import { OptionError, ShapeError, withDefaults } from "./errors";
import { evaluating } from "./nn/evaluating";
import type { Module } from "./nn/module";
import { Pace } from "./pace";
import { scope } from "./scope";
import { Tensor } from "./tensor";

/** One step of training: from a batch to its loss, a tensor of one element. It changes the parameters on the way. */
export type Step = (x: Tensor, y: Tensor) => Tensor;

/** What is measured of a batch: tensors of one element, or numbers. A single one is called "loss". */
export type Measures = Tensor | number | Record<string, Tensor | number>;

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

export interface EarlyStopping {
  /** Stop after so many epochs without a better value. */
  patience: number;
  /** How much less is better; default 0. */
  minDelta?: number;
  /** What should become small; default: the validation loss if there is validation data, else the loss. */
  monitor?: (epoch: Epoch) => number;
}

/** An AbortSignal. */
interface Signal {
  throwIfAborted(): void;
}

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
  /** Set to evaluation (as `model.eval()` does) while `evaluate` runs. */
  model?: Module;
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
  model: undefined as Module | undefined,
  earlyStopping: undefined as EarlyStopping | undefined,
  onBatch: undefined as FitOptions["onBatch"],
  signal: undefined as Signal | undefined,
};

type Settings = typeof defaults;

/**
 * Trains, an epoch for each turn of the loop: `for await (const { loss } of fit(step, data, { epochs: 30 })) …`.
 * Leaving the loop ends the training. Each step runs in a `scope`, and the event loop gets its turn every few
 * milliseconds.
 * @param step gets a batch, x [rows, ...] and y [rows, ...], and returns its loss
 * @throws OptionError at once for options that do not fit; later what `step`, `evaluate`, `onBatch` or `signal` throws
 */
export function fit(step: Step, data: Dataset, options?: FitOptions): AsyncGenerator<Epoch, void, undefined> {
  const settings = withDefaults("fit", defaults, options);
  const { epochs, validation, evaluate, seed, shuffle } = settings;
  if (!(data instanceof Dataset)) throw new OptionError("fit: expected a dataset; make one by dataset(x, y)");
  if (!Number.isInteger(epochs) || epochs < 1) {
    throw new OptionError(`fit: epochs is an integer ≥ 1, got ${epochs}`);
  }
  if ((validation === undefined) !== (evaluate === undefined)) {
    throw new OptionError(
      "fit: validation, the data, and evaluate, which measures a batch of them, go together",
    );
  }
  let [train, held] = [data, validation];
  if (typeof held === "number") {
    checkShare(held, data.size);
    [train, held] = data.split(1 - held, { shuffle, ...(seed !== undefined && { seed }) });
  }
  checkBatches("fit", train.size, settings);
  const random = shuffle ? randomNumbers("fit", seed) : undefined;
  const patience = settings.earlyStopping && new Patience(settings.earlyStopping);
  return run(step, train, held, settings, random, patience);
}

/** @throws OptionError unless a share for validation leaves rows to train on and rows to evaluate */
function checkShare(share: number, rows: number): void {
  if (share > 0 && share < 1 && (1 - share) * rows >= 1 - 1e-9) return;
  throw new OptionError(
    `fit: validation is a dataset, or the share of the rows to keep for it, above 0 and below 1, with one left to ` +
      `train on; got ${share} of ${rows} rows`,
  );
}

async function* run(
  step: Step,
  train: Dataset,
  held: Dataset | undefined,
  settings: Settings,
  random: (() => number) | undefined,
  patience: Patience | undefined,
): AsyncGenerator<Epoch, void, undefined> {
  const pace = new Pace();
  for (let epoch = 0; epoch < settings.epochs; epoch++) {
    const start = performance.now();
    const means = new Means();
    let batch = 0;
    for (const rows of batchRows(train.size, settings, random)) {
      if (pace.due) await pace.rest();
      settings.signal?.throwIfAborted();
      const loss = stepOn(step, train, rows);
      means.add({ loss }, rows.length);
      const wait = settings.onBatch?.({ epoch, batch, loss });
      if (wait !== undefined) await wait;
      batch++;
    }
    const validation = held && (await measured(held, settings, pace));
    const seconds = (performance.now() - start) / 1000;
    const { loss } = means.values() as { loss: number };
    const result = { epoch, loss, ...(validation && { validation }), seconds, batches: batch };
    yield result;
    if (patience?.exhaustedBy(result)) return;
  }
}

function stepOn(step: Step, data: Dataset, rows: Int32Array): number {
  return scope(() => {
    const { x, y } = data.batch(rows);
    return scalarOf("step", step(x, y));
  });
}

async function measured(data: Dataset, settings: Settings, pace: Pace): Promise<Record<string, number>> {
  const { batchSize, model, signal } = settings;
  const evaluate = settings.evaluate!;
  const means = new Means();
  for (const rows of batchRows(data.size, { batchSize, dropLast: false })) {
    if (pace.due) await pace.rest();
    signal?.throwIfAborted();
    scope(() => {
      const { x, y } = data.batch(rows);
      const measure = () => numbersOf(evaluate(x, y));
      means.add(model === undefined ? noGrad(measure) : evaluating(model, measure), rows.length);
    });
  }
  return means.values();
}

function numbersOf(measures: Measures): Record<string, number> {
  if (typeof measures !== "object" || measures === null || measures instanceof Tensor) {
    return { loss: scalarOf("evaluate", measures) };
  }
  refusePromise("evaluate", measures);
  const entries = Object.entries(measures);
  return Object.fromEntries(entries.map(([name, value]) => [name, scalarOf(`evaluate, "${name}"`, value)]));
}

function scalarOf(where: string, value: unknown): number {
  if (typeof value === "number" && where !== "step") return value;
  refusePromise(where, value);
  if (!(value instanceof Tensor)) {
    throw new OptionError(
      `fit: expected a tensor of one element of ${where}, got ${typeof value} ${String(value)}`,
    );
  }
  if (value.size === 1) return value.item();
  throw new ShapeError(
    `fit: expected one element of ${where}, got ${value.describe()}; reduce it by mean() or by the loss's reduction`,
  );
}

function refusePromise(where: string, value: unknown): void {
  if (typeof (value as PromiseLike<unknown> | undefined)?.then !== "function") return;
  throw new OptionError(`fit: ${where} returned a promise; a batch is gone when the function returns`);
}

/** Means over rows. */
class Means {
  private readonly sums: Record<string, number> = {};
  private rows = 0;

  /** Adds values that are means over `rows` rows. */
  add(values: Record<string, number>, rows: number): void {
    for (const [name, value] of Object.entries(values))
      this.sums[name] = (this.sums[name] ?? 0) + value * rows;
    this.rows += rows;
  }

  values(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.sums).map(([name, sum]) => [name, sum / this.rows]));
  }
}

class Patience {
  private readonly options: Required<EarlyStopping>;
  private best = Infinity;
  private waited = 0;

  constructor(options: EarlyStopping) {
    const fallbacks = { patience: Number.NaN, minDelta: 0, monitor: lossOf };
    this.options = withDefaults<Required<EarlyStopping>>("earlyStopping", fallbacks, options);
    const { patience, minDelta } = this.options;
    if (!Number.isInteger(patience) || patience < 1) {
      throw new OptionError(`earlyStopping: patience is an integer ≥ 1, got ${options.patience}`);
    }
    if (!(minDelta >= 0)) throw new OptionError(`earlyStopping: minDelta is a number ≥ 0, got ${minDelta}`);
  }

  /** Whether this epoch is one too many. NaN is no better than anything. */
  exhaustedBy(epoch: Epoch): boolean {
    const { patience, minDelta, monitor } = this.options;
    const value = monitor(epoch);
    if (typeof value !== "number") {
      throw new OptionError(`earlyStopping: monitor gives a number, got ${String(value)}`);
    }
    if (value < this.best - minDelta) {
      this.best = value;
      this.waited = 0;
    } else {
      this.waited++;
    }
    return this.waited >= patience;
  }
}

function lossOf({ loss, validation }: Epoch): number {
  if (validation === undefined) return loss;
  if (validation.loss !== undefined) return validation.loss;
  const names = Object.keys(validation).join(", ");
  throw new OptionError(`earlyStopping: evaluate gave ${names} but no loss; pass monitor: (epoch) => number`);
}
