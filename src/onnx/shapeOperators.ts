// What moves, chooses and reduces.
import {
  concat,
  embedding,
  identity,
  max,
  mean,
  reshape,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "../index";
import type { Node, Step } from "./node";
import type { Operator } from "./operators";
import { DOUBLE, FLOAT, INT32, INT64, typeName } from "./proto";

type Shaping = (x: Tensor) => Tensor;

/** An op that takes numbers of any type. */
function shaping(make: (node: Node) => Shaping, attributes: readonly string[] = []): Operator {
  return {
    attributes,
    step(node) {
      const fn = make(node);
      return { inputs: [node.any(0)], run: ([x]) => fn(x!) };
    },
  };
}

type Reduction = (x: Tensor, options: { dim: readonly number[]; keepdim: boolean }) => Tensor;

/** Axes are an input, before opset 18 (of sums 13) an attribute; none means all, or nothing to do. */
function reducing(fn: Reduction): Operator {
  return {
    attributes: ["axes", "keepdims", "noop_with_empty_axes"],
    step(node) {
      const dim = node.numbers(1) ?? node.ints("axes") ?? [];
      const keepdim = node.int("keepdims", 1) !== 0;
      const idle = dim.length === 0 && node.int("noop_with_empty_axes", 0) !== 0;
      return { inputs: [node.input(0)], run: ([x]) => (idle ? identity(x!) : fn(x!, { dim, keepdim })) };
    },
  };
}

export const shapeOperators: Readonly<Record<string, Operator>> = {
  Cast: shaping(cast, ["to", "saturate"]),
  Concat: { attributes: ["axis"], step: joining },
  Flatten: shaping(flatten, ["axis"]),
  Gather: { attributes: ["axis"], step: gather },
  ReduceMax: reducing((x, options) => max(x, options)),
  ReduceMean: reducing((x, options) => mean(x, options)),
  ReduceSum: reducing((x, options) => sum(x, options)),
  Reshape: shaping(reshaping, ["allowzero"]),
  Squeeze: shaping(squeeze, ["axes"]),
  Transpose: shaping(transposing, ["perm"]),
  Unsqueeze: shaping(unsqueeze, ["axes"]),
};

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Counted from the front. */
const positive = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis);

/** Between floats, and between integers, whose values stay what they are. */
function cast(node: Node): Shaping {
  const to = node.int("to", 0);
  const same = node.any(0).isFloat ? [FLOAT, DOUBLE] : [INT32, INT64];
  if (!same.includes(to)) node.refuse(`casts to ${typeName(to)}`);
  return (x) => reshape(x, x.shape);
}

function joining(node: Node): Step {
  const dim = node.int("axis", 0);
  return { inputs: node.inputs.map((_, i) => node.input(i)), run: (parts) => concat(parts, { dim }) };
}

/** To two dimensions, wherever the axis is. */
function flatten(node: Node): Shaping {
  const axis = node.int("axis", 1);
  return (x) => reshape(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
}

/** A size of 0 stands for that of the input, unless `allowzero`. */
function reshaping(node: Node): Shaping {
  const wanted = node.numbers(1) ?? node.refuse("the shape is missing");
  const copies = node.int("allowzero", 0) === 0;
  return (x) =>
    reshape(
      x,
      wanted.map((size, d) => (size === 0 && copies ? (x.shape[d] ?? 0) : size)),
    );
}

/** Axes are an input, before opset 13 an attribute. */
function squeeze(node: Node): Shaping {
  const axes = node.numbers(1) ?? node.ints("axes");
  return (x) => {
    const dims = axes?.map((axis) => positive(axis, x.shape.length));
    return reshape(
      x,
      x.shape.filter((size, d) => !(dims === undefined ? size === 1 : dims.includes(d))),
    );
  };
}

function unsqueeze(node: Node): Shaping {
  const axes = node.numbers(1) ?? node.ints("axes") ?? node.refuse("the axes are missing");
  return (x) => {
    const dims = axes.map((axis) => positive(axis, x.shape.length + axes.length)).sort((p, q) => p - q);
    return reshape(
      x,
      dims.reduce<readonly number[]>((shape, d) => shape.toSpliced(d, 0, 1), x.shape),
    );
  };
}

/** By default all dimensions in reverse. */
function transposing(node: Node): Shaping {
  const perm = node.ints("perm");
  return (x) => permuted(x, perm ?? x.shape.map((_, d) => d).reverse());
}

function permuted(x: Tensor, order: readonly number[]): Tensor {
  const now = order.map((_, d) => d);
  let y = reshape(x, x.shape);
  for (const [place, d] of order.entries()) {
    const at = now.indexOf(d);
    if (at === place) continue;
    y = transpose(y, place, at);
    [now[place], now[at]] = [now[at]!, now[place]!];
  }
  return y;
}

/** Whole slices along an axis, as rows of a table. Negative indices count from the end where they are in the file. */
function gather(node: Node): Step {
  const [data, index] = [node.input(0), node.any(1)];
  const axis = node.int("axis", 0);
  if (index.isFloat) node.refuse("its indices are float");
  const { constant } = index;
  return {
    inputs: constant === undefined ? [data, index] : [data],
    run([x, given]) {
      const along = positive(axis, x!.shape.length);
      const at = given ?? indices(constant!.data, constant!.shape, x!.shape[along]!);
      const moved = permuted(x!, [along, ...x!.shape.map((_, d) => d).filter((d) => d !== along)]);
      const rest = moved.shape.slice(1);
      const table = reshape(moved, [moved.shape[0]!, sizeOf(rest)]);
      const rows = reshape(embedding(at, table), [...at.shape, ...rest]);
      return along === 0 ? rows : permuted(rows, backTo(along, at.shape.length, rest.length));
    },
  };
}

/** The order that moves the dimensions of the index, which come first, behind `along` others. */
function backTo(along: number, indexRank: number, restRank: number): number[] {
  const rest = Array.from({ length: restRank }, (_, d) => indexRank + d);
  return rest.toSpliced(along, 0, ...Array.from({ length: indexRank }, (_, d) => d));
}

function indices(data: ArrayLike<number>, shape: readonly number[], size: number): Tensor {
  const positions = Int32Array.from(data, (i) => positive(i, size));
  return tensor(positions, { shape });
}
