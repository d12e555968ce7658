// What a module consists of: the modules and tensors in its fields, also in arrays, plain objects, Maps and Sets there.
import { OptionError, text, withDefaults } from "../errors";
import { isPlain } from "../scope";
import { Tensor } from "../tensor";
import { AnyModule } from "./module";

/** A module or a tensor in a field, under its name: "hidden", "blocks.0", "heads.policy". */
export type Item = [name: string, item: AnyModule | Tensor];

/** The names that were registered with a module, each with the module if it is no child but a guest. */
const registered = new WeakMap<AnyModule, Map<string, AnyModule | undefined>>();

/** As an assignment makes a property. */
export const PLAIN = { configurable: true, enumerable: true, writable: true };

/** @see Module.register */
export function register(to: AnyModule, name: string, part: AnyModule, options?: { owned?: boolean }): void {
  const op = `${to.constructor.name}.register`;
  const { owned } = withDefaults(op, { owned: true }, options);
  const names = registered.get(to) ?? new Map<string, AnyModule | undefined>();
  const fields = to as unknown as Record<string, unknown>;
  const isFree = typeof name === "string" && (names.has(name) || !(name in to) || fields[name] === part);
  if (!isFree || name === "" || !(part instanceof AnyModule)) {
    throw new OptionError(
      `${op}: expected a name that nothing else has and a module, got ${text(name)}, ${text(part)}`,
    );
  }
  if (owned) Object.defineProperty(to, name, { value: part, ...PLAIN });
  else if (fields[name] !== part) delete fields[name];
  registered.set(to, names.set(name, owned ? undefined : part));
}

/** Modules that run inside `module` and are no children of it. */
function guestsOf(module: AnyModule): [name: string, guest: AnyModule][] {
  return [...(registered.get(module) ?? [])].filter(
    (one): one is [string, AnyModule] => one[1] !== undefined,
  );
}

/** The children of a module and its guests. */
export function partsOf(module: AnyModule): [name: string, part: AnyModule][] {
  return [...module.namedChildren(), ...guestsOf(module)];
}

/** What is in the fields of a module, guests apart. */
export function itemsOf(module: AnyModule): Item[] {
  const found: Item[] = [];
  for (const field of Object.entries(module)) {
    const value: unknown = field[1];
    if (value instanceof AnyModule || value instanceof Tensor) found.push([field[0], value]);
    else if (typeof value === "object") collect(field, found);
  }
  const guests = guestsOf(module).map(([, guest]) => guest);
  return guests.length === 0 ? found : found.filter(([, item]) => !guests.includes(item as AnyModule));
}

/** In the order in which they are written, without recursion: a list of nodes may be long. */
function collect(field: [string, unknown], found: Item[]): void {
  const seen = new Set<unknown>();
  const pending = [field];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [name, value] = next;
    if (value instanceof AnyModule || value instanceof Tensor) found.push([name, value]);
    else if (typeof value === "object" && value !== null && !seen.has(value)) {
      seen.add(value);
      const inner: [string, unknown][] = [];
      visit(value, (item, key) => {
        if (typeof item === "object") inner.push([`${name}.${String(key)}`, item]);
      });
      while (inner.length > 0) pending.push(inner.pop()!);
    }
  }
}

/** The values of an array, a plain object, a Map or a Set, with their keys or positions. */
function visit(value: object, each: (item: unknown, key: unknown) => void): void {
  if (Array.isArray(value) || value instanceof Map) value.forEach(each);
  else if (value instanceof Set) [...value].forEach(each);
  else if (isPlain(value)) for (const key of Object.keys(value)) each((value as never)[key], key);
}
