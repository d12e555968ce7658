// What happens in a forward and a backward pass, seen by an observer: a stage for each op, and which of them are layers.
import type { Node } from "../autograd";
import { Module } from "../nn/module";
import { type Observer, observer, setObserver } from "../recording";
import { type Shape, Tensor } from "../tensor";
import { type Statistics, statistics } from "./statistics";

/**
 * Where an activation counts as saturated: its derivative is below 4 % of its largest, at |z| > 4.6 for sigmoid and
 * 2.3 for tanh; those of straight pieces are on one that is level.
 */
export const BOUNDS: Readonly<Record<string, readonly [number, number]>> = {
  sigmoid: [0.01, 0.99],
  tanh: [-0.98, 0.98],
  softsign: [-0.8, 0.8],
  hardsigmoid: [0, 1],
  hardtanh: [-1, 1],
  relu6: [-Infinity, 6],
};

/** Ops that bend their input element by element. */
export const ACTIVATIONS = new Set(
  `sigmoid tanh relu leakyRelu prelu rrelu elu celu selu gelu silu mish softplus softsign hardtanh hardsigmoid hardswish
   relu6 logSigmoid`.split(/\s+/),
);

/** A weight of a module: its values before the step, and its gradient. */
export interface Weight {
  readonly tensor: Tensor;
  readonly name: string;
  readonly values: Statistics;
  gradient: Statistics | undefined;
}

/** The output of an op, or of a module. */
export interface Stage {
  readonly op: string;
  /** The activation that the op applies, a fused one too. */
  readonly activation: string | undefined;
  /** Path of the module in which the op ran; "" for the model. */
  readonly path: string;
  /** The module, if it has no others in it and this is its output. */
  module: Module | undefined;
  weights: readonly Weight[];
  readonly shape: Shape;
  readonly output: Statistics;
  /** Of the loss with respect to the output, once a backward pass has been here. */
  gradient: Statistics | undefined;
  readonly inputs: readonly Stage[];
}

interface Call {
  module: Module;
  path: string;
  leaf: boolean;
}

/** Notes all stages of the passes that run meanwhile. */
export class Trace implements Observer {
  readonly stages: Stage[] = [];
  /** Tensors without a history that got gradients. */
  readonly leaves = new Set<Tensor>();
  /** The model: the outermost module called first. */
  model: Module | undefined;
  /** Its output. */
  output: Stage | undefined;
  private readonly byNode = new Map<Node, Stage>();
  private readonly calls: Call[] = [];

  /** Runs `fn` and notes what it does. */
  run<T>(fn: () => T): T {
    const before = observer;
    setObserver(this);
    try {
      return fn();
    } finally {
      setObserver(before);
    }
  }

  /** The stages that are layers: what modules without others in them give, and activations outside of these. */
  get layers(): Stage[] {
    return this.stages.filter(({ module, activation }) => module !== undefined || activation !== undefined);
  }

  entered(module: object, path: string): void {
    this.model ??= module as Module;
    const outer = this.calls.at(-1);
    if (outer !== undefined) outer.leaf = false;
    this.calls.push({ module: module as Module, path, leaf: true });
  }

  left(output: unknown): void {
    const { module, path, leaf } = this.calls.pop()!;
    if (!(output instanceof Tensor) || output.dtype !== "f32") return;
    const stage = (output.node && this.byNode.get(output.node)) ?? this.add(output, path, []);
    if (leaf && !(module instanceof Module && module.namedChildren().length > 0)) {
      stage.module = module;
      stage.weights = weightsOf(module);
    }
    if (this.calls.length === 0 && module === this.model) this.output = stage;
  }

  recorded(node: Node): void {
    for (const x of node.inputs) if (x.node === undefined && x.requiresGrad) this.leaves.add(x);
    if (node.output.dtype !== "f32") return;
    const inputs = node.inputs.flatMap((x) => (x.node && this.byNode.get(x.node)) ?? []);
    this.byNode.set(node, this.add(node.output, this.calls.at(-1)?.path ?? "", inputs));
  }

  differentiated(node: Node): void {
    const stage = this.byNode.get(node);
    if (stage !== undefined) stage.gradient = statistics(node.gradient!.ptr, node.output.shape);
  }

  finished(): void {
    for (const { weights } of this.stages) {
      for (const weight of weights) {
        const { grad, shape } = weight.tensor;
        if (grad !== null && grad.fate === undefined) weight.gradient = statistics(grad.ptr, shape);
      }
    }
  }

  private add({ op, ptr, shape }: Tensor, path: string, inputs: readonly Stage[]): Stage {
    const module = this.calls.at(-1)?.module;
    const fused = op === "linear" ? (module as { activation?: string } | undefined)?.activation : undefined;
    const activation = ACTIVATIONS.has(op) ? op : fused;
    const output = statistics(ptr, shape, activation === undefined ? undefined : BOUNDS[activation]);
    const stage: Stage = {
      ...{ op, activation, path, module: undefined, weights: [], shape, output, gradient: undefined, inputs },
    };
    this.stages.push(stage);
    return stage;
  }
}

function weightsOf(module: Module): Weight[] {
  return module.namedParameters().map(([name, tensor]) => ({
    ...{ tensor, name, gradient: undefined },
    values: statistics(tensor.ptr, tensor.shape),
  }));
}
