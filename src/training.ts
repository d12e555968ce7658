import { noGrad } from "./autograd";
import { batchRows, checkBatches, type Dataset, rowsUsed } from "./data/dataset";
import { randomNumbers, seedOf } from "./data/random";
import { Patience } from "./earlyStopping";
import { OptionError, text } from "./errors";
import type { Epoch, Settings, Step } from "./fit";
import { Guard } from "./health/guard";
import { type Watch, watchOf } from "./health/watch";
import { Means, numbersOf, scalarOf } from "./measures";
import { evaluating } from "./nn/evaluating";
import { beforeLoneRow } from "./ops/normalization";
import { Pace } from "./pace";
import { ended, scopeOf } from "./scope";
import { expectDict, prepare } from "./stateDict";
import type { Tensor } from "./tensor";

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
export class Training implements AsyncIterableIterator<Epoch> {
  private train!: Dataset;
  private held: Dataset | undefined;
  private readonly pace = new Pace();
  private readonly patience: Patience | undefined;
  private readonly watch: Watch | undefined;
  private readonly guard: Guard | undefined;
  private readonly turns: AsyncGenerator<Epoch, void, undefined>;
  private started = false;
  private ended = false;
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
    const { earlyStopping, health, stopOnNaN, model, optimizer } = settings;
    if (earlyStopping !== undefined) this.patience = new Patience(earlyStopping);
    this.watch = watchOf(health);
    this.guard = stopOnNaN ? new Guard(model, optimizer, this) : undefined;
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
    this.ended = true;
    return this.turns.return();
  }

  /** Itself: `for await` trains. @throws OptionError for a training that has ended, by its last epoch, a break or an error */
  [Symbol.asyncIterator](): this {
    if (!this.ended && !(this.started && this.complete)) return this;
    throw new OptionError(
      `fit: this training has ended after ${this.epochsDone} epochs and cannot be gone through again; call fit for ` +
        "another one, and its loadStateDict(training.stateDict()) to go on where this one stands",
    );
  }

  /**
   * Refuses `await`, which would not train.
   * @throws OptionError always
   */
  // biome-ignore lint/suspicious/noThenProperty: it is there to refuse
  get then(): (this: never) => never {
    throw new OptionError(
      "fit: a training is no promise: go through its epochs, for await (const epoch of fit(step, data)) …; an async " +
        "function that returns one has to wrap it, return { training }",
    );
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

  /** @internal */
  [prepare](state: TrainingState): () => void {
    expectDict("fit.loadStateDict", state);
    if (this.started) throw new OptionError("fit: a state has to be loaded before the first epoch");
    const shape = Object.entries(this.shape()) as [keyof TrainingState, number | boolean][];
    for (const [name, own] of shape) {
      if (state[name] === own) continue;
      throw new OptionError(
        `fit: expected the state of a training with ${name} ${own}, got ${text(state[name])}`,
      );
    }
    for (const name of ["seed", "epoch", "batch", "waited"] as const) {
      if (Number.isSafeInteger(state[name]) && state[name] >= 0) continue;
      throw new OptionError(`fit: expected an integer ≥ 0 for the state's ${name}, got ${text(state[name])}`);
    }
    for (const name of ["lossSum", "best"] as const) {
      if (typeof state[name] === "number") continue;
      throw new OptionError(`fit: expected a number for the state's ${name}, got ${text(state[name])}`);
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
    try {
      yield* this.epochs();
    } finally {
      this.ended = true;
    }
  }

  /** Whether there is no epoch left. */
  private get complete(): boolean {
    return this.epochsDone >= this.settings.epochs || this.patience?.exhausted === true;
  }

  private async *epochs(): AsyncGenerator<Epoch, void, undefined> {
    while (!this.complete) {
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
      const loss = scopeOf(ended("the step of fit"), () => {
        const { x, y } = train.batch(rows);
        return this.step(x, y);
      });
      this.lossSum += loss * rows.length;
      const batch = this.batchesDone++;
      const wait = settings.onBatch?.({ epoch, batch, loss });
      if (wait !== undefined) await wait;
    }
  }

  private get endsInLoneRow(): boolean {
    return rowsUsed(this.train.size, this.settings) % this.settings.batchSize === 1;
  }

  /** Makes a step and gives its loss, which has to be finite. */
  private step(x: Tensor, y: Tensor): number {
    const { stepOf, watch, guard } = this;
    const run = () => scalarOf("step", watch === undefined ? stepOf(x, y) : watch.run(stepOf, x, y));
    const loss = this.endsInLoneRow ? beforeLoneRow("fit", x.shape[0]!, run) : run();
    if (guard === undefined || Number.isFinite(loss)) return loss;
    throw guard.stop(loss, stepOf, x, y, `epoch ${this.epochsDone}, batch ${this.batchesDone}`);
  }

  private async measure(held: Dataset): Promise<Record<string, number>> {
    const { batchSize, model, signal, evaluate } = this.settings;
    const means = new Means();
    for (const rows of batchRows(held.size, { batchSize, dropLast: false })) {
      if (this.pace.due) await this.pace.rest();
      signal?.throwIfAborted();
      scopeOf(ended("evaluate of fit"), () => {
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
