// A checkpoint is a safetensors file. Its tensors bear the path to where they were in what was saved; all else is JSON
// in the metadata, with { $tensor: path } in the tensors' places.
import { FormatError, OptionError, text } from "../errors";
import { getRngState, setRngState } from "../ops/random";
import { isPlain, scope } from "../scope";
import { prepare } from "../stateDict";
import { Tensor } from "../tensor";
import { type Contents, decode, encode, readStored, type Stored } from "./safetensors";

/** What has a state: modules, optimizers, trainings, scalers, and what else has these two methods. */
export interface Stateful {
  /** Its state, as tensors and plain data. */
  stateDict(): object;
  /** Takes a state over. */
  loadStateDict(state: never): unknown;
}

/** Numbers, strings, booleans, null and tensors, in arrays and plain objects. */
export type Plain =
  | number
  | string
  | boolean
  | null
  | Tensor
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** Levels of arrays and objects: more than anybody nests, fewer than the stack holds. */
const DEEPEST = 1000;

interface Saved {
  random: number[];
  parts: Record<string, unknown>;
  data: Record<string, unknown>;
}

/**
 * The bytes of a file from which a training goes on as if it had never stopped: the states of the parts, and that of the
 * random numbers. Values that have no state, such as a counter of one's own, are saved as they are.
 *
 * The file is a safetensors file; the weights of `{ model }` are in it under "model.0.weight" and so on.
 * @throws OptionError for what cannot be saved
 */
export function saveCheckpoint(parts: Readonly<Record<string, Stateful | Plain>>): Uint8Array {
  checkParts("saveCheckpoint", parts);
  const tensors = new Map<string, Tensor>();
  const saved: Saved = { random: [...getRngState()], parts: {}, data: {} };
  for (const [name, part] of Object.entries(parts)) {
    if (hasState(part)) saved.parts[name] = flatten(part.stateDict(), name, tensors);
    else saved.data[name] = flatten(part, name, tensors);
  }
  return encode(tensors, { nablas: JSON.stringify(saved) });
}

/**
 * Gives the parts, and the random numbers, the state that `saveCheckpoint` saved under the same names. Returns the
 * values that were saved as they are; tensors among them belong to the caller. States in the file that are not asked
 * for are left alone.
 * @throws FormatError if the bytes are no checkpoint, or an error of the part whose state does not fit; then nothing
 * has changed. Parts of one's own, which cannot check beforehand, take theirs first, one after the other.
 */
export function loadCheckpoint(
  bytes: Uint8Array | ArrayBuffer,
  parts: Readonly<Record<string, Stateful>>,
): Record<string, Plain> {
  const op = "loadCheckpoint";
  const file = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
  if (!(file instanceof Uint8Array))
    throw new FormatError(`${op}: expected a Uint8Array, got ${text(bytes)}`);
  checkParts(op, parts);
  for (const [name, part] of Object.entries(parts)) {
    if (!isStateful(part))
      throw new OptionError(
        `${op}: "${name}" is what has stateDict() and loadStateDict(), a module for instance, got ${text(part)}`,
      );
  }
  const contents = decode(op, file);
  const saved = readSaved(op, contents.metadata);
  const left = new Map(contents.tensors);
  return scope(() => {
    const takeOver = Object.entries(parts).map(([name, part]) => {
      if (!Object.hasOwn(saved.parts, name)) {
        const names = Object.keys(saved.parts).join(", ") || "none";
        throw new OptionError(`${op}: no state of "${name}" in the file; it has those of: ${names}`);
      }
      return preparation(part, restored(op, saved.parts[name], left) as object);
    });
    const data = restored(op, saved.data, left) as Record<string, Plain>;
    // Those that cannot check beforehand go first: the others cannot fail.
    for (const { checked, run } of takeOver) if (!checked) run();
    for (const { checked, run } of takeOver) if (checked) run();
    setRngState(saved.random);
    return data;
  });
}

