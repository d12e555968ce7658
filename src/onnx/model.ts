import { show } from "../errors";
import {
  clone,
  DTypeError,
  FormatError,
  Module,
  OptionError,
  parameter,
  ShapeError,
  type Tensor,
  tensor,
} from "../index";
import type { OnnxInput } from "./graph";
import type { Value } from "./node";
import type { PlannedStep } from "./program";

/** What a model does. */
export interface Program {
  readonly inputs: readonly { readonly info: OnnxInput; readonly value: Value }[];
  readonly steps: readonly PlannedStep[];
  readonly output: Value;
}

/**
 * The network of an ONNX file, as `fromOnnx` gives it. Its parameters have the names of the file's initialisers; it can be trained,
 * saved, put into a `Sequential` and compiled like any other module. At first it is in evaluation, as the file is meant; `train()`
 * switches dropout on and lets batch normalization use, and update, statistics. `toOnnx` does not write it again: keep the
 * file, and the weights by `saveSafetensors`.
 */
export class OnnxModel extends Module {
  readonly #program: Program;

  /**
   * What `fromOnnx` calls.
   * @param made a `Program`, whose type is nobody else's concern
   */
  constructor(made: unknown) {
    super();
    const program = made as Program;
    this.training = false;
    this.#program = program;
    const buffers = new Set(program.steps.flatMap((step) => step.buffers ?? []));
    for (const value of statesOf(program)) {
      if (value.name in this) throw new FormatError(`no parameter can be called "${value.name}"; rename it`);
      const { data, shape } = value.constant!;
      const t = tensor(data, { shape, dtype: "f32" });
      const state = buffers.has(value) ? t : parameter(t);
      Object.defineProperty(this, value.name, { value: state, enumerable: true });
    }
  }

  /** The inputs of `forward`, in their order. */
  get inputs(): readonly OnnxInput[] {
    return this.#program.inputs.map(({ info }) => info);
  }

  /**
   * What the graph makes of its inputs, which are i32 where it has int64.
   * @throws OptionError for another number of inputs, DTypeError or ShapeError for others than `inputs` says, where only the
   *   first size may differ
   */
  override forward(...inputs: Tensor[]): Tensor {
    const { inputs: expected, steps, output } = this.#program;
    if (inputs.length !== expected.length) {
      throw new OptionError(`expected ${expected.length} inputs, got ${inputs.length}`);
    }
    const values = new Map<Value, Tensor>();
    for (const [i, { info, value }] of expected.entries()) values.set(value, checked(inputs[i]!, info));
    const tensorOf = (value: Value): Tensor => {
      const { name, constant, isState } = value;
      if (isState) return (this as unknown as Record<string, Tensor>)[name]!;
      if (constant === undefined) return values.get(value)!;
      return tensor(constant.data, { shape: constant.shape, dtype: constant.isFloat ? "f32" : "i32" });
    };
    for (const step of steps) values.set(step.output, step.run(step.inputs.map(tensorOf), this.training));
    return output.producer === undefined ? clone(tensorOf(output)) : tensorOf(output);
  }

  /** The parameters and running statistics under the names of the file. */
  override stateDict(): Record<string, Tensor> {
    return Object.fromEntries([...this.namedParameters(), ...this.namedBuffers()]);
  }

  override toString(): string {
    const inputs = this.inputs.map(({ name, shape }) => `${name} ${shape ? show(shape.map(String)) : ""}`);
    return `OnnxModel(${inputs.join(", ").trim()}, ${this.#program.steps.length} steps)`;
  }
}

/** The initialisers that the steps need, in the order of their use. */
function statesOf({ steps, output }: Program): Set<Value> {
  const used = [...steps.flatMap(({ inputs }) => inputs), output];
  return new Set(used.filter(({ isState }) => isState));
}

function checked(x: Tensor, { name, dtype, shape }: OnnxInput): Tensor {
  if (x.dtype !== dtype) throw new DTypeError(`input "${name}": expected ${dtype}, got ${x.dtype}`);
  if (shape === undefined) return x;
  const fits =
    x.shape.length === shape.length && shape.every((n, d) => d === 0 || (n ?? x.shape[d]) === x.shape[d]);
  if (!fits)
    throw new ShapeError(`input "${name}": expected ${show(shape.map(String))}, got ${show(x.shape)}`);
  return x;
}
