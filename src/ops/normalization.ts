import { gradient, record } from "../autograd";
import { OptionError, ShapeError, sameShape, show, text, withDefaults } from "../errors";
import { Buffer } from "../memory";
import { expectTensor, type Shape, sizeOf, Tensor, type TensorData } from "../tensor";
import { kernels } from "../wasm";
import { composed } from "./composed";
import { toTensor } from "./operand";

/** The options of `batchNorm`. */
export interface BatchNormOptions {
  /** Mean that evaluation uses and training updates in place, [channels]. */
  runningMean?: Tensor | null;
  /** Variance that evaluation uses and training updates in place, [channels]. */
  runningVar?: Tensor | null;
  /** Number of updates so far, an i32 tensor of one element, which training counts up. */
  numBatchesTracked?: Tensor | null;
  /** Factor of each channel, [channels]; default 1. */
  weight?: Tensor | TensorData | null;
  /** Summand of each channel, [channels]; default 0. */
  bias?: Tensor | TensorData | null;
  /** Whether to use the statistics of the batch; default false, as in PyTorch. */
  training?: boolean;
  /**
   * Share of the batch in the new running statistics, default 0.1; null for 1 / numBatchesTracked: their
   * average.
   */
  momentum?: number | null;
  /** Added to the variance; default 1e-5. */
  eps?: number;
}

const batchNormDefaults = {
  runningMean: null as Tensor | null,
  runningVar: null as Tensor | null,
  numBatchesTracked: null as Tensor | null,
  weight: null as Tensor | TensorData | null,
  bias: null as Tensor | TensorData | null,
  training: false,
  momentum: 0.1 as number | null,
  eps: 1e-5,
};

/** @throws OptionError for an eps or a momentum out of range */
export function checkNumbers(op: string, { momentum, eps }: { momentum?: number | null; eps: number }): void {
  if (!(typeof eps === "number" && eps >= 0 && eps < Infinity)) {
    throw new OptionError(`${op}: eps is a number ≥ 0, got ${String(eps)}`);
  }
  if (momentum == null || (typeof momentum === "number" && momentum >= 0 && momentum <= 1)) return;
  throw new OptionError(`${op}: momentum is a number from 0 to 1, or null, got ${String(momentum)}`);
}

/** Who goes through batches of which the last has one row, and how many rows the one under way has. */
let beforeLast: { op: string; rows: number } | undefined;

/** Runs `fn` on a batch, the last of which will have one row: what that would be refused for is refused at once. */
export function beforeLoneRow<T>(op: string, rows: number, fn: () => T): T {
  const outer = beforeLast;
  beforeLast = { op, rows };
  try {
    return fn();
  } finally {
    beforeLast = outer;
  }
}

/** @throws ShapeError for one value per channel, in this batch or in the last one, in proportion to its rows */
function checkCount(op: string, shape: Shape, count: number): void {
  const wanted = `${op}: expected more than one value per channel to take statistics of, got`;
  if (count === 1) {
    throw new ShapeError(
      `${wanted} ${show(shape)}; use larger batches, use running statistics by eval(), or drop a last batch of one row ` +
        "by { dropLast: true }, an option of fit, over and batches",
    );
  }
  if (beforeLast === undefined || beforeLast.rows !== count) return;
  throw new ShapeError(
    `${wanted} ${show(shape)} now, but one row in the last batch; pass { dropLast: true } to ${beforeLast.op}, or another ` +
      "batchSize",
  );
}

/** A tensor of exactly this shape, or null. */
function optional(op: string, name: string, value: Tensor | TensorData | null, shape: Shape): Tensor | null {
  if (value === null) return null;
  const t = toTensor(op, value);
  t.use(op);
  if (sameShape(t.shape, shape)) return t;
  throw new ShapeError(`${op}: expected ${name} ${show(shape)}, got ${show(t.shape)}`);
}

