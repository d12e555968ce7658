// Forward passes under way, and whether what runs in them belongs to them.
import type { Node } from "../autograd";
import { NablasError, OptionError } from "../errors";
import { observer, recorder } from "../recording";
import { inModule } from "../scope";
import { Tensor, tensorsIn } from "../tensor";
import type { Module } from "./module";
import { guestsOf, itemsOf, PLAIN } from "./parts";

/** The modules whose forward pass is under way, outermost first. */
const active: Module[] = [];

/** Those of them that belong to the outermost one, or are its guests. */
const belonging: Module[] = [];

const located = new WeakSet<Error>();

/** The forward pass of a module. Errors in it say where they arose. */
export function pass<T>(module: Module, forward: () => T): T {
  const belongs = active.length === 0 || isPart(module);
  active.push(module);
  if (belongs) belonging.push(module);
  recorder?.entered(module);
  observer?.entered(module, path());
  try {
    const run = () => inModule(module, forward, recordedIn);
    const result = belongs ? run() : withoutMode(module, run);
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
    if (belongs) belonging.pop();
  }
}

/** The nodes behind what a forward pass gave. */
function recordedIn(result: unknown): Node[] {
  if (result instanceof Tensor) return result.node === undefined ? [] : [result.node];
  return [...tensorsIn(result)].flatMap(({ node }) => node ?? []);
}

/** The name of the innermost active module as seen from the outermost: "encoder.0"; of that one itself "". */
function path(): string {
  const names = active.slice(1).map((child, i) => {
    const parts = [...active[i]!.namedChildren(), ...guestsOf(active[i]!)];
    return parts.find(([, part]) => part === child)?.[0] ?? "?";
  });
  return names.join(".");
}

/** Of each module what may run in its forward pass: what is inside it, its guests, and what is inside these. */
const known = new WeakMap<Module, WeakSet<Module>>();

/** Modules that belong nowhere and need not: they have no tensors, and their forward pass does not ask for their mode. */
const harmless = new WeakSet<Module>();

function reach(module: Module, found = new Set<Module>()): Set<Module> {
  if (found.has(module)) return found;
  found.add(module);
  for (const [, part] of [...module.namedChildren(), ...guestsOf(module)]) reach(part, found);
  return found;
}

function learn(module: Module): WeakSet<Module> {
  const parts = new WeakSet(reach(module));
  known.set(module, parts);
  return parts;
}

function isKnown(module: Module): boolean {
  for (let i = belonging.length - 1; i >= 0; i--) {
    const whole = belonging[i]!;
    if ((known.get(whole) ?? learn(whole)).has(module)) return true;
  }
  return false;
}

/** The same for a module that may have been added since it was last looked for. */
function isPartNow(module: Module): boolean {
  for (const whole of belonging) learn(whole);
  return isKnown(module);
}

/**
 * Whether a module belongs to those whose forward passes are under way.
 * @throws OptionError if it does not, and it or what is inside it has tensors that belong to none of them
 */
function isPart(module: Module): boolean {
  if (isKnown(module)) return true;
  if (harmless.has(module) || ![...reach(module)].some((part) => hasTensors(part) && !isKnown(part)))
    return false;
  if (isPartNow(module)) return true;
  throw stray(module);
}

function hasTensors(module: Module): boolean {
  return itemsOf(module).some(([, item]) => item instanceof Tensor && item.node === undefined);
}

/**
 * Runs the forward pass of a module without tensors that belongs to none of those under way, a ReLU made there for instance.
 * @throws OptionError if it asks for the mode, which train() and eval() do not set, or has tensors now
 */
function withoutMode<T>(module: Module, run: () => T): T {
  if (harmless.has(module)) return run();
  let { training } = module;
  let asked = false;
  Reflect.defineProperty(module, "training", {
    ...{ configurable: true, enumerable: false }, // who goes through the fields does not ask
    get: () => {
      asked = true;
      return training;
    },
    set: (mode: boolean) => {
      training = mode;
    },
  });
  let result: T;
  try {
    result = run();
  } finally {
    Reflect.defineProperty(module, "training", { value: training, ...PLAIN });
  }
  if ((asked || hasTensors(module)) && !isPartNow(module)) throw stray(module);
  harmless.add(module);
  return result;
}

/** The error for what runs in a forward pass and belongs to none: it names the outermost such module. */
function stray(module: Module): OptionError {
  const whole = belonging.at(-1)!;
  const part = active[active.lastIndexOf(whole) + 1] ?? module;
  return new OptionError(
    `${part} runs in the forward pass of ${whole}, but is in none of its fields, so that it is neither trained nor saved ` +
      "nor switched by eval(); keep it in a field, an array, a plain object or a Map, or call " +
      "this.register(name, module, { owned?: false }) in the constructor: false for a teacher or another part that is not " +
      "to be trained, saved and switched with this module",
  );
}
