// What ONNX' operators of numbers are here. By name: the attributes that are understood, and how a node becomes a step.
import {
  abs,
  add,
  celu,
  clip,
  div,
  dropout,
  elu,
  erf,
  exp,
  gelu,
  hardsigmoid,
  hardswish,
  hardtanh,
  identity,
  leakyRelu,
  log,
  logSoftmax,
  maximum,
  minimum,
  mish,
  mul,
  neg,
  pow,
  prelu,
  relu,
  reshape,
  selu,
  sigmoid,
  softmax,
  softplus,
  softsign,
  sqrt,
  sub,
  type Tensor,
  tanh,
} from "../index";
import { decimal, type Node, type Step } from "./node";
import { productOperators } from "./productOperators";
import { shapeOperators } from "./shapeOperators";

export interface Operator {
  /** Their names. One that is not among them makes a node unknown. */
  readonly attributes?: readonly string[];
  /** @throws FormatError with what hinders */
  step(node: Node): Step;
}

type Unary = (x: Tensor) => Tensor;

/** An op of one tensor, whose options follow from the node. */
function unary(make: (node: Node) => Unary, attributes: readonly string[] = []): Operator {
  return {
    attributes,
    step(node) {
      const fn = make(node);
      return { inputs: [node.input(0)], run: ([x]) => fn(x!) };
    },
  };
}

const plain = (fn: Unary) => unary(() => fn);

/** One with an attribute alpha. */
const withAlpha = (fn: (alpha: number) => Unary, alpha: number) =>
  unary((node) => fn(node.float("alpha", alpha)), ["alpha"]);

/** An op of any number of operands, which broadcast. */
function operands(fn: (a: Tensor, b: Tensor) => Tensor): Operator {
  return {
    step: (node) => ({
      inputs: node.inputs.map((_, i) => node.input(i)),
      run: ([first, ...others]) => others.reduce(fn, first!),
    }),
  };
}

export const operators: Readonly<Record<string, Operator>> = {
  ...shapeOperators,
  ...productOperators,
  Abs: plain(abs),
  Add: operands((a, b) => add(a, b)),
  Celu: withAlpha((alpha) => (x) => celu(x, { alpha }), 1),
  Clip: unary(clipping, ["min", "max"]),
  Div: operands((a, b) => div(a, b)),
  Dropout: { attributes: ["ratio", "seed"], step: dropping },
  Elu: withAlpha((alpha) => (x) => elu(x, { alpha }), 1),
  Erf: plain(erf),
  Exp: plain(exp),
  Gelu: unary(gelus, ["approximate"]),
  HardSigmoid: unary(hardSigmoid, ["alpha", "beta"]),
  HardSwish: plain(hardswish),
  Identity: plain(identity),
  LeakyRelu: withAlpha((negativeSlope) => (x) => leakyRelu(x, { negativeSlope }), 0.01),
  Log: plain(log),
  LogSoftmax: unary((node) => alongAxis(node, logSoftmax), ["axis"]),
  Max: operands((a, b) => maximum(a, b)),
  Min: operands((a, b) => minimum(a, b)),
  Mish: plain(mish),
  Mul: operands((a, b) => mul(a, b)),
  Neg: plain(neg),
  PRelu: { step: (node) => ({ inputs: [node.input(0), node.input(1)], run: slopes }) },
  Pow: { step: power },
  Relu: plain(relu),
  Selu: unary(scaledElu, ["alpha", "gamma"]),
  Sigmoid: plain(sigmoid),
  Softmax: unary((node) => alongAxis(node, softmax), ["axis"]),
  Softplus: plain(softplus),
  Softsign: plain(softsign),
  Sqrt: plain(sqrt),
  Sub: operands((a, b) => sub(a, b)),
  Tanh: plain(tanh),
};

