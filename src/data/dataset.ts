import { noGrad } from "../autograd";
import { DomainError, expectFunction, OptionError, ShapeError, show, text, withDefaults } from "../errors";
import type { Origin } from "../memory";
import { ended, scope, scopeOf } from "../scope";
import { type DType, expectTensor, type Shape, sizeOf, type Tensor, type TensorData } from "../tensor";
import { type Column, copyRows, gather, inputs, joined, RowNames, type Rows, taken, targets } from "./column";
import { randomNumbers, rowOrder, seedOf } from "./random";

/** Rows of inputs with their targets. */
export interface Batch {
  /** [rows, ...] */
  x: Tensor;
  /** [rows, ...] */
  y: Tensor;
}

/** How `Dataset.batches` goes through the rows. */
export interface BatchOptions {
  /** Rows in a batch; default 32. */
  batchSize?: number;
  /** Whether to draw a new order; default false. */
  shuffle?: boolean;
  /** Of the order; default: drawn from the generator that `manualSeed` starts. */
  seed?: number;
  /** Whether to leave out a last batch of fewer rows; default false. */
  dropLast?: boolean;
}

/** How `Dataset.split` divides the rows. */
export interface SplitOptions {
  /** Whether to draw the rows of each part; default true. */
  shuffle?: boolean;
  /** Of the draw; default: drawn from the generator that `manualSeed` starts. */
  seed?: number;
}

/** The options of `dataset`. */
export interface DatasetOptions {
  /** Of batches of inputs; default: i32 of Int32Arrays and i32 tensors, f32 of everything else. */
  xDtype?: DType;
  /** Of batches of targets; default: the same, and i32 of what looks like classes. */
  yDtype?: DType;
}

/**
 * Inputs and targets, row by row. `x` and `y` are tensors (copied), nested arrays (copied), of which the innermost may be
 * typed arrays, typed arrays (read when a batch is made), or `{ data, shape }` as `readIdx` gives it. Numbers that were
 * not float32 stay in float64 until a batch is made.
 *
 * Targets that look like classes are i32: typed arrays of integers, and a flat array of whole numbers within 32 bits. Losses
 * of amounts, such as `mseLoss`, take them as they are; `yDtype: "f32"` says that they are amounts, `"i32"` that other whole
 * numbers are classes.
 * @param x [rows, ...]
 * @param y [rows, ...]
 * @throws ShapeError if there are no rows, or not as many of x as of y, DTypeError for what is no number: with its row and
 *   column
 * @throws DomainError for what is no 32-bit integer where i32 is asked for
 */
export function dataset(x: Rows, y: Rows, options?: DatasetOptions): Dataset {
  const { xDtype, yDtype } = withDefaults(
    "dataset",
    { xDtype: undefined as DType | undefined, yDtype: undefined as DType | undefined },
    options,
  );
  const columns = { x: inputs("dataset", x, xDtype), y: targets("dataset", y, yDtype) };
  const { size } = columns.x;
  if (size !== columns.y.size) {
    throw new ShapeError(`dataset: ${size} rows of inputs, but ${columns.y.size} of targets`);
  }
  if (size === 0) throw new ShapeError("dataset: expected at least one row");
  return new Dataset(columns, rowOrder(size));
}

/** What a dataset has for inputs. */
export interface Source extends Pick<Column, "values" | "rowShape"> {
  /** Which rows of the values. */
  rows: Int32Array;
  /** The row that `dataset` was given for one of them. */
  nameOf: (row: number) => number;
}

/**
 * Rows of inputs and targets, made by `dataset`. They lie outside of linear memory: there is nothing to
 * dispose of.
 */
export class Dataset {
  /** Number of rows. */
  readonly size: number;

  constructor(
    private readonly columns: { x: Column; y: Column },
    /** Positions in the columns. Parts of a dataset share its columns. */
    private readonly rows: Int32Array,
    /** The row that `dataset` was given for each position, where it is another one. */
    private readonly names?: Int32Array,
  ) {
    this.size = rows.length;
  }

  /** Shape of one row of inputs; [] for a number. */
  get inputShape(): Shape {
    return this.columns.x.rowShape;
  }

