import { full } from "../create";
import { OptionError, withDefaults } from "../errors";
import {
  elu,
  hardsigmoid,
  hardtanh,
  identity,
  leakyRelu,
  logSigmoid,
  maxout,
  prelu,
  relu,
  relu6,
  selu,
  sigmoid,
  softsign,
  tanh,
} from "../ops/activations";
import { gelu, hardswish, mish, silu } from "../ops/gated";
import { rrelu, rreluDefaults } from "../ops/random";
import { celu, softplus } from "../ops/scaled";
import { logSoftmax, softmax } from "../ops/softmax";
import type { Tensor } from "../tensor";
import { Module, parameter } from "./module";

/** An op that knows the defaults of its options. */
interface Op<P extends object> {
  (x: Tensor, ...options: Options<P>): Tensor;
  readonly defaults: P;
}

/** What may follow the tensor: nothing where the op has no options. */
type Options<P extends object> = keyof P extends never ? [] : [options?: Partial<P>];

interface Layer<P extends object> extends Module {
  readonly options: P;
  /** The op on a tensor. */
  forward(x: Tensor): Tensor;
}

/** The class of the layers that apply an op, with the options that their constructor got. */
function layer<P extends object>(op: Op<P>): new (...options: Options<P>) => Layer<P> {
  const apply = op as unknown as (x: Tensor, options: P) => Tensor;
  return class extends Module {
    readonly options: P;

    constructor(...options: Options<P>) {
      super();
      this.options = withDefaults(new.target.name, op.defaults, options[0]);
    }

    forward(x: Tensor): Tensor {
      return apply(x, this.options);
    }
  };
}

/**
 * y = x, as a layer.
 * @see identity
 */
export class Identity extends layer(identity) {}

/**
 * σ(x) = 1 / (1 + e^−x) as a layer.
 * @see sigmoid
 */
export class Sigmoid extends layer(sigmoid) {}

/**
 * tanh x as a layer.
 * @see tanh
 */
export class Tanh extends layer(tanh) {}

/**
 * max(x, 0) as a layer.
 * @see relu
 */
export class ReLU extends layer(relu) {}

/**
 * x > 0 ? x : negativeSlope · x as a layer; `negativeSlope`, default 0.01 (Keras: 0.3).
 * @see leakyRelu
 */
export class LeakyReLU extends layer(leakyRelu) {}

/**
 * x > 0 ? x : weight · x as a layer that learns its slope, or one for each channel (dimension 1). As in
 * PyTorch; Keras starts with zeros and has a slope for each element of a row.
 * @see prelu
 */
export class PReLU extends Module {
  /** The learned slopes, [numParameters]. */
  readonly weight: Tensor;

  /**
   * @param options.numParameters 1 (default) for one slope, or the number of channels
   * @param options.init slopes at the start; default 0.25
   * @throws OptionError unless numParameters is an integer ≥ 1
   */
  constructor(options?: { numParameters?: number; init?: number }) {
    super();
    const { numParameters, init } = withDefaults("PReLU", { numParameters: 1, init: 0.25 }, options);
    if (!Number.isInteger(numParameters) || numParameters < 1) {
      throw new OptionError(`PReLU: numParameters is an integer ≥ 1, got ${numParameters}`);
    }
    this.weight = parameter(full([numParameters], init));
  }

  forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }
}

/**
 * x > 0 ? x : slope · x as a layer: slopes are drawn from [lower, upper) in training, and all (lower + upper)
 * / 2 in evaluation. `lower`, default 1/8; `upper`, default 1/3.
 * @see rrelu
 */
export class RReLU extends Module {
  readonly options: { lower: number; upper: number };

  constructor(options?: { lower?: number; upper?: number }) {
    super();
    const { lower, upper } = rreluDefaults;
    this.options = withDefaults("RReLU", { lower, upper }, options);
  }

  forward(x: Tensor): Tensor {
    return rrelu(x, { ...this.options, training: this.training });
  }
}

/**
 * x > 0 ? x : alpha (e^x − 1) as a layer; `alpha`, default 1.
 * @see elu
 */
export class ELU extends layer(elu) {}

/**
 * x > 0 ? x : alpha (e^(x / alpha) − 1) as a layer; `alpha`, default 1.
 * @see celu
 */
export class CELU extends layer(celu) {}

/**
 * 1.0507 (x > 0 ? x : 1.6733 (e^x − 1)) as a layer; weights before it start by lecunNormal.
 * @see selu
 */
export class SELU extends layer(selu) {}

/**
 * x Φ(x) as a layer; `approximate`, default "none", or "tanh".
 * @see gelu
 */
export class GELU extends layer(gelu) {}

/**
 * x σ(x) as a layer.
 * @see silu
 */
export class SiLU extends layer(silu) {}

/**
 * x tanh(log(1 + e^x)) as a layer.
 * @see mish
 */
export class Mish extends layer(mish) {}

/**
 * log(1 + e^(beta x)) / beta, x itself where beta x > threshold, as a layer; `beta`, default 1, `threshold`,
 * default 20.
 * @see softplus
 */
export class Softplus extends layer(softplus) {}

/**
 * log σ(x) as a layer.
 * @see logSigmoid
 */
export class LogSigmoid extends layer(logSigmoid) {}

/**
 * x / (1 + |x|) as a layer.
 * @see softsign
 */
export class Softsign extends layer(softsign) {}

/**
 * min(max(x, minVal), maxVal) as a layer; `minVal`, default −1, `maxVal`, default 1.
 * @see hardtanh
 */
export class Hardtanh extends layer(hardtanh) {}

/**
 * min(max((x + 3) / 6, 0), 1) as a layer.
 * @see hardsigmoid
 */
export class Hardsigmoid extends layer(hardsigmoid) {}

/**
 * x · min(max((x + 3) / 6, 0), 1) as a layer.
 * @see hardswish
 */
export class Hardswish extends layer(hardswish) {}

/**
 * min(max(x, 0), 6) as a layer.
 * @see relu6
 */
export class ReLU6 extends layer(relu6) {}

/**
 * e^x / Σ e^x along `dim`, default −1, as a layer: for probabilities. crossEntropyLoss takes logits and wants
 * none.
 * @see softmax
 */
export class Softmax extends Module {
  readonly options: { dim: number };

  constructor(options?: { dim?: number }) {
    super();
    this.options = withDefaults("Softmax", { dim: -1 }, options);
  }

  forward(x: Tensor): Tensor {
    return softmax(x, this.options);
  }
}

/**
 * x − log Σ e^x along `dim`, default −1, as a layer, in front of nllLoss.
 * @see logSoftmax
 */
export class LogSoftmax extends Module {
  readonly options: { dim: number };

  constructor(options?: { dim?: number }) {
    super();
    this.options = withDefaults("LogSoftmax", { dim: -1 }, options);
  }

  forward(x: Tensor): Tensor {
    return logSoftmax(x, this.options);
  }
}

/**
 * The largest of each group of `k` consecutive features as a layer, [..., features] to [..., features / k].
 * @see maxout
 */
export class Maxout extends Module {
  readonly options: { k: number };

  constructor(options: { k: number }) {
    super();
    this.options = withDefaults("Maxout", { k: 0 }, options);
  }

  forward(x: Tensor): Tensor {
    return maxout(x, this.options);
  }
}
