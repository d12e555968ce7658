import { gradient, record } from "../autograd";
import { OptionError, ShapeError, sameShape, show, text, withDefaults } from "../errors";
import { Buffer } from "../memory";
import { expectRoom, expectTensor, type Shape, sizeOf, Tensor } from "../tensor";
import { kernels } from "../wasm";
import { composed } from "./composed";
import { reshape } from "./layout";
import { chosen } from "./operand";
import { sumInto } from "./reductions";
import { broadcast, plan } from "./shapes";

interface Flags {
  transposeA: boolean;
  transposeB: boolean;
  accumulate: boolean;
}

/** C [M, N] = op(A) · op(B), added to C if `accumulate`; with scratch memory for the panels. */
function multiply(
  a: number,
  b: number,
  c: number,
  sizes: { M: number; N: number; K: number },
  flags: Flags,
): void {
  const { M, N, K } = sizes;
  const [tA, tB] = [Number(flags.transposeA), Number(flags.transposeB)];
  const bytes = kernels.matmulScratch(M, N, K, tA, tB);
  const scratch = bytes > 0 ? new Buffer(bytes / 4) : undefined;
  kernels.matmul(a, b, c, scratch?.ptr ?? 0, M, N, K, tA, tB, Number(flags.accumulate));
  scratch?.free("dispose");
}

/**
 * Matrix product over the last two dimensions, [..., M, K] · [..., K, N] = [..., M, N]; the dimensions before them
 * broadcast. One-dimensional operands are a row on the left and a column on the right, as in NumPy.
 * @param options.transposeA a is [..., K, M]; default false
 * @param options.transposeB b is [..., N, K]; default false
 * @throws ShapeError for a scalar, inner sizes that differ, or dimensions before the last two that do not broadcast
 */
export function matmul(
  a: Tensor,
  b: Tensor,
  options?: { transposeA?: boolean; transposeB?: boolean },
): Tensor {
  const flags = withDefaults("matmul", matmulDefaults, options);
  expectTensor("matmul", a).use("matmul");
  expectTensor("matmul", b).use("matmul");
  if (a.shape.length === 0 || b.shape.length === 0) {
    throw new ShapeError(
      `matmul: expected at least one dimension, got ${show(a.shape)} and ${show(b.shape)}; use mul`,
    );
  }
  if (a.shape.length > 1 && b.shape.length > 1) return batched(a, b, flags);
  return composed(() => {
    const left = a.shape.length === 1 ? reshape(a, [1, a.size]) : a;
    const right = b.shape.length === 1 ? reshape(b, [b.size, 1]) : b;
    const y = batched(left, right, {
      transposeA: flags.transposeA && left === a,
      transposeB: flags.transposeB && right === b,
    });
    const shape = [...y.shape];
    if (right !== b) shape.pop();
    if (left !== a) shape.splice(right !== b ? -1 : -2, 1);
    return reshape(y, shape);
  });
}

const matmulDefaults = { transposeA: false, transposeB: false };

