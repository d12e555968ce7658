import { zeros } from "../create";
import { batchRows, checkBatches, Dataset, rowsUsed } from "../data/dataset";
import { randomNumbers, seedOf } from "../data/random";
import { OptionError, text, withDefaults } from "../errors";
import type { Origin } from "../memory";
import { beforeLoneRow } from "../ops/normalization";
import { ended, freeWith, outsideScopes, Region, scope, scopeOf } from "../scope";
import { expectDict, prepare } from "../stateDict";
import type { Tensor } from "../tensor";
import { kernels } from "../wasm";
import type { Variant } from "./variant";

/** The options of `compiled.over`. */
export interface PlanBatchesOptions {
  /** Rows in a batch; default 32. */
  batchSize?: number;
  /** Whether each epoch has an order of its own; default true. */
  shuffle?: boolean;
  /** Of the orders; default: drawn from the generator that `manualSeed` starts. */
  seed?: number;
  /** Whether to leave out a last batch of fewer rows; default false. */
  dropLast?: boolean;
}

const defaults = { batchSize: 32, shuffle: true, seed: undefined as number | undefined, dropLast: false };

/** Where batches stand, as plain data. */
export interface PlanBatchesState {
  /** Of the orders; 0 without `shuffle`. */
  seed: number;
  /** Epochs that are complete. */
  epoch: number;
  /** Batches run in the epoch after them. */
  batch: number;
  /** What has to be the same where the training goes on. */
  rows: number;
  batchSize: number;
  shuffle: boolean;
  dropLast: boolean;
}

/** A compiled function of a batch, and the plan that it has for one. */
export interface Step<R> {
  call: (x: Tensor, y: Tensor) => R;
  find: (x: Tensor, y: Tensor) => Variant<R> | undefined;
}

/**
 * Batches of a dataset that lies in linear memory, for a compiled step: a kernel gathers the rows into the plan's
 * inputs, and nothing is made in between. The batches are those that `fit` makes of the same data, seed and size.
 */
export class PlanBatches<R> {
  /** Batches in an epoch. */
  readonly batches: number;
  /** Epochs that are complete. */
  epoch = 0;
  /** Batches run in the epoch under way. */
  batch = 0;
  private readonly settings: Required<PlanBatchesOptions>;
  private readonly region = new Region();
  private readonly x: Tensor;
  private readonly y: Tensor;
  /** The rows in the order of the epoch, i32. */
  private readonly order: Tensor;
  /** Where the batch under way starts in the order. */
  private readonly start = { at: 0 };
  /** Names the rows of the batch under way. */
  private readonly origins: Origin[];
  /** By the rows of the batch. */
  private readonly plans = new Map<number, Variant<R> | undefined>();

  constructor(
    private readonly step: Step<R>,
    private readonly data: Dataset,
    options: PlanBatchesOptions | undefined,
  ) {
    if (!(data instanceof Dataset))
      throw new OptionError("over: expected a dataset; make one by dataset(x, y)");
    const settings = withDefaults("over", defaults, options);
    checkBatches("over", data.size, settings);
    this.settings = { ...settings, seed: settings.shuffle ? seedOf("over", settings.seed) : 0 };
    const perEpoch = rowsUsed(data.size, settings) / settings.batchSize;
    this.batches = Math.ceil(perEpoch);
    const made = () => [zeros([data.size], { dtype: "i32" }), ...Object.values(data.batch())];
    [this.order, this.x, this.y] = outsideScopes(() => scope(made)) as [Tensor, Tensor, Tensor];
    for (const { buffer } of [this.order, this.x, this.y]) this.region.add(buffer);
    freeWith(this, this.region);
    this.origins = data.origins(rowsFrom(this.order, this.start));
  }

  /**
   * Runs the step on the next n batches, going on with a new order where an epoch ends. Returns the result of the last.
   * @param n default 1
   * @throws OptionError unless n is an integer ≥ 1
   */
  run(n = 1): R {
    if (!Number.isInteger(n) || n < 1) throw new OptionError(`run: expected an integer ≥ 1, got ${text(n)}`);
    let result!: R;
    for (let i = 0; i < n; i++) result = this.next();
    return result;
  }

