import { zeros } from "../create";
import { GraphError, OptionError } from "../errors";
import { outsideScopes, owned } from "../scope";
import { expectTensor, type Tensor } from "../tensor";

/** What an optimizer remembers of one parameter. */
export interface ParameterState {
  parameter: Tensor;
  /** Steps taken with the averages, an i32 cell that the kernel advances. */
  step: Tensor;
  /** Moving averages and the like, each of the parameter's shape, by PyTorch's names in camelCase. */
  averages: Record<string, Tensor>;
}

/**
 * Holds parameters and changes them by their gradients. Options may be changed between steps: `optimizer.options.lr`.
 * State belongs to the optimizer, also if it is made inside a scope.
 */
export abstract class Optimizer<Options extends Record<string, number | boolean>> {
  readonly parameters: readonly Tensor[];
  readonly options: Options;
  private readonly states = new Map<Tensor, ParameterState>();
  /** The options as kernels read them: float64, in the order of the options. */
  private readonly hyper: Tensor;

  constructor(
    private readonly name: string,
    parameters: readonly Tensor[],
    options: Options,
    private readonly defaults: Options,
  ) {
    checkParameters(name, parameters);
    this.parameters = [...parameters];
    this.options = Object.seal({ ...options });
    const count = this.numbers().length;
    this.hyper = outsideScopes(() => zeros([2 * count]));
  }

  /** Changes every parameter that has a gradient. */
  step(): void {
    const hyper = this.numbers();
    const due = this.parameters.filter(({ grad }) => grad !== null);
    for (const t of due) {
      t.use("step");
      t.grad!.use("step");
    }
    this.hyper.use("step");
    this.hyper.buffer.doubles(hyper.length).set(hyper);
    for (const t of due) this.update(this.stateOf(t), t.grad!, this.hyper.ptr);
  }

  /** Fills the gradients with zeros. */
  zeroGrad(): void {
    for (const t of this.parameters) t.zeroGrad();
  }

  /** Gives back the memory of the state; the parameters live on. */
  dispose(): void {
    for (const t of this.stateTensors()) t.dispose();
    this.hyper.dispose();
    this.states.clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  [owned](): Tensor[] {
    return [this.hyper, ...this.stateTensors()];
  }

  /** Runs the kernel for one parameter. `hyper` points to the options as float64. */
  protected abstract update(state: ParameterState, gradient: Tensor, hyper: number): void;

  /** Pointer to an average of the state, zeros at first. */
  protected average({ parameter, averages }: ParameterState, name: string): number {
    averages[name] ??= outsideScopes(() => zeros(parameter.shape));
    return averages[name].ptr;
  }

  /** The options as numbers, after checking them: they may have been changed since. */
  private numbers(): number[] {
    const values: number[] = [];
    for (const key in this.defaults) {
      const value = this.options[key] as number | boolean | undefined;
      const flag = typeof this.defaults[key] === "boolean";
      const fits = flag
        ? typeof value === "boolean"
        : typeof value === "number" && value >= 0 && value < Infinity;
      if (!fits) {
        const wanted = flag ? "true or false" : "a number ≥ 0";
        throw new OptionError(`${this.name}: ${key} is ${wanted}, got ${String(value)}`);
      }
      values.push(Number(value));
    }
    return values;
  }

  private stateOf(parameter: Tensor): ParameterState {
    let state = this.states.get(parameter);
    if (state === undefined) {
      const step = outsideScopes(() => zeros([1], { dtype: "i32" }));
      state = { parameter, step, averages: {} };
      this.states.set(parameter, state);
    }
    return state;
  }

  private stateTensors(): Tensor[] {
    return [...this.states.values()].flatMap(({ step, averages }) => [step, ...Object.values(averages)]);
  }
}

function checkParameters(name: string, parameters: readonly Tensor[]): void {
  if (!Array.isArray(parameters) || parameters.length === 0) {
    throw new OptionError(
      `${name}: expected an array of parameters with at least one, such as model.parameters()`,
    );
  }
  const seen = new Set<Tensor>();
  for (const [i, t] of parameters.entries()) {
    expectTensor(name, t);
    if (!t.requiresGrad || t.node !== undefined) {
      throw new GraphError(
        `${name}: parameter ${i} is no leaf that requires a gradient, got ${t.describe()}`,
      );
    }
    if (seen.has(t)) throw new OptionError(`${name}: parameter ${i} appears twice`);
    seen.add(t);
  }
}