function batched(a: Tensor, b: Tensor, flags: { transposeA: boolean; transposeB: boolean }): Tensor {
  const { transposeA: tA, transposeB: tB } = flags;
  const [m, n] = [a.shape.length - 2, b.shape.length - 2];
  const [p, q, r, s] = [a.shape[m]!, a.shape[m + 1]!, b.shape[n]!, b.shape[n + 1]!];
  let M = tA ? q : p;
  const [K, depth, N] = [tA ? p : q, tB ? s : r, tB ? r : s];
  if (K !== depth) {
    const note =
      tA || tB ? ` with ${tA ? "a" : ""}${tA && tB ? " and " : ""}${tB ? "b" : ""} transposed` : "";
    throw new ShapeError(
      `matmul: inner sizes differ: ${show(a.shape)} · ${show(b.shape)}${note}, ${K} against ${depth}`,
    );
  }
  const [aBatch, bBatch] = [m > 0 ? a.shape.slice(0, m) : NO_BATCH, n > 0 ? b.shape.slice(0, n) : NO_BATCH];
  const batch = broadcast("matmul", aBatch, bBatch);
  const shape = batch.length > 0 ? [...batch, M, N] : [M, N];
  expectRoom("matmul", shape);
  const y = new Tensor(shape);
  // One matrix b for all of a: the batch is more rows.
  const joined = sizeOf(bBatch) === 1 && !tA;
  if (joined) M *= sizeOf(aBatch);
  const one = joined || batch.length === 0 ? ONE_PRODUCT : undefined;
  const products = y.size === 0 ? [] : (one ?? offsets(batch, aBatch, bBatch));
  const [MK, KN, MN] = [4 * M * K, 4 * K * N, 4 * M * N];
  const [pa, pb] = [a.ptr, b.ptr];
  const flat: Flags = { transposeA: tA, transposeB: tB, accumulate: false };
  for (const [i, j, k] of products) multiply(pa + i * MK, pb + j * KN, y.ptr + k * MN, { M, N, K }, flat);
  // dA = dY · op(B)ᵀ and dB = op(A)ᵀ · dY, or their transposes where the operand is stored transposed.
  const forA = a.requiresGrad;
  const forB = b.requiresGrad;
  const saved = chosen(forB, a, forA, b);
  return record("matmul", y, [a, b], saved, (dy) => {
    if (forA && a.requiresGrad) {
      addProducts(a, M * K, products, (da, [i, j, k]) => {
        const [A, B, dY] = [da + i * MK, pb + j * KN, dy + k * MN];
        if (tA)
          multiply(B, dY, A, { M: K, N: M, K: N }, { transposeA: tB, transposeB: true, accumulate: true });
        else multiply(dY, B, A, { M, N: K, K: N }, { transposeA: false, transposeB: !tB, accumulate: true });
      });
    }
    if (forB && b.requiresGrad) {
      addProducts(b, K * N, products, (db, [i, j, k]) => {
        const [A, B, dY] = [pa + i * MK, db + j * KN, dy + k * MN];
        if (tB)
          multiply(dY, A, B, { M: N, N: K, K: M }, { transposeA: true, transposeB: tA, accumulate: true });
        else multiply(A, dY, B, { M: K, N, K: M }, { transposeA: !tA, transposeB: false, accumulate: true });
      });
    }
  });
}

/** The most products that are added to a gradient one after another. */
const LOT = 256;

/** Adds all products to the gradient of x, which has matrices of `size` elements; of more than a lot, each lot is summed apart. */
function addProducts(
  x: Tensor,
  size: number,
  products: readonly Product[],
  add: (dx: number, product: Product) => void,
): void {
  const dx = gradient(x);
  const lot = Math.max(LOT, x.size / size);
  if (!(products.length > lot)) {
    for (const product of products) add(dx, product);
    return;
  }
  const sum = new Buffer(x.size);
  for (let n = 0; n < products.length; n += lot) {
    kernels.zero(sum.ptr, x.size);
    for (const product of products.slice(n, n + lot)) add(sum.ptr, product);
    kernels.copyBackward(sum.ptr, dx, x.size);
  }
  sum.free("dispose");
}

const NO_BATCH: Shape = [];

/** The place of a matrix in a, in b and in the result, counted in matrices. */
type Product = readonly [a: number, b: number, y: number];

const ONE_PRODUCT: readonly Product[] = [[0, 0, 0]];

/** Which matrices of a and b meet for each matrix of the result. */
function offsets(batch: Shape, a: Shape, b: Shape): Product[] {
  const { rows, cols, aRow, aCol, bRow, bCol, starts } = plan(batch, a, b);
  const all: Product[] = [];
  for (const [i, j, k] of starts) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < cols; c++)
        all.push([i + r * aRow + c * aCol, j + r * bRow + c * bCol, k + r * cols + c]);
    }
  }
  return all;
}

