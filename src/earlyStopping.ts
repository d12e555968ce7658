import { isDropped, OptionError, text, withDefaults } from "./errors";
import type { Epoch } from "./fit";

/** When `fit` stops before its last epoch. */
export interface EarlyStopping {
  /** Stop after so many epochs without a better value. */
  patience: number;
  /** How much less is better; default 0. */
  minDelta?: number;
  /** What should become small; default: the validation loss if there is validation data, else the loss. */
  monitor?: (epoch: Epoch) => number;
}

/** Counts the epochs without a better value. */
export class Patience {
  best = Infinity;
  waited = 0;
  private readonly options: Required<EarlyStopping>;

  constructor(options: EarlyStopping) {
    if (typeof options !== "object" || options === null)
      throw new OptionError(`earlyStopping: expected { patience, … }, got ${text(options)}`);
    const fallbacks = { patience: Number.NaN, minDelta: 0, monitor: lossOf };
    this.options = withDefaults<Required<EarlyStopping>>("earlyStopping", fallbacks, options);
    const { patience, minDelta } = this.options;
    if (!Number.isInteger(patience) || patience < 1) {
      throw new OptionError(`earlyStopping: patience is an integer ≥ 1, got ${text(options.patience)}`);
    }
    if (!(minDelta >= 0)) throw new OptionError(`earlyStopping: minDelta is a number ≥ 0, got ${minDelta}`);
  }

  get exhausted(): boolean {
    return this.waited >= this.options.patience;
  }

  /** Takes an epoch into account. NaN is no better than anything. */
  add(epoch: Epoch): void {
    const { minDelta, monitor } = this.options;
    const value = monitor(epoch);
    if (typeof value !== "number") {
      const got = isDropped(value) ? "a promise" : text(value);
      throw new OptionError(`earlyStopping: monitor returns a number, got ${got}`);
    }
    if (value < this.best - minDelta) {
      this.best = value;
      this.waited = 0;
    } else {
      this.waited++;
    }
  }
}

function lossOf({ loss, validation }: Epoch): number {
  if (validation === undefined) return loss;
  if (validation.loss !== undefined) return validation.loss;
  const names = Object.keys(validation).join(", ");
  throw new OptionError(`earlyStopping: evaluate gave ${names} but no loss; pass monitor: (epoch) => number`);
}
