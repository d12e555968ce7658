import { OptionError, withDefaults } from "../errors";
import { outliveModule, owned } from "../scope";
import { compareKeys, expectDict, Loading, prepare, type StateValue, snakeCase } from "../stateDict";
import { expectTensor, Tensor } from "../tensor";
import { itemsOf, register } from "./parts";
import { type Place, pass } from "./pass";

const parametersSeen = new WeakSet<Tensor>();

/** Marks a tensor as a parameter: it requires a gradient and stays a parameter when that is switched off. */
export function parameter(t: Tensor): Tensor {
  expectTensor("parameter", t);
  t.requiresGrad = true;
  outliveModule(t);
  parametersSeen.add(t);
  return t;
}

/** Makes a tensor outlive the forward pass in which its module is made, as parameters do: for running statistics. */
export function buffer(t: Tensor): Tensor {
  outliveModule(t);
  return t;
}

function isBuffer(x: unknown): x is Tensor {
  return x instanceof Tensor && x.node === undefined && !isParameter(x);
}

function isParameter(x: unknown): x is Tensor {
  if (!(x instanceof Tensor)) return false;
  if (x.requiresGrad && x.node === undefined) parametersSeen.add(x);
  return parametersSeen.has(x);
}

/**
 * Something with parameters and a forward pass. A subclass keeps its parameters (tensors with `requiresGrad`) and its
 * modules in fields, or there in arrays, plain objects, Maps and Sets, to any depth, and defines `forward`, which takes and
 * returns what it likes: tensors, or arrays and plain objects of them.
 *
 * What is in private fields (`#name`), closures or objects of other classes cannot be found. For modules `register` says
 * that they are there, and a forward pass in which one runs without it is an error; parameters have to be in fields.
 *
 * A forward pass that records nothing gives back the memory of its intermediates when it ends; an error in it says in
 * which module it arose.
 */
export abstract class AnyModule {
  /** Whether dropout, rrelu and their like behave as in training. @see train @see eval */
  training = true;

  /** @throws OptionError for options, which a module without a constructor of its own does not take */
  constructor(...options: never[]) {
    const { forward } = this;
    if (options.length > 0) throw new OptionError(`${this.constructor.name}: takes no options`);
    const place: Place = { module: this, parts: undefined, within: null };
    Object.defineProperty(this, "forward", {
      value: (...inputs: unknown[]) => {
        if (forward !== undefined) return pass(place, () => forward.apply(this, inputs as never[]));
        throw new OptionError(`${this.constructor.name}: a class that extends Module defines forward(x)`);
      },
      configurable: true,
      writable: true,
    });
  }

  /** The forward pass. Calling it is what a module is for: it names the module in errors, and frees intermediates. */
  abstract forward(...inputs: never[]): unknown;

  /**
   * Makes a module, which is kept where it cannot be found, a child of this one, also as a property of that name:
   * `this.#hidden = this.register("hidden", new Linear(2, 16))`. A child registered before under that name is replaced.
   * @param options.owned false for a teacher, a critic or a shared part: it may run in this one's forward pass, wherever it
   *   is kept, but its parameters, its state and its mode are not this one's; default true
   * @returns the module
   * @throws OptionError for a name that something else has
   */
  register<M extends AnyModule>(name: string, module: M, options?: { owned?: boolean }): M {
    register(this, name, module, options);
    return module;
  }

  /**
   * The modules directly inside this one, with their names: the fields, "blocks.0" for an array's first, "heads.policy" for that
   * of a plain object or a Map.
   */
  namedChildren(): [name: string, module: AnyModule][] {
    return itemsOf(this).filter((item): item is [string, AnyModule] => item[1] instanceof AnyModule);
  }

  /** Every parameter with its name, such as ["0.weight", tensor]; a shared one once. */
  namedParameters(): [name: string, parameter: Tensor][] {
    return once(named(this, [isParameter]));
  }

  /**
   * Every buffer with its name, such as ["1.runningMean", tensor]: a tensor that is no parameter and not the result of a
   * recorded op; a shared one once.
   */
  namedBuffers(): [name: string, buffer: Tensor][] {
    return once(named(this, [isBuffer]));
  }

  /** Every parameter, once. */
  parameters(): Tensor[] {
    return this.namedParameters().map(([, t]) => t);
  }