/** Activations with a kernel that adds the bias, too: the op's name, and what the kernel for the way back reads. */
const FUSED = {
  relu: {
    op: "linear with relu",
    saves: "output",
    forward: "linearReluForward",
    backward: "linearReluBackward",
  },
  sigmoid: {
    op: "linear with sigmoid",
    saves: "input",
    forward: "linearSigmoidForward",
    backward: "linearSigmoidBackward",
  },
  tanh: {
    op: "linear with tanh",
    saves: "input",
    forward: "linearTanhForward",
    backward: "linearTanhBackward",
  },
} as const;

/** The activations that a linear layer may have in one pass with its bias. */
export type FusedActivation = keyof typeof FUSED;

/** @throws OptionError unless `activation` is undefined or has a kernel with the bias */
export function checkActivation(op: string, activation: FusedActivation | undefined): void {
  if (activation === undefined || Object.hasOwn(FUSED, activation)) return;
  const names = Object.keys(FUSED).join(", ");
  throw new OptionError(
    `${op}: activation is one of ${names}, got ${text(activation)}; apply others to the result`,
  );
}

/** The options of `linear`. */
export interface LinearOpOptions {
  /** Applied to the sum, in one pass with the bias: "relu", "sigmoid" or "tanh"; default none. */
  activation?: FusedActivation;
}

const linearDefaults = { activation: undefined as FusedActivation | undefined };

/**
 * activation(x · weightᵀ + bias): [..., in] to [..., out]. With `activation` the values and gradients have the bits of
 * the separate op, for less memory and fewer passes.
 * @param weight [out, in]
 * @param bias [out]
 * @throws ShapeError if the shapes do not fit, OptionError for an activation that has no such form
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null, options?: LinearOpOptions): Tensor {
  const px = expectTensor("linear", x).use("linear");
  const pw = expectTensor("linear", weight).use("linear");
  const pb = bias ? expectTensor("linear", bias).use("linear") : 0;
  const { activation } = withDefaults("linear", linearDefaults, options);
  checkActivation("linear", activation);
  const [N, K] = weight.shape as [number, number];
  if (weight.shape.length !== 2 || x.shape.at(-1) !== K) {
    throw new ShapeError(
      `linear: expected x [..., in] and weight [out, in], got ${show(x.shape)} and ${show(weight.shape)}`,
    );
  }
  if (bias && !sameShape(bias.shape, [N])) {
    throw new ShapeError(
      `linear: expected bias ${show([N])} for weight ${show(weight.shape)}, got ${show(bias.shape)}`,
    );
  }
  const M = sizeOf(x.shape.slice(0, -1));
  const shape = x.shape.slice();
  shape[shape.length - 1] = N;
  expectRoom("linear", shape);
  const y = new Tensor(shape);
  const fused = activation && FUSED[activation];
  const z = fused?.saves === "input" ? new Buffer(y.size) : y.buffer;
  multiply(px, pw, z.ptr, { M, N, K }, { transposeA: false, transposeB: true, accumulate: false });
  if (fused) kernels[fused.forward](z.ptr, pb, y.ptr, M, N);
  else if (pb !== 0) kernels.addForward(y.ptr, pb, y.ptr, M, N, N, 1, 0, 1);
  const inputs = bias ? [x, weight, bias] : [x, weight];
  const kept = z === y.buffer ? y : z;
  const forX = x.requiresGrad;
  const forWeight = weight.requiresGrad;
  const forBias = bias?.requiresGrad === true;
  const saved: (Tensor | Buffer)[] = chosen(forWeight, x, forX, weight);
  if (fused) saved.push(kept);
  return record(fused?.op ?? "linear", y, inputs, saved, (dy) => {
    if (fused) kernels[fused.backward](kept.ptr, dy, y.size);
    const add = { transposeA: false, transposeB: false, accumulate: true };
    if (forX && x.requiresGrad) multiply(dy, pw, gradient(x), { M, N: K, K: N }, add);
    if (forWeight && weight.requiresGrad)
      multiply(dy, px, gradient(weight), { M: N, N: K, K: M }, { ...add, transposeA: true });
    if (forBias && bias!.requiresGrad) sumInto(dy, gradient(bias!), 1, M, N, { accumulate: true });
  });
}
