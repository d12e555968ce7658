// What several workers have learned, as one: all that training on many machines needs beside a transport.
import { tensor } from "./create";
import { GraphError, OptionError, text, withDefaults } from "./errors";
import { expectDict, Loading, readValue, type StateValue } from "./stateDict";
import { expectTensor, type Shape, Tensor, type TypedArray } from "./tensor";

/** The options of `averageState` and `averageGradients`. */
export interface AverageOptions {
  /** How much each worker counts: numbers above 0, such as the rows it has seen; default as much as any other. */
  weights?: readonly number[];
}

type State = Readonly<Record<string, StateValue>>;

/** What the values of a name have to fit. */
interface Like {
  /** Undefined if none of them has one. */
  shape: Shape | undefined;
  /** Of the first, if it is a typed array. */
  length: number;
  isI32: boolean;
}

interface Mean {
  name: string;
  shape: Shape | undefined;
  values: Float32Array | Int32Array;
}

/**
 * The weighted mean of state dicts, Σ wᵢ xᵢ / Σ wᵢ, for `model.loadStateDict`: federated averaging, McMahan et al. 2017. It is
 * formed in float64 and rounded once, so that the mean of equal states is that state, bit by bit.
 *
 * Integers, which in a state are counters, become the largest of theirs. Running variances are averaged like everything
 * else, which leaves out how far the workers' means are apart.
 * @param states as `model.stateDict()` or `loadSafetensors(bytes).tensors` gives them, all with the same names. A typed array has
 *   no shape and goes with any of its length
 * @param options.weights one for each state
 * @returns new tensors, or a typed array where none of the states gives a shape
 * @throws OptionError for no states, names that one lacks or has beyond the first, or weights that are not above 0;
 *   ShapeError, DTypeError for values that differ from the first state's
 */
export function averageState(
  states: readonly Readonly<Record<string, Tensor>>[],
  options?: AverageOptions,
): Record<string, Tensor>;
export function averageState(states: readonly State[], options?: AverageOptions): Record<string, StateValue>;
export function averageState(states: readonly State[], options?: AverageOptions): Record<string, StateValue> {
  const means = meansOf("averageState", states, options).map(({ name, shape, values }) => [
    name,
    shape === undefined ? values : tensor(values, { shape }),
  ]);
  return Object.fromEntries(means);
}

/**
 * Puts the weighted mean of all workers' gradients into `.grad` of the parameters, for `optimizer.step()`. With a loss that is a
 * mean, and the rows of each worker as weights, that is the gradient of one batch of all their rows. Formed in float64 and
 * rounded once, in the order of the list: workers that average in other orders come to the same bits but for ties, which are
 * as rare as sums of float32 numbers that float64 does not hold.
 * @param parameters `model.namedParameters()`; those that require no gradient are passed over
 * @param gradientsOfOthers of each other worker its gradients by the same names, without this worker's own
 * @param options.weights one for each worker, this one first
 * @throws GraphError for a parameter without a gradient; OptionError for names that a worker lacks or has beyond, or weights that
 *   are not above 0; ShapeError for other shapes. Then no gradient has changed
 */
export function averageGradients(
  parameters: readonly (readonly [name: string, parameter: Tensor])[],
  gradientsOfOthers: readonly State[],
  options?: AverageOptions,
): void {
  const op = "averageGradients";
  const own: Record<string, Tensor> = {};
  if (!Array.isArray(parameters) || !parameters.every(Array.isArray))
    throw new OptionError(`${op}: expected namedParameters(), got ${text(parameters)}`);
  for (const [name, t] of parameters) {
    if (!expectTensor(op, t).requiresGrad) continue;
    if (t.grad === null)
      throw new GraphError(`${op}: "${name}" has no gradient; go backward first, or leave it out`);
    own[name] = t.grad;
  }
  const all = Array.isArray(gradientsOfOthers) ? [own, ...gradientsOfOthers] : gradientsOfOthers;
  for (const { name, values } of meansOf(op, all, options)) own[name]!.write(values);
}

/** The means of what the first worker has, after checking that what the others have fits it. */
function meansOf(op: string, states: readonly State[], options: AverageOptions | undefined): Mean[] {
  if (!Array.isArray(states) || states.length === 0)
    throw new OptionError(`${op}: expected an array of objects as stateDict() gives, got ${text(states)}`);
  const { weights } = withDefaults(op, { weights: states.map(() => 1) as readonly number[] }, options);
  const fits = Array.isArray(weights) && weights.length === states.length;
  if (!fits || !weights.every((w) => w > 0 && w < Infinity))
    throw new OptionError(`${op}: weights are ${states.length} numbers above 0, got ${text(weights)}`);
  for (const [i, state] of states.entries()) expectDict(`${op}: worker ${i}`, state);
  const names = Object.keys(states[0]!);
  const likes = names.map((name) =>
    likeOf(
      `${op}: ${name}`,
      states.map((state) => state[name]),
    ),
  );
  const rows = states.map((state: State, i) => {
    const loading = new Loading(`${op}: worker ${i}`);
    loading.keys(state, names);
    const values = names.map((name, at) => {
      const { shape, length, isI32 } = likes[at]!;
      return Object.hasOwn(state, name)
        ? loading.value(name, state[name]!, shape ?? [length], isI32 ? "i32" : "f32")
        : undefined;
    });
    loading.check();
    return values as ArrayLike<number>[];
  });
  return names.map((name, at) => {
    const { shape, isI32 } = likes[at]!;
    const x = rows.map((row) => row[at]!);
    return { name, shape, values: isI32 ? largest(x) : mean(x, weights) };
  });
}

/** What values of a name have to be: of the first's dtype, and of the shape of those that have one. */
function likeOf(where: string, values: readonly (StateValue | undefined)[]): Like {
  const [first] = values as [StateValue];
  const shaped = values.find((value) => value !== undefined && !ArrayBuffer.isView(value));
  return {
    shape: shaped === undefined ? undefined : readValue(where, shaped).shape,
    length: (first as TypedArray).length,
    isI32: first instanceof Tensor ? first.dtype === "i32" : first instanceof Int32Array,
  };
}

/** The weights are brought near 1 by a power of two, which changes no bits, so that no sum of them overflows. */
function mean(x: readonly ArrayLike<number>[], given: readonly number[]): Float32Array {
  const most = given.reduce((a, b) => Math.max(a, b));
  const weights = given.map((w) => w * 2 ** Math.min(1023, -Math.floor(Math.log2(most))));
  const total = weights.reduce((sum, w) => sum + w, 0);
  const result = new Float32Array(x[0]!.length);
  for (let i = 0; i < result.length; i++) {
    let sum = 0;
    for (let k = 0; k < x.length; k++) sum += weights[k]! * x[k]![i]!;
    result[i] = sum / total;
  }
  return result;
}

function largest(x: readonly ArrayLike<number>[]): Int32Array {
  return Int32Array.from(x[0]!, (_, i) => x.reduce((most, values) => Math.max(most, values[i]!), -Infinity));
}
