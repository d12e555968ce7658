// Random variants of the rows of the op table: given the shape of one operand, the shapes of the others and options.
import { type Case, cases, numbers, type Variant } from "../cases";
import { build, type Nd, type Shape, sizeOf } from "../reference";

/** Choices of a sample, in order; a list that shrinks towards zeros chooses what is simplest. */
export class Choices {
  private at = 0;

  constructor(private readonly list: readonly number[]) {}

  /** From 0 to n − 1. */
  below(n: number): number {
    return n > 0 ? (this.list[this.at++] ?? 0) % n : 0;
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  yes(): boolean {
    return this.below(2) === 1;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

/** A variant at random: which of its operands has the given shape, and below which number indices and classes are. */
export interface RandomVariant extends Variant {
  given?: number;
  classes?: number;
}

/** A variant one of whose operands has the shape; undefined if the op takes no such operand. */
type Fit = (shape: Shape, choices: Choices, c: Case) => RandomVariant | undefined;

type Options = Readonly<Record<string, unknown>>;

const REDUCTIONS = ["mean", "sum", "none"] as const;

/** The last argument of one of the table's variants, unless the table fits it to its shapes. */
function optionsOf(c: Case, choices: Choices): Options {
  const { reduction, weight, posWeight, ...options } = (choices.of(c.variants).args.at(-1) ?? {}) as Options;
  return options;
}

const without = (shape: Shape, dim: number) => shape.toSpliced(dim, 1);
/** A dimension, counted from the front or from the back. */
const either = (dim: number, rank: number, choices: Choices) => (choices.yes() ? dim - rank : dim);
const some = (n: number, choices: Choices) => Array.from({ length: n }, () => choices.between(1, 8) / 4);

const unary: Fit = (shape, choices, c) => ({ shapes: [shape], args: choices.of(c.variants).args });

/** The other operand lacks leading dimensions, repeats in some, has more, or is a number. */
const binary: Fit = (shape, choices) => {
  const form = choices.below(4);
  if (form === 3) return { shapes: [shape], args: [choices.between(1, 6) / 2] };
  const cut = form === 1 ? shape.slice(choices.below(shape.length + 1)) : shape;
  const other = cut.map((n) => (n === 1 ? choices.between(1, 3) : choices.below(3) === 1 ? 1 : n));
  if (form === 2) other.unshift(choices.between(1, 3));
  return choices.yes()
    ? { shapes: [other, shape], args: [], given: 1 }
    : { shapes: [shape, other], args: [] };
};

const pairwise =
  (...weights: string[]): Fit =>
  (shape, choices, c) => {
    const kinds: string[] = c.name.startsWith("klDiv") && shape.length > 0 ? ["batchmean"] : [];
    const options: Record<string, unknown> = { ...optionsOf(c, choices) };
    options.reduction = choices.of([...REDUCTIONS, ...kinds]);
    for (const name of shape.length > 0 ? weights : [])
      if (choices.yes()) options[name] = some(shape.at(-1)!, choices);
    return { shapes: [shape, shape], args: [options] };
  };

const line: Fit = (shape, choices) => {
  const args = choices.yes() ? [{ dim: either(choices.below(shape.length), shape.length, choices) }] : [];
  return shape.length === 0 ? undefined : { shapes: [shape], args };
};

const dims: Fit = (shape, choices) => {
  const list = shape.map((_, d) => d).filter(() => choices.yes());
  const dim = list.map((d) => either(d, shape.length, choices));
  return { shapes: [shape], args: [{ dim, keepdim: choices.yes() }] };
};

const oneDim: Fit = (shape, choices) => {
  if (shape.length === 0 || choices.below(4) === 3) return { shapes: [shape], args: [] };
  const dim = either(choices.below(shape.length), shape.length, choices);
  return { shapes: [shape], args: [{ dim, keepdim: choices.yes() }] };
};

const variance: Fit = (shape, choices, c) => {
  const fit = dims(shape, choices, c)!;
  const [{ dim }] = fit.args as [{ dim: readonly number[] }];
  const group = sizeOf(dim.length === 0 ? shape : dim.map((d) => shape.at(d)!));
  const correction = choices.between(0, 2) / 2;
  return group - correction < 1 ? undefined : { ...fit, args: [{ ...(fit.args[0] as Options), correction }] };
};

const matmul: Fit = (shape, choices) => {
  if (shape.length === 0) return undefined;
  const [transposeA, transposeB] = [shape.length > 1 && choices.yes(), choices.yes()];
  const K = shape.at(transposeA ? -2 : -1)!;
  if (choices.below(4) === 3) return { shapes: [shape, [K]], args: [{ transposeA }] };
  const N = choices.between(1, 5);
  const batch = shape.slice(0, -2).map((n) => (choices.yes() ? 1 : n));
  const outer = choices.below(3) === 2 ? [choices.between(1, 2), ...batch] : batch.slice(choices.below(2));
  return {
    shapes: [shape, [...outer, ...(transposeB ? [N, K] : [K, N])]],
    args: [{ transposeA, transposeB }],
  };
};

const linear: Fit = (shape, choices) => {
  if (shape.length === 0) return undefined;
  const [K, N] = [shape.at(-1)!, choices.between(1, 5)];
  const options = choices.of([{}, { activation: "relu" }, { activation: "sigmoid" }, { activation: "tanh" }]);
  if (choices.yes()) return { shapes: [shape, [N, K]], args: [undefined, options] };
  return { shapes: [shape, [N, K], [N]], args: [options] };
};

const norm =
  (rank: number): Fit =>
  (shape, choices) => {
    if (shape.length < 2 || shape[0]! * sizeOf(shape.slice(2)) < 2) return undefined;
    const args = choices.yes() ? [{ eps: 0.1 }] : [];
    const more = Array.from({ length: rank }, () => [shape[1]!]);
    return { shapes: rank === 2 && choices.yes() ? [shape] : [shape, ...more], args };
  };

const layerNorm: Fit = (shape, choices) => {
  if (shape.length === 0) return undefined;
  const normalizedShape = shape.slice(choices.below(shape.length));
  if (sizeOf(normalizedShape) < 2) return undefined;
  const affine = choices.yes() ? [normalizedShape, normalizedShape] : [];
  return { shapes: [shape, ...affine], args: [{ normalizedShape, ...(choices.yes() ? { eps: 0.1 } : {}) }] };
};

/** The sizes in another order, two of them as one, or a −1 for one of them. */
const reshape: Fit = (shape, choices) => {
  const sizes = [...shape];
  for (let i = sizes.length - 1; i > 0; i--) {
    const j = choices.below(i + 1);
    [sizes[i], sizes[j]] = [sizes[j]!, sizes[i]!];
  }
  if (sizes.length > 1 && choices.yes()) sizes.splice(0, 2, sizes[0]! * sizes[1]!);
  if (choices.yes()) sizes.push(1);
  if (sizes.length > 0 && choices.yes()) sizes[choices.below(sizes.length)] = -1;
  return { shapes: [shape], args: [sizes] };
};

const transpose: Fit = (shape, choices) => {
  const rank = shape.length;
  if (rank < 2) return undefined;
  const dim = () => either(choices.below(rank), rank, choices);
  return { shapes: [shape], args: choices.yes() ? [dim(), dim()] : [] };
};

const slice: Fit = (shape, choices) => {
  if (shape.length === 0) return undefined;
  const d = choices.below(shape.length);
  const n = shape[d]!;
  const start = choices.below(n);
  const end = choices.yes() ? undefined : choices.between(start + 1, n);
  const dim = either(d, shape.length, choices);
  return {
    shapes: [shape],
    args: [choices.yes() ? start - n : start, end, { dim, step: choices.between(1, 3) }],
  };
};

const concat: Fit = (shape, choices) => {
  if (shape.length === 0) return undefined;
  const d = choices.below(shape.length);
  const others = [0, 0].map(() => (choices.yes() ? shape.with(d, choices.between(1, 4)) : shape));
  return { shapes: [shape, ...others], args: [{ dim: either(d, shape.length, choices) }] };
};

const stack: Fit = (shape, choices) => {
  const dim = either(choices.below(shape.length + 1), shape.length + 1, choices);
  return { shapes: [shape, shape, shape], args: [{ dim }] };
};

const gather: Fit = (shape, choices) => {
  if (shape.length === 0) return undefined;
  const d = choices.below(shape.length);
  const index = shape.map((n, i) => (i === d ? choices.between(1, 5) : choices.between(1, n)));
  return { shapes: [shape, index], args: [{ dim: either(d, shape.length, choices) }], classes: shape[d]! };
};

const embedding: Fit = (shape, choices) => {
  if (shape.length !== 2) return undefined;
  const index = Array.from({ length: choices.below(3) }, () => choices.between(1, 4));
  return { shapes: [index, shape], args: [], given: 1, classes: shape[0]! };
};

const oneHot: Fit = (shape, choices) => {
  const numClasses = choices.between(1, 7);
  return { shapes: [shape], args: [{ numClasses }], classes: numClasses };
};

const classAxis = (shape: Shape) => Math.min(1, shape.length - 1);

/** Losses of scores and classes: options of the table, with weights as many as there are classes. */
const classes: Fit = (shape, choices, c) => {
  if (shape.length === 0) return undefined;
  const C = shape[classAxis(shape)]!;
  const options = { ...optionsOf(c, choices), reduction: choices.of(REDUCTIONS) };
  const weight = choices.yes() ? { weight: some(C, choices) } : {};
  return { shapes: [shape, without(shape, classAxis(shape))], args: [{ ...options, ...weight }], classes: C };
};

const distributions: Fit = (shape, choices) => {
  if (shape.length === 0) return undefined;
  const weight = choices.yes() ? { weight: some(shape[classAxis(shape)]!, choices) } : {};
  const smooth = choices.yes() ? { labelSmoothing: 0.2 } : {};
  return { shapes: [shape, shape], args: [{ reduction: choices.of(REDUCTIONS), ...weight, ...smooth }] };
};

const margins =
  (...others: Shape[]): Fit =>
  (shape, choices, c) => {
    if (shape.length === 0) return undefined;
    const options = { ...optionsOf(c, choices), reduction: choices.of(REDUCTIONS) };
    const rows = others.length > 0 ? [shape.slice(0, -1)] : [];
    return { shapes: [shape, shape, ...rows], args: [options] };
  };

const prelu: Fit = (shape, choices) => {
  const channels = shape.length > 1 ? shape[1]! : (shape[0] ?? 1);
  return { shapes: [shape, choices.of([[1], [], ...(shape.length > 0 ? [[channels]] : [])])], args: [] };
};

const maxout: Fit = (shape, choices) => {
  const features = shape.at(-1);
  if (features === undefined) return undefined;
  const divisors = Array.from({ length: features }, (_, i) => i + 1).filter((k) => features % k === 0);
  return { shapes: [shape], args: [{ k: choices.of(divisors) }] };
};

const customLoss: Fit = (shape, choices, c) => {
  if (shape.length !== 2 && c.name !== "customLoss") return undefined;
  return { shapes: [shape, shape], args: [{ reduction: choices.of(REDUCTIONS) }] };
};

const shaped: Fit = (shape) => ({ shapes: [], args: [shape] });

const fits: Readonly<Record<string, Fit>> = {
  ...Object.fromEntries(
    cases.filter((c) => c.inputs.length === 1 && c.elementwise).map((c) => [c.name, unary]),
  ),
  ...Object.fromEntries(["rrelu", "dropout", "clone", "detach"].map((name) => [name, unary])),
  ...Object.fromEntries(
    ["add", "sub", "mul", "div", "pow", "maximum", "minimum"].map((name) => [name, binary]),
  ),
  prelu,
  maxout,
  hardmax: line,
  softmax: line,
  logSoftmax: line,
  batchNorm: norm(2),
  "batchNorm in evaluation": norm(4),
  layerNorm,
  ...Object.fromEntries(["logSumExp", "sum", "mean", "max", "min"].map((name) => [name, dims])),
  variance,
  argmax: oneDim,
  argmin: oneDim,
  matmul,
  linear,
  reshape,
  transpose,
  slice,
  concat,
  stack,
  gather,
  embedding,
  oneHot,
  ...Object.fromEntries(
    cases.filter(({ name }) => /^[a-zA-Z1]+Loss( |$)/.test(name)).map(({ name }) => [name, pairwise()]),
  ),
  bceLoss: pairwise("weight"),
  bceWithLogitsLoss: pairwise("weight", "posWeight"),
  crossEntropyLoss: classes,
  nllLoss: classes,
  multiMarginLoss: classes,
  "crossEntropyLoss with distributions": distributions,
  "crossEntropyLoss with constant distributions": distributions,
  categoricalHingeLoss: margins(),
  cosineEmbeddingLoss: margins([]),
  "cosineEmbeddingLoss of rows nearly parallel": margins([]),
  customLoss,
  "customLoss of rows, differentiated by autograd": customLoss,
  "nllLoss with every row ignored": (shape, choices, c) => {
    const fit = classes(shape, choices, c);
    return fit && { shapes: fit.shapes, args: [{ reduction: choices.of(REDUCTIONS) }] };
  },
  rand: shaped,
  randn: shaped,
};

/** A variant of the case one of whose operands has the shape; undefined if it takes none such. */
export function variantFor(c: Case, shape: Shape, choices: Choices): RandomVariant | undefined {
  return fits[c.name]!(shape, choices, c);
}

/** Data for operand i of a variant. */
export function dataFor(c: Case, { shapes, classes }: RandomVariant, i: number, seed: number): Nd {
  const random = numbers(seed + i);
  const input = c.inputs[i]!;
  const isIndex = input.dtype === "i32" && classes !== undefined;
  return build(shapes[i]!, () => (isIndex ? Math.floor(random() * classes) : input.draw(random)));
}

/** The cases of the table that have no random variants: there are to be none. */
export const unfitted = cases.filter(({ name }) => fits[name] === undefined).map(({ name }) => name);
