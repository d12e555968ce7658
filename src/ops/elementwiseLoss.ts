import { gradient, record, recording } from "../autograd";
import {
  DomainError,
  GraphError,
  OptionError,
  ShapeError,
  sameShape,
  show,
  text,
  withDefaults,
} from "../errors";
import { expectNone } from "../recording";
import { expectTensor, type Shape, Tensor } from "../tensor";
import { type Kernels, kernels } from "../wasm";
import { composed } from "./composed";
import { reshape } from "./layout";
import { asFloat } from "./operand";
import { mean, sum } from "./reductions";
import type { Parameters } from "./unary";

/**
 * How the values of a loss become one: their mean, their sum, or not at all. As in PyTorch the values are
 * those of all elements; Keras' losses average over the last dimension first, so that their sum and their
 * values differ from these.
 */
export type Reduction = "mean" | "sum" | "none";

/** What every loss of pairs takes. */
export interface LossOptions {
  /** Default: "mean". */
  reduction?: Reduction;
}

/** @throws OptionError if `reduction` is none of the three. */
export function checkReduction(op: string, reduction: string): asserts reduction is Reduction {
  if (reduction === "mean" || reduction === "sum" || reduction === "none") return;
  throw new OptionError(`${op}: reduction is "mean", "sum" or "none", got ${text(reduction)}`);
}

/** The values of a loss as its reduction wants them. */
export function reduce(op: string, values: Tensor, reduction: Reduction): Tensor {
  checkReduction(op, reduction);
  return reduction === "none" ? values : reduction === "sum" ? sum(values) : mean(values);
}

/** Names of losses with both a Forward and a Backward kernel. */
export type LossName = keyof {
  [K in keyof Kernels as K extends `${infer Name}LossForward`
    ? `${Name}LossBackward` extends keyof Kernels
      ? `${Name}Loss`
      : never
    : never]: true;
};

type Kernel = (...args: number[]) => void;

/**
 * A loss of pairs of equal shape, [...] and [...] to [], or to [...] with `reduction: "none"`. A target [n] fits a
 * prediction [n, 1], and the reverse; an i32 target counts as f32.
 * @throws ShapeError if the shapes differ, DTypeError unless the prediction is an f32 tensor
 * @throws OptionError for an option that does not exist or a value that it does not take
 */
export interface ElementwiseLoss<P extends Parameters> {
  (pred: Tensor, target: Tensor, options?: LossOptions & Partial<P>): Tensor;
  readonly defaults: P;
}

export interface LossDefinition<P extends Parameters> {
  /** Whether loss(p, t) = loss(t, p): then the target may require a gradient as well. */
  symmetric?: boolean;
  /** Numeric options and their defaults, in the order of the kernels' last parameters. */
  defaults?: P;
  /** Looks at the values of the numeric options. */
  checkOptions?: (options: P) => void;
  /** Looks at the data of prediction and target. */
  check?: (pred: Tensor, target: Tensor) => void;
}

/** The elementwise loss of the kernels `${op}Forward` and `${op}Backward`. */
export function elementwise<P extends Parameters = Record<never, number>>(
  op: LossName,
  { symmetric = false, defaults = {} as P, checkOptions, check }: LossDefinition<P> = {},
): ElementwiseLoss<P> {
  const all = { ...defaults, reduction: "mean" as Reduction };
  const loss = (pred: Tensor, target: Tensor, options?: LossOptions & Partial<P>): Tensor => {
    const { reduction, ...given } = withDefaults(op, all, options as Partial<typeof all> | undefined);
    checkReduction(op, reduction);
    const parameters = Object.values(given);
    checkOptions?.(given as unknown as P);
    if (!checkPair(op, pred, target, symmetric))
      return fitted(op, pred, target, (t) => loss(pred, t, options));
    check?.(pred, target);
    return evaluate(op, pred, target, { reduction, parameters, symmetric });
  };
  return Object.assign(loss, { defaults });
}

export interface Evaluation {
  /** "none" for the values as they are, else their sum, times `scale`. */
  reduction: Reduction;
  /** Factor of the sum; default: one by the number of values for "mean", else 1. */
  scale?: number;
  /** Last arguments of the kernels. */
  parameters?: readonly number[];
  /** Tensors that `parameters` point to. */
  saved?: readonly Tensor[];
  symmetric?: boolean;
  /** Where the kernels do not bear the name of the op. */
  kernel?: LossName;
}

