// How to write ONNX's operators with nablas, and with that where the two differ.

import type { Tensor } from "../src/index";
import * as nablas from "../src/index";
import { type Attributes, adagrad, adam, momentum, type Operation } from "./onnxOptimizers";

function unary<O extends object>(
  fn: (x: Tensor, options?: O) => Tensor,
  options: (attributes: Attributes) => O | undefined = () => undefined,
): Operation {
  return ([x], attributes) => fn(x!, options(attributes));
}

const binary =
  (fn: (a: Tensor, b: Tensor) => Tensor): Operation =>
  ([a, b]) =>
    fn(a!, b!);

/** Of any number of operands. */
const variadic =
  (fn: (a: Tensor, b: Tensor) => Tensor): Operation =>
  (operands) =>
    operands.reduce((a, b) => fn(a, b));

/** Softmax and its like: ONNX's axis is −1 by default, as `dim` is (before opset 13 it was 1, and flattened). */
const dimOf = ({ axis = -1 }: Attributes) => ({ dim: axis });

/** Options without those that are undefined. */
const given = (options: object) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

const numbers = (t: Tensor | undefined): number[] => (t === undefined ? [] : [...t.data]);

/** `keepdims` is on by default. Axes come as an input or an attribute; none at all means all, or nothing to do. */
function reduction(fn: (x: Tensor, options: nablas.ReductionOptions) => Tensor): Operation {
  return ([x, axes], { axes: named = numbers(axes), keepdims = 1, noop_with_empty_axes: noop = 0 }) => {
    const dim = named as number[];
    return noop === 1 && dim.length === 0 ? x! : fn(x!, { dim, keepdim: keepdims === 1 });
  };
}

function chosen(x: Tensor, { axis = 0, keepdims = 1 }: Attributes): Tensor {
  return nablas.argmax(x, { dim: axis, keepdim: keepdims === 1 });
}

function loss(
  fn: typeof nablas.nllLoss,
  [scores, target, weight]: Tensor[],
  { reduction = "mean", ignore_index: ignoreIndex }: Attributes,
): Tensor {
  const options = given({ reduction, weight, ignoreIndex });
  return fn(scores!, target!, options as nablas.NllOptions);
}

/** Negative indices count from the end in ONNX, not here. */
function fromFront(index: Tensor, size: number): Tensor {
  const data = Int32Array.from(index.data, (i) => (i < 0 ? i + size : i));
  return nablas.tensor(data, { shape: index.shape });
}

function permuted(x: Tensor, perm: readonly number[]): Tensor {
  const now = perm.map((_, d) => d);
  let y = x;
  for (const [place, d] of perm.entries()) {
    const at = now.indexOf(d);
    y = nablas.transpose(y, place, at);
    [now[place], now[at]] = [now[at]!, now[place]!];
  }
  return y;
}

/** x with its dimension `from` moved to `to`. */
function moved(x: Tensor, from: number, to: number): Tensor {
  const order = x.shape.map((_, d) => d).toSpliced(from, 1);
  return permuted(x, order.toSpliced(to, 0, from));
}

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const positive = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis);

/** Whole slices along an axis, by rows of a table: the indices may have any shape. */
function gather([x, index]: Tensor[], { axis = 0 }: Attributes): Tensor {
  const front = moved(x!, axis, 0);
  const [size, ...rest] = front.shape as [number, ...number[]];
  const rows = nablas.embedding(
    fromFront(index!, size).reshape([index!.size]),
    front.reshape([size, sizeOf(rest)]),
  );
  const y = moved(rows.reshape([index!.size, ...rest]), 0, axis);
  return y.reshape(x!.shape.toSpliced(axis, 1, ...index!.shape));
}

/** Values [off, on]; the new axis goes anywhere. */
function oneHot([index, depth, values]: Tensor[], { axis = -1 }: Attributes): Tensor {
  const [off, on] = numbers(values) as [number, number];
  const numClasses = depth!.item();
  const classes = nablas.tensor(Int32Array.from(index!.data), { shape: index!.shape });
  const y = nablas
    .oneHot(fromFront(classes, numClasses), { numClasses })
    .mul(on - off)
    .add(off);
  return moved(y, y.shape.length - 1, positive(axis, y.shape.length));
}