  /**
   * Parameters and buffers under PyTorch's keys, such as "0.weight" and "1.running_mean"; shared ones under each of
   * their names. The tensors are the module's own: they go on changing with it.
   */
  stateDict(): Record<string, Tensor> {
    const dict: Record<string, Tensor> = {};
    for (const [name, t] of named(this, [isParameter, isBuffer])) {
      const key = snakeCase(name);
      if (key in dict)
        throw new OptionError(`${this.constructor.name}.stateDict: two fields have the key "${key}"`);
      dict[key] = t;
    }
    return dict;
  }

  /**
   * Copies values into the parameters and buffers, which stay the same tensors. Values may be tensors, nested arrays
   * or typed arrays.
   * @param options.strict whether missing and surplus keys are errors, or only listed in the result; default true
   * @throws one error that names what is missing, surplus or of a wrong shape; then nothing has been changed
   */
  loadStateDict(
    dict: Readonly<Record<string, StateValue>>,
    options?: { strict?: boolean },
  ): { missingKeys: string[]; unexpectedKeys: string[] } {
    this[prepare](dict, options)();
    const [missingKeys, unexpectedKeys] = compareKeys(dict, Object.keys(this.stateDict()));
    return { missingKeys, unexpectedKeys };
  }

  /** @internal */
  [prepare](dict: Readonly<Record<string, StateValue>>, options?: { strict?: boolean }): () => void {
    const op = `${this.constructor.name}.loadStateDict`;
    const { strict } = withDefaults(op, { strict: true }, options);
    expectDict(op, dict);
    const own = this.stateDict();
    const loading = new Loading(op);
    if (strict) loading.keys(dict, Object.keys(own));
    for (const [key, t] of Object.entries(own)) {
      t.use(op, t.dtype);
      if (Object.hasOwn(dict, key)) loading.value(key, dict[key]!, t.shape, t.dtype, () => t);
    }
    loading.check();
    return loading.copying();
  }

  /** Sets this module and all inside it to training, or with `false` to evaluation. */
  train(mode = true): this {
    this.training = mode;
    if (entered.has(this)) return this;
    entered.add(this);
    try {
      for (const [, child] of this.namedChildren()) child.train(mode);
    } finally {
      entered.delete(this);
    }
    return this;
  }

  /** Sets this module and all inside it to evaluation. */
  eval(): this {
    return this.train(false);
  }

  /** Fills the gradients of all parameters with zeros. */
  zeroGrad(): void {
    for (const t of this.parameters()) t.zeroGrad();
  }

  /** Gives back the memory of all parameters, their gradients and all buffers. */
  dispose(): void {
    for (const t of this[owned]()) t.dispose();
  }

  /** Does what `dispose` does, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  [owned](): Tensor[] {
    return [...this.parameters(), ...this.namedBuffers().map(([, t]) => t)];
  }

  /** The class with its sizes, as errors and summaries show it: Linear(64 → 32). */
  toString(): string {
    return this.constructor.name;
  }
}

/**
 * What classes extend, and, as a type, a module that makes a tensor of tensors: `AnyModule` is the type of all.
 * @see AnyModule
 */
export const Module: typeof AnyModule = AnyModule;

export interface Module extends AnyModule {
  /** The forward pass. */
  forward(...inputs: Tensor[]): Tensor;
}

/** A module from one tensor to one tensor. */
export interface Layer extends AnyModule {
  /** The forward pass. */
  forward(x: Tensor): Tensor;
}

/** Modules in whose `train` we are: what is inside itself is not entered again. */
const entered = new Set<AnyModule>();

type Kind = (x: unknown) => x is Tensor;

/**
 * A module and all inside it, each before its own, with the path to it: "encoder.0.". What it is inside of is passed over.
 */
export function* modulesIn(
  module: AnyModule,
  path = "",
  above: readonly AnyModule[] = [],
): Generator<[path: string, module: AnyModule]> {
  if (above.includes(module)) return;
  yield [path, module];
  for (const [name, child] of module.namedChildren())
    yield* modulesIn(child, `${path}${name}.`, [...above, module]);
}

/** The tensors of each kind in the fields of a module, one kind after another as PyTorch orders them; then its children's. */
function named(root: AnyModule, kinds: readonly Kind[]): [string, Tensor][] {
  return [...modulesIn(root)].flatMap(([path, module]) => {
    const items = itemsOf(module);
    return kinds.flatMap((kind) =>
      items.flatMap(([name, x]): [string, Tensor][] => (kind(x) ? [[path + name, x]] : [])),
    );
  });
}

function once(named: [string, Tensor][]): [string, Tensor][] {
  const seen = new Set<Tensor>();
  return named.filter(([, t]) => !seen.has(t) && seen.add(t));
}
