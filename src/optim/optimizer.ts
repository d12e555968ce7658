import { full, zeros } from "../create";
import type { Buffer } from "../memory";
import { recorder } from "../recording";
import { outsideScopes, owned, scope } from "../scope";
import { expectDict, Loading, prepare, type StateValue, snakeCase } from "../stateDict";
import type { Tensor } from "../tensor";
import { kernels } from "../wasm";
import { gradientOf } from "./gradients";
import {
  changed,
  copyOption,
  type Group,
  groupNumbers,
  makeGroups,
  numbersOf,
  optionNames,
  type ParameterList,
  type Rule,
  refuseProperties,
} from "./groups";
import { type GroupState, readGroups } from "./readGroups";

/** What an optimizer remembers of one parameter. */
interface ParameterState {
  /** Steps taken with the averages, an i32 cell. */
  step: Tensor;
  /** Moving averages and the like, each of the parameter's shape, by PyTorch's names. */
  averages: Record<string, Tensor>;
  /** To the averages in the order of the rule, 0 for those not in use. Rewritten in each step. */
  pointers: number[];
}

/** A parameter with the index of its group. */
interface Member {
  readonly t: Tensor;
  readonly group: number;
  /** What is remembered of it, from its first step on. */
  state: ParameterState | undefined;
  /** Its gradient in the step under way. */
  gradient: Buffer | undefined;
}

/**
 * The state of an optimizer in PyTorch's layout: by the index of each parameter what is remembered of it, and
 * the options of each group with the indices of its parameters. `stateDict` gives tensors, `loadStateDict`
 * takes more.
 */
export interface OptimizerState<Value = Tensor> {
  state: Readonly<Record<number, Readonly<Record<string, Value>>>>;
  param_groups: readonly GroupState[];
}

/**
 * Holds parameters and changes them by their gradients. Options may be changed between steps:
 * `optimizer.groups[0].lr = 0.01`. State belongs to the optimizer, also if it is made inside a scope.
 */
export abstract class Optimizer<O extends object> {
  /** Parameters with their options; one group unless the constructor was given several. */
  readonly groups: readonly Group<O>[];
  /** The parameters of all groups. */
  readonly parameters: readonly Tensor[];
  private readonly members: readonly Member[];
  /** The averages of the rule, in its order. */
  private readonly kept: readonly [name: string, used: (options: O) => boolean][];
  /** A bit for each average of each group that its options ask for: others make other kernel calls. */
  private averagesInUse = 0;
  /** For each group its options as kernels read them: float64, in the order of the defaults. */
  private readonly hyper: readonly Tensor[];

  constructor(
    protected readonly rule: Rule<O>,
    parameters: ParameterList<O>,
    options: Partial<O> | undefined,
  ) {
    this.groups = makeGroups(rule, parameters, options);
    refuseProperties(this, rule);
    this.members = this.groups.flatMap(({ params }, group) =>
      params.map((t) => ({ t, group, state: undefined, gradient: undefined })),
    );
    this.parameters = this.members.map(({ t }) => t);
    this.kept = Object.entries(rule.averages);
    const count = numbersOf(rule, rule.defaults, "").length;
    this.hyper = outsideScopes(() => this.groups.map(() => zeros([2 * count])));
  }

  /**
   * Changes every parameter that has a gradient and requires one. What is frozen, or took no part since `zeroGrad`, stays as it
   * is, and so do its averages.
   */
  step(): void {
    this.writeOptions();
    recorder?.prepare(() => {
      this.writeOptions();
      return this.averagesInUse;
    });
    // All memory that a step takes is made before it changes anything.
    for (const member of this.members) {
      const { t, group } = member;
      t.use("step");
      member.gradient = gradientOf("step", t);
      if (member.gradient !== undefined) this.setPointers(member, this.groups[group]!);
    }
    for (const { t, group, state, gradient } of this.members) {
      if (gradient === undefined) continue;
      const { step, pointers } = state!;
      if (pointers.some(Boolean)) kernels.advance(step.ptr);
      this.update(gradient.ptr, t.ptr, pointers, step.ptr, this.hyper[group]!.ptr, t.size);
      t.buffer.overwrite();
    }
  }

