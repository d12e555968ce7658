import type { Tensor } from "../../src/index";
import * as nablas from "../../src/index";
import type { Nd, Tolerance } from "../reference";
import * as ref from "../reference";
import { between, constant, offset, on, op, type Rows } from "./row";

interface NormOptions {
  training?: boolean;
  eps?: number;
}

const positive = between(0.5, 2);
const affine = [positive, between(-2, 2)];

const gradientsOfNorms: Tolerance = { rtol: 1e-6, atol: 1e-7 };

export const rows: Rows = {
  // Formed in float64 and rounded once.
  batchNorm: op({
    inputs: [offset, ...affine],
    variants: [
      on([6, 1]),
      on([2, 4]),
      on([6, 5], [5], [5]),
      on([7, 4], [4], [4]).with({ eps: 0.1 }),
      on([2, 3, 5], [3], [3]),
      on([4, 2, 1], [2], [2]),
      on([1, 3, 4]),
      on([2, 3, 2, 4], [3], [3]),
    ],
    call: (...args: (Tensor | NormOptions | undefined)[]) => {
      const [x, weight = null, bias = null] = args.filter((arg) => arg instanceof nablas.Tensor);
      const options = args.find((arg) => !(arg instanceof nablas.Tensor)) as NormOptions | undefined;
      return nablas.batchNorm(x!, { weight, bias, training: true, ...options });
    },
    reference: (...args: (Nd | NormOptions)[]) => {
      const [x, weight, bias] = args.filter((arg): arg is Nd => "shape" in arg);
      const { eps } = (args.find((arg) => !("shape" in arg)) as NormOptions | undefined) ?? {};
      return ref.batchNorm(x!, weight, bias, undefined, eps);
    },
    forward: { ulp: 0.51 },
    backward: gradientsOfNorms,
  }),
  layerNorm: op({
    inputs: [offset, ...affine],
    variants: [
      on([8], [8], [8]).with({ normalizedShape: 8 }),
      on([3, 7], [7], [7]).with({ normalizedShape: [7], eps: 0.1 }),
      on([5, 2]).with({ normalizedShape: 2 }),
      on([2, 3, 5], [3, 5], [3, 5]).with({ normalizedShape: [3, 5] }),
      on([2, 3, 4]).with({ normalizedShape: [2, 3, 4] }),
    ],
    call: (...args: (Tensor | nablas.LayerNormOptions)[]) => {
      const [x, weight = null, bias = null] = args.filter((arg) => arg instanceof nablas.Tensor);
      return nablas.layerNorm(x!, { weight, bias, ...(args.at(-1) as nablas.LayerNormOptions) });
    },
    reference: (...args: (Nd | nablas.LayerNormOptions)[]) => {
      const [x, weight, bias] = args.filter((arg): arg is Nd => "shape" in arg);
      const { normalizedShape, eps } = args.at(-1) as nablas.LayerNormOptions;
      return ref.layerNorm(x!, [normalizedShape].flat() as number[], weight, bias, eps);
    },
    forward: { ulp: 0.51 },
    backward: gradientsOfNorms,
  }),
};

export const more: Record<string, Rows> = {
  batchNorm: {
    "in evaluation": op({
      inputs: [offset, ...affine, constant(offset), constant(positive)],
      variants: [
        on([6, 5], [5], [5], [5], [5]),
        on([2, 3, 5], [3], [3], [3], [3]).with({ eps: 0.1 }),
        on([2, 2, 3, 1, 2], [2], [2], [2], [2]),
      ],
      call: (
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        variance: Tensor,
        options?: NormOptions,
      ) => nablas.batchNorm(x, { weight, bias, runningMean: mean, runningVar: variance, ...options }),
      reference: (x: Nd, weight: Nd, bias: Nd, mean: Nd, variance: Nd, options?: NormOptions) =>
        ref.batchNorm(x, weight, bias, { mean, variance }, options?.eps),
      forward: { ulp: 0.51 },
      backward: gradientsOfNorms,
    }),
  },
};
