// Features brought to like sizes: (x − shift) / scale, element by element of a row, in float64 up to the last rounding.
import { gradient, record } from "../autograd";
import { filledWith, zeros } from "../create";
import { DomainError, OptionError, ShapeError, sameShape, show } from "../errors";
import { Buffer } from "../memory";
import { composed } from "../ops/composed";
import { recorder } from "../recording";
import { outsideScopes, owned } from "../scope";
import { expectDict, prepare, readValue, type StateValue } from "../stateDict";
import { type Nested, type Shape, sizeOf, Tensor } from "../tensor";
import { kernels } from "../wasm";
import { copyRows, RowNames, type Rows, readRows, stored } from "./column";
import { Dataset, type Source } from "./dataset";
import { rowOrder } from "./random";

/** One number of each element of a row: y = (x · unit − shift) / scale. */
interface Statistics {
  /** A power of two, 1 but for numbers whose squares float64 does not hold. */
  unit: Float64Array;
  shift: Float64Array;
  scale: Float64Array;
}

/** Of each column in its unit: the extremes, and a walk over the rows, each of which is valid until the next. */
interface Columns {
  low: Float64Array;
  high: Float64Array;
  count: number;
  each: (fn: (row: Float64Array) => void) => void;
}

/** A scaler's statistics, nested as a row is; `unit`, a power of two in which they are, only where it is not 1. */
export interface ScalerState<Value = Nested> {
  shift: Value;
  scale: Value;
  unit?: Value;
}

/**
 * Remembers statistics of the data that it was fitted to, one of each element of a row, and applies them to
 * other data. An element that is the same in all rows is shifted only. Everything is float64 up to the result, which is
 * float32: of arrays and datasets the numbers as they were given, of tensors their float32.
 */
export abstract class Scaler {
  /** Subtracted from each row, of a row's shape, rounded to float32; null before `fit`. */
  shift: Tensor | null = null;
  /** Divides each row, of a row's shape, rounded to float32; null before `fit`. */
  scale: Tensor | null = null;
  private statistics: Statistics | undefined;

  protected abstract measure(columns: Columns): Pick<Statistics, "shift" | "scale">;

  /**
   * Takes the statistics of the rows: of a dataset's inputs, or of data [rows, ...].
   * @throws DomainError for an element that is not finite
   */
  fit(data: Dataset | Rows): this {
    const { name } = this.constructor;
    const source = data instanceof Dataset ? data.source() : sourceOf(name, data);
    const width = sizeOf(source.rowShape);
    const low = new Float64Array(width).fill(Infinity);
    const high = new Float64Array(width).fill(-Infinity);
    eachRow(source, (row, index) => {
      for (let c = 0; c < width; c++) {
        const value = row[c]!;
        if (value >= low[c]! && value <= high[c]!) continue;
        if (!Number.isFinite(value)) {
          const place = `element ${c} of row ${source.nameOf(index)}`;
          throw new DomainError(`${name}: expected finite numbers, got ${value} at ${place}`);
        }
        low[c] = Math.min(low[c]!, value);
        high[c] = Math.max(high[c]!, value);
      }
    });
    const unit = low.map((value, c) => unitFor(Math.max(-value, high[c]!)));
    const { shift, scale } = this.measure({
      low: low.map((value, c) => value * unit[c]!),
      high: high.map((value, c) => value * unit[c]!),
      count: source.rows.length,
      each: (fn) => eachRow(source, fn, unit.every((value) => value === 1) ? undefined : unit),
    });
    const divisor = scale.map((value, c) => (value === 0 ? unit[c]! : value));
    this.set(source.rowShape, { unit, shift, scale: divisor });
    return this;
  }

  /**
   * (x − shift) / scale. Of a dataset, one with scaled inputs; of data [..., row's shape], a tensor through
   * which gradients flow.
   */
  apply(data: Dataset): Dataset;
  apply(data: Rows): Tensor;
  apply(data: Dataset | Rows): Dataset | Tensor {
    const { name } = this.constructor;
    if (this.statistics === undefined) {
      throw new OptionError(
        `${name}: apply() needs statistics; call fit(data) or loadStateDict(state) first`,
      );
    }
    if (data instanceof Dataset) return this.applyTo(data);
    if (data instanceof Tensor && data.dtype === "f32") return this.applyToTensor(data);
    const { data: values, shape } = readRows(name, data);
    return filledWith(name, { values: this.scaled(values, shape), shape }, "f32");
  }