  /** Checks the options and writes them to linear memory. Replayed kernel calls read them from there. */
  writeOptions(): void {
    for (let i = 0; i < this.groups.length; i++) {
      const [group, hyper] = [this.groups[i]!, this.hyper[i]!];
      hyper.use("step");
      if (!group[changed]) continue;
      const numbers = groupNumbers(this.rule, this.groups, i);
      hyper.buffer.doubles(numbers.length).set(numbers);
      this.averagesInUse = this.countAverages();
      group[changed] = false;
    }
  }

  private countAverages(): number {
    let bits = 1;
    for (const group of this.groups) {
      for (const [, used] of this.kept) bits = 2 * bits + Number(used(group));
    }
    return bits;
  }

  /** Clears the gradients: `.grad` is null until the next backward pass. */
  zeroGrad(): void {
    for (const t of this.parameters) t.zeroGrad();
  }

  /**
   * What the optimizer remembers, as live tensors under PyTorch's names, and its options as they are now.
   * Parameters without a step have no state yet.
   */
  stateDict(): OptimizerState {
    const state: Record<number, Record<string, Tensor>> = {};
    const { counted, averages } = this.rule;
    for (const [i, { t, group, state: known }] of this.members.entries()) {
      const options = this.groups[group]!;
      if (known === undefined || known.step.view()[0] === 0) continue;
      // An average that an option asks for since the last step has its start for a value.
      const used = Object.keys(averages).filter((name) => name in known.averages || averages[name]!(options));
      const entries = used.map((name) => [name, this.average(t, known, name, options)]);
      state[i] = { ...(counted ? { step: known.step } : {}), ...Object.fromEntries(entries) };
    }
    return { state, param_groups: this.groups.map((_, i) => this.describe(i)) };
  }

  /**
   * Copies values and options into this optimizer, which must have as many parameters in as many groups;
   * parameters without state in `dict` are as before their first step. Values may be tensors, typed arrays or
   * nested arrays. Keys that only PyTorch writes may be there unless they ask for another step than this one,
   * as `maximize: true` does.
   * @throws one error that names what is missing, surplus or of a wrong shape; then nothing has been changed
   */
  loadStateDict(dict: OptimizerState<StateValue | null>): void {
    scope(() => this[prepare](dict)());
  }

  /** Makes what it needs in the scope around it, which frees that again unless it is taken over. @internal */
  [prepare](dict: OptimizerState<StateValue | null>): () => void {
    const { rule } = this;
    const op = `${rule.name}.loadStateDict`;
    expectDict(op, dict);
    const loading = new Loading(op);
    loading.keys(dict, ["state", "param_groups"]);
    loading.check();
    expectDict(`${op}: state`, dict.state);
    for (const hyper of this.hyper) hyper.use(op);
    const indices = this.groups.map((_, i) => this.indicesOf(i));
    const options = readGroups(loading, rule, indices, dict.param_groups);
    loading.check();
    loading.keys(
      dict.state,
      [],
      this.members.map((_, i) => String(i)),
      "state.",
    );
    const given = this.members.map((member, i) =>
      this.readState(loading, member, i, dict.state[i], options[member.group]!),
    );
    loading.check();
    const copy = loading.copying();
    return () => {
      copy();
      for (const [i, member] of this.members.entries())
        this.settle(member, given[i]!, options[member.group]!);
      for (const [i, group] of this.groups.entries()) Object.assign(group, options[i]);
    };
  }

  /** Gives back the memory of the state; the parameters live on. */
  dispose(): void {
    for (const t of this[owned]()) t.dispose();
    for (const member of this.members) member.state = undefined;
  }

