import { tensor } from "../create";
import { brand } from "../scope";
import { expectTensor, type Tensor, type TensorData } from "../tensor";

/** A tensor or a number. */
export type Operand = Tensor | number;

/** A tensor as it is, or one made of data. */
export function toTensor(op: string, x: Tensor | TensorData): Tensor {
  return typeof x === "object" && x !== null && (brand in x || !(Array.isArray(x) || ArrayBuffer.isView(x)))
    ? expectTensor(op, x)
    : tensor(x as TensorData);
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
