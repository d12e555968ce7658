import { Tensor } from "../tensor";
import * as activations from "./activations";
import * as arithmetic from "./arithmetic";
import * as comparison from "./comparison";
import { gather, type Indices } from "./indexing";
import * as layout from "./layout";
import { matmul } from "./matmul";
import type { Operand } from "./operand";
import type { ReductionOptions, VarianceOptions } from "./reductions";
import * as reductions from "./reductions";
import { logSoftmax, logSumExp, softmax } from "./softmax";

/** The ops that are methods of a tensor too: `x.add(y)` is `add(x, y)`. */
export interface Methods {
  add(b: Operand): Tensor;
  sub(b: Operand): Tensor;
  mul(b: Operand): Tensor;
  div(b: Operand): Tensor;
  pow(exponent: Operand): Tensor;
  neg(): Tensor;
  exp(): Tensor;
  log(): Tensor;
  sqrt(): Tensor;
  square(): Tensor;
  abs(): Tensor;
  clip(options: comparison.ClipOptions): Tensor;
  maximum(b: Operand): Tensor;
  minimum(b: Operand): Tensor;
  sum(options?: ReductionOptions): Tensor;
  mean(options?: ReductionOptions): Tensor;
  max(options?: ReductionOptions): Tensor;
  min(options?: ReductionOptions): Tensor;
  variance(options?: VarianceOptions): Tensor;
  argmax(options?: { dim?: number; keepdim?: boolean }): Tensor;
  argmin(options?: { dim?: number; keepdim?: boolean }): Tensor;
  logSumExp(options?: ReductionOptions): Tensor;
  matmul(b: Tensor, options?: { transposeA?: boolean; transposeB?: boolean }): Tensor;
  reshape(shape: readonly number[]): Tensor;
  transpose(dim0?: number, dim1?: number): Tensor;
  slice(start: number, end?: number, options?: { dim?: number; step?: number }): Tensor;
  gather(index: Indices, options?: { dim?: number }): Tensor;
  clone(): Tensor;
  detach(): Tensor;
  relu(): Tensor;
  sigmoid(): Tensor;
  tanh(): Tensor;
  softmax(options?: { dim?: number }): Tensor;
  logSoftmax(options?: { dim?: number }): Tensor;
}

const { add, sub, mul, div, pow, neg, exp, log, sqrt, square, abs } = arithmetic;
const { clip, maximum, minimum } = comparison;
const { sum, mean, max, min, variance, argmax, argmin } = reductions;
const { reshape, transpose, slice, clone, detach } = layout;
const { relu, sigmoid, tanh } = activations;

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