  /** Does what `dispose` does, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  [owned](): Tensor[] {
    const states = this.members.flatMap(({ state }) => state ?? []);
    return [...this.hyper, ...states.flatMap(({ step, averages }) => [step, ...Object.values(averages)])];
  }

  /**
   * Runs the kernel for one parameter: pointers to its gradient, to itself, to its averages in the order of
   * the rule (0 for one that is not used), to its step count, which is 1 in the first step with averages, and
   * to the options as float64; the number of elements.
   */
  protected abstract update(
    g: number,
    w: number,
    averages: readonly number[],
    step: number,
    hyper: number,
    n: number,
  ): void;

  private stateOf(member: Member): ParameterState {
    member.state ??= { step: outsideScopes(() => zeros([], { dtype: "i32" })), averages: {}, pointers: [] };
    return member.state;
  }

  private setPointers(member: Member, options: O): void {
    const { t } = member;
    const state = this.stateOf(member);
    state.step.use("step", "i32");
    for (let k = 0; k < this.kept.length; k++) {
      const [name, used] = this.kept[k]!;
      const average = used(options) ? this.average(t, state, name, options) : undefined;
      state.pointers[k] = average?.use("step") ?? 0;
      average?.buffer.overwrite();
    }
  }

  private average(t: Tensor, { averages }: ParameterState, name: string, options: O): Tensor {
    averages[name] ??= outsideScopes(() => full(t.shape, this.rule.start?.(options) ?? 0));
    return averages[name];
  }

  /** The indices of a group's parameters. */
  private indicesOf(group: number): number[] {
    return [...this.members.keys()].filter((i) => this.members[i]!.group === group);
  }

  private describe(group: number): GroupState {
    const options = this.groups[group]!;
    const entries = optionNames(this.rule).map((name) => [snakeCase(name), copyOption(options[name])]);
    return { ...Object.fromEntries(entries), params: this.indicesOf(group) };
  }

  /**
   * Checks the state that a dict has for a parameter. Returns the names of what it has, undefined for no
   * state.
   */
  private readState(
    loading: Loading,
    member: Member,
    index: number,
    dict: Readonly<Record<string, StateValue | null>> | undefined,
    options: O,
  ): string[] | undefined {
    if (dict === undefined) return undefined;
    const { averages, counted } = this.rule;
    const { t } = member;
    const path = `state.${index}.`;
    loading.attempt(`state.${index}`, () => expectDict("state", dict));
    loading.check();
    // PyTorch writes momentum_buffer: null where there is no momentum.
    const given = Object.entries(dict).filter(([, value]) => value !== null);
    const values = Object.fromEntries(given) as Record<string, StateValue>;
    const names = Object.keys(averages);
    const required = names.filter((name) => averages[name]!(options));
    loading.keys(values, counted ? ["step", ...required] : required, names, path);
    const known = names.filter((name) => name in values);
    for (const name of known) {
      const target = () => this.average(t, this.stateOf(member), name, options);
      loading.value(path + name, values[name]!, t.shape, "f32", target);
    }
    if (counted && "step" in values) {
      const step = loading.value(`${path}step`, values.step!, [], "i32", () => this.stateOf(member).step);
      if (step !== undefined && step[0]! < 0)
        loading.fault(`${path}step: expected a number ≥ 0, got ${step[0]}`);
    }
    return known;
  }

  /**
   * Sets what a loaded dict does not have to where it begins. In place: replayed kernel calls know the pointers.
   */
  private settle({ state }: Member, given: readonly string[] | undefined, options: O): void {
    if (state === undefined) return;
    const { counted, start } = this.rule;
    for (const [name, average] of Object.entries(state.averages)) {
      if (given?.includes(name) === true) continue;
      average.view().fill(start?.(options) ?? 0);
      average.buffer.overwrite();
    }
    if (given === undefined) state.step.view()[0] = 0;
    else if (!counted) state.step.view()[0] = Math.min(given.length, 1);
  }
}
