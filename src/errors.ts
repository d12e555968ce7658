import type { Finding } from "./health/report";

/** What every error of this library is: `instanceof NablasError`. */
export class NablasError extends Error {
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    // For those who read the name without calling getters, such as V8 for an uncaught error in a page.
    Object.defineProperty(this, "name", { value: this.constructor.name, writable: true, configurable: true });
  }

  /** For the stack trace, which the constructor of `Error` begins. */
  override get name(): string {
    return this.constructor.name;
  }
}

/** A shape or a dimension that does not fit. */
export class ShapeError extends NablasError {}

/** f32 where i32 was wanted, or the reverse. */
export class DTypeError extends NablasError {}

/** An option that does not exist, or a value that an option does not take. */
export class OptionError extends NablasError {}

/** Data outside the domain of an op: a label that is no class, a probability beyond [0, 1]. */
export class DomainError extends NablasError {}

/** Bytes that are not what their format says: a wrong magic number, a file cut off. */
export class FormatError extends NablasError {}

/** Use of a tensor whose memory was given back. */
export class DisposedError extends NablasError {}

/** A backward pass that cannot be: nothing recorded, or recorded and already released. */
export class GraphError extends NablasError {}

/** A function that cannot be compiled, or a plan that no longer fits what it was recorded from. */
export class PlanError extends NablasError {}

/** Gradients that do not agree with finite differences. */
export class GradientError extends NablasError {}

/** A training that came to NaN or ∞. */
export class NonFiniteError extends NablasError {
  constructor(
    message: string,
    /** The first number that is not finite, if it was found: in the data, or in a layer. */
    readonly finding?: Finding,
    /**
     * For `loadCheckpoint`, `{ model, training }` and, if `fit` was given it, `optimizer`, as they were when all weights
     * were last known to be finite; only where the model is known.
     */
    readonly checkpoint?: Uint8Array,
  ) {
    super(message);
  }
}

/** Kernels that cannot be had: the engine or a policy forbids WebAssembly, or what `init` got is something else. */
export class LoadError extends NablasError {}

/** A worker that failed while it did a piece of an op. What that op was writing is undefined, everything else is as it was. */
export class WorkerError extends NablasError {}

/** A tensor of another copy of this library: its pointers mean nothing here. */
export class InstanceError extends NablasError {}

/** Memory that was written by somebody who should not have, as debug mode finds it: `init({ debug: true })`. */
export class CorruptionError extends NablasError {}

/** An allocation beyond what linear memory can hold. */
export class OutOfMemoryError extends NablasError {}

/** A shape as people write it: [2, 3]. */
export function show(shape: readonly (number | string)[]): string {
  return `[${shape.join(", ")}]`;
}

/** The place of an element in words: "row 3", "row 3, column 1" or "row 3, element [5, 7]". */
export function placeOf([row, ...rest]: readonly number[], noun = "row"): string {
  if (rest.length === 0) return `${noun} ${row}`;
  return `row ${row}, ${rest.length > 1 ? `element ${show(rest)}` : `column ${rest[0]}`}`;
}

/** The place of an element of rows in words. */
export function placeAmong(rowShape: readonly number[], at: number, nameOf = (row: number) => row): string {
  const index: number[] = [];
  for (let i = rowShape.length; i-- > 0; at = Math.floor(at / rowShape[i]!)) index.unshift(at % rowShape[i]!);
  return placeOf([nameOf(at), ...index]);
}

/** Any value as text, for errors: also one of a file, nested without end or with a toString that is no function. */
export function text(value: unknown, levels = 4): string {
  if (typeof value === "string") return `"${value}"`;
  try {
    if (!Array.isArray(value)) return String(value);
    return levels > 0 ? `[${value.map((item) => text(item, levels - 1)).join()}]` : "[…]";
  } catch {
    return typeof value; // an object without a prototype
  }
}

/** A value and its type as text: number 1. */
export function typed(value: unknown): string {
  return value === undefined || value === null ? String(value) : `${typeof value} ${text(value)}`;
}

/** @throws OptionError if `fn` is no function */
export function expectFunction(op: string, fn: unknown): void {
  if (typeof fn === "function") return;
  const hint = (fn as { forward?: unknown } | null)?.forward ? "; wrap it: (x) => model.forward(x)" : "";
  throw new OptionError(`${op}: expected a function, got ${text(fn)}${hint}`);
}

/** Whether `x` is a promise. It is about to be refused, so its rejection would stay unhandled, which ends processes. */
export function isDropped(x: unknown): boolean {
  // An async iterator, such as a training, is none, even where it refuses to be awaited.
  if (typeof x !== "object" || x === null || Symbol.asyncIterator in x) return false;
  if (typeof (x as Partial<PromiseLike<unknown>>).then !== "function") return false;
  Promise.resolve(x).catch(() => {});
  return true;
}

/** @throws GraphError if `result` is a promise */
export function refusePromise(name: string, result: unknown): void {
  if (!isDropped(result)) return;
  throw new GraphError(
    `${name}: its function returned a promise, but ${name} ends when the function returns; await outside of it`,
  );
}

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * The options of an op or layer over their defaults.
 * @throws OptionError if one has a name that the defaults do not have, or another type than a default number, boolean or
 * function. Where the default is undefined, null stands for it; those in `nullable` may be null.
 */
export function withDefaults<T extends object>(
  op: string,
  defaults: T,
  given: Partial<T> | undefined,
  nullable: readonly (keyof T)[] = [],
): T {
  if (given === undefined) return defaults;
  if (typeof given !== "object" || given === null) {
    throw new OptionError(`${op}: options are an object, got ${text(given)}; ${namesOf(defaults)}`);
  }
  const merged = { ...defaults };
  for (const key of Object.keys(given) as (keyof T & string)[]) {
    if (!Object.hasOwn(defaults, key)) {
      throw new OptionError(`${op}: unknown option "${key}"; ${namesOf(defaults)}`);
    }
    const value: unknown = given[key];
    if (value === undefined || (value === null && defaults[key] === undefined)) continue;
    if (value === null && nullable.includes(key)) {
      merged[key] = value as T[typeof key];
      continue;
    }
    const type = typeof defaults[key];
    if (
      (type === "number" || type === "boolean" || type === "function") &&
      (typeof value !== type || Number.isNaN(value))
    ) {
      throw new OptionError(`${op}: ${key} is a ${type}, got ${text(value)}`);
    }
    merged[key] = value as T[typeof key];
  }
  return merged;
}

function namesOf(options: object): string {
  const names = Object.keys(options);
  return names.length > 0 ? `it takes ${names.join(", ")}` : "it takes none";
}

/** @throws OptionError if `dict` is no object of values by name, but what has a state, or an array, a Map or another list */
export function expectDict(op: string, dict: unknown): asserts dict is object {
  const hasState = typeof (dict as { stateDict?: unknown } | null)?.stateDict === "function";
  const isObject =
    typeof dict === "object" && dict !== null && !hasState && !(Symbol.for("nablas.tensor") in dict);
  if (isObject && !(Symbol.iterator in dict || ArrayBuffer.isView(dict) || dict instanceof ArrayBuffer))
    return;
  const hint = hasState ? "; pass its stateDict()" : "";
  throw new OptionError(`${op}: expected an object such as stateDict() gives, got ${text(dict)}${hint}`);
}