/** Bounds are inputs, before opset 11 attributes. Two are those of hardtanh, whose gradient is 0 at them. */
function clipping(node: Node): Unary {
  const [low, high] = [node.number(1), node.number(2)];
  const min = low ?? (node.attribute("min") ? node.float("min", 0) : -Infinity);
  const max = high ?? (node.attribute("max") ? node.float("max", 0) : Infinity);
  if (Number.isNaN(min) || Number.isNaN(max)) node.refuse("a bound is NaN");
  if (min === -Infinity && max === Infinity) return identity;
  return Number.isFinite(min) && Number.isFinite(max) && min <= max
    ? (x) => hardtanh(x, { minVal: min, maxVal: max })
    : (x) => clip(x, { min, max });
}

/** The third input says whether the node itself is in training. */
function dropping(node: Node): Step {
  if ((node.number(2) ?? 0) !== 0) node.refuse("is in training; export the model in evaluation");
  const p = decimal(node.number(1) ?? node.float("ratio", 0.5));
  if (!(p >= 0 && p <= 1)) node.refuse(`the ratio is ${p}`);
  return { inputs: [node.input(0)], run: ([x], training) => dropout(x!, { p, training }) };
}

function gelus(node: Node): Unary {
  const approximate = node.text("approximate", "none");
  if (approximate !== "none" && approximate !== "tanh") return node.refuse(`approximate is "${approximate}"`);
  return (x) => gelu(x, { approximate });
}

/** min(max(alpha x + beta, 0), 1) */
function hardSigmoid(node: Node): Unary {
  const [alpha, beta] = [node.float("alpha", 0.2), node.float("beta", 0.5)];
  if (isSixth(alpha) && beta === 0.5) return hardsigmoid;
  return (x) => clip(add(mul(x, alpha), beta), { min: 0, max: 1 });
}

/** 1/6 as people write it: 0.16666667, 0.1666667. */
export const isSixth = (alpha: number) => Math.abs(alpha - 1 / 6) < 1e-6;

/** The constants are those of the paper unless a node has others. */
function scaledElu(node: Node): Unary {
  const own = ["alpha", "gamma"].some((name) => node.attribute(name) !== undefined);
  const [alpha, gamma] = [node.float("alpha", 1.6732632), node.float("gamma", 1.050701)];
  if (!own || (Math.fround(alpha) === ALPHA && Math.fround(gamma) === GAMMA)) return selu;
  return (x) => mul(elu(x, { alpha }), gamma);
}

const ALPHA = Math.fround(1.6732632423543772);
const GAMMA = Math.fround(1.0507009873554805);

/** Before opset 13 the dimensions from `axis` on, by default 1, are one row; since then `axis` is one, by default the last. */
function alongAxis(node: Node, fn: (x: Tensor, options: { dim: number }) => Tensor): Unary {
  if (node.opset >= 13) {
    const dim = node.int("axis", -1);
    return (x) => fn(x, { dim });
  }
  const axis = node.int("axis", 1);
  return (x) => {
    const rows = x.shape.slice(0, axis).reduce((a, b) => a * b, 1);
    return reshape(fn(reshape(x, [rows, x.size / Math.max(1, rows)]), { dim: 1 }), x.shape);
  };
}

/** An exponent that is a number in the file stays one: then 2 is a square. */
function power(node: Node): Step {
  const exponent = node.any(1).constant;
  if (exponent !== undefined && exponent.data.length === 1 && exponent.shape.length === 0) {
    const n = exponent.data[0]!;
    return { inputs: [node.input(0)], run: ([x]) => pow(x!, n) };
  }
  return { inputs: [node.input(0), node.input(1)], run: ([x, y]) => pow(x!, y!) };
}

/** Slopes broadcast from the last dimension. Those along dimension 1, or the only one, are what prelu has, too. */
function slopes([x, slope]: readonly Tensor[]): Tensor {
  const rank = x!.shape.length;
  const channel = rank > 1 ? 1 : 0;
  const aligned = [...x!.shape.map(() => 1), ...slope!.shape].slice(-rank);
  const along = aligned.every((size, d) => (d === channel ? size === x!.shape[d] : size === 1));
  if (slope!.size === 1 || (along && slope!.size === aligned[channel])) {
    return prelu(x!, reshape(slope!, [slope!.size]));
  }
  return add(maximum(x!, 0), mul(slope!, minimum(x!, 0)));
}
