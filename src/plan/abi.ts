// What the compiler's declarations say of the kernels' parameters.
import { pointerMasks, signatureNumbers } from "../../build/abi";
import { kernels } from "../wasm";

const numbers = new Map<string, number>();

/** The number of a kernel among the exports, whose order the lists have. */
function numberOf(kernel: string): number {
  if (numbers.size === 0) for (const name of Object.keys(kernels)) numbers.set(name, numbers.size);
  return numbers.get(kernel)!;
}

/** The number of a kernel's signature in assembly/replay.ts; −1 for what is not replayed. */
export function signatureOf(kernel: string): number {
  return signatureNumbers[numberOf(kernel)]!;
}

/** Whether parameter k is a pointer. */
export function isPointer(kernel: string, k: number): boolean {
  return ((pointerMasks[numberOf(kernel)]! >> k) & 1) === 1;
}
