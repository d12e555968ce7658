import { full } from "../create";
import { OptionError, withDefaults } from "../errors";
import {
  celu,
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
  softplus,
  softsign,
  tanh,
} from "../ops/activations";
import { gelu, hardswish, mish, silu } from "../ops/gated";
import { rrelu, rreluDefaults } from "../ops/random";
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

/** @see identity */
export class Identity extends layer(identity) {}

/** @see sigmoid */
export class Sigmoid extends layer(sigmoid) {}

/** @see tanh */
export class Tanh extends layer(tanh) {}

/** @see relu */
export class ReLU extends layer(relu) {}

/** @see leakyRelu */
export class LeakyReLU extends layer(leakyRelu) {}

/** @see prelu */
export class PReLU extends Module {
  /** The learned slopes, [numParameters]. */
  readonly weight: Tensor;

  /**
   * @param options.numParameters 1 (default) for one slope, or the number of channels
   * @param options.init slopes at the start; default 0.25
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

/** @see rrelu */
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

/** @see elu */
export class ELU extends layer(elu) {}

/** @see celu */
export class CELU extends layer(celu) {}

/** @see selu */
export class SELU extends layer(selu) {}

/** @see gelu */
export class GELU extends layer(gelu) {}

/** @see silu */
export class SiLU extends layer(silu) {}

/** @see mish */
export class Mish extends layer(mish) {}

/** @see softplus */
export class Softplus extends layer(softplus) {}

/** @see logSigmoid */
export class LogSigmoid extends layer(logSigmoid) {}

/** @see softsign */
export class Softsign extends layer(softsign) {}

/** @see hardtanh */
export class Hardtanh extends layer(hardtanh) {}

/** @see hardsigmoid */
export class Hardsigmoid extends layer(hardsigmoid) {}

/** @see hardswish */
export class Hardswish extends layer(hardswish) {}

/** @see relu6 */
export class ReLU6 extends layer(relu6) {}

/** @see softmax */
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

/** @see logSoftmax */
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

/** @see maxout */
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