  /**
   * The given rows as tensors [rows, ...], all of them by default. They belong to the caller.
   * @throws DomainError for a row that does not exist
   */
  batch(rows: ArrayLike<number> = rowOrder(this.size)): Batch {
    const { x, y } = this.columns;
    const picked = this.pick("batch", rows);
    const { names } = this;
    const nameOf = (row: number) => names?.[picked[row]!] ?? picked[row]!;
    return scope(() => ({
      x: gather(x, picked, new RowNames(x.rowShape, nameOf)),
      y: gather(y, picked, new RowNames(y.rowShape, nameOf)),
    }));
  }

  /** @internal */
  source(): Source {
    const { rows, names } = this;
    const { values, rowShape } = this.columns.x;
    return { values, rowShape, rows, nameOf: (row) => names?.[rows[row]!] ?? rows[row]! };
  }

  /** The same rows with other inputs. @internal */
  withInputs(x: Column): Dataset {
    const { nameOf } = this.source();
    const names = Int32Array.from(this.rows, (_, row) => nameOf(row));
    return new Dataset({ x, y: taken(this.columns.y, this.rows) }, rowOrder(this.size), names);
  }

  /** Names the rows of a batch: its row i is row `rowOf(i)`. @internal */
  origins(rowOf: (row: number) => number): Origin[] {
    const { nameOf } = this.source();
    const { x, y } = this.columns;
    return [x, y].map(({ rowShape }) => new RowNames(rowShape, (row) => nameOf(rowOf(row))));
  }

  /**
   * Goes through all rows once, `batchSize` at a time. A batch lives until the next one is asked for, or the
   * loop ends: `clone()` keeps its tensors longer.
   * @throws OptionError for a batch size that is no integer ≥ 1, or if `dropLast` leaves nothing
   */
  batches(options?: BatchOptions): Generator<Batch, void, undefined> {
    const defaults = {
      batchSize: 32,
      shuffle: false,
      seed: undefined as number | undefined,
      dropLast: false,
    };
    const { shuffle, seed, ...cut } = withDefaults("batches", defaults, options);
    checkBatches("batches", this.size, cut);
    const random = shuffle ? randomNumbers(seedOf("batches", seed)) : undefined;
    return this.each(batchRows(this.size, cut, random));
  }

  private *each(parts: Iterable<Int32Array>): Generator<Batch, void, undefined> {
    for (const rows of parts) {
      const batch = this.batch(rows);
      try {
        yield batch;
      } finally {
        batch.x.dispose();
        batch.y.dispose();
      }
    }
  }

  /** The given rows, in their order, as a dataset that shares their values. @throws DomainError as `batch` */
  subset(rows: ArrayLike<number>): Dataset {
    const picked = this.pick("subset", rows);
    if (picked.length === 0) throw new ShapeError("subset: expected at least one row");
    return new Dataset(this.columns, picked);
  }

  /**
   * Parts that share the values: `split(0.8)` gives 80 % (rounded down) and the rest, `split([100, 30, 20])`
   * parts of so many rows. The rows of each are drawn, unless `shuffle` is false.
   * @throws OptionError if a part would be empty, or the counts do not add up to the size
   */
  split(fraction: number, options?: SplitOptions): [first: Dataset, rest: Dataset];
  split(counts: readonly number[], options?: SplitOptions): Dataset[];
  split(parts: number | readonly number[], options?: SplitOptions): Dataset[] {
    const defaults = { shuffle: true, seed: undefined as number | undefined };
    const { shuffle, seed } = withDefaults("split", defaults, options);
    const counts = typeof parts === "number" ? this.countsOf(parts) : parts;
    this.checkCounts(counts, parts);
    const order = rowOrder(this.size, shuffle ? randomNumbers(seedOf("split", seed)) : undefined);
    let end = 0;
    return counts.map((count) => {
      end += count;
      return this.subset(order.subarray(end - count, end));
    });
  }

  /** What is a whole number but for rounding, as 0.29 · 100, is not rounded down. */
  private countsOf(fraction: number): number[] {
    const first = Math.floor(fraction * this.size + 1e-9);
    return [first, this.size - first];
  }

  private checkCounts(counts: readonly number[], given: number | readonly number[]): void {
    const fits = Array.isArray(counts) && counts.every((n) => Number.isInteger(n) && n >= 1);
    if (fits && counts.reduce((sum, n) => sum + n, 0) === this.size) return;
    throw new OptionError(
      `split: expected a fraction that leaves a row on either side, or counts ≥ 1 that add up to ${this.size}, ` +
        `got ${Array.isArray(given) ? show(given) : given}`,
    );
  }

