// Forward passes under way, and whether what runs in them belongs to them.
import type { Node } from "../autograd";
import { NablasError, OptionError } from "../errors";
import { observer, recorder } from "../recording";
import { inModule } from "../scope";
import { Tensor, tensorsIn } from "../tensor";
import type { Module } from "./module";
import { itemsOf, PLAIN, partsOf } from "./parts";

/** The modules whose forward pass is under way, outermost first. */
const active: Module[] = [];

const located = new WeakSet<Error>();

/** The forward pass of a module. Errors in it say where they arose. */
export function pass<T>(module: Module, forward: () => T): T {
  const isPart = active.length === 0 || belongs(module);
  active.push(module);
  recorder?.entered(module);
  observer?.entered(module, path());
  try {
    const run = () => inModule(module, forward, recordedIn);
    const result = isPart ? run() : withoutMode(module, run);
    observer?.left(result);
    return result;
  } catch (error) {
    if (error instanceof NablasError && !located.has(error)) {
      located.add(error);
      const name = path();
      error.message = `${module}${name === "" ? "" : ` "${name}"`}: ${error.message}`;
    }
    throw error;
  } finally {
    active.pop();
  }
}

/** The nodes behind what a forward pass gave. */
function recordedIn(result: unknown): Node[] {
  if (result instanceof Tensor) return result.node === undefined ? [] : [result.node];
  return [...tensorsIn(result)].flatMap(({ node }) => node ?? []);
}

/** The name of the innermost active module as seen from the outermost: "encoder.0"; of that one itself "". */
function path(): string {
  const names = active
    .slice(1)
    .map((child, i) => partsOf(active[i]!).find(([, part]) => part === child)?.[0] ?? "?");
  return names.join(".");
}

/** Of an outermost module what may run in its forward pass: what is inside it, its guests, and what is inside these. */
const known = new WeakMap<Module, WeakSet<Module>>();

/** Modules that belong nowhere and need not: they have no tensors, and their forward pass does not ask for their mode. */
const harmless = new WeakSet<Module>();

function reach(module: Module, found = new Set<Module>()): Set<Module> {
  if (found.has(module)) return found;
  found.add(module);
  for (const [, part] of partsOf(module)) reach(part, found);
  return found;
}

/** Whether the outermost module has this one, as far as is known from an earlier pass, or looking `again`. */
function isKnown(module: Module, again = false): boolean {
  const root = active[0]!;
  let parts = known.get(root);
  if (again || parts === undefined) {
    parts = new WeakSet(reach(root));
    known.set(root, parts);
  }
  return parts.has(module);
}

/**
 * Whether a module belongs to the outermost one whose forward pass is under way.
 * @throws OptionError if it does not, and it or what is inside it has tensors that do not, either
 */
function belongs(module: Module): boolean {
  if (isKnown(module)) return true;
  if (harmless.has(module) || [...reach(module)].every((part) => isKnown(part) || !hasTensors(part)))
    return false;
  if (isKnown(module, true)) return true;
  throw stray(module);
}

function hasTensors(module: Module): boolean {
  return itemsOf(module).some(([, item]) => item instanceof Tensor && item.node === undefined);
}

/**
 * Runs the forward pass of a module without tensors that does not belong, a ReLU made there for instance.
 * @throws OptionError if it asks for the mode, which train() and eval() do not set, or has tensors now
 */
function withoutMode<T>(module: Module, run: () => T): T {
  if (harmless.has(module)) return run();
  let { training: mode } = module;
  let asked = false;
  const get = () => {
    asked = true;
    return mode;
  };
  const set = (next: boolean) => {
    mode = next;
  };
  // Not enumerable: who goes through the fields does not ask.
  Reflect.defineProperty(module, "training", { get, set, enumerable: false, configurable: true });
  let result: T;
  try {
    result = run();
  } finally {
    Reflect.defineProperty(module, "training", { value: mode, ...PLAIN });
  }
  if ((asked || hasTensors(module)) && !isKnown(module, true)) throw stray(module);
  harmless.add(module);
  return result;
}

/** The error for what runs in a forward pass and does not belong to it: it names the outermost such module. */
function stray(module: Module): OptionError {
  const chain = [...active, module];
  const at = chain.findIndex((one) => !isKnown(one));
  return new OptionError(
    `${chain[at]} runs in the forward pass of ${chain[at - 1]}, but is not in its fields, so it is not trained, saved or ` +
      "switched; call this.register(name, module, { owned?: false }) in the constructor (false: a teacher or shared part)",
  );
}
