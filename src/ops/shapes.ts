import { ShapeError, show } from "../errors";
import type { Shape } from "../tensor";
import { sizeOf } from "../tensor";

/** A dimension counted from the front; −1 is the last. */
export function dimension(op: string, dim: number, rank: number): number {
  if (Number.isInteger(dim) && dim >= -rank && dim < rank) return dim < 0 ? dim + rank : dim;
  throw new ShapeError(`${op}: dim ${dim} does not exist in a tensor of ${rank} dimensions`);
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
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const m = a[i - rank + a.length] ?? 1;
    const n = b[i - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw new ShapeError(`${op}: shapes ${show(a)} and ${show(b)} do not broadcast: ${m} against ${n}`);
    }
    return m === 1 ? n : m;
  });
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
  const dims = joined(shape, a, b);
  while (dims.length < 2) dims.unshift({ size: 1, a: 0, b: 0 });
  const [row, col] = dims.slice(-2) as [Dim, Dim];
  let starts: [number, number, number][] = [[0, 0, 0]];
  const outer = dims.slice(0, -2);
  let yStride = row.size * col.size * sizeOf(outer.map((d) => d.size));
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
  return { rows: row.size, cols: col.size, aRow: row.a, aCol: col.a, bRow: row.b, bCol: col.b, starts };
}

interface Dim {
  size: number;
  /** Strides in elements; 0 where the operand repeats. */
  a: number;
  b: number;
}

function joined(shape: Shape, a: Shape, b: Shape): Dim[] {
  const dims: Dim[] = [];
  let aStride = 1;
  let bStride = 1;
  for (let i = 1; i <= shape.length; i++) {
    const size = shape.at(-i)!;
    const aSize = a.at(-i) ?? 1;
    const bSize = b.at(-i) ?? 1;
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