  /**
   * The same rows with inputs that `fn` makes of theirs, [rows, ...] to [rows, ...], `batchSize` (default
   * 1024) at a time: `data.map((x) => x.div(255))`. Tensors are float32; a scaler in `fn` gets the numbers before they
   * were rounded. With `float64`, `fn` gets the numbers of each row as they were given, and returns those of the new one:
   * `data.map(([time, price]) => [(time - start) / 1000, price], { float64: true })`.
   */
  map(fn: (x: Tensor) => Tensor, options?: { batchSize?: number; float64?: false }): Dataset;
  map(fn: (row: Float64Array) => TensorData, options: { float64: true }): Dataset;
  map(
    fn: ((x: Tensor) => Tensor) | ((row: Float64Array) => TensorData),
    options?: { batchSize?: number; float64?: boolean },
  ): Dataset {
    expectFunction("map", fn);
    const { float64, batchSize } = withDefaults("map", { batchSize: 1024, float64: false }, options);
    const cut = { batchSize, dropLast: false };
    if (float64) return this.mapRows(fn as (row: Float64Array) => TensorData);
    checkBatches("map", this.size, cut);
    const parts = Array.from(batchRows(this.size, cut), (rows) =>
      scopeOf(ended("the function of map"), () => {
        const batch = this.exactInputs(rows);
        const x = noGrad(() => expectTensor("map", (fn as (x: Tensor) => Tensor)(batch)));
        if (x.shape[0] === rows.length) return inputs("map", x);
        throw new ShapeError(`map: expected [${rows.length}, ...] of fn, got ${show(x.shape)}`);
      }),
    );
    return this.withInputs(joined(parts));
  }

  private mapRows(fn: (row: Float64Array) => TensorData): Dataset {
    const { x } = this.columns;
    const width = sizeOf(x.rowShape);
    const rows = Array.from(this.rows, (row) =>
      fn(Float64Array.from(x.values.subarray(row * width, (row + 1) * width))),
    );
    return this.withInputs(inputs("map", rows, "f32"));
  }

  /** The inputs of rows with their digits before rounding. */
  private exactInputs(rows: Int32Array): Tensor {
    const { x } = this.columns;
    const picked = this.pick("map", rows);
    const exact = new Float64Array(picked.length * sizeOf(x.rowShape));
    copyRows(x.values, x.rowShape, picked, exact);
    const { nameOf } = this.source();
    return gather(x, picked, new RowNames(x.rowShape, (row) => nameOf(rows[row]!), exact));
  }

  private pick(op: string, rows: ArrayLike<number>): Int32Array {
    if (typeof rows !== "object" || !Number.isInteger(rows?.length))
      throw new OptionError(`${op}: expected an array of rows, got ${text(rows)}`);
    const picked = new Int32Array(rows.length);
    for (let i = 0; i < rows.length; i++) {
      const row = this.rows[rows[i]!];
      if (row === undefined) {
        throw new DomainError(`${op}: expected rows 0 … ${this.size - 1}, got ${rows[i]}`);
      }
      picked[i] = row;
    }
    return picked;
  }
}

/** How rows are cut into batches. */
export interface Cut {
  batchSize: number;
  dropLast: boolean;
}

/** @throws OptionError unless there is a batch to make */
export function checkBatches(op: string, size: number, { batchSize, dropLast }: Cut): void {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new OptionError(`${op}: batchSize is an integer ≥ 1, got ${text(batchSize)}`);
  }
  if (dropLast && size < batchSize) {
    throw new OptionError(`${op}: dropLast leaves nothing of ${size} rows at a batchSize of ${batchSize}`);
  }
}

/** How many rows are in some batch. */
export function rowsUsed(size: number, { batchSize, dropLast }: Cut): number {
  return dropLast ? size - (size % batchSize) : size;
}

/** The rows of each batch from the `first` on, in order, or in an order drawn from `random`. */
export function* batchRows(size: number, cut: Cut, random?: () => number, first = 0) {
  const order = rowOrder(size, random);
  const end = rowsUsed(size, cut);
  for (let start = first * cut.batchSize; start < end; start += cut.batchSize) {
    yield order.subarray(start, Math.min(end, start + cut.batchSize));
  }
}
