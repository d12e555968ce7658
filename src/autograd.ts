// Reverse-mode differentiation. An op calls `record` with a closure that goes back; `backward` runs the closures in
// reverse order of recording, which is a valid order because an op's inputs exist before the op.
import { expectFunction, GraphError, refusePromise, ShapeError, sameShape, show } from "./errors";
import { Buffer, gone } from "./memory";
import { observer } from "./recording";
import { adopt, adoptInto, type Graph } from "./scope";
import type { Tensor } from "./tensor";
import { kernels } from "./wasm";

/** Adds the gradients of an op's inputs, given a pointer to the gradient of its output. */
export type Backward = (dy: number) => void;

/** One recorded op. */
export class Node {
  released = false;
  /** Whether a later op has taken the output as its input. */
  used = false;
  /** Gradient of the output, while a backward pass is under way. */
  gradient: Buffer | undefined;
  /** What a composed op or module left behind that was not recorded itself: it goes when the pass is over. */
  leftovers: readonly Buffer[] = [];

  constructor(
    /** Position in the order of recording. */
    readonly order: number,
    readonly op: string,
    readonly output: Tensor,
    public inputs: readonly Tensor[],
    /** What `backward` reads: tensors, and buffers that the node owns. */
    public saved: readonly (Tensor | Buffer)[],
    public backward: Backward,
    readonly graph: Graph,
  ) {}

  /** Drops what backward needed, the output's memory included unless `keepOutput`. */
  release(keepOutput: boolean): void {
    this.released = true;
    for (const item of this.saved) if (item instanceof Buffer) item.free("backward");
    if (!keepOutput) this.output.buffer.free("backward");
    this.inputs = this.saved = this.leftovers = [];
    this.backward = () => {};
  }
}

let enabled = true;
let recorded = 0;

/** Whether ops are recorded where an input requires a gradient: outside of `noGrad`. */
export function gradEnabled(): boolean {
  return enabled;
}

/** Whether an op on these inputs will be recorded. */
export function recording(inputs: readonly Tensor[]): boolean {
  if (enabled) for (const x of inputs) if (x.requiresGrad) return true;
  return false;
}

/**
 * Runs `fn` without recording: nothing inside it can be differentiated, and nothing is kept for that. Returns
 * what `fn` returns.
 * @throws GraphError if `fn` returns a promise
 */
export function noGrad<T>(fn: () => T): T {
  expectFunction("noGrad", fn);
  return withGrad(false, () => {
    const result = fn();
    refusePromise("noGrad", result);
    return result;
  });
}

/** Runs `fn` with recording switched on or off. */
export function withGrad<T>(on: boolean, fn: () => T): T {
  const before = enabled;
  enabled = on;
  try {
    return fn();
  } finally {
    enabled = before;
  }
}

/**
 * Ends every op: gives `y` its owner and, if an input requires a gradient, records how to go back.
 * `saved` says as data what `backward` reads; buffers among it belong to the node and die with it.
 */
export function record(
  op: string,
  y: Tensor,
  inputs: readonly Tensor[],
  saved: readonly (Tensor | Buffer)[],
  backward: Backward,
): Tensor {
  y.op = op;
  if (!recording(inputs)) {
    adopt(y);
    for (const item of saved) if (item instanceof Buffer) item.free("dispose");
    return y;
  }
  const graph = graphOf(inputs);
  y.node = new Node(recorded++, op, y, inputs, saved, backward, graph);
  adoptInto(graph, y.buffer);
  for (const item of saved) if (item instanceof Buffer) adoptInto(graph, item);
  observer?.recorded(y.node);
  return y;
}

/**
 * The graph of an input that nothing has used so far, else a new one: what branches off a tensor that lives long must
 * not live as long. The older graph stays alive through the inputs of the node.
 */
function graphOf(inputs: readonly Tensor[]): Graph {
  let graph: Graph | undefined;
  for (const { node, buffer } of inputs) {
    if (node === undefined) buffer.consumed = true;
    else {
      if (!node.used) graph ??= node.graph;
      node.used = true;
    }
  }
  return graph ?? { region: undefined, peers: undefined };
}

/** Pointer to the gradient of `x`, zeros at first, for an op's closure to add to. */
export function gradient(x: Tensor): number {
  if (x.node === undefined) return x.leafGradient();
  x.node.gradient ??= zeros(x.size);
  return x.node.gradient.ptr;
}

function zeros(size: number): Buffer {
  const buffer = new Buffer(size);
  kernels.zero(buffer.ptr, size);
  return buffer;
}

