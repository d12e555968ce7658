// Loading of state dicts, of modules and optimizers alike: all is checked, and every fault named, before anything is
// copied.
import { read } from "./create";
import { DTypeError, NablasError, OptionError, ShapeError, sameShape, show } from "./errors";

export { expectDict } from "./errors";

import { recorder } from "./recording";
import { type DType, expectTensor, type Shape, sizeOf, Tensor, type TensorData } from "./tensor";

/** Checks a state and returns what takes it over: several states are loaded all together or not at all. */
export const prepare: unique symbol = Symbol("prepare");

/** A value of a state dict: a tensor, or nested arrays, or a typed array of as many elements, which has no shape. */
export type StateValue = Tensor | TensorData;

/** runningMean as running_mean, the way PyTorch spells names. */
export function snakeCase(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
}

export class Loading {
  private readonly faults: NablasError[] = [];
  private readonly copies: { target: () => Tensor; values: () => ArrayLike<number> }[] = [];

  constructor(private readonly op: string) {}

  fault(text: string, Kind: new (message: string) => NablasError = OptionError): void {
    this.faults.push(new Kind(text));
  }

  /** Names the keys of `dict` that are missing, and those that are neither required nor optional. */
  keys(dict: object, required: readonly string[], optional: readonly string[] = [], path = ""): void {
    const [missing, surplus] = compareKeys(dict, required, optional);
    const list = (keys: string[]) => keys.map((key) => `"${path}${key}"`).join(", ");
    if (missing.length > 0) this.fault(`missing ${list(missing)}`);
    if (surplus.length > 0) this.fault(`surplus ${list(surplus)}`);
  }

  /**
   * Checks that `value` fits a tensor of this shape and dtype. It is copied to `target()`, if there is one, when all has been
   * checked. Returns its numbers if it fits.
   */
  value(
    key: string,
    value: StateValue,
    shape: Shape,
    dtype: DType,
    target?: () => Tensor,
  ): ArrayLike<number> | undefined {
    return this.attempt(key, () => {
      const given = readValue("value", value);
      const fits = ArrayBuffer.isView(value)
        ? given.shape[0] === sizeOf(shape)
        : sameShape(given.shape, shape);
      if (!fits) throw new ShapeError(`expected ${show(shape)}, got ${show(given.shape)}`);
      const values = given.values();
      for (let i = 0; dtype === "i32" && i < values.length; i++) {
        if ((values[i]! | 0) !== values[i])
          throw new DTypeError(`expected 32-bit integers, got ${values[i]}`);
      }
      if (target !== undefined) this.copies.push({ target, values: given.values });
      return values;
    });
  }

  /** Runs `check`; an error in it becomes a fault of `key`. */
  attempt<T>(key: string, check: () => T): T | undefined {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof NablasError)) throw error;
      error.message = `${key}: ${error.message}`;
      this.faults.push(error);
      return undefined;
    }
  }

  /** @throws one error that names every fault, of their kind if they have only one, otherwise OptionError */
  check(): void {
    if (this.faults.length === 0) return;
    const kinds = new Set(
      this.faults.map((fault) => fault.constructor as new (message: string) => NablasError),
    );
    const [Kind] = kinds.size === 1 ? kinds : [OptionError];
    throw new Kind!(`${this.op}: ${this.faults.map(({ message }) => message).join("; ")}`);
  }

  /** Makes the targets that have yet to be made. Gives what copies: it takes no memory, so that views of the values stay good. */
  copying(): () => void {
    const targets = this.copies.map(({ target }) => target());
    return () => {
      for (const t of targets) t.use(this.op, t.dtype);
      for (const [i, { values }] of this.copies.entries()) {
        targets[i]!.view().set(values());
        targets[i]!.buffer.overwrite();
      }
    };
  }
}

/** The keys that `dict` lacks, and those it has beyond the required and the optional ones. */
export function compareKeys(
  dict: object,
  required: readonly string[],
  optional: readonly string[] = [],
): [missing: string[], surplus: string[]] {
  const known = new Set([...required, ...optional]);
  return [
    required.filter((key) => !Object.hasOwn(dict, key)),
    Object.keys(dict).filter((key) => !known.has(key)),
  ];
}

/** The shape of a value, and its numbers when they are asked for. */
export function readValue(op: string, value: StateValue): { shape: Shape; values: () => ArrayLike<number> } {
  if (value instanceof Tensor) {
    value.use(op, value.dtype);
    return { shape: value.shape, values: () => value.data };
  }
  const isData = typeof value === "number" || Array.isArray(value) || ArrayBuffer.isView(value);
  if (!isData) expectTensor(op, value);
  const { shape, values } = read(op, value);
  return { shape, values: () => values };
}

/**
 * Copies `values` into `x`, in place: a tensor, nested arrays of its shape, or a typed array of as many numbers. A backward
 * pass that needs the old values is an error from then on. @see Methods.write
 * @throws ShapeError, DTypeError if they do not fit, PlanError in a compiled function; then nothing has changed
 */
export function write(x: Tensor, values: StateValue): Tensor {
  recorder?.refuseToSet("the values of a tensor by write()");
  const loading = new Loading("write");
  x.use("write", x.dtype);
  loading.value("values", values, x.shape, x.dtype, () => x);
  loading.check();
  loading.copying()();
  return x;
}
