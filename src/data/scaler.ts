// Features brought to like sizes: (x − shift) / scale, element by element of a row.
import { zeros } from "../create";
import { DomainError, OptionError, ShapeError, sameShape, show } from "../errors";
import { div, sub } from "../ops/arithmetic";
import { composed } from "../ops/composed";
import { toTensor } from "../ops/operand";
import { outsideScopes, owned, scope } from "../scope";
import { expectDict, prepare } from "../stateDict";
import { type Shape, Tensor, type TensorData } from "../tensor";
import { Dataset } from "./dataset";

/** Rows to have in linear memory at a time. */
const CHUNK = 1024;

/** One number of each element of a row. */
interface Statistics {
  shift: Float64Array;
  scale: Float64Array;
}

/**
 * Remembers statistics of the data that it was fitted to, one of each element of a row, and applies them to
 * other data. An element that is the same in all rows is shifted only.
 */
export abstract class Scaler {
  /** Subtracted from each row, of a row's shape; null before `fit`. */
  shift: Tensor | null = null;
  /** Divides each row, of a row's shape; null before `fit`. */
  scale: Tensor | null = null;

  /** The statistics of rows of `width` elements; `rows` starts a pass over them. */
  protected abstract measure(rows: () => Iterable<ArrayLike<number>>, width: number): Statistics;

  /**
   * Takes the statistics of the rows: of a dataset's inputs, or of data [rows, ...].
   * @throws DomainError for an element that is not finite
   */
  fit(data: Dataset | Tensor | TensorData): this {
    const name = this.constructor.name;
    scope(() => {
      const { shape, rows } = data instanceof Dataset ? ofDataset(data) : ofTensor(name, data);
      let width = 1;
      for (const n of shape) width *= n;
      checkFinite(name, rows());
      const { shift, scale } = this.measure(rows, width);
      // What float32 takes for zero does not divide.
      const divisor = scale.map((value) => (Math.fround(value) === 0 ? 1 : value));
      this.set(shape, shift, divisor);
    });
    return this;
  }

  /**
   * (x − shift) / scale. Of a dataset, one with scaled inputs; of data [..., row's shape], a tensor through
   * which gradients flow.
   */
  apply(data: Dataset): Dataset;
  apply(data: Tensor | TensorData): Tensor;
  apply(data: Dataset | Tensor | TensorData): Dataset | Tensor {
    if (data instanceof Dataset) return data.map((x) => this.apply(x));
    const { name } = this.constructor;
    const { shift, scale } = this;
    if (shift === null || scale === null) {
      throw new OptionError(
        `${name}: apply() needs statistics; call fit(data) or loadStateDict(state) first`,
      );
    }
    return composed(() => {
      const x = toTensor(name, data);
      const rank = shift.shape.length;
      if (rank > x.shape.length || !sameShape(rank === 0 ? [] : x.shape.slice(-rank), shift.shape)) {
        throw new ShapeError(`${name}: fitted to rows ${show(shift.shape)}, got ${show(x.shape)}`);
      }
      return div(sub(x, shift), scale);
    });
  }

  /** The statistics, as living tensors. */
  stateDict(): { shift: Tensor; scale: Tensor } {
    const { shift, scale } = this;
    if (shift !== null && scale !== null) return { shift, scale };
    throw new OptionError(`${this.constructor.name}: no statistics to save; call fit(data) first`);
  }

  /**
   * Takes over a copy of statistics that `stateDict` gave.
   * @throws OptionError unless the state is the tensors shift and scale, ShapeError if they differ in shape
   */
  loadStateDict(state: { shift: Tensor; scale: Tensor }): this {
    this[prepare](state)();
    return this;
  }

  /** @internal */
  [prepare](state: { shift: Tensor; scale: Tensor }): () => void {
    const { name } = this.constructor;
    expectDict(name, state);
    const { shift, scale } = state;
    if (!(shift instanceof Tensor && scale instanceof Tensor)) {
      throw new OptionError(
        `${name}: expected the tensors shift and scale, got ${Object.keys(state).join(", ")}`,
      );
    }
    if (!sameShape(shift.shape, scale.shape)) {
      throw new ShapeError(
        `${name}: shift ${show(shift.shape)} and scale ${show(scale.shape)} differ in shape`,
      );
    }
    shift.use(name);
    scale.use(name);
    return () => this.set(shift.shape, shift.data.slice(), scale.data.slice());
  }