const pointer = (t: Tensor | null): number => t?.ptr ?? 0;
const present = (...tensors: (Tensor | null)[]): Tensor[] => tensors.filter((t) => t !== null);
/** Pointers to the gradients of the tensors that require one now, 0 for others. */
function targets(...tensors: (Tensor | null)[]): () => number[] {
  const wanted = tensors.map((t) => (t?.requiresGrad ? t : null));
  return () => wanted.map((t) => (t?.requiresGrad ? gradient(t) : 0));
}

/**
 * (x − mean) / √(var + eps) · weight + bias for each channel, [...] to [...]. In training mean and var
 * (biased, Σ (x − mean)² / n) are those of the n = batch · length values, and the running statistics move:
 * running = (1 − momentum) running + momentum · batch, with the unbiased variance, divided by n − 1. In
 * evaluation mean and var are the running ones, which carry no gradient. A constant channel becomes `bias`, also
 * with eps 0; a batch without elements moves nothing. Ioffe and Szegedy 2015.
 *
 * As in PyTorch. Keras and ONNX call 1 − momentum the momentum (defaults 0.99 and 0.9) and keep the biased
 * variance running; Keras' eps is 1e-3.
 * @param x [batch, channels] or [batch, channels, …]
 * @throws ShapeError for one value per channel in training, whose variance says nothing, in `fit` and `over` also if
 *   the last batch has one row, or for parameters of another shape
 * @throws OptionError for evaluation without running statistics, an eps below 0 or a momentum outside [0, 1]
 */
export function batchNorm(x: Tensor, options?: BatchNormOptions): Tensor {
  const op = "batchNorm";
  const given = withDefaults<typeof batchNormDefaults>(
    op,
    batchNormDefaults,
    options as Partial<typeof batchNormDefaults>,
    ["momentum"],
  );
  const { training, momentum, eps, numBatchesTracked: batches } = given;
  expectTensor(op, x).use(op);
  checkNumbers(op, given);
  const [N, C, ...field] = x.shape;
  if (N === undefined || C === undefined) {
    throw new ShapeError(`${op}: expected [batch, channels] or [batch, channels, …], got ${show(x.shape)}`);
  }
  const L = sizeOf(field);
  if (training) checkCount(op, x.shape, N * L);
  return composed(() => {
    const runningMean = optional(op, "runningMean", given.runningMean, [C]);
    const runningVar = optional(op, "runningVar", given.runningVar, [C]);
    checkRunning(op, given);
    const weight = optional(op, "weight", given.weight, [C]);
    const bias = optional(op, "bias", given.bias, [C]);
    const sizes = [N, C, L, Number(training)] as const;
    const y = new Tensor(x.shape);
    const stats = new Buffer(4 * C);
    if (x.size > 0) {
      const [w, b] = [pointer(weight), pointer(bias)];
      const running = [pointer(runningMean), pointer(runningVar), pointer(batches)] as const;
      kernels.batchNormForward(x.ptr, w, b, ...running, stats.ptr, y.ptr, ...sizes, momentum ?? -1, eps);
      if (training) for (const t of present(runningMean, runningVar, batches)) t.buffer.overwrite();
    }
    const gradients = targets(x, weight, bias);
    const saved = [...present(x, x.requiresGrad ? weight : null), stats];
    return record(op, y, present(x, weight, bias), saved, (dy) => {
      const [dx, dweight, dbias] = gradients() as [number, number, number];
      const sums = new Buffer(4 * C);
      kernels.batchNormBackward(
        x.ptr,
        pointer(weight),
        stats.ptr,
        dy,
        dx,
        dweight,
        dbias,
        sums.ptr,
        ...sizes,
      );
      sums.free("backward");
    });
  });
}

