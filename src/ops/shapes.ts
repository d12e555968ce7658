import { ShapeError, sameShape, show, text } from "../errors";
import type { Shape } from "../tensor";
import { expectRoom, sizeOf } from "../tensor";

/** A dimension counted from the front; −1 is the last. */
export function dimension(op: string, dim: number, rank: number): number {
  if (Number.isInteger(dim) && dim >= -rank && dim < rank) return dim < 0 ? dim + rank : dim;
  throw new ShapeError(`${op}: dim ${text(dim)} does not exist in a tensor of ${rank} dimensions`);
}

/** Number of dimensions, where a scalar counts as having one, as in PyTorch. */
export function rankOf({ shape }: { shape: Shape }): number {
  return Math.max(1, shape.length);
}

/** [outer, size, inner] around one dimension. */
export function around(shape: Shape, dim: number): [outer: number, size: number, inner: number] {
  return [sizeOf(shape.slice(0, dim)), shape[dim]!, sizeOf(shape.slice(dim + 1))];
}

/** The shape that a and b broadcast to: aligned at the last dimension, sizes equal or 1, as in NumPy. */
export function broadcast(op: string, a: Shape, b: Shape): Shape {
  if (b.length === 0 || sameShape(a, b)) return a;
  if (a.length === 0) return b;
  const shape = (a.length > b.length ? a : b).slice();
  for (let i = shape.length - 1, j = a.length - 1, k = b.length - 1; i >= 0; i--, j--, k--) {
    const m = j < 0 ? 1 : a[j]!;
    const n = k < 0 ? 1 : b[k]!;
    if (m !== n && m !== 1 && n !== 1) {
      throw new ShapeError(`${op}: shapes ${show(a)} and ${show(b)} do not broadcast: ${m} against ${n}`);
    }
    shape[i] = m === 1 ? n : m;
  }
  expectRoom(op, shape);
  return shape;
}

/** One block of a broadcast op for the two-dimensional loops of the kernels. */
export interface Block {
  rows: number;
  cols: number;
  aRow: number;
  aCol: number;
  bRow: number;
  bCol: number;
  /** Where the blocks start, in elements of a, b and the result; one entry for each block. */
  starts: readonly (readonly [a: number, b: number, y: number])[];
}

/**
 * How to run over `shape` with operands of shapes a and b: dimensions that both operands treat alike are joined, the
 * last two that remain become rows and columns, and there is a block for every index of the others.
 */
export function plan(shape: Shape, a: Shape, b: Shape): Block {
  if (a === b || sameShape(a, b)) {
    return { rows: 1, cols: sizeOf(shape), aRow: 0, aCol: 1, bRow: 0, bCol: 1, starts: ONE_BLOCK };
  }
  const dims = joined(shape, a, b);
  const col = dims.at(-1) ?? ONCE;
  const row = dims.at(-2) ?? ONCE;
  const starts = dims.length > 2 ? startsOf(dims.slice(0, -2), row.size * col.size) : ONE_BLOCK;
  return { rows: row.size, cols: col.size, aRow: row.a, aCol: col.a, bRow: row.b, bCol: col.b, starts };
}

const ONE_BLOCK: Block["starts"] = [[0, 0, 0]];

/** Where the blocks of `size` elements start, one for each index of the dimensions around them. */
function startsOf(outer: readonly Dim[], size: number): Block["starts"] {
  let starts: [number, number, number][] = [[0, 0, 0]];
  let yStride = size * sizeOf(outer.map((d) => d.size));
  for (const dim of outer) {
    yStride /= dim.size;
    starts = starts.flatMap(([i, j, k]) =>
      Array.from({ length: dim.size }, (_, n): [number, number, number] => [
        i + n * dim.a,
        j + n * dim.b,
        k + n * yStride,
      ]),
    );
  }
  return starts;
}

interface Dim {
  size: number;
  /** Strides in elements; 0 where the operand repeats. */
  a: number;
  b: number;
}

const ONCE: Dim = { size: 1, a: 0, b: 0 };

function joined(shape: Shape, a: Shape, b: Shape): Dim[] {
  const dims: Dim[] = [];
  let aStride = 1;
  let bStride = 1;
  for (let i = shape.length - 1, j = a.length - 1, k = b.length - 1; i >= 0; i--, j--, k--) {
    const size = shape[i]!;
    const aSize = j < 0 ? 1 : a[j]!;
    const bSize = k < 0 ? 1 : b[k]!;
    if (size !== 1) {
      const dim = { size, a: aSize === 1 ? 0 : aStride, b: bSize === 1 ? 0 : bStride };
      const inner = dims[0];
      if (inner !== undefined && dim.a === inner.a * inner.size && dim.b === inner.b * inner.size)
        inner.size *= size;
      else dims.unshift(dim);
    }
    aStride *= aSize;
    bStride *= bSize;
  }
  return dims;
}
