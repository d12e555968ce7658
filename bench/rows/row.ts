import { scope, type Tensor } from "nablas";
import type { Answers } from "../contest";

/** One line of the benchmark. */
export interface Row {
  name: string;
  /** What one call works off, for the speed beside the time: 2e6 and "FLOP", say. */
  amount: number;
  unit: "FLOP" | "element" | "step" | "call";
  /** Makes the operands: only the rows that are run take memory. */
  prepare: () => Contest;
}

export interface Contest {
  wasm: () => void;
  js: () => void;
  check: () => Answers;
}

/** `wasm` makes a tensor, which its scope frees; `js` fills an array of its own. */
export function forward(wasm: () => Tensor, js: () => Float32Array): Contest {
  return {
    wasm: () => scope(() => void wasm()),
    js,
    check: () => ({ wasm: scope(() => copy(wasm())), js: js() }),
  };
}

/** `wasm` adds to the gradient of `leaf`, zero before the check; `js` overwrites its own. */
export function gradient(leaf: Tensor, wasm: () => void, js: () => Float32Array): Contest {
  const run = () => scope(wasm);
  const check = () => {
    run();
    return { wasm: copy(leaf.grad!), js: js() };
  };
  return { wasm: run, js, check };
}

export function copy(tensor: Tensor): Float32Array {
  return Float32Array.from(tensor.data);
}
