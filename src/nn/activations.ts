import { full } from "../create";
import { OptionError, withDefaults } from "../errors";
import { elu, identity, leakyRelu, maxout, prelu, relu, sigmoid, softplus, tanh } from "../ops/activations";
import { rrelu, rreluDefaults } from "../ops/random";
import { logSoftmax, softmax } from "../ops/softmax";
import type { Tensor } from "../tensor";
import { Module, parameter } from "./module";

/** @see identity */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return identity(x);
  }
}

/** @see sigmoid */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** @see tanh */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/** @see relu */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** @see leakyRelu */
export class LeakyReLU extends Module {
  readonly options: { negativeSlope: number };

  constructor(options?: { negativeSlope?: number }) {
    super();
    this.options = withDefaults("LeakyReLU", leakyRelu.defaults, options);
  }

  forward(x: Tensor): Tensor {
    return leakyRelu(x, this.options);
  }
}

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
export class ELU extends Module {
  readonly options: { alpha: number };

  constructor(options?: { alpha?: number }) {
    super();
    this.options = withDefaults("ELU", elu.defaults, options);
  }

  forward(x: Tensor): Tensor {
    return elu(x, this.options);
  }
}

/** @see softplus */
export class Softplus extends Module {
  readonly options: { beta: number; threshold: number };

  constructor(options?: { beta?: number; threshold?: number }) {
    super();
    this.options = withDefaults("Softplus", softplus.defaults, options);
  }

  forward(x: Tensor): Tensor {
    return softplus(x, this.options);
  }
}

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
