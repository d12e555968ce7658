import { OptionError, withDefaults } from "../errors";
import type { Tensor } from "../tensor";
import {
  checkPair,
  checkReduction,
  checkWithin,
  evaluate,
  fitted,
  type LossOptions,
  type Reduction,
} from "./elementwiseLoss";

const NOT_NEGATIVE = [0, Number.POSITIVE_INFINITY] as const;

/** The options of `poissonNllLoss`. */
export interface PoissonNllOptions extends LossOptions {
  /** Whether the prediction is the logarithm of the rate; default true. */
  logInput?: boolean;
  /** Whether to add log t!, by Stirling's formula and for t > 1; default false. */
  full?: boolean;
  /** Added to a rate before its logarithm is taken, where not `logInput`; default 1e-8. */
  eps?: number;
}

const poissonDefaults = { logInput: true, full: false, eps: 1e-8, reduction: "mean" as Reduction };

/**
 * Negative log-likelihood of counts t: e^p − t p of logarithms p of the rates, or p − t log(p + eps) of rates
 * p without `logInput`; both [...] of one shape. `full` adds t log t − t + log(2πt) / 2 where t > 1.
 *
 * As in PyTorch. Keras takes rates, with eps 1e-7 (here 1e-8).
 * @throws ShapeError if the shapes differ, GraphError if the target requires a gradient
 * @throws DomainError if a target is below 0, or a rate (PyTorch takes both)
 */
export function poissonNllLoss(pred: Tensor, target: Tensor, options?: PoissonNllOptions): Tensor {
  const op = "poissonNllLoss";
  const { logInput, full, eps, reduction } = withDefaults(op, poissonDefaults, options);
  checkReduction(op, reduction);
  if (!(eps >= 0)) throw new OptionError(`${op}: eps is a number ≥ 0, got ${eps}`);
  if (!checkPair(op, pred, target, false)) {
    return fitted(op, pred, target, (t) => poissonNllLoss(pred, t, options));
  }
  checkWithin(op, "target", target, NOT_NEGATIVE);
  if (logInput) return evaluate(op, pred, target, { reduction, parameters: [Number(full)] });
  checkWithin(op, "rate", pred, NOT_NEGATIVE, "; logarithms of rates want logInput: true");
  const parameters = [Number(full), eps];
  return evaluate(op, pred, target, { reduction, parameters, kernel: "poissonRateNllLoss" });
}