/** ONNX's momentum is the share of the old statistics, and its running variance is biased. */
function batchNorm(
  [x, weight, bias, mean, variance]: Tensor[],
  { epsilon: eps = 1e-5, momentum = 0.9, training_mode: training = 0 }: Attributes,
): Tensor[] {
  const [runningMean, runningVar] = [mean!.clone(), variance!.clone()];
  const m = 1 - (momentum as number);
  const options = { runningMean, runningVar, eps, momentum: m, training: training === 1 };
  const y = nablas.batchNorm(x!, { weight: weight!, bias: bias!, ...options });
  const n = x!.size / x!.shape[1]!;
  const kept = variance!.mul(1 - m);
  return training === 1
    ? [
        y,
        runningMean,
        runningVar
          .sub(kept)
          .mul((n - 1) / n)
          .add(kept),
      ]
    : [y];
}

/** The second and third output are the mean and one by the deviation. */
function layerNorm([x, weight, bias]: Tensor[], { axis = -1, epsilon: eps = 1e-5 }: Attributes): Tensor[] {
  const first = positive(axis, x!.shape.length);
  const dim = x!.shape.map((_, d) => d).slice(first);
  const normalizedShape = x!.shape.slice(first);
  const y = nablas.layerNorm(x!, { normalizedShape, weight: weight!, bias: bias ?? null, eps });
  const variance = nablas.variance(x!, { dim, keepdim: true, correction: 0 });
  return [y, x!.mean({ dim, keepdim: true }), variance.add(eps).pow(-0.5)];
}

function slice([x, starts, ends, axes, steps]: Tensor[]): Tensor {
  const [first, last, by] = [starts, ends, steps].map(numbers) as [number[], number[], number[]];
  const dims = axes === undefined ? first.map((_, i) => i) : numbers(axes);
  return dims.reduce((y, dim, i) => nablas.slice(y, first[i]!, last[i]!, { dim, step: by[i] ?? 1 }), x!);
}

/** Even parts unless their sizes are given. */
function split([x, sizes]: Tensor[], { axis = 0 }: Attributes, outputs: number): Tensor[] {
  const even = Array.from({ length: outputs }, () => x!.shape.at(axis)! / outputs);
  let start = 0;
  return (sizes === undefined ? even : numbers(sizes)).map((size) => {
    start += size;
    return nablas.slice(x!, start - size, start, { dim: axis });
  });
}

/** A size of 0 stands for that of the input, unless `allowzero`. */
function reshape([x, shape]: Tensor[], { allowzero = 0 }: Attributes): Tensor {
  return x!.reshape(numbers(shape).map((n, d) => (n === 0 && allowzero === 0 ? x!.shape[d]! : n)));
}

/** Slopes broadcast from the last dimension; here there is one, or one for each channel, dimension 1. */
function prelu([x, slope]: Tensor[]): Tensor {
  if (slope!.shape.length > 1) {
    return nablas.prelu(x!.reshape([1, -1]), slope!.reshape([-1])).reshape(x!.shape);
  }
  return nablas.prelu(x!.transpose(1, -1), slope!).transpose(1, -1);
}

/** alpha · op(A) · op(B) + beta · C */
function gemm([a, b, c]: Tensor[], { alpha = 1, beta = 1, transA = 0, transB = 0 }: Attributes): Tensor {
  const y = nablas.matmul(a!, b!, { transposeA: transA === 1, transposeB: transB === 1 }).mul(alpha);
  return c === undefined ? y : y.add(c.mul(beta));
}

/** The loss, and the log-probabilities if the node wants them. */
function softmaxCrossEntropy(inputs: Tensor[], attributes: Attributes): Tensor[] {
  return [loss(nablas.crossEntropyLoss, inputs, attributes), nablas.logSoftmax(inputs[0]!, { dim: 1 })];
}

/** Without bounds x itself: there clip is an error, as in PyTorch. */
function clip([x, min, max]: Tensor[]): Tensor {
  if (min === undefined && max === undefined) return x!;
  return nablas.clip(x!, given({ min: min?.item(), max: max?.item() }));
}