/** @throws OptionError for what is no object of parts, such as a part itself */
function checkParts(op: string, parts: unknown): void {
  const isObject = typeof parts === "object" && parts !== null && !Array.isArray(parts);
  if (isObject && !isStateful(parts) && !(parts instanceof Map) && !(parts instanceof Tensor)) return;
  throw new OptionError(
    `${op}: expected the parts by name, { model, optimizer } for instance, got ${text(parts)}`,
  );
}

/** Whether it has a state, to be saved and loaded. */
export function isStateful(part: unknown): part is Stateful {
  return hasState(part) && typeof part.loadStateDict === "function";
}

function hasState(part: unknown): part is Stateful {
  return typeof (part as Stateful | null)?.stateDict === "function";
}

function preparation(part: Stateful, state: object): { checked: boolean; run: () => unknown } {
  const { [prepare]: check } = part as { [prepare]?: (state: object) => () => void };
  if (check !== undefined) return { checked: true, run: check.call(part, state) };
  return { checked: false, run: () => part.loadStateDict(state as never) };
}

function flatten(value: unknown, path: string, tensors: Map<string, Tensor>, depth = 0): unknown {
  if (depth > DEEPEST) throw new OptionError(`saveCheckpoint: ${path.slice(0, 40)}… is nested too deep`);
  if (value instanceof Tensor) {
    value.use(`saveCheckpoint: ${path}`, value.dtype);
    if (tensors.has(path)) throw new OptionError(`saveCheckpoint: two tensors are at the path "${path}"`);
    tensors.set(path, value);
    return { $tensor: path };
  }
  if (typeof value === "number")
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { $number: Object.is(value, -0) ? "-0" : String(value) };
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (Array.isArray(value)) return value.map((item, i) => flatten(item, `${path}.${i}`, tensors, depth + 1));
  if (typeof value === "object" && isPlain(value)) {
    const entries = Object.entries(value).map(([key, item]) => {
      if (key.startsWith("$"))
        throw new OptionError(`saveCheckpoint: ${path}: the key "${key}" begins with a $`);
      return [key, flatten(item, `${path}.${key}`, tensors, depth + 1)] as const;
    });
    return Object.fromEntries(entries);
  }
  throw new OptionError(
    `saveCheckpoint: ${path}: expected numbers, strings, booleans, null and tensors, in arrays and plain objects, got ${text(value)}`,
  );
}

function readSaved(op: string, { nablas }: Contents["metadata"]): Saved {
  try {
    const saved = JSON.parse(nablas!) as Partial<Saved>;
    const isRecord = (value: unknown) => typeof value === "object" && value !== null && isPlain(value);
    const random =
      Array.isArray(saved.random) && saved.random.length === 5 && saved.random.every((n) => (n | 0) === n);
    if (random && isRecord(saved.parts) && isRecord(saved.data)) return saved as Saved;
  } catch {
    // No JSON: refused below.
  }
  throw new FormatError(`${op}: a safetensors file, but not one that saveCheckpoint made`);
}

/** With the tensors of `left` in their places, which are taken out: what a file asks for twice would be made twice. */
function restored(op: string, value: unknown, left: Map<string, Stored>, depth = 0): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth > DEEPEST) throw new FormatError(`${op}: nested deeper than ${DEEPEST} levels`);
  const inner = (item: unknown) => restored(op, item, left, depth + 1);
  if (Array.isArray(value)) return value.map(inner);
  const { $tensor, $number } = value as { $tensor?: unknown; $number?: unknown };
  if (typeof $number === "string") return Number($number);
  if (typeof $tensor !== "string")
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inner(item)]));
  const found = left.get($tensor);
  if (found === undefined)
    throw new FormatError(`${op}: no tensor "${$tensor}" in the file, or more than one place for it`);
  left.delete($tensor);
  return readStored(op, found);
}
