import { ones, zeros } from "../create";
import { OptionError, ShapeError, show, text, withDefaults } from "../errors";
import { batchNorm, checkNormalizedShape, checkNumbers, layerNorm } from "../ops/normalization";
import { expectTensor, type Shape, type Tensor } from "../tensor";
import { buffer, Module, parameter } from "./module";

const batchNorm1dDefaults = {
  eps: 1e-5,
  momentum: 0.1 as number | null,
  affine: true,
  trackRunningStats: true,
};

/**
 * Normalises each channel of [batch, features] or [batch, features, length]: by the batch in training, by
 * running statistics in evaluation. As torch.nn.BatchNorm1d.
 * @see batchNorm
 */
export class BatchNorm1d extends Module {
  /** Factor of each channel, ones at the start; null without `affine`. */
  readonly weight: Tensor | null;
  /** Summand of each channel, zeros at the start; null without `affine`. */
  readonly bias: Tensor | null;
  /** Moving average of the batches' means, zeros at the start; null without `trackRunningStats`. */
  readonly runningMean: Tensor | null;
  /**
   * Moving average of the batches' unbiased variances, ones at the start; null without `trackRunningStats`.
   */
  readonly runningVar: Tensor | null;
  /** Batches seen in training, i32 of shape []; null without `trackRunningStats`. */
  readonly numBatchesTracked: Tensor | null;
  readonly options: { eps: number; momentum: number | null };

  /**
   * @param options.eps added to the variance; default 1e-5
   * @param options.momentum share of the newest batch in the running statistics, default 0.1; null for their
   *   average over all batches. Keras and ONNX call 1 − momentum so.
   * @param options.affine whether weight and bias are learned; default true
   * @param options.trackRunningStats whether evaluation uses running statistics; default true. Otherwise it
   *   uses those of its batch, as training does, and there are no buffers
   * @throws OptionError for features that are no integer ≥ 1, an eps below 0 or a momentum outside [0, 1]
   */
  constructor(
    readonly features: number,
    options?: { eps?: number; momentum?: number | null; affine?: boolean; trackRunningStats?: boolean },
  ) {
    super();
    if (!Number.isInteger(features) || features < 1) {
      throw new OptionError(`BatchNorm1d: features is an integer ≥ 1, got ${text(features)}`);
    }
    const { affine, trackRunningStats, ...numbers } = withDefaults<typeof batchNorm1dDefaults>(
      "BatchNorm1d",
      batchNorm1dDefaults,
      options,
      ["momentum"],
    );
    this.options = numbers;
    checkNumbers("BatchNorm1d", this.options);
    this.weight = affine ? parameter(ones([features])) : null;
    this.bias = affine ? parameter(zeros([features])) : null;
    this.runningMean = trackRunningStats ? buffer(zeros([features])) : null;
    this.runningVar = trackRunningStats ? buffer(ones([features])) : null;
    this.numBatchesTracked = trackRunningStats ? buffer(zeros([], { dtype: "i32" })) : null;
  }

  forward(x: Tensor): Tensor {
    const { features, weight, bias, runningMean, runningVar, numBatchesTracked } = this;
    const { shape } = expectTensor("batchNorm", x);
    if ((shape.length !== 2 && shape.length !== 3) || shape[1] !== features) {
      throw new ShapeError(
        `expected [batch, ${features}] or [batch, ${features}, length], got ${show(shape)}`,
      );
    }
    const training = this.training || runningMean === null;
    const state = { runningMean, runningVar, numBatchesTracked };
    return batchNorm(x, { ...state, weight, bias, training, ...this.options });
  }

  override toString(): string {
    return `BatchNorm1d(${this.features})`;
  }
}

/**
 * Normalises over the last dimensions, [..., ...normalizedShape], in training and evaluation alike.
 * @see layerNorm
 */
export class LayerNorm extends Module {
  readonly normalizedShape: Shape;
  /** Factor of each element, ones at the start; null without `affine`. */
  readonly weight: Tensor | null;
  /** Summand of each element, zeros at the start; null without `affine`. */
  readonly bias: Tensor | null;
  readonly options: { eps: number };

  /**
   * @param normalizedShape sizes of the last dimensions: 32 or [4, 8]
   * @param options.eps added to the variance; default 1e-5
   * @param options.affine whether weight and bias are learned; default true (PyTorch: elementwise_affine)
   * @throws OptionError for sizes that are no integers ≥ 1, or an eps below 0
   */
  constructor(normalizedShape: number | Shape, options?: { eps?: number; affine?: boolean }) {
    super();
    const { eps, affine } = withDefaults("LayerNorm", { eps: 1e-5, affine: true }, options);
    this.normalizedShape = [...checkNormalizedShape("LayerNorm", normalizedShape)];
    this.options = { eps };
    checkNumbers("LayerNorm", this.options);
    this.weight = affine ? parameter(ones(this.normalizedShape)) : null;
    this.bias = affine ? parameter(zeros(this.normalizedShape)) : null;
  }

  forward(x: Tensor): Tensor {
    const { normalizedShape, weight, bias } = this;
    return layerNorm(x, { normalizedShape, weight, bias, ...this.options });
  }

  override toString(): string {
    return `LayerNorm(${this.normalizedShape.join(", ")})`;
  }
}
