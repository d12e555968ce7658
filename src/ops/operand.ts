import { record } from "../autograd";
import { filledWith, read } from "../create";
import { brand } from "../scope";
import { expectTensor, Tensor, type TensorData } from "../tensor";
import { kernels } from "../wasm";

/** A tensor or a number. */
export type Operand = Tensor | number;

/** Whether it is for a tensor to be made of. What is neither that nor a tensor, `expectTensor` refuses. */
export const isData = (x: unknown): x is TensorData =>
  typeof x !== "object" || x === null || (!(brand in x) && (Array.isArray(x) || ArrayBuffer.isView(x)));

/** A tensor as it is, or one made of data. */
export function toTensor(op: string, x: Tensor | TensorData): Tensor {
  if (!isData(x)) return expectTensor(op, x);
  const data = read(op, x);
  return filledWith(op, data, data.kind === "i32" ? "i32" : "f32");
}

/** The same of classes or indices: i32, but for typed arrays of floats. */
export function toIntegers(op: string, x: Tensor | TensorData): Tensor {
  if (!isData(x)) return expectTensor(op, x);
  const data = read(op, x);
  return filledWith(op, data, data.kind === "floats" ? "f32" : "i32");
}

/** An f32 tensor as it is, i32 converted, each number to the nearest float32. */
export function asFloat(op: string, x: Tensor): Tensor {
  const source = x.use(op, x.dtype);
  if (x.dtype === "f32") return x;
  const y = new Tensor(x.shape);
  y.buffer.origin = x.buffer.origin;
  kernels.toFloat(source, y.ptr, x.size);
  return record(op, y, [], [], () => {});
}

/** Those of two operands that a derivative reads. A literal, since an array that grows takes more memory. */
export function chosen(
  takesA: boolean | undefined,
  a: Tensor,
  takesB: boolean | undefined,
  b: Tensor,
): Tensor[] {
  if (takesA) return takesB ? [a, b] : [a];
  return takesB ? [b] : [];
}