  /** Where they stand: with model and optimizer in a checkpoint, a later training goes on with the batch that comes next. */
  stateDict(): PlanBatchesState {
    const { seed, ...shape } = this.settings;
    return { seed, epoch: this.epoch, batch: this.batch, rows: this.data.size, ...shape };
  }

  /**
   * Goes on where other batches of the same data stood.
   * @throws OptionError if the number of rows or the batches differ; then nothing has changed
   */
  loadStateDict(state: PlanBatchesState): void {
    this[prepare](state)();
  }

  /** @internal */
  [prepare](state: PlanBatchesState): () => void {
    expectDict("over.loadStateDict", state);
    this.order.use("over.loadStateDict", "i32");
    const { seed: _, epoch: __, batch: ___, ...shape } = this.stateDict();
    for (const [name, own] of Object.entries(shape) as [keyof PlanBatchesState, number | boolean][]) {
      if (state[name] === own) continue;
      throw new OptionError(
        `over: expected the state of batches with ${name} ${own}, got ${text(state[name])}`,
      );
    }
    for (const name of ["seed", "epoch", "batch"] as const) {
      const most = name === "batch" ? this.batches - 1 : Number.MAX_SAFE_INTEGER;
      if (Number.isSafeInteger(state[name]) && state[name] >= 0 && state[name] <= most) continue;
      throw new OptionError(
        `over: expected an integer from 0 to ${most} for the state's ${name}, got ${text(state[name])}`,
      );
    }
    return () => {
      this.settings.seed = state.seed;
      [this.epoch, this.batch] = [state.epoch, state.batch];
      this.shuffle();
    };
  }

  /** Gives back the memory of the data; the compiled step lives on. */
  dispose(): void {
    this.region.free("dispose");
  }

  /** Does what `dispose` does, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  private next(): R {
    if (this.batch === 0) this.shuffle();
    const { batchSize } = this.settings;
    const at = this.batch * batchSize;
    const rows = Math.min(batchSize, this.data.size - at);
    const result = this.runOn(at, rows);
    this.batch++;
    if (this.batch === this.batches) {
      this.batch = 0;
      this.epoch++;
    }
    return result;
  }

  private runOn(at: number, rows: number): R {
    this.start.at = at;
    const plan = this.plans.get(rows);
    if (plan?.holds() === true && plan.prepare()) {
      const [x, y] = plan.inputs as [Tensor, Tensor];
      plan.from(this.origins);
      this.gather(this.x, at, x, rows);
      this.gather(this.y, at, y, rows);
      return plan.again();
    }
    return scopeOf(ended("the function of compile"), () => {
      const [x, y] = [this.x, this.y].map(({ shape, dtype }) => zeros([rows, ...shape.slice(1)], { dtype }));
      this.gather(this.x, at, x!, rows);
      this.gather(this.y, at, y!, rows);
      [x!.buffer.origin, y!.buffer.origin] = this.origins;
      const call = () => this.step.call(x!, y!);
      const endsInLoneRow = rowsUsed(this.data.size, this.settings) % this.settings.batchSize === 1;
      const result = endsInLoneRow ? beforeLoneRow("over", rows, call) : call();
      this.plans.set(rows, this.step.find(x!, y!));
      return result;
    });
  }

  /** Copies the rows that are next in the order. */
  private gather(from: Tensor, at: number, to: Tensor, rows: number): void {
    const source = from.use("run", from.dtype);
    kernels.embeddingForward(this.order.ptr + 4 * at, source, to.ptr, rows, from.size / this.data.size);
  }

  private shuffle(): void {
    const { shuffle, seed } = this.settings;
    const [order] = batchRows(
      this.data.size,
      { batchSize: this.data.size, dropLast: false },
      shuffle ? randomNumbers(seed, this.epoch) : undefined,
    );
    this.order.view().set(order!);
  }
}

/** The rows in an order. Buffers hold this function: if it held the batches, nothing that a plan reaches could be collected. */
function rowsFrom(order: Tensor, start: { readonly at: number }): (row: number) => number {
  return (row) => order.view()[start.at + row]!;
}
