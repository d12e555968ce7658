// Whether what a backward pass reads is still what the forward pass has left.
import type { Node } from "./autograd";
import { type DisposedError, GraphError } from "./errors";
import { Buffer, gone } from "./memory";
import type { Tensor } from "./tensor";

/** Whether a pass through `nodes` adds to a gradient that lies in `buffer`. */
function isAddedTo(buffer: Buffer, nodes: readonly Node[]): boolean {
  return nodes.some(({ inputs }) =>
    inputs.some((x) => {
      const grad = x.node === undefined && x.requiresGrad ? x.leaf?.buffer() : undefined;
      return grad?.ptr === buffer.ptr && grad.fate === undefined;
    }),
  );
}

/** @throws if something that `node` needs is gone, or lies in one of the gradients that this pass adds to before it is read */
export function checkSaved(node: Node, nodes: readonly Node[]): void {
  if (node.released) {
    throw new GraphError(gone("backward", `the graph of ${node.op}`, "backward").message);
  }
  for (const x of node.inputs) {
    if (x.node === undefined && x.requiresGrad && x.fate !== undefined) throw outdated(node, x);
  }
  for (const item of node.saved) {
    const buffer = item instanceof Buffer ? item : item.buffer;
    if (buffer.fate !== undefined || buffer.writtenSince(node.order)) throw outdated(node, item);
    if (buffer.hasGradient && isAddedTo(buffer, nodes)) {
      throw new GraphError(
        `backward of ${node.op}: one of its inputs is a gradient, to which this pass adds; clone() it before`,
      );
    }
  }
}

/** The error for a saved value that is not any more what it was in the forward pass. */
function outdated(node: Node, item: Tensor | Buffer): GraphError | DisposedError {
  const op = `backward of ${node.op}`;
  const what = item instanceof Buffer ? "a saved value" : item.describe();
  if (item.fate !== undefined) return gone(op, what, item.fate);
  return new GraphError(
    `${op}: ${what} has been overwritten since the forward pass, by optimizer.step(), loadStateDict(), write() or a ` +
      "compiled function; call backward() before that",
  );
}
