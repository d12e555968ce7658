// Forward passes under way, and whether what runs in them belongs to them.
import type { Node } from "../autograd";
import { NablasError, OptionError } from "../errors";
import { observer, recorder } from "../recording";
import { inModule } from "../scope";
import { Tensor, tensorsIn } from "../tensor";
import type { AnyModule } from "./module";
import { itemsOf, PLAIN, partsOf } from "./parts";

/** A module, and what earlier passes have shown. */
export interface Place {
  readonly module: AnyModule;
  /**
   * Where it is the outermost module, what may run in its forward pass: what is inside it, its guests, what is inside these, and
   * what need not belong to it, having no tensors and a forward pass that does not ask for the mode.
   */
  parts: WeakSet<AnyModule> | undefined;
  /** The parts among which it was found last. */
  within: WeakSet<AnyModule> | null;
}

/** The modules whose forward pass is under way, outermost first. */
const active: Place[] = [];

const located = new WeakSet<Error>();

/** The forward pass of a module. Errors in it say where they arose. */
export function pass<T>(place: Place, forward: () => T): T {
  const { module } = place;
  const isPart = active.length === 0 || place.within === active[0]!.parts || belongs(place);
  active.push(place);
  recorder?.entered(module);
  observer?.entered(module, path());
  try {
    const result = isPart ? inModule(module, forward, recordedIn) : withoutMode(module, forward);
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
    .map(({ module }, i) => partsOf(active[i]!.module).find(([, part]) => part === module)?.[0] ?? "?");
  return names.join(".");
}

function reach(module: AnyModule, found = new Set<AnyModule>()): Set<AnyModule> {
  if (found.has(module)) return found;
  found.add(module);
  for (const [, part] of partsOf(module)) reach(part, found);
  return found;
}

/** What may run in the forward pass that is under way, as far as is known from an earlier one, or looking `again`. */
function allowed(again = false): WeakSet<AnyModule> {
  const root = active[0]!;
  if (again || root.parts === undefined) root.parts = new WeakSet(reach(root.module));
  return root.parts;
}

/**
 * Whether a module belongs to the outermost one whose forward pass is under way.
 * @throws OptionError if it does not, and it or what is inside it has tensors that do not, either
 */
function belongs(place: Place): boolean {
  const { module } = place;
  const parts = allowed();
  if (!parts.has(module)) {
    if ([...reach(module)].every((part) => parts.has(part) || !hasTensors(part))) return false;
    if (!allowed(true).has(module)) throw stray(module);
  }
  place.within = allowed();
  return true;
}

function hasTensors(module: AnyModule): boolean {
  return itemsOf(module).some(([, item]) => item instanceof Tensor && item.node === undefined);
}

/**
 * Runs the forward pass of a module without tensors that does not belong, a ReLU made there for instance.
 * @throws OptionError if it asks for the mode, which train() and eval() do not set, or has tensors now
 */
function withoutMode<T>(module: AnyModule, forward: () => T): T {
  let { training: mode } = module;
  let asked = false;
  const get = () => {
    asked = true;
    return mode;
  };
  const set = (next: boolean) => {
    mode = next;
  };
  // Not enumerable: to list the fields is not to ask.
  Reflect.defineProperty(module, "training", { get, set, enumerable: false, configurable: true });
  let result: T;
  try {
    result = inModule(module, forward, recordedIn);
  } finally {
    Reflect.defineProperty(module, "training", { value: mode, ...PLAIN });
  }
  if ((asked || hasTensors(module)) && !allowed(true).has(module)) throw stray(module);
  allowed().add(module);
  return result;
}

/** The error for what runs in a forward pass and does not belong to it: it names the outermost such module. */
function stray(module: AnyModule): OptionError {
  const chain = [...active.map((place) => place.module), module];
  const at = chain.findIndex((one) => !allowed().has(one));
  return new OptionError(
    `${chain[at]} runs in the forward pass of ${chain[at - 1]}, but is not in its fields, so it is not trained, saved or ` +
      "switched; call this.register(name, module, { owned?: false }), false for a teacher or shared part",
  );
}
