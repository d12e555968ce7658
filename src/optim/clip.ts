import { zeros } from "../create";
import { OptionError, text, withDefaults } from "../errors";
import { Buffer } from "../memory";
import type { Tensor } from "../tensor";
import { kernels } from "../wasm";
import { gradientOf } from "./gradients";
import { expectParameter } from "./groups";

/** The options of `clipGradNorm`. */
export interface ClipGradNormOptions {
  /** The p of the p-norm, a number above 0 or Infinity; default 2. */
  normType?: number;
}

interface Gradient {
  ptr: number;
  size: number;
}

/** The gradients of what is not frozen, after checking that they can be used: they are about to be overwritten. */
function gradientsOf(op: string, parameters: Tensor | readonly Tensor[]): Gradient[] {
  const gradients: Gradient[] = [];
  for (const t of Array.isArray(parameters) ? parameters : [parameters]) {
    const gradient = gradientOf(op, expectParameter(op, t));
    if (gradient === undefined) continue;
    t.use(op);
    gradient.overwrite();
    gradients.push({ ptr: gradient.ptr, size: t.size });
  }
  return gradients;
}

/**
 * Scales the gradients by maxNorm / (norm + 1e-6) if the norm of all of them together exceeds `maxNorm`, as
 * torch.nn.utils.clip_grad_norm_ and, but for the 1e-6, Keras' global_clipnorm (its clipnorm takes each by
 * itself). Infinity only measures. Pascanu et al. 2013.
 * @returns the norm before, a tensor of shape []. With an infinite or NaN gradient it is infinite or NaN, and
 *   gradients become NaN
 * @throws OptionError for a maxNorm below 0 or a normType that is not above 0
 */
export function clipGradNorm(
  parameters: Tensor | readonly Tensor[],
  maxNorm: number,
  options?: ClipGradNormOptions,
): Tensor {
  const op = "clipGradNorm";
  const { normType } = withDefaults(op, { normType: 2 }, options);
  if (!(typeof maxNorm === "number" && maxNorm >= 0))
    throw new OptionError(`${op}: maxNorm is a number ≥ 0, got ${text(maxNorm)}`);
  if (!(normType > 0)) throw new OptionError(`${op}: normType is a number above 0, got ${normType}`);
  const gradients = gradientsOf(op, parameters);
  const total = zeros([]);
  // Two float64 cells.
  const cells = new Buffer(4);
  kernels.zero(cells.ptr, 4);
  const [norm, sum] = [cells.ptr, cells.ptr + 8];
  const [summed, scaled] = [normType < Infinity, normType !== 1 && normType !== 2];
  if (scaled) for (const { ptr, size } of gradients) kernels.absMax(ptr, norm, size);
  if (summed) for (const { ptr, size } of gradients) kernels.powerSum(ptr, norm, sum, size, normType, 0);
  kernels.powerRoot(norm, sum, total.ptr, normType);
  if (maxNorm < Infinity) for (const { ptr, size } of gradients) kernels.clipNorm(ptr, norm, size, maxNorm);
  cells.free("dispose");
  return total;
}

/**
 * Sets gradients beyond ±clipValue to ±clipValue, as torch.nn.utils.clip_grad_value_. NaN stays NaN.
 * @throws OptionError for a clipValue below 0
 */
export function clipGradValue(parameters: Tensor | readonly Tensor[], clipValue: number): void {
  const op = "clipGradValue";
  if (!(typeof clipValue === "number" && clipValue >= 0))
    throw new OptionError(`${op}: clipValue is a number ≥ 0, got ${text(clipValue)}`);
  for (const { ptr, size } of gradientsOf(op, parameters)) kernels.clipValue(ptr, size, clipValue);
}
