// Groups of nodes that spell out an op which is one here: then it runs in one kernel, with the bits of the module that was
// written. A pattern begins at its last node.
import { gelu, hardswish, logSigmoid, mish, silu, softplus, softsign, type Tensor } from "../index";
import { activatedLinear, linearNode } from "./linearPatterns";
import { isNumber, made, type Node, numberOf, type Step, type Value } from "./node";
import { isSixth } from "./operators";

/** The step of a group that ends with this node; undefined if it ends none. */
type Pattern = (node: Node) => Step | undefined;

/** By the operator of the last node. */
const patterns = new Map<string, readonly Pattern[]>(
  Object.entries({
    Add: [linearNode],
    Div: [scaledSoftplus, quotient],
    Gemm: [linearNode],
    Log: [logOfSigmoid],
    MatMul: [linearNode],
    Mul: [gated, gelus],
    Neg: [negatedSoftplus],
    Relu: [activatedLinear],
    Sigmoid: [activatedLinear],
    Tanh: [activatedLinear],
    Where: [thresholdSoftplus],
  }),
);

/** The step that a node is the end of together with those before it. */
export function patternAt(node: Node): Step | undefined {
  for (const pattern of patterns.get(node.op) ?? []) {
    const step = pattern(node);
    if (step !== undefined) return step;
  }
  return undefined;
}

const of = (x: Value | undefined, fn: (x: Tensor) => Tensor): Step | undefined =>
  x && { inputs: [x], run: ([t]) => fn(t!) };

/** x · gate(x): silu, hardswish as before opset 14, mish as before opset 18. */
function gated({ inputs: [a, b] }: Node): Step | undefined {
  for (const [x, gate] of [
    [a, b],
    [b, a],
  ]) {
    if (x === undefined) continue;
    if (made(gate, "Sigmoid")?.inputs[0] === x) return of(x, silu);
    const hard = made(gate, "HardSigmoid");
    if (hard?.inputs[0] === x && isSixth(hard.float("alpha", 0.2)) && hard.float("beta", 0.5) === 0.5) {
      return of(x, hardswish);
    }
    if (made(made(gate, "Tanh")?.inputs[0], "Softplus")?.inputs[0] === x) return of(x, mish);
  }
  return undefined;
}

/** −log(1 + e^−x) */
function negatedSoftplus({ inputs: [y] }: Node): Step | undefined {
  return of(made(made(y, "Softplus")?.inputs[0], "Neg")?.inputs[0], logSigmoid);
}

/** log σ(x), as PyTorch writes it, without its −∞. */
function logOfSigmoid({ inputs: [y] }: Node): Step | undefined {
  return of(made(y, "Sigmoid")?.inputs[0], logSigmoid);
}

/** log(1 + e^(beta x)) / beta, which is x above PyTorch's threshold of 20. */
function scaledSoftplus({ inputs: [y, divisor] }: Node): Step | undefined {
  const beta = numberOf(divisor);
  const x = beta === undefined ? undefined : productWith(made(y, "Softplus")?.inputs[0], beta);
  return of(x, (t) => softplus(t, { beta: beta! }));
}

/** x / (1 + |x|) */
function quotient({ inputs: [x, divisor] }: Node): Step | undefined {
  const magnitude = other(made(divisor, "Add"), (summand) => isNumber(summand, 1));
  return made(magnitude, "Abs")?.inputs[0] === x ? of(x, softsign) : undefined;
}

/** beta x > threshold ? x : log(1 + e^(beta x)) / beta */
function thresholdSoftplus({ inputs: [above, x, y] }: Node): Step | undefined {
  const greater = made(above, "Greater");
  const threshold = numberOf(greater?.inputs[1]);
  const smooth = made(y, "Div") ?? made(y, "Softplus");
  if (greater === undefined || threshold === undefined || smooth === undefined) return undefined;
  const beta = smooth.op === "Softplus" ? 1 : numberOf(smooth.inputs[1]);
  const z = smooth.op === "Softplus" ? smooth.inputs[0] : made(smooth.inputs[0], "Softplus")?.inputs[0];
  if (beta === undefined || greater.inputs[0] !== z) return undefined;
  if ((smooth.op === "Softplus" ? z : productWith(z, beta)) !== x) return undefined;
  return of(x, (t) => softplus(t, { beta, threshold }));
}

/** x where a value is x · factor. */
function productWith(value: Value | undefined, factor: number): Value | undefined {
  return other(made(value, "Mul"), (operand) => numberOf(operand) === factor);
}

/** The other operand of a node if one passes. */
function other(node: Node | undefined, isIt: (operand: Value | undefined) => boolean): Value | undefined {
  const [a, b] = node?.inputs ?? [];
  if (isIt(a)) return b;
  return isIt(b) ? a : undefined;
}

/** a · b · c as the products of two nodes. */
function threeFactors({ inputs: [a, b] }: Node): (Value | undefined)[][] {
  const [first, second] = [made(a, "Mul"), made(b, "Mul")];
  return [...(first ? [[...first.inputs, b]] : []), ...(second ? [[a, ...second.inputs]] : [])];
}

/** x · (1 + g(x)) · 0.5, in whatever order: before opset 20 gelu is spelt out. */
function gelus(node: Node): Step | undefined {
  for (const all of threeFactors(node)) {
    const half = all.findIndex((factor) => isNumber(factor, 0.5));
    const rest = half < 0 ? [] : all.toSpliced(half, 1);
    for (const [x, sum] of [rest, rest.toReversed()]) {
      const g = other(made(sum, "Add"), (summand) => isNumber(summand, 1));
      if (x === undefined || g === undefined) continue;
      if (isScaled(made(g, "Erf")?.inputs[0], x)) return of(x, gelu);
      if (isCubic(made(g, "Tanh")?.inputs[0], x)) return of(x, (t) => gelu(t, { approximate: "tanh" }));
    }
  }
  return undefined;
}

/** Whether a value is x / √2. */
function isScaled(value: Value | undefined, x: Value): boolean {
  const quotient = made(value, "Div");
  if (quotient !== undefined) return quotient.inputs[0] === x && isNumber(quotient.inputs[1], Math.SQRT2);
  return other(made(value, "Mul"), (factor) => isNumber(factor, Math.SQRT1_2)) === x;
}

/** Whether a value is √(2/π) (x + 0.044715 x³). */
function isCubic(value: Value | undefined, x: Value): boolean {
  const isX = (operand: Value | undefined) => operand === x;
  const sum = other(made(value, "Mul"), (factor) => isNumber(factor, Math.sqrt(2 / Math.PI)));
  const term = other(made(sum, "Add"), isX);
  const cube = other(made(term, "Mul"), (factor) => isNumber(factor, 0.044715));
  const power = made(cube, "Pow");
  if (power !== undefined) return isX(power.inputs[0]) && isNumber(power.inputs[1], 3);
  return other(made(other(made(cube, "Mul"), isX), "Mul"), isX) === x;
}
