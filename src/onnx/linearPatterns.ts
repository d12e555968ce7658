// Linear layers: a Gemm, or a MatMul with the weight transposed and an Add; and the activations that have a kernel with them.
import { sameShape } from "../errors";
import { type LinearOpOptions, linear } from "../index";
import { made, type Node, type Step, type Value } from "./node";

interface Parts {
  readonly x: Value;
  /** [out, in], in the file. */
  readonly weight: Value;
  /** [out], in the file. */
  readonly bias?: Value;
}

/** The linear layer that ends with this node. */
export function linearNode(node: Node): Step | undefined {
  return stepOf(linearAt(node), {});
}

const ACTIVATIONS: Readonly<Record<string, LinearOpOptions>> = {
  Relu: { activation: "relu" },
  Sigmoid: { activation: "sigmoid" },
  Tanh: { activation: "tanh" },
};

/** The linear layer in front of an activation that alone reads what it gives. */
export function activatedLinear({ op, inputs: [z] }: Node): Step | undefined {
  if (z?.producer === undefined || z.uses > 1) return undefined;
  return stepOf(linearAt(z.producer), ACTIVATIONS[op]!);
}

function stepOf(parts: Parts | undefined, options: LinearOpOptions): Step | undefined {
  if (parts === undefined) return undefined;
  const { x, weight, bias } = parts;
  const inputs = bias === undefined ? [x, weight] : [x, weight, bias];
  return { inputs, run: ([t, w, b]) => linear(t!, w!, b, options) };
}

function linearAt(node: Node): Parts | undefined {
  if (node.op === "Gemm") return gemm(node);
  if (node.op === "MatMul") return product(node);
  if (node.op !== "Add") return undefined;
  const [a, b] = node.inputs;
  return sum(a, b) ?? sum(b, a);
}

function sum(y: Value | undefined, bias: Value | undefined): Parts | undefined {
  const parts = product(made(y, "MatMul"));
  return parts && bias && isBias(bias, parts.weight) ? { ...parts, bias } : undefined;
}

/** x · weightᵀ */
function product(node: Node | undefined): Parts | undefined {
  const [x, right] = node?.inputs ?? [];
  const turned = made(right, "Transpose");
  const weight = turned?.inputs[0];
  if (x === undefined || weight?.constant?.shape.length !== 2) return undefined;
  return sameShape(turned?.ints("perm") ?? [1, 0], [1, 0]) ? { x, weight } : undefined;
}

function gemm(node: Node): Parts | undefined {
  const [x, weight, bias] = node.inputs;
  const isPlain = node.float("alpha", 1) === 1 && node.int("transA", 0) === 0 && node.int("transB", 0) !== 0;
  if (!isPlain || x === undefined || weight?.constant?.shape.length !== 2) return undefined;
  if (bias === undefined) return { x, weight };
  return node.float("beta", 1) === 1 && isBias(bias, weight) ? { x, weight, bias } : undefined;
}

function isBias({ constant }: Value, weight: Value): boolean {
  return constant !== undefined && sameShape(constant.shape, [weight.constant!.shape[0]!]);
}
