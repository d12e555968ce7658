import { write } from "../stateDict";
import { Tensor, type TensorData } from "../tensor";
import { relu, sigmoid, tanh } from "./activations";
import { abs, add, div, exp, log, mul, neg, pow, sqrt, square, sub } from "./arithmetic";
import { type ClipOptions, clip, maximum, minimum } from "./comparison";
import { gather, type Indices } from "./indexing";
import { clone, detach, reshape, slice, transpose } from "./layout";
import { matmul } from "./matmul";
import type { Operand } from "./operand";
import type { ReductionOptions, VarianceOptions } from "./reductions";
import { argmax, argmin, max, mean, min, sum, variance } from "./reductions";
import { logSoftmax, logSumExp, softmax } from "./softmax";

/** The ops that are methods of a tensor too: `x.add(y)` is `add(x, y)`. */
export interface Methods {
  /** x + b, broadcast: `add(x, b)`. */
  add(b: Operand): Tensor;
  /** x − b, broadcast: `sub(x, b)`. */
  sub(b: Operand): Tensor;
  /** x · b element by element, broadcast: `mul(x, b)`. */
  mul(b: Operand): Tensor;
  /** x / b, broadcast: `div(x, b)`. */
  div(b: Operand): Tensor;
  /** x to the power of `exponent`, broadcast: `pow(x, exponent)`. */
  pow(exponent: Operand): Tensor;
  /** −x: `neg(x)`. */
  neg(): Tensor;
  /** e^x: `exp(x)`. */
  exp(): Tensor;
  /** The natural logarithm: `log(x)`. */
  log(): Tensor;
  /** √x: `sqrt(x)`. */
  sqrt(): Tensor;
  /** x²: `square(x)`. */
  square(): Tensor;
  /** |x|: `abs(x)`. */
  abs(): Tensor;
  /** x within bounds: `clip(x, options)`. */
  clip(options: ClipOptions): Tensor;
  /** The larger of x and b, broadcast: `maximum(x, b)`. */
  maximum(b: Operand): Tensor;
  /** The smaller of x and b, broadcast: `minimum(x, b)`. */
  minimum(b: Operand): Tensor;
  /** The sum over all or some dimensions: `sum(x, options)`. */
  sum(options?: ReductionOptions): Tensor;
  /** The mean over all or some dimensions: `mean(x, options)`. */
  mean(options?: ReductionOptions): Tensor;
  /** The largest over all or some dimensions: `max(x, options)`. */
  max(options?: ReductionOptions): Tensor;
  /** The smallest over all or some dimensions: `min(x, options)`. */
  min(options?: ReductionOptions): Tensor;
  /** The variance over all or some dimensions: `variance(x, options)`. */
  variance(options?: VarianceOptions): Tensor;
  /** Where the largest is, i32: `argmax(x, options)`. */
  argmax(options?: { dim?: number; keepdim?: boolean }): Tensor;
  /** Where the smallest is, i32: `argmin(x, options)`. */
  argmin(options?: { dim?: number; keepdim?: boolean }): Tensor;
  /** log Σ e^x over all or some dimensions: `logSumExp(x, options)`. */
  logSumExp(options?: ReductionOptions): Tensor;
  /** The matrix product: `matmul(x, b, options)`. */
  matmul(b: Tensor, options?: { transposeA?: boolean; transposeB?: boolean }): Tensor;
  /** The same elements in another shape: `reshape(x, shape)`. */
  reshape(shape: readonly number[]): Tensor;
  /** With two dimensions exchanged: `transpose(x, dim0, dim1)`. */
  transpose(dim0?: number, dim1?: number): Tensor;
  /** A part along a dimension: `slice(x, start, end, options)`. */
  slice(start: number, end?: number, options?: { dim?: number; step?: number }): Tensor;
  /** Elements by their index along a dimension: `gather(x, index, options)`. */
  gather(index: Indices, options?: { dim?: number }): Tensor;
  /** Copies values into x, in place; returns x: `write(x, values)`. */
  write(values: Tensor | TensorData): Tensor;
  /** A copy: `clone(x)`. */
  clone(): Tensor;
  /** The same values without history: `detach(x)`. */
  detach(): Tensor;
  /** max(x, 0): `relu(x)`. */
  relu(): Tensor;
  /** 1 / (1 + e^−x): `sigmoid(x)`. */
  sigmoid(): Tensor;
  /** The hyperbolic tangent: `tanh(x)`. */
  tanh(): Tensor;
  /** e^x / Σ e^x along a dimension: `softmax(x, options)`. */
  softmax(options?: { dim?: number }): Tensor;
  /** x − log Σ e^x along a dimension: `logSoftmax(x, options)`. */
  logSoftmax(options?: { dim?: number }): Tensor;
}

const functions: { [K in keyof Methods]: (x: Tensor, ...rest: Parameters<Methods[K]>) => Tensor } = {
  add,
  sub,
  mul,
  div,
  pow,
  neg,
  exp,
  log,
  sqrt,
  square,
  abs,
  clip,
  maximum,
  minimum,
  sum,
  mean,
  max,
  min,
  variance,
  argmax,
  argmin,
  logSumExp,
  matmul,
  reshape,
  transpose,
  slice,
  gather,
  write,
  clone,
  detach,
  relu,
  sigmoid,
  tanh,
  softmax,
  logSoftmax,
};

for (const [name, fn] of Object.entries(functions) as [string, (...args: unknown[]) => Tensor][]) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return fn(this, ...rest);
    },
    configurable: true,
    writable: true,
  });
}

// Exported from here so that whoever has the class has its methods: a bare import would be dropped by bundlers, since
// the package declares itself free of side effects.
export { Tensor };
