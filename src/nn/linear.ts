import { OptionError, ShapeError, sameShape, show, text, withDefaults } from "../errors";
import { checkActivation, type FusedActivation, linear } from "../ops/matmul";
import { uniform } from "../ops/random";
import { expectTensor, type Shape, type Tensor } from "../tensor";
import { Module, parameter } from "./module";

/** The options of `Linear`. */
export interface LinearOptions {
  /** Whether to add a bias; default true. */
  bias?: boolean;
  /** Makes the weight from its shape [out, in]; default: uniform within ±1 / √in, as PyTorch starts. */
  init?: (shape: Shape) => Tensor;
  /** Applied to the sum in one pass with the bias: "relu", "sigmoid" or "tanh"; default none. */
  activation?: FusedActivation;
}

/**
 * y = activation(x · weightᵀ + bias), from [..., in] to [..., out]. The bias starts uniform within ±1 / √in. Keras
 * starts with Glorot's uniform weights and a bias of zeros, and stores the weight as [in, out].
 * @throws ShapeError if the last dimension of x is not `in`
 */
export class Linear extends Module {
  /** [out, in] */
  readonly weight: Tensor;
  /** [out] */
  readonly bias: Tensor | null;
  readonly activation: FusedActivation | undefined;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    options?: LinearOptions,
  ) {
    super();
    for (const n of [inFeatures, outFeatures]) {
      if (!Number.isInteger(n) || n < 1)
        throw new OptionError(`Linear: sizes are integers ≥ 1, got ${text(n)}`);
    }
    const { bias, init, activation } = withDefaults("Linear", defaults, options);
    checkActivation("Linear", activation);
    const shape = [outFeatures, inFeatures];
    this.weight = parameter(expectTensor("Linear: init", init(shape)));
    if (!sameShape(this.weight.shape, shape)) {
      throw new ShapeError(`Linear: init made ${show(this.weight.shape)}, expected ${show(shape)}`);
    }
    this.activation = activation;
    this.bias = bias ? parameter(spread([outFeatures], inFeatures)) : null;
  }

  /** x weightᵀ + bias, and the activation: [..., inFeatures] to [..., outFeatures]. */
  forward(x: Tensor): Tensor {
    expectTensor("Linear", x);
    if (x.shape.length === 0 || x.shape.at(-1) !== this.inFeatures) {
      throw new ShapeError(`expected [batch, ${this.inFeatures}], got ${show(x.shape)}`);
    }
    const { weight, bias, activation } = this;
    return linear(x, weight, bias, activation && { activation });
  }

  override toString(): string {
    const activation = this.activation ? `, ${this.activation}` : "";
    return `Linear(${this.inFeatures} → ${this.outFeatures}${activation})`;
  }
}

const defaults = { bias: true, init: startAsPyTorch, activation: undefined as FusedActivation | undefined };

/** torch.nn.Linear.reset_parameters: uniform within ±1 / √in, as the bias. */
function startAsPyTorch(shape: Shape): Tensor {
  return spread(shape, shape[1]!);
}

function spread(shape: Shape, inFeatures: number): Tensor {
  const bound = 1 / Math.sqrt(inFeatures);
  return uniform("Linear", shape, -bound, bound);
}
