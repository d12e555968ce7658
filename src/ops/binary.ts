import { gradient, record } from "../autograd";
import { OptionError } from "../errors";
import { Buffer } from "../memory";
import { expectTensor, type Shape, sizeOf, Tensor } from "../tensor";
import { type Kernels, kernels } from "../wasm";
import { chosen, type Operand } from "./operand";
import { sumInto } from "./reductions";
import { type Block, broadcast, plan } from "./shapes";

/** Names with a Forward kernel and one Backward kernel for each operand. */
type BinaryName = keyof {
  [K in keyof Kernels as K extends `${infer Name}Forward`
    ? `${Name}BackwardA` | `${Name}BackwardB` extends keyof Kernels
      ? Name
      : never
    : never]: true;
};

type Kernel = (...args: number[]) => void;

/** Which operands the derivative by a reads, and the one by b: "a", "b" or "ab"; default none. */
interface Reads {
  a?: string;
  b?: string;
}

/**
 * An op of two operands, tensors or numbers, that broadcasts as NumPy does: [m, 1] and [n] to [m, n].
 * @throws ShapeError for shapes that do not broadcast, DTypeError unless the tensors are f32
 */
export type Binary = (a: Operand, b: Operand) => Tensor;

/**
 * The broadcasting op of the kernels `${name}Forward`, `${name}BackwardA` and `${name}BackwardB`.
 * @param reads which operands the backward kernels read
 */
export function binary(name: BinaryName, { a: forA = "", b: forB = "" }: Reads = {}): Binary {
  const forward = `${name}Forward` as keyof Kernels;
  const backwardA = `${name}BackwardA` as keyof Kernels;
  const backwardB = `${name}BackwardB` as keyof Kernels;
  const [aForA, bForA, aForB, bForB] = [forA, forB].flatMap((reads) =>
    ["a", "b"].map((x) => reads.includes(x)),
  );
  return (left, right, ...options: unknown[]) => {
    if (options.length > 0) throw new OptionError(`${name}: takes two operands and no options`);
    const shape = broadcast(name, shapeOf(name, left), shapeOf(name, right));
    const [a, b] = [operand(left), operand(right)];
    const y = new Tensor(shape);
    const block = plan(shape, a.shape, b.shape);
    run(kernels[forward] as Kernel, block, a.ptr, b.ptr, y.ptr);
    const forLeft = a.requiresGrad;
    const forRight = b.requiresGrad;
    const readsA = (forLeft && aForA) || (forRight && aForB);
    const readsB = (forLeft && bForA) || (forRight && bForB);
    const saved: (Tensor | Buffer)[] = chosen(readsA, a, readsB, b);
    if (left !== a) saved.push(a.buffer);
    if (right !== b) saved.push(b.buffer);
    return record(name, y, [a, b], saved, (dy) => {
      if (forLeft && a.requiresGrad) {
        const kernel = kernels[backwardA] as Kernel;
        addBroadcast(a, shape, (d) => runBackward(kernel, block, a.ptr, b.ptr, dy, d));
      }
      if (forRight && b.requiresGrad) {
        const kernel = kernels[backwardB] as Kernel;
        addBroadcast(b, shape, (d) => runBackward(kernel, block, a.ptr, b.ptr, dy, d));
      }
    });
  };
}

/** The shape of an operand that `op` may use. */
function shapeOf(op: string, x: Operand): Shape {
  if (typeof x === "number") return [];
  expectTensor(op, x).use(op);
  return x.shape;
}

/** A tensor as it is; a number as a tensor of shape [] whose buffer the caller has to give an owner. */
function operand(x: Operand): Tensor {
  if (typeof x !== "number") return x;
  const constant = new Tensor([]);
  kernels.fill(constant.ptr, 1, x);
  return constant;
}

/** Calls a kernel on each block of a, b and the result. */
function run(kernel: Kernel, block: Block, a: number, b: number, y: number): void {
  const { rows, cols, aRow, aCol, bRow, bCol, starts } = block;
  for (let n = 0; n < starts.length; n++) {
    const [i, j, k] = starts[n]!;
    kernel(a + 4 * i, b + 4 * j, y + 4 * k, rows, cols, aRow, aCol, bRow, bCol);
  }
}

/** The same for the gradient d of an operand, which has the result's shape here. */
function runBackward(kernel: Kernel, block: Block, a: number, b: number, dy: number, d: number): void {
  const { rows, cols, aRow, aCol, bRow, bCol, starts } = block;
  for (let n = 0; n < starts.length; n++) {
    const [i, j, k] = starts[n]!;
    kernel(a + 4 * i, b + 4 * j, dy + 4 * k, d + 4 * k, rows, cols, aRow, aCol, bRow, bCol);
  }
}

/** Adds to the gradient of x what `fill` writes into zeros of the given shape, summed over broadcast dimensions. */
function addBroadcast(x: Tensor, shape: Shape, fill: (d: number) => void): void {
  const size = sizeOf(shape);
  if (size === x.size) {
    fill(gradient(x));
    return;
  }
  const dx = gradient(x);
  let d = new Buffer(size);
  kernels.zero(d.ptr, size);
  fill(d.ptr);
  const groups = repeatedGroups(shape, x.shape);
  for (const [n, { outer, count, inner }] of groups.entries()) {
    if (n === groups.length - 1) {
      sumInto(d.ptr, dx, outer, count, inner, { accumulate: true });
    } else {
      const smaller = new Buffer(outer * inner);
      sumInto(d.ptr, smaller.ptr, outer, count, inner, {});
      d.free("backward");
      d = smaller;
    }
  }
  d.free("backward");
}

/** Runs of neighbouring dimensions in which x repeats, last first, as [outer, count, inner] of what remains then. */
function repeatedGroups(shape: Shape, x: Shape): { outer: number; count: number; inner: number }[] {
  const groups: { outer: number; count: number; inner: number }[] = [];
  let inner = 1;
  for (let i = shape.length - 1; i >= 0; ) {
    const repeats = (d: number) => shape[d] !== 1 && (x[d - shape.length + x.length] ?? 1) === 1;
    if (!repeats(i)) {
      inner *= shape[i--]!;
      continue;
    }
    let count = 1;
    while (i >= 0 && (repeats(i) || shape[i] === 1)) count *= shape[i--]!;
    groups.push({ outer: sizeOf(shape.slice(0, i + 1)), count, inner });
  }
  return groups;
}
