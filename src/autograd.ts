// Reverse-mode differentiation. An op calls `record` with a closure that goes back; `backward` runs the closures in
// reverse order of recording, which is a valid order because an op's inputs exist before the op.
import { expectFunction, GraphError, refusePromise, ShapeError, sameShape, show } from "./errors";
import { Buffer, nextMoment } from "./memory";
import { observer } from "./recording";
import { checkSaved } from "./saved";
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
  /** The last backward pass that has reached this node. */
  pass = 0;
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
let passes = 0;
/** The nodes of the backward pass under way. */
let walked: readonly Node[] = [];
/** Those of the passes that have called back into user code, outermost first. */
const interrupted: (readonly Node[])[] = [];
/** Whether user code has run since the saved values of the rest of the pass were checked. */
let isDisturbed = false;
/** Takes the gradients of leaves that were frozen after the forward pass. */
const discarded: Buffer[] = [];

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
  y.node = new Node(nextMoment(), op, y, inputs, saved, backward, graph);
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

/**
 * Pointer to the gradient of `x`, zeros at first, for an op's closure to add to. Whether an input gets one is decided when
 * the op is recorded; a leaf that was frozen since gets none, and the pointer leads to memory that is discarded.
 */
export function gradient(x: Tensor): number {
  if (x.node !== undefined) {
    x.node.gradient ??= zeros(x.size);
    return x.node.gradient.ptr;
  }
  if (x.requiresGrad) return x.leafGradient.accumulate();
  const buffer = zeros(x.size);
  discarded.push(buffer);
  return buffer.ptr;
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
  if (interrupted.length > 0) checkReentry(nodes);
  for (const node of nodes) checkSaved(node, nodes);
  seed(root, options.gradient);
  const leftovers: Buffer[] = [];
  const [outer, wasDisturbed] = [walked, isDisturbed];
  walked = nodes;
  isDisturbed = false;
  let done = 0;
  try {
    for (; done < nodes.length; done++) {
      const node = nodes[done]!;
      if (node.gradient !== undefined) {
        if (isDisturbed) checkSaved(node, nodes);
        observer?.differentiated(node);
        node.backward(node.gradient.ptr);
      }
      finish(node, root, retainGraph, leftovers);
    }
  } finally {
    // After an error the rest is released, too: the gradients of half of a graph are of no use.
    for (; done < nodes.length; done++) finish(nodes[done]!, root, retainGraph, leftovers);
    for (const buffer of leftovers) buffer.free("backward");
    if (discarded.length > 0) for (const buffer of discarded.splice(0)) buffer.free("backward");
    walked = outer;
    isDisturbed = wasDisturbed;
  }
  observer?.finished();
}

/** Runs user code in the middle of a backward pass; what the rest of the pass needs is checked again after it. */
export function callBack<T>(fn: () => T): T {
  interrupted.push(walked);
  try {
    return noGrad(fn);
  } finally {
    interrupted.pop();
    isDisturbed = true;
  }
}

/** @throws GraphError for nodes of a pass that is under way: it could not go on */
function checkReentry(nodes: readonly Node[]): void {
  for (const outer of interrupted) {
    const node = nodes.find((inner) => outer.includes(inner));
    if (node === undefined) continue;
    throw new GraphError(
      `backward: called by a callback of a backward() through the same graph, at ${node.op}; ` +
        "return the derivative instead",
    );
  }
}

/** Drops the gradient of a node's output, and unless the graph is retained what the node has kept. */
function finish(node: Node, root: Tensor, retainGraph: boolean, leftovers: Buffer[]): void {
  node.gradient?.free("backward");
  node.gradient = undefined;
  if (retainGraph) return;
  for (const buffer of node.leftovers) leftovers.push(buffer);
  node.release(node.output === root);
}

/** Every node behind `root`, newest first. */
function reachable(root: Tensor): Node[] {
  if (root.node === undefined) return [];
  const nodes = [root.node];
  root.node.pass = ++passes;
  for (let i = 0; i < nodes.length; i++) {
    for (const { node } of nodes[i]!.inputs) {
      if (node === undefined || node.pass === passes) continue;
      node.pass = passes;
      nodes.push(node);
    }
  }
  return nodes.sort((a, b) => b.order - a.order);
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