  /** Gives back the memory of the statistics. */
  dispose(): void {
    this.shift?.dispose();
    this.scale?.dispose();
    this.shift = this.scale = null;
  }

  /** Does what `dispose` does, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  [owned](): Tensor[] {
    return this.shift && this.scale ? [this.shift, this.scale] : [];
  }

  private set(shape: Shape, shift: ArrayLike<number>, scale: ArrayLike<number>): void {
    this.dispose();
    const [newShift, newScale] = outsideScopes(() => [zeros(shape), zeros(shape)]) as [Tensor, Tensor];
    newShift.data.set(shift);
    newScale.data.set(scale);
    this.shift = newShift;
    this.scale = newScale;
  }
}

/**
 * (x − mean) / standard deviation, which is that of the rows themselves (divided by their number, not by one
 * less): as scikit-learn's StandardScaler and Keras' Normalization.
 */
export class Standardise extends Scaler {
  protected measure(rows: () => Iterable<ArrayLike<number>>, width: number): Statistics {
    const shift = new Float64Array(width);
    const scale = new Float64Array(width);
    let count = 0;
    for (const row of rows()) {
      count++;
      for (let i = 0; i < width; i++) shift[i] = shift[i]! + row[i]!;
    }
    for (let i = 0; i < width; i++) shift[i] = shift[i]! / count;
    for (const row of rows()) {
      for (let i = 0; i < width; i++) scale[i] = scale[i]! + (row[i]! - shift[i]!) ** 2;
    }
    return { shift, scale: scale.map((squares) => Math.sqrt(squares / count)) };
  }
}

/** (x − min) / (max − min): from 0 to 1 in the data that it was fitted to, as scikit-learn's MinMaxScaler. */
export class Normalise extends Scaler {
  protected measure(rows: () => Iterable<ArrayLike<number>>, width: number): Statistics {
    const shift = new Float64Array(width).fill(Infinity);
    const max = new Float64Array(width).fill(-Infinity);
    for (const row of rows()) {
      for (let i = 0; i < width; i++) {
        shift[i] = Math.min(shift[i]!, row[i]!);
        max[i] = Math.max(max[i]!, row[i]!);
      }
    }
    return { shift, scale: max.map((value, i) => value - shift[i]!) };
  }
}

interface RowsToMeasure {
  /** Of one row. */
  shape: Shape;
  /** The values of each row, as float32 has them. */
  rows: () => Iterable<ArrayLike<number>>;
}

function ofTensor(name: string, data: Tensor | TensorData): RowsToMeasure {
  const x = toTensor(name, data);
  x.use(name);
  const [count, ...shape] = x.shape;
  if (!count) throw new ShapeError(`${name}: expected data of at least one row, got ${show(x.shape)}`);
  return { shape, rows: () => rowsOf(x) };
}

function ofDataset(data: Dataset): RowsToMeasure {
  function* rows(): Generator<ArrayLike<number>> {
    for (const { x } of data.batches({ batchSize: CHUNK })) yield* rowsOf(x);
  }
  return { shape: data.inputShape, rows };
}

function* rowsOf(x: Tensor): Generator<ArrayLike<number>> {
  const { data } = x;
  const width = x.size / x.shape[0]!;
  for (let start = 0; start < x.size; start += width) yield data.subarray(start, start + width);
}

function checkFinite(name: string, rows: Iterable<ArrayLike<number>>): void {
  let at = 0;
  for (const row of rows) {
    for (let i = 0; i < row.length; i++) {
      if (Number.isFinite(row[i])) continue;
      throw new DomainError(`${name}: expected finite numbers, got ${row[i]} at element ${i} of row ${at}`);
    }
    at++;
  }
}
