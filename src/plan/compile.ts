import type { Dataset } from "../data/dataset";
import { expectFunction } from "../errors";
import { toTensor } from "../ops/operand";
import { recorder, source } from "../recording";
import { freeWith } from "../scope";
import type { Tensor } from "../tensor";
import { PlanBatches, type PlanBatchesOptions } from "./batches";
import type { Input } from "./input";
import { Variant } from "./variant";

/** A function that was compiled. */
export interface Compiled<Tensors extends readonly Tensor[], R> {
  /** Records the function for inputs of new shapes, replays it otherwise. The result holds until the next call. */
  (...inputs: { [K in keyof Tensors]: Input }): R;
  /**
   * Batches of a dataset that is copied to linear memory, for a function of a batch's x and y:
   * `step.over(data, { batchSize: 32 }).run(100)`.
   */
  over(data: Dataset, options?: PlanBatchesOptions): PlanBatches<R>;
  /** The kernel calls of each plan, with shapes and the memory of its intermediates. */
  describe(): string;
  /** Gives back the memory of all plans. */
  dispose(): void;
  /** Does what `dispose` does, for `using`. */
  [Symbol.dispose](): void;
}

/** Plans that a function keeps. */
const MOST = 256;

/**
 * Records the kernel calls of `fn` once for each shape of its inputs, and replays them afterwards: without tensors, a
 * tape, allocation or garbage. `fn` may go back, clip and step; what changes from call to call lies in linear memory:
 * parameters, averages, learning rates, running statistics and the state of the random numbers. What it does in
 * JavaScript beside that happens only when it is recorded. The 256 plans used last are kept: beyond, the one that was
 * not used for longest is dropped, and recorded anew when it is wanted.
 *
 * Inputs are tensors, typed arrays, numbers or nested arrays of them; they are copied into place. Tensors in what `fn`
 * returns belong to the plan and hold until the next call: `clone()` keeps one.
 * @throws PlanError when `fn` reads a value, disposes of an input or changes its parameters after the recording
 */
export function compile<Tensors extends readonly Tensor[], R>(
  fn: (...inputs: Tensors) => R,
): Compiled<Tensors, R> {
  expectFunction("compile", fn);
  const run = fn as unknown as (...inputs: Tensor[]) => R;
  const variants: Variant<R>[] = [];
  const compiled = (...inputs: Input[]): R => {
    if (recorder !== undefined) return run(...inputs.map((input) => toTensor("compile", input)));
    for (let i = 0; i < variants.length; i++) {
      const variant = variants[i]!;
      if (!variant.fits(inputs)) continue;
      if (variant.prepare()) return variant.replay(inputs);
      drop(variant);
      break;
    }
    const fresh = new Variant(run, inputs);
    variants.unshift(fresh);
    freeWith(compiled, fresh.region);
    if (variants.length > MOST) drop(variants.reduce((a, b) => (a.last < b.last ? a : b)));
    return fresh.result;
  };
  const drop = (variant: Variant<R>) => {
    variants.splice(variants.indexOf(variant), 1);
    variant.dispose();
  };
  const dispose = () => {
    for (const variant of variants.splice(0)) variant.dispose();
  };
  const find = (...inputs: Input[]) => variants.find((variant) => variant.fits(inputs));
  return Object.assign(compiled as unknown as Compiled<Tensors, R>, {
    over: (data: Dataset, options?: PlanBatchesOptions) =>
      new PlanBatches({ call: compiled, find }, data, options),
    describe: () => variants.map((variant) => variant.describe()).join("\n\n"),
    dispose,
    [source]: run,
    [Symbol.dispose]: dispose,
  });
}
