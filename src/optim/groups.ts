// Parameter groups: which parameters an optimizer changes, and with which options.
import { GraphError, OptionError, text, withDefaults } from "../errors";
import { recorder } from "../recording";
import { brand } from "../scope";
import { expectTensor, Tensor } from "../tensor";

/** What is particular to a kind of optimizer. */
export interface Rule<O extends object> {
  name: string;
  /** Numbers ≥ 0, switches, and pairs of decays, in the order in which the kernel reads them. */
  defaults: O;
  /**
   * What is remembered of a parameter, by PyTorch's names in the order of the kernel, and whether options use
   * it.
   */
  averages: Record<string, (options: O) => boolean>;
  /** Where an average begins; default 0. */
  start?: (options: O) => number;
  /** Whether PyTorch's state has the step count. */
  counted: boolean;
  /** Whether weight decay is no part of the gradient, PyTorch's decoupled_weight_decay; default false. */
  decoupled?: boolean;
  /** What is wrong with options of which each by itself is right. */
  refuse?: (options: O) => string | undefined;
}

/** Parameters with options of their own; those not given are the optimizer's. */
export type ParameterGroup<O extends object> = Partial<O> & { params: readonly Tensor[] };

/** What an optimizer takes: parameters, or groups of them. */
export type ParameterList<O extends object> = readonly Tensor[] | readonly ParameterGroup<O>[];

/** A group of an optimizer. Its options may be changed between steps. */
export type Group<O extends object> = O & { readonly params: readonly Tensor[]; [changed]: boolean };

/** The groups that a constructor was given, each with all its options. */
export function makeGroups<O extends object>(
  rule: Rule<O>,
  given: ParameterList<O>,
  options: Partial<O> | undefined,
): Group<O>[] {
  const { name, defaults } = rule;
  const shared = withDefaults(name, defaults, options);
  if (!Array.isArray(given) || given.length === 0) throw noParameters(name, given);
  const grouped = given.some(isGroup);
  const groups = (grouped ? given : [{ params: given }]).map((group: ParameterGroup<O>, i): Group<O> => {
    if (!isGroup(group)) {
      throw new OptionError(`${name}: expected either parameters or groups { params, … }, got both`);
    }
    const { params, ...own } = group;
    if (!Array.isArray(params)) throw noParameters(`${name}: groups[${i}].params`, params);
    const merged = withDefaults(`${name}: groups[${i}]`, shared, own as unknown as Partial<O>);
    return tracked(merged, params);
  });
  checkParameters(name, groups, grouped);
  for (const i of groups.keys()) groupNumbers(rule, groups, i);
  return groups;
}

/** Whether an option has been set since the kernel's copy was written. */
export const changed: unique symbol = Symbol("changed");

/** A group whose options tell when they are set. Pairs are copied and cannot be changed in place. */
function tracked<O extends object>(options: O, params: readonly Tensor[]): Group<O> {
  const group = { [changed]: true } as Group<O>;
  const values = Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, copyOption(value)]),
  );
  for (const name of Object.keys(options)) {
    Object.defineProperty(group, name, {
      enumerable: true,
      get: () => values[name],
      set: (value) => {
        recorder?.refuseToSet(`${name} of an optimizer's group`);
        values[name] = copyOption(value);
        group[changed] = true;
      },
    });
  }
  Object.defineProperty(group, "params", { value: Object.freeze([...params]), enumerable: true });
  Object.defineProperty(group, changed, { enumerable: false });
  Object.defineProperty(group, Symbol.for("nodejs.util.inspect.custom"), { value: () => ({ ...group }) });
  return Object.seal(group);
}

/** Makes `optimizer.lr = 0.1` and its like an error: the optimizer would not read it. A subclass may have a field of such a name. */
export function refuseProperties<O extends object>(optimizer: object, { name, defaults }: Rule<O>): void {
  for (const option of [...Object.keys(defaults), "learningRate", "learning_rate"]) {
    const set = () => {
      const known = option in defaults ? option : "lr";
      throw new OptionError(`${name}: set optimizer.groups[0].${known} instead of optimizer.${option}`);
    };
    Object.defineProperty(optimizer, option, { set, configurable: true });
  }
}

