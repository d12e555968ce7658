// What happens in a forward and a backward pass, seen by an observer: a stage for each op, and which of them are layers.
import type { Node } from "../autograd";
import type { AnyModule } from "../nn/module";
import { unaries } from "../ops/unary";
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

/** Elementwise ops that are arithmetic, rather than the activation of a layer. */
const ARITHMETIC = new Set(["identity", "neg", "exp", "log", "erf", "sqrt", "square", "abs"]);

/** Whether an op is an activation: one of a single tensor, apart from arithmetic, or one with slopes. */
export function isActivation(op: string): boolean {
  return (unaries.has(op) && !ARITHMETIC.has(op)) || op === "prelu" || op === "rrelu";
}

/** A parameter: what it was before the step, and its gradient. */
export interface Weight {
  readonly tensor: Tensor;
  readonly name: string;
  readonly values: Statistics;
  /** The values themselves, where the trace keeps them. */
  readonly before: Float32Array | undefined;
  gradient: Statistics | undefined;
}

/** The output of an op, or of a module. */
export interface Stage {
  readonly op: string;
  /** The activation that the op applies, a fused one too. */
  readonly activation: string | undefined;
  /** Path of the module in which the op ran; "" for the model. */
  readonly path: string;
  /** Which of the stages of this op and path: 1, 2, … */
  readonly count: number;
  /** The module, if it has no others in it and is no more than this op. */
  module: AnyModule | undefined;
  weights: readonly Weight[];
  /** Of a product with a weight: how many numbers go into one of its results, and into how many of them one number goes. */
  readonly fans: readonly [fanIn: number, fanOut: number] | undefined;
  readonly shape: Shape;
  readonly output: Statistics;
  /** Of the loss with respect to the output, once a backward pass has been here. */
  gradient: Statistics | undefined;
  readonly inputs: readonly Stage[];
}

interface Call {
  module: AnyModule;
  path: string;
  /** Stages before it. */
  start: number;
}

/** Notes all stages of the passes that run meanwhile. */
export class Trace implements Observer {
  readonly stages: Stage[] = [];
  /** Tensors without a history that got gradients. */
  readonly leaves = new Set<Tensor>();
  /** The model: the outermost module called first. */
  model: AnyModule | undefined;
  /** Its output. */
  output: Stage | undefined;
  private readonly byNode = new Map<Node, Stage>();
  private readonly calls: Call[] = [];
  private readonly counts = new Map<string, number>();

  /** @param keep whether to keep the parameters as they are before the step */
  constructor(private readonly keep = false) {}

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

  /** The stages that are layers: modules without others in them; outside of these products with weights, and activations. */
  get layers(): Stage[] {
    return this.stages.filter(isLayer);
  }

  entered(module: object, path: string): void {
    this.model ??= module as AnyModule;
    this.calls.push({ module: module as AnyModule, path, start: this.stages.length });
  }

  left(output: unknown): void {
    const { module, path, start } = this.calls.pop()!;
    if (!(output instanceof Tensor) || output.dtype !== "f32") return;
    const stage = (output.node && this.byNode.get(output.node)) ?? this.add(output, output.op, path);
    const alone = this.stages.slice(start).every((other) => other === stage || !isLayer(other));
    if (alone && module.namedChildren().length === 0) {
      stage.module = module;
      if (stage.weights.length === 0)
        stage.weights = module.namedParameters().map(([name, t]) => this.weight(name, t));
    }
    if (this.calls.length === 0 && module === this.model) this.output = stage;
  }

  recorded(node: Node): void {
    for (const x of node.inputs) if (isLeaf(x)) this.leaves.add(x);
    if (node.output.dtype !== "f32") return;
    this.byNode.set(node, this.add(node.output, node.op, this.calls.at(-1)?.path ?? "", node.inputs));
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

  private add({ ptr, shape }: Tensor, name: string, path: string, from: readonly Tensor[] = []): Stage {
    const [op, fused] = name.split(" with ") as [string, string?];
    const activation = isActivation(op) ? op : fused;
    const count = (this.counts.get(`${path}.${op}`) ?? 0) + 1;
    this.counts.set(`${path}.${op}`, count);
    const [x, weight, bias] = PRODUCTS.has(op) ? from : [];
    const stage: Stage = {
      ...{ op, activation, path, count, module: undefined, shape, gradient: undefined },
      weights: [...this.leaf("weight", weight), ...this.leaf("bias", bias)],
      fans: weight?.shape.length === 2 && isLeaf(weight) ? [x!.shape.at(-1)!, shape.at(-1)!] : undefined,
      output: statistics(ptr, shape, activation === undefined ? undefined : BOUNDS[activation]),
      inputs: from.flatMap(({ node }) => (node && this.byNode.get(node)) ?? []),
    };
    this.stages.push(stage);
    return stage;
  }

  private leaf(name: string, t: Tensor | undefined): Weight[] {
    return t !== undefined && isLeaf(t) ? [this.weight(name, t)] : [];
  }

  private weight(name: string, tensor: Tensor): Weight {
    const before = this.keep ? (tensor.data as Float32Array).slice() : undefined;
    return { tensor, name, values: statistics(tensor.ptr, tensor.shape), before, gradient: undefined };
  }
}

/** Ops whose second input may be a weight. */
const PRODUCTS = new Set(["linear", "matmul"]);

function isLeaf({ node, requiresGrad }: Tensor): boolean {
  return node === undefined && requiresGrad;
}

function isLayer({ module, activation, weights }: Stage): boolean {
  return module !== undefined || activation !== undefined || weights.length > 0;
}