export const operations: Record<string, Operation> = {
  Abs: unary(nablas.abs),
  Adagrad: adagrad,
  Adam: adam,
  Add: binary(nablas.add),
  ArgMax: ([x], attributes) => chosen(x!, attributes),
  ArgMin: ([x], attributes) => chosen(nablas.neg(x!), attributes),
  BatchNormalization: batchNorm,
  Celu: unary(nablas.celu, ({ alpha = 1 }) => ({ alpha })),
  Clip: clip,
  Concat: (inputs, { axis }) => nablas.concat(inputs, { dim: axis! }),
  Div: binary(nablas.div),
  // A node is in evaluation unless its third input says otherwise.
  Dropout: ([x, ratio, training]) =>
    nablas.dropout(x!, { p: ratio?.item() ?? 0.5, training: training?.item() === 1 }),
  Elu: unary(nablas.elu, ({ alpha = 1 }) => ({ alpha })),
  Exp: unary(nablas.exp),
  // To two dimensions, wherever the axis is.
  Flatten: ([x], { axis = 1 }) => x!.reshape([sizeOf(x!.shape.slice(0, axis)), sizeOf(x!.shape.slice(axis))]),
  Gather: gather,
  GatherElements: ([x, index], { axis = 0 }) =>
    nablas.gather(x!, fromFront(index!, x!.shape.at(axis)!), { dim: axis }),
  Gemm: gemm,
  // alpha x + beta clipped to [0, 1], where here it is x / 6 + 1/2.
  HardSigmoid: ([x], { alpha = 0.2, beta = 0.5 }) =>
    nablas.hardsigmoid(
      x!
        .mul(alpha)
        .add(beta - 0.5)
        .mul(6),
    ),
  HardSwish: unary(nablas.hardswish),
  Hardmax: unary(nablas.hardmax, dimOf),
  Identity: unary(nablas.identity),
  LayerNormalization: layerNorm,
  LeakyRelu: unary(nablas.leakyRelu, ({ alpha = 0.01 }) => ({ negativeSlope: alpha })),
  Log: unary(nablas.log),
  LogSoftmax: unary(nablas.logSoftmax, dimOf),
  MatMul: binary(nablas.matmul),
  Max: variadic(nablas.maximum),
  Mean: (inputs) => inputs.reduce((a, b) => a.add(b)).div(inputs.length),
  Min: variadic(nablas.minimum),
  Momentum: momentum,
  Mul: binary(nablas.mul),
  Neg: unary(nablas.neg),
  NegativeLogLikelihoodLoss: (inputs, attributes) => loss(nablas.nllLoss, inputs, attributes),
  OneHot: oneHot,
  PRelu: prelu,
  Pow: ([x, y]) => nablas.pow(x!, nablas.tensor(Float32Array.from(y!.data), { shape: y!.shape })),
  Reciprocal: ([x]) => nablas.div(1, x!),
  ReduceL1: reduction((x, options) => x.abs().sum(options)),
  ReduceL2: reduction((x, options) => x.square().sum(options).sqrt()),
  ReduceLogSum: reduction((x, options) => x.sum(options).log()),
  ReduceLogSumExp: reduction(nablas.logSumExp),
  ReduceMax: reduction(nablas.max),
  ReduceMean: reduction(nablas.mean),
  ReduceMin: reduction(nablas.min),
  ReduceSum: reduction(nablas.sum),
  ReduceSumSquare: reduction((x, options) => x.square().sum(options)),
  Relu: unary(nablas.relu),
  Reshape: reshape,
  // The constants are attributes; without them those of the paper, as here.
  Selu: ([x], { alpha, gamma }) =>
    alpha === undefined ? nablas.selu(x!) : nablas.elu(x!, { alpha }).mul(gamma as number),
  Sigmoid: unary(nablas.sigmoid),
  Slice: slice,
  Softmax: unary(nablas.softmax, dimOf),
  SoftmaxCrossEntropyLoss: softmaxCrossEntropy,
  Softplus: unary(nablas.softplus),
  Softsign: unary(nablas.softsign),
  Split: split,
  Sqrt: unary(nablas.sqrt),
  Squeeze: ([x, axes]) => {
    const dims = numbers(axes).map((axis) => positive(axis, x!.shape.length));
    return x!.reshape(x!.shape.filter((n, d) => (axes === undefined ? n !== 1 : !dims.includes(d))));
  },
  Sub: binary(nablas.sub),
  Sum: variadic(nablas.add),
  Tanh: unary(nablas.tanh),
  Transpose: ([x], { perm = x!.shape.map((_, d) => d).reverse() }) => permuted(x!, perm as number[]),
  Unsqueeze: ([x, axes]) => {
    const rank = x!.shape.length + axes!.size;
    const dims = numbers(axes).map((axis) => positive(axis, rank));
    return x!.reshape(dims.sort((p, q) => p - q).reduce((shape, d) => shape.toSpliced(d, 0, 1), x!.shape));
  },
};

/** Why the library does not do what a node asks for, if it does not. */
export function different(
  op: string,
  attributes: Attributes,
  inputs: readonly (Tensor | undefined)[],
): string | undefined {
  if (attributes.select_last_index === 1) return "argmax takes the first of equal values, as PyTorch's does";
  if (op === "Slice" && numbers(inputs[4]).some((step) => step < 0))
    return "slices go forward, as PyTorch's do";
  return undefined;
}