/** Runs the kernels of a loss on a pair that has been checked. */
export function evaluate(op: string, pred: Tensor, target: Tensor, how: Evaluation): Tensor {
  const { reduction, parameters = [], saved = [], symmetric = false, kernel = op as LossName } = how;
  const n = pred.size;
  const { scale = reduction === "mean" ? 1 / n : 1 } = how;
  const each = Number(reduction === "none");
  const rest = [n, each, scale, ...parameters] as const;
  const y = new Tensor(each ? pred.shape : []);
  (kernels[`${kernel}Forward`] as Kernel)(pred.ptr, target.ptr, y.ptr, ...rest);
  const inputs = symmetric ? [pred, target] : [pred];
  const forPred = pred.requiresGrad;
  const forTarget = symmetric && target.requiresGrad;
  return record(op, y, inputs, [pred, target, ...saved], (dy) => {
    const back = kernels[`${kernel}Backward`] as Kernel;
    if (forPred && pred.requiresGrad) back(pred.ptr, target.ptr, dy, gradient(pred), ...rest);
    if (forTarget && target.requiresGrad) back(target.ptr, pred.ptr, dy, gradient(target), ...rest);
  });
}

/**
 * Whether the kernels can take the pair as it is. If not, pass the loss through `fitted`.
 * @throws ShapeError for shapes that differ otherwise than [n] and [n, 1], GraphError if the target requires a gradient,
 *   unless `symmetric`
 */
export function checkPair(op: string, pred: Tensor, target: Tensor, symmetric: boolean): boolean {
  expectTensor(op, pred).use(op);
  expectTensor(op, target).use(op, target.dtype);
  const fits = sameShape(pred.shape, target.shape);
  if (!fits && !isColumnOf(pred.shape, target.shape)) {
    throw new ShapeError(
      `${op}: prediction ${show(pred.shape)} and target ${show(target.shape)} differ in shape; ${remedy(pred, target)}`,
    );
  }
  if (!symmetric) checkConstant(op, "target", target);
  return fits && target.dtype === "f32";
}

/** The loss of the target in the shape of the prediction, i32 converted. */
export function fitted(op: string, pred: Tensor, target: Tensor, loss: (target: Tensor) => Tensor): Tensor {
  return composed(() => {
    const t = asFloat(op, target);
    return loss(sameShape(t.shape, pred.shape) ? t : reshape(t, pred.shape));
  });
}

/** Whether one is [n] and the other [n, 1]. */
export function isColumnOf(a: Shape, b: Shape): boolean {
  return a[0] === b[0] && a.length + b.length === 3 && (a[1] ?? b[1]) === 1;
}

function remedy(pred: Tensor, target: Tensor): string {
  const [n, classes, ...rest] = pred.shape;
  if (classes !== undefined && sameShape(target.shape, [n!, ...rest]))
    return `of classes, oneHot(target, { numClasses: ${classes} }) makes rows`;
  return pred.size === target.size
    ? `reshape the target to ${show(pred.shape)}`
    : "there has to be a target for each value of the prediction";
}

/** @throws GraphError if `x`, to which the loss has no derivative, requires a gradient */
export function checkConstant(op: string, what: string, x: Tensor): void {
  if (!recording([x])) return;
  throw new GraphError(
    `${op}: the ${what} requires a gradient, which this loss does not give; pass ${what}.detach()`,
  );
}

/** @throws DomainError unless every element is −1 or 1 */
export function checkSigns(op: string, target: Tensor): void {
  const wanted = `${op}: expected targets −1 or 1`;
  const fix = "labels 0 and 1 become signs as 2 t − 1";
  expectNone(
    "firstUnsigned",
    target,
    [target.size],
    (at, value) => new DomainError(`${wanted}, got ${value} at element ${at}; ${fix}`),
  );
}

/** @throws DomainError if an element lies below `low` or above `high`. NaN passes: it shows in the result. */
export function checkWithin(
  op: string,
  what: string,
  x: Tensor,
  [low, high]: readonly [number, number],
  fix = "",
): void {
  expectNone("firstOutside", x, [x.size, low, high], (at, value) => {
    const range = high === Number.POSITIVE_INFINITY ? `≥ ${low}` : `within [${low}, ${high}]`;
    return new DomainError(`${op}: expected a ${what} ${range}, got ${value} at element ${at}${fix}`);
  });
}