/** What running statistics are needed for: evaluation, and a count for their average. */
function checkRunning(op: string, given: typeof batchNormDefaults): void {
  const { runningMean, runningVar, numBatchesTracked: batches, training, momentum } = given;
  if (!training && (runningMean === null || runningVar === null)) {
    throw new OptionError(`${op}: evaluation needs runningMean and runningVar; or pass { training: true }`);
  }
  if (batches !== null) {
    expectTensor(op, batches).use(op, "i32");
    if (batches.size !== 1) {
      throw new ShapeError(`${op}: numBatchesTracked is one i32 number, got ${show(batches.shape)}`);
    }
  } else if (training && momentum === null && (runningMean !== null || runningVar !== null)) {
    throw new OptionError(
      `${op}: momentum null averages over all batches and needs their count; pass numBatchesTracked, an i32 tensor of 0`,
    );
  }
}

/** The options of `layerNorm`. */
export interface LayerNormOptions {
  /** The sizes of the last dimensions, over which to normalise together: 32 or [4, 8]. */
  normalizedShape: number | Shape;
  /** Factor of each element, [...normalizedShape]; default 1. */
  weight?: Tensor | TensorData | null;
  /** Summand of each element, [...normalizedShape]; default 0. */
  bias?: Tensor | TensorData | null;
  /** Added to the variance; default 1e-5. */
  eps?: number;
}

const layerNormDefaults = {
  normalizedShape: [] as number | Shape,
  weight: null as Tensor | TensorData | null,
  bias: null as Tensor | TensorData | null,
  eps: 1e-5,
};

/**
 * (x − mean) / √(var + eps) · weight + bias with the mean and the biased variance over the last dimensions
 * `normalizedShape`, separately for each index of the others: training and evaluation are alike. Ba et al.
 * 2016.
 *
 * `eps` is 1e-5 as in PyTorch and ONNX; Keras has 1e-3.
 * @param x [..., ...normalizedShape], and y alike
 * @throws ShapeError for other last dimensions, or parameters of another shape
 * @throws OptionError without a normalizedShape or for an eps below 0
 */
export function layerNorm(x: Tensor, options: LayerNormOptions): Tensor {
  const op = "layerNorm";
  const given = withDefaults(op, layerNormDefaults, options);
  expectTensor(op, x).use(op);
  checkNumbers(op, given);
  const shape = checkNormalizedShape(op, given.normalizedShape);
  if (!sameShape(x.shape.slice(-shape.length), shape)) {
    throw new ShapeError(`${op}: expected [..., ${shape.join(", ")}], got ${show(x.shape)}`);
  }
  const cols = sizeOf(shape);
  const rows = sizeOf(x.shape.slice(0, -shape.length));
  return composed(() => {
    const weight = optional(op, "weight", given.weight, shape);
    const bias = optional(op, "bias", given.bias, shape);
    const y = new Tensor(x.shape);
    const stats = new Buffer(4 * rows);
    const w = pointer(weight);
    kernels.layerNormForward(x.ptr, w, pointer(bias), stats.ptr, y.ptr, rows, cols, given.eps);
    const gradients = targets(x, weight, bias);
    const saved = [...present(x, x.requiresGrad ? weight : null), stats];
    return record(op, y, present(x, weight, bias), saved, (dy) => {
      const [dx, dweight, dbias] = gradients() as [number, number, number];
      const sums = new Buffer(4 * cols + 4);
      kernels.layerNormBackward(x.ptr, w, stats.ptr, dy, dx, dweight, dbias, sums.ptr, rows, cols);
      sums.free("backward");
    });
  });
}

/** @throws OptionError unless it is one size or an array of at least one */
export function checkNormalizedShape(op: string, given: number | Shape): Shape {
  const shape = typeof given === "number" ? [given] : given;
  const fits = Array.isArray(shape) && shape.length > 0 && shape.every((n) => Number.isInteger(n) && n > 0);
  if (fits) return shape;
  throw new OptionError(`${op}: normalizedShape is a size ≥ 1 or an array of them, got ${text(given)}`);
}