  /** The statistics, as plain numbers: JSON keeps them to the last digit. */
  stateDict(): ScalerState {
    const { statistics, shift: like } = this;
    if (statistics === undefined || like === null) {
      throw new OptionError(`${this.constructor.name}: no statistics to save; call fit(data) first`);
    }
    const [shift, scale, unit] = (["shift", "scale", "unit"] as const).map((key) =>
      nested(statistics[key], like.shape),
    ) as [Nested, Nested, Nested];
    return statistics.unit.every((value) => value === 1) ? { shift, scale } : { shift, scale, unit };
  }

  /**
   * Takes over a copy of statistics that `stateDict` gave, or of tensors, as it gave them in 0.1.0.
   * @throws OptionError unless the state has shift and scale, ShapeError if they differ in shape
   */
  loadStateDict(state: ScalerState<StateValue>): this {
    this[prepare](state)();
    return this;
  }

  /** @internal */
  [prepare](state: ScalerState<StateValue>): () => void {
    const { name } = this.constructor;
    expectDict(name, state);
    if (state.shift === undefined || state.scale === undefined) {
      throw new OptionError(`${name}: expected shift and scale, got ${Object.keys(state).join(", ")}`);
    }
    const shift = readValue(`${name}: shift`, state.shift);
    const scale = readValue(`${name}: scale`, state.scale);
    const unit = state.unit === undefined ? undefined : readValue(`${name}: unit`, state.unit);
    for (const [key, { shape }] of Object.entries({ scale, unit: unit ?? shift })) {
      if (sameShape(shift.shape, shape)) continue;
      throw new ShapeError(`${name}: shift ${show(shift.shape)} and ${key} ${show(shape)} differ in shape`);
    }
    return () =>
      this.set(shift.shape, {
        unit: unit ? Float64Array.from(unit.values()) : new Float64Array(sizeOf(shift.shape)).fill(1),
        shift: Float64Array.from(shift.values()),
        scale: Float64Array.from(scale.values()),
      });
  }

  /** Gives back the memory of the statistics. */
  dispose(): void {
    this.shift?.dispose();
    this.scale?.dispose();
    this.shift = this.scale = null;
    this.statistics = undefined;
  }

  /** Does what `dispose` does, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  [owned](): Tensor[] {
    return this.shift && this.scale ? [this.shift, this.scale] : [];
  }

  private set(shape: Shape, statistics: Statistics): void {
    this.dispose();
    const [shift, scale] = outsideScopes(() => [zeros(shape), zeros(shape)]) as [Tensor, Tensor];
    shift.data.set(statistics.shift.map((value, i) => value / statistics.unit[i]!));
    scale.data.set(statistics.scale.map((value, i) => value / statistics.unit[i]!));
    [this.shift, this.scale, this.statistics] = [shift, scale, statistics];
  }

  private applyTo(data: Dataset): Dataset {
    const source = data.source();
    const [size, width] = [data.size, sizeOf(source.rowShape)];
    this.checkShape([size, ...source.rowShape]);
    const values = new Float32Array(size * width);
    eachRow(source, (row, index) => this.scaleRow(row, values, index * width));
    return data.withInputs(stored(values, { dtype: "f32", size, rowShape: source.rowShape }));
  }

  /** In a kernel; where a dataset is mapped, of the numbers before they were rounded, unless they have been overwritten. */
  private applyToTensor(x: Tensor): Tensor {
    const { name } = this.constructor;
    x.use(name);
    const { origin } = x.buffer;
    if (origin instanceof RowNames && origin.exact !== undefined) {
      const exact = x.data as Float32Array;
      const values = origin.exact.map((value, i) => (Math.fround(value) === exact[i] ? value : exact[i]!));
      return filledWith(name, { values: this.scaled(values, x.shape), shape: x.shape }, "f32");
    }
    this.checkShape(x.shape);
    this.shift!.use(name); // plans have to know what they depend on
    const { unit, shift, scale } = this.statistics!;
    const width = shift.length;
    return composed(() => {
      const stats = new Buffer(8 * width);
      recorder?.written(stats);
      const slope = unit.map((value, c) => value / scale[c]!);
      for (const [i, values] of [unit, shift, scale, slope].entries())
        stats.doubles(4 * width).set(values, i * width);
      const y = new Tensor(x.shape);
      const rows = x.size / width;
      kernels.rescale(x.ptr, stats.ptr, y.ptr, rows, width);
      return record(name, y, [x], [x, stats], (dy) => {
        const sums = new Buffer(4 * width);
        // The derivative of batch norm in evaluation, whose factor lies behind a mean.
        const from = stats.ptr + 16 * width;
        kernels.batchNormBackward(x.ptr, 0, from, dy, gradient(x), 0, 0, sums.ptr, rows, width, 1, 0);
        sums.free("backward");
      });
    });
  }

