import { DTypeError, InstanceError } from "../errors";
import type { TensorData } from "../tensor";
import { brand, Tensor, tensor } from "../tensor";

/** A tensor or a number. */
export type Operand = Tensor | number;

/**
 * `x` as a tensor of this copy of the library.
 * @throws InstanceError if it is a tensor of another copy, DTypeError if it is none
 */
export function expectTensor(op: string, x: unknown): Tensor {
  if (x instanceof Tensor) return x;
  if (typeof x === "object" && x !== null && brand in x) {
    throw new InstanceError(
      `${op}: got a tensor of another copy of nablas, whose memory this copy cannot read; ` +
        "make sure that only one is installed (npm ls nablas), or pass x.toArray()",
    );
  }
  const got =
    Array.isArray(x) || ArrayBuffer.isView(x) ? "an array; wrap it in tensor(…)" : `${typeof x} ${String(x)}`;
  throw new DTypeError(`${op}: expected a tensor, got ${got}`);
}

/** A tensor as it is, or one made of data. */
export function toTensor(op: string, x: Tensor | TensorData): Tensor {
  return typeof x === "object" && (brand in x || !(Array.isArray(x) || ArrayBuffer.isView(x)))
    ? expectTensor(op, x)
    : tensor(x as TensorData);
}
