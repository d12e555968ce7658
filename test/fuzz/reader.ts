// What a reader of files is to the fuzz tests.
import type { Change } from "./mutate";

export interface Reader {
  name: string;
  files: readonly Uint8Array[];
  changes: readonly Change[];
  /**
   * Reads, checks that what was read is right and what was refused changed nothing, and frees it. Throws what the reader throws, and
   * Error for what does not hold.
   */
  read(bytes: Uint8Array): void | Promise<void>;
  /** What the reader says that it throws. */
  throws: new (
    ...args: never[]
  ) => Error;
}

export function hold(condition: boolean, what: string): void {
  if (!condition) throw new Error(`does not hold: ${what}`);
}

export const sizeOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);