function isGroup(x: unknown): boolean {
  return typeof x === "object" && x !== null && !(brand in x) && "params" in x;
}

function noParameters(name: string, given: unknown): OptionError {
  return new OptionError(
    `${name}: expected an array of parameters with at least one, such as model.parameters(), got ${text(given)}`,
  );
}

function checkParameters(
  name: string,
  groups: readonly { params: readonly Tensor[] }[],
  grouped: boolean,
): void {
  const seen = new Map<Tensor, number>();
  for (const [g, { params }] of groups.entries()) {
    for (const [i, t] of params.entries()) {
      const what = grouped ? `parameter ${i} of groups[${g}]` : `parameter ${i}`;
      expectParameter(name, t).use(name);
      if (t.node !== undefined) {
        throw new GraphError(
          `${name}: ${what} is no leaf but ${t.describe()}; pass what it was computed from`,
        );
      }
      const before = seen.get(t);
      if (before !== undefined) {
        throw new OptionError(
          `${name}: ${what} ${before === g ? "appears twice" : `is in groups[${before}], too`}`,
        );
      }
      seen.set(t, g);
    }
  }
  if (seen.size === 0) throw noParameters(name, []);
}

/** A parameter of a list. @throws OptionError for a pair of `namedParameters`, or a module */
export function expectParameter(op: string, t: unknown): Tensor {
  const isPair = Array.isArray(t) && t[1] instanceof Tensor;
  if (!isPair && !(t as { parameters?: unknown } | null)?.parameters) return expectTensor(op, t);
  throw new OptionError(`${op}: got ${isPair ? "names with parameters" : text(t)}; pass model.parameters()`);
}

/** The options of a group as the kernel reads them. Errors name the group if there are several. */
export function groupNumbers<O extends object>(rule: Rule<O>, groups: readonly O[], i: number): number[] {
  return numbersOf(rule, groups[i]!, groups.length === 1 ? `${rule.name}: ` : `${rule.name}: groups[${i}].`);
}

/** The options as the kernel reads them, after checking them. `prefix` begins an error. */
export function numbersOf<O extends object>(rule: Rule<O>, options: O, prefix: string): number[] {
  const numbers: number[] = [];
  for (const key in rule.defaults) {
    const value: unknown = options[key];
    const wanted = expected(rule.defaults[key], value);
    if (wanted !== undefined) {
      throw new OptionError(`${prefix}${key} ${wanted}, got ${text(value)}`);
    }
    if (Array.isArray(value)) numbers.push(value[0], value[1]);
    else numbers.push(Number(value));
  }
  const refusal = rule.refuse?.(options);
  if (refusal !== undefined) throw new OptionError(`${prefix}${refusal}`);
  return numbers;
}

/** What an option should be if `value`, which stands in place of `like`, is not. */
function expected(like: unknown, value: unknown): string | undefined {
  if (typeof like === "boolean") return typeof value === "boolean" ? undefined : "is true or false";
  if (typeof like === "number") {
    return typeof value === "number" && value >= 0 && value < Infinity ? undefined : "is a number ≥ 0";
  }
  const fits = Array.isArray(value) && value.length === 2 && isDecay(value[0]) && isDecay(value[1]);
  return fits ? undefined : "are two numbers from 0 to below 1";
}

function isDecay(x: unknown): boolean {
  return typeof x === "number" && x >= 0 && x < 1;
}

/** The names of the options, in the order of the rule. */
export function optionNames<O extends object>({ defaults }: Rule<O>): (keyof O & string)[] {
  return Object.keys(defaults) as (keyof O & string)[];
}

/** A pair belongs to one group: others get a copy. */
export function copyOption<T>(value: T): T {
  return Array.isArray(value) ? (Object.freeze([...value]) as T) : value;
}