/** @see Tensor.backward */
export function backward(root: Tensor, options: { gradient: Tensor | null; retainGraph: boolean }): void {
  const { retainGraph } = options;
  const nodes = reachable(root);
  for (const node of nodes) checkSaved(node, nodes);
  seed(root, options.gradient);
  const leftovers: Buffer[] = [];
  let done = 0;
  try {
    for (; done < nodes.length; done++) {
      const node = nodes[done]!;
      if (node.gradient !== undefined) {
        observer?.differentiated(node);
        node.backward(node.gradient.ptr);
      }
      dropGradient(node);
      if (retainGraph) continue;
      for (const buffer of node.leftovers) leftovers.push(buffer);
      node.release(node.output === root);
    }
  } finally {
    // After an error the rest goes, too: nobody can go back through half of a graph.
    for (; done < nodes.length; done++) {
      const node = nodes[done]!;
      dropGradient(node);
      if (retainGraph) continue;
      for (const buffer of node.leftovers) leftovers.push(buffer);
      node.release(node.output === root);
    }
    for (const buffer of leftovers) buffer.free("backward");
  }
  observer?.finished();
}

function dropGradient(node: Node): void {
  node.gradient?.free("backward");
  node.gradient = undefined;
}

/** Every node behind `root`, newest first. */
function reachable(root: Tensor): Node[] {
  if (root.node === undefined) return [];
  const nodes = [root.node];
  const seen = new Set(nodes);
  for (let i = 0; i < nodes.length; i++) {
    for (const { node } of nodes[i]!.inputs) {
      if (node === undefined || seen.has(node)) continue;
      seen.add(node);
      nodes.push(node);
    }
  }
  return nodes.sort((a, b) => b.order - a.order);
}

/** Where the gradients lie to which a pass through `nodes` adds, of those that there are. */
function leafGradients(nodes: readonly Node[]): Set<number> {
  const places = new Set<number>();
  for (const { inputs } of nodes) {
    for (const { node, requiresGrad, grad } of inputs) {
      if (node === undefined && requiresGrad && grad !== null && grad.fate === undefined)
        places.add(grad.ptr);
    }
  }
  return places;
}

/** @throws if something that `node` needs is gone, or lies in one of the gradients that this pass adds to before it is read */
function checkSaved(node: Node, nodes: readonly Node[]): void {
  if (node.released) {
    throw new GraphError(
      `backward: the graph of ${node.op} was released by an earlier backward(); ` +
        "pass { retainGraph: true } to that one to go back twice",
    );
  }
  for (const x of node.inputs) {
    if (x.node === undefined && x.requiresGrad) x.use(`backward of ${node.op}`);
  }
  for (const item of node.saved) {
    if (item.fate === undefined) {
      const { hasGradient } = item instanceof Buffer ? item : item.buffer;
      if (!hasGradient || !leafGradients(nodes).has(item.ptr)) continue;
      throw new GraphError(
        `backward of ${node.op}: one of its inputs is a gradient, to which this pass adds; clone() it before`,
      );
    }
    throw gone(
      `backward of ${node.op}`,
      item instanceof Buffer ? "a saved value" : item.describe(),
      item.fate,
    );
  }
}

/** Starts from d root / d root = 1, or from the gradient given. */
function seed(root: Tensor, given: Tensor | null): void {
  if (!root.requiresGrad) {
    throw new GraphError(
      `backward: ${root.describe()} has no recorded history; none of its inputs has requiresGrad, or it was made in noGrad`,
    );
  }
  root.use("backward");
  if (given === null && root.size !== 1) {
    throw new ShapeError(
      `backward: expected a scalar, got ${root.describe()}; reduce it by sum() or mean(), or pass { gradient }`,
    );
  }
  if (given !== null && !sameShape(given.shape, root.shape)) {
    throw new ShapeError(
      `backward: expected a gradient of shape ${show(root.shape)}, got ${show(given.shape)}`,
    );
  }
  if (given !== null) {
    kernels.copyBackward(given.use("backward"), gradient(root), root.size);
    return;
  }
  const { node } = root;
  if (node === undefined || node.gradient !== undefined) {
    const one = new Buffer(1);
    kernels.fill(one.ptr, 1, 1);
    kernels.copyBackward(one.ptr, gradient(root), 1);
    one.free("backward");
    return;
  }
  node.gradient = new Buffer(1);
  kernels.fill(node.gradient.ptr, 1, 1);
}
