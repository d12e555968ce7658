// What a module consists of: the modules and tensors in its fields, also in arrays, plain objects, Maps and Sets there.
import { OptionError, text, withDefaults } from "../errors";
import { isPlain } from "../scope";
import { Tensor } from "../tensor";
import { Module } from "./module";

/** A module or a tensor in a field, under its name: "hidden", "blocks.0", "heads.policy". */
export type Item = [name: string, item: Module | Tensor];

/** The modules that `register` has given each module; those that are not owned are no children. */
const registered = new WeakMap<Module, Map<string, { part: Module; owned: boolean }>>();

/** @see Module.register */
export function register(to: Module, name: string, part: Module, options?: { owned?: boolean }): void {
  const op = `${to.constructor.name}.register`;
  const { owned } = withDefaults(op, { owned: true }, options);
  if (typeof name !== "string" || name === "")
    throw new OptionError(`${op}: a name is a string with at least one letter, got ${text(name)}`);
  if (!(part instanceof Module)) throw new OptionError(`${op}: expected a module, got ${text(part)}`);
  const names = registered.get(to) ?? new Map<string, { part: Module; owned: boolean }>();
  const fields = to as unknown as Record<string, unknown>;
  if (name in to && !names.has(name) && fields[name] !== part)
    throw new OptionError(`${op}: ${to} has something else under the name "${name}"; choose another`);
  if (owned) Object.defineProperty(to, name, { value: part, ...PLAIN });
  else if (fields[name] !== part) delete fields[name];
  registered.set(to, names.set(name, { part, owned }));
}

/** As an assignment makes a property. */
export const PLAIN = { configurable: true, enumerable: true, writable: true };

/** Modules that run inside `module` and are no children of it. */
export function guestsOf(module: Module): [name: string, guest: Module][] {
  return [...(registered.get(module) ?? [])].flatMap(([name, { part, owned }]) =>
    owned ? [] : [[name, part]],
  );
}

/** What is in the fields of a module, guests apart. */
export function itemsOf(module: Module): Item[] {
  const found: Item[] = [];
  for (const [name, value] of Object.entries(module)) {
    if (value instanceof Module || value instanceof Tensor) found.push([name, value]);
    else collect(name, value, found);
  }
  const guests = guestsOf(module);
  return guests.length === 0
    ? found
    : found.filter(([, item]) => !guests.some(([, guest]) => guest === item));
}

/** Something in a field, and where: in what, under which key. */
interface Place {
  item: unknown;
  key: unknown;
  up: Place | undefined;
}

/** In the order in which they are written, without recursion: a list of nodes may be long. */
function collect(field: string, value: unknown, found: Item[]): void {
  const seen = new Set<unknown>();
  const pending: Place[] = [{ item: value, key: field, up: undefined }];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const { item } = at;
    if (item instanceof Module || item instanceof Tensor) found.push([nameOf(at), item]);
    else if (typeof item === "object" && item !== null && !seen.has(item)) {
      seen.add(item);
      const inner: Place[] = [];
      const up = at;
      visit(item, (item, key) => {
        if (typeof item === "object") inner.push({ item, key, up });
      });
      while (inner.length > 0) pending.push(inner.pop()!);
    }
  }
}

/** The values of an array, a plain object, a Map or a Set, with their keys or positions. */
function visit(value: object, each: (item: unknown, key: unknown) => void): void {
  if (Array.isArray(value)) value.forEach(each);
  else if (value instanceof Set) [...value].forEach(each);
  else if (value instanceof Map) {
    const isName = (key: unknown) => typeof key === "string" || typeof key === "number";
    [...value].forEach(([key, item], i) => {
      each(item, isName(key) ? key : i);
    });
  } else if (isPlain(value)) for (const key of Object.keys(value)) each((value as never)[key], key);
}

function nameOf(place: Place): string {
  const keys: unknown[] = [];
  for (let at: Place | undefined = place; at !== undefined; at = at.up) keys.push(at.key);
  return keys.reverse().join(".");
}
