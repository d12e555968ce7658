// What the compiler's declarations say of the kernels' parameters.
import { pointerMasks, signatureNames, signatureNumbers } from "../../build/abi";
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

/** The types of a kernel's parameters, a letter each; none for what is not replayed, and for searches. */
export function lettersOf(kernel: string): string {
  const name = signatureNames[signatureOf(kernel)] ?? "search_";
  return name.startsWith("search_") ? "" : name;
}

/** Whether parameter k is a pointer. */
export function isPointer(kernel: string, k: number): boolean {
  return ((pointerMasks[numberOf(kernel)]! >> k) & 1) === 1;
}
