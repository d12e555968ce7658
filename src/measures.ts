// What `fit` measures of batches: numbers, or tensors of one element.
import { isDropped, OptionError, ShapeError, typed } from "./errors";
import { Tensor } from "./tensor";

/** What is measured of a batch: tensors of one element, or numbers. A single one is called "loss". */
export type Measures = Tensor | number | Record<string, Tensor | number>;

export function numbersOf(measures: Measures): Record<string, number> {
  if (typeof measures !== "object" || measures === null || measures instanceof Tensor) {
    return { loss: scalarOf("evaluate", measures) };
  }
  refusePromise("evaluate", measures);
  const entries = Object.entries(measures);
  return Object.fromEntries(entries.map(([name, value]) => [name, scalarOf(`evaluate, "${name}"`, value)]));
}

export function scalarOf(where: string, value: unknown): number {
  if (typeof value === "number" && where !== "step") return value;
  refusePromise(where, value);
  if (!(value instanceof Tensor)) {
    throw new OptionError(`fit: expected a tensor of one element of ${where}, got ${typed(value)}`);
  }
  if (value.size === 1) return value.item();
  throw new ShapeError(
    `fit: expected one element of ${where}, got ${value.describe()}; reduce it by mean() or by the loss's reduction`,
  );
}

function refusePromise(where: string, value: unknown): void {
  if (!isDropped(value)) return;
  throw new OptionError(`fit: ${where} returned a promise; a batch is gone when the function returns`);
}

/** Means over rows. */
export class Means {
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
