import { noGrad } from "./autograd";
import { batchRows, checkBatches, Dataset, rowsUsed } from "./data/dataset";
import { randomNumbers, seedOf } from "./data/random";
import { type EarlyStopping, Patience } from "./earlyStopping";
import { OptionError, withDefaults } from "./errors";
import { Guard } from "./health/guard";
import { type HealthOptions, type Watch, watchOf } from "./health/watch";
import { Means, type Measures, numbersOf, scalarOf } from "./measures";
import { evaluating } from "./nn/evaluating";
import type { Module } from "./nn/module";
import { Pace } from "./pace";
import { scope } from "./scope";
import { expectDict, prepare } from "./stateDict";
import type { Tensor } from "./tensor";

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
  model?: Module;
  /** Whether to watch some of the steps for what `diagnose` finds, and how; default false. */
  health?: boolean | HealthOptions;
  /**
   * Whether to stop when the loss is NaN or ∞; default true. With `model` the error says which layer and op is to blame,
   * for which it makes the step once more, has a checkpoint, and the model is left as it was in that.
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
  model: undefined as Module | undefined,
  health: undefined as FitOptions["health"],
  stopOnNaN: true,
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
 * @throws OptionError at once for options that do not fit; later what `step`, `evaluate`, `onBatch` or `signal` throws,
 *   and NonFiniteError for a loss that is NaN or ∞
 */
export function fit(step: Step, data: Dataset, options?: FitOptions): Training {
  if (!(data instanceof Dataset)) throw new OptionError("fit: expected a dataset; make one by dataset(x, y)");
  const settings = withDefaults("fit", defaults, options);
  const { epochs, validation, evaluate } = settings;
  if (!Number.isInteger(epochs) || epochs < 1) {
    throw new OptionError(`fit: epochs is an integer ≥ 1, got ${epochs}`);
  }
  if ((validation === undefined) !== (evaluate === undefined)) {
    throw new OptionError(
      "fit: validation, the data, and evaluate, which measures a batch of them, go together",
    );
  }
  return new Training(step, data, settings);
}

/** Where a training stands, as plain data. */
export interface TrainingState {
  /** Of the orders and of the split for validation; 0 without `shuffle`. */
  seed: number;
  /** Epochs that are complete. */
  epoch: number;
  /** Steps made in the epoch after them. */
  batch: number;
  /** Sum of the losses of these steps, each times its rows. */
  lossSum: number;
  /** Of early stopping: the smallest value seen, and the epochs since. */
  best: number;
  waited: number;
  /** What has to be the same where the training goes on. */
  rows: number;
  batchSize: number;
  shuffle: boolean;
  dropLast: boolean;
}

/**
 * The epochs of `fit`, and where it stands: between any two batches `stateDict()` has what a later training needs to
 * go on with the batch that comes next.
 */
export class Training implements AsyncIterableIterator<Epoch, void, undefined> {
  private train!: Dataset;
  private held: Dataset | undefined;
  private readonly pace = new Pace();
  private readonly patience: Patience | undefined;
  private readonly watch: Watch | undefined;
  private readonly guard: Guard | undefined;
  private readonly turns: AsyncGenerator<Epoch, void, undefined>;
  private started = false;
  private seed: number;
  private lossSum = 0;
  private epochsDone = 0;
  private batchesDone = 0;

  /** @see fit */
  constructor(
    private readonly stepOf: Step,
    private readonly data: Dataset,
    private readonly settings: Settings,
  ) {
    this.seed = settings.shuffle ? seedOf("fit", settings.seed) : 0;
    this.divide();
    checkBatches("fit", this.train.size, settings);
    const { earlyStopping, health, stopOnNaN, model } = settings;
    this.patience = earlyStopping && new Patience(earlyStopping);
    this.watch = watchOf(health);
    this.guard = stopOnNaN ? new Guard(model, this) : undefined;
    this.turns = this.run();
  }

  /** Epochs that are complete. */
  get epoch(): number {
    return this.epochsDone;
  }

  /** Steps made since the first epoch: the argument of a learning rate's schedule. */
  get steps(): number {
    const { dropLast, batchSize } = this.settings;
    const perEpoch = this.train.size / batchSize;
    return this.epochsDone * (dropLast ? Math.floor(perEpoch) : Math.ceil(perEpoch)) + this.batchesDone;
  }

  /** Trains for an epoch. */
  next(): Promise<IteratorResult<Epoch, void>> {
    return this.turns.next();
  }