  /** Flat values of a shape. */
  private scaled(values: ArrayLike<number>, shape: Shape): Float32Array {
    this.checkShape(shape);
    const result = new Float32Array(values.length);
    this.scaleRow(values, result, 0);
    return result;
  }

  /** One row after the other. */
  private scaleRow(values: ArrayLike<number>, to: Float32Array, start: number): void {
    const { unit, shift, scale } = this.statistics!;
    for (let i = 0, c = 0; i < values.length; i++) {
      to[start + i] = (values[i]! * unit[c]! - shift[c]!) / scale[c]!;
      if (++c === shift.length) c = 0;
    }
  }

  private checkShape(shape: Shape): void {
    const row = this.shift!.shape;
    if (row.length <= shape.length && sameShape(shape.slice(shape.length - row.length), row)) return;
    throw new ShapeError(`${this.constructor.name}: fitted to rows ${show(row)}, got ${show(shape)}`);
  }
}

/**
 * (x − mean) / standard deviation, which is that of the rows themselves (divided by their number, not by one
 * less): as scikit-learn's StandardScaler and Keras' Normalization.
 */
export class Standardise extends Scaler {
  /** Of distances from the lowest, which are exact where the numbers are close to each other, in two passes. */
  protected measure({ low, count, each }: Columns): Pick<Statistics, "shift" | "scale"> {
    const totals = new Float64Array(low.length);
    const rest = new Float64Array(low.length);
    const squares = new Float64Array(low.length);
    each((row) => {
      for (let c = 0; c < row.length; c++) totals[c] = totals[c]! + (row[c]! - low[c]!);
    });
    const mean = totals.map((total) => total / count);
    each((row) => {
      for (let c = 0; c < row.length; c++) {
        const d = row[c]! - low[c]! - mean[c]!;
        rest[c] = rest[c]! + d;
        squares[c] = squares[c]! + d * d;
      }
    });
    return {
      shift: low.map((value, c) => value + mean[c]! + rest[c]! / count),
      scale: squares.map((sum) => Math.sqrt(sum / count)),
    };
  }
}

/** (x − min) / (max − min): from 0 to 1 in the data that it was fitted to, as scikit-learn's MinMaxScaler. */
export class Normalise extends Scaler {
  protected measure({ low, high }: Columns): Pick<Statistics, "shift" | "scale"> {
    return { shift: low, scale: high.map((value, c) => value - low[c]!) };
  }
}

/** The squares of numbers times this are far from the limits of float64. */
function unitFor(largest: number): number {
  if (largest > 2 ** 400) return 2 ** -800;
  return largest > 0 && largest < 2 ** -400 ? 2 ** 800 : 1;
}

function sourceOf(name: string, rows: Rows): Source {
  const { data, shape } = readRows(name, rows);
  const [count, ...rowShape] = shape;
  if (!count) throw new ShapeError(`${name}: expected data of at least one row, got ${show(shape)}`);
  return { values: data, rowShape, rows: rowOrder(count), nameOf: (row) => row };
}

/** Calls `fn` for each row, in float64 and in units, with its place among the rows. */
function eachRow(
  { values, rows, rowShape }: Source,
  fn: (row: Float64Array, index: number) => void,
  unit?: Float64Array,
): void {
  const row = new Float64Array(sizeOf(rowShape));
  for (let index = 0; index < rows.length; index++) {
    copyRows(values, rowShape, rows.subarray(index, index + 1), row);
    if (unit !== undefined) for (let c = 0; c < row.length; c++) row[c] = row[c]! * unit[c]!;
    fn(row, index);
  }
}

/** Values as nested arrays of a shape. */
function nested(values: Float64Array, [size, ...rest]: Shape): Nested {
  if (size === undefined) return values[0]!;
  const width = sizeOf(rest);
  return Array.from({ length: size }, (_, i) => nested(values.subarray(i * width, (i + 1) * width), rest));
}