  /** Ends the training. */
  return(): Promise<IteratorResult<Epoch, void>> {
    return this.turns.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Where the training stands. */
  stateDict(): TrainingState {
    const { best, waited } = this.patience ?? { best: Infinity, waited: 0 };
    const { seed, epochsDone: epoch, batchesDone: batch, lossSum } = this;
    return { seed, epoch, batch, lossSum, best, waited, ...this.shape() };
  }

  /**
   * Goes on where another training of the same data stood.
   * @throws OptionError if this one has begun, or if the data's size or the batches differ; then nothing has changed
   */
  loadStateDict(state: TrainingState): void {
    this[prepare](state)();
  }

  [prepare](state: TrainingState): () => void {
    expectDict("fit.loadStateDict", state);
    if (this.started) throw new OptionError("fit: a state has to be loaded before the first epoch");
    const shape = Object.entries(this.shape()) as [keyof TrainingState, number | boolean][];
    for (const [name, own] of shape) {
      if (state[name] === own) continue;
      throw new OptionError(
        `fit: expected the state of a training with ${name} ${own}, got ${String(state[name])}`,
      );
    }
    for (const name of ["seed", "epoch", "batch", "waited"] as const) {
      if (Number.isSafeInteger(state[name]) && state[name] >= 0) continue;
      throw new OptionError(`fit: expected an integer ≥ 0 for the state's ${name}, got ${state[name]}`);
    }
    for (const name of ["lossSum", "best"] as const) {
      if (typeof state[name] === "number") continue;
      throw new OptionError(`fit: expected a number for the state's ${name}, got ${state[name]}`);
    }
    return () => {
      this.seed = state.seed;
      [this.epochsDone, this.batchesDone, this.lossSum] = [state.epoch, state.batch, state.lossSum];
      if (this.patience !== undefined)
        [this.patience.best, this.patience.waited] = [state.best, state.waited];
      this.divide();
    };
  }

  private shape(): Pick<TrainingState, "rows" | "batchSize" | "shuffle" | "dropLast"> {
    const { batchSize, shuffle, dropLast } = this.settings;
    return { rows: this.data.size, batchSize, shuffle, dropLast };
  }

  /** Keeps the share for validation apart. */
  private divide(): void {
    const { validation, shuffle } = this.settings;
    if (typeof validation !== "number") [this.train, this.held] = [this.data, validation];
    else {
      checkShare(validation, this.data.size);
      [this.train, this.held] = this.data.split(1 - validation, { shuffle, seed: this.seed });
    }
  }

  private async *run(): AsyncGenerator<Epoch, void, undefined> {
    this.started = true;
    while (this.epochsDone < this.settings.epochs && this.patience?.exhausted !== true) {
      const start = performance.now();
      await this.trainEpoch();
      const validation = this.held && (await this.measure(this.held));
      const seconds = (performance.now() - start) / 1000;
      const loss = this.lossSum / rowsUsed(this.train.size, this.settings);
      const counts = { epoch: this.epochsDone, batches: this.batchesDone };
      const epoch = { ...counts, loss, ...(validation && { validation }), seconds };
      this.epochsDone++;
      this.batchesDone = this.lossSum = 0;
      this.patience?.add(epoch);
      yield epoch;
    }
  }

  private async trainEpoch(): Promise<void> {
    const { settings, train, seed, epochsDone: epoch, pace } = this;
    const random = settings.shuffle ? randomNumbers(seed, epoch) : undefined;
    for (const rows of batchRows(train.size, settings, random, this.batchesDone)) {
      if (pace.due) await pace.rest();
      settings.signal?.throwIfAborted();
      this.guard?.keep();
      const loss = scope(() => {
        const { x, y } = train.batch(rows);
        return this.step(x, y);
      });
      this.lossSum += loss * rows.length;
      const batch = this.batchesDone++;
      const wait = settings.onBatch?.({ epoch, batch, loss });
      if (wait !== undefined) await wait;
    }
  }

  /** Makes a step and gives its loss, which has to be finite. */
  private step(x: Tensor, y: Tensor): number {
    const { stepOf, watch, guard } = this;
    const loss = scalarOf("step", watch === undefined ? stepOf(x, y) : watch.run(stepOf, x, y));
    if (guard === undefined || Number.isFinite(loss)) return loss;
    throw guard.stop(loss, stepOf, x, y, `epoch ${this.epochsDone}, batch ${this.batchesDone}`);
  }

  private async measure(held: Dataset): Promise<Record<string, number>> {
    const { batchSize, model, signal, evaluate } = this.settings;
    const means = new Means();
    for (const rows of batchRows(held.size, { batchSize, dropLast: false })) {
      if (this.pace.due) await this.pace.rest();
      signal?.throwIfAborted();
      scope(() => {
        const { x, y } = held.batch(rows);
        const numbers = () => numbersOf(evaluate!(x, y));
        means.add(model === undefined ? noGrad(numbers) : evaluating(model, numbers), rows.length);
      });
    }
    return means.values();
  }
}

/** @throws OptionError unless a share for validation leaves rows to train on and rows to evaluate */
function checkShare(share: number, rows: number): void {
  if (share > 0 && share < 1 && (1 - share) * rows >= 1 - 1e-9) return;
  throw new OptionError(
    `fit: validation is a dataset, or the share of the rows to keep for it, above 0 and below 1, with one left to ` +
      `train on; got ${share} of ${rows} rows`,
  );
}
