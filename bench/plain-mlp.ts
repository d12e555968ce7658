import { addBias, crossEntropy, matmul, meanSquaredError, relu, reluGradient, sumRows } from "./plain";

/** A layer and its gradients. `weight` is [outputs, inputs], as in the library; the bias gives `outputs`. */
class PlainLinear {
  readonly inputs: number;
  readonly outputs: number;
  readonly dWeight: Float32Array;
  readonly dBias: Float32Array;

  constructor(
    readonly weight: Float32Array,
    readonly bias: Float32Array,
  ) {
    this.outputs = bias.length;
    this.inputs = weight.length / bias.length;
    this.dWeight = new Float32Array(weight.length);
    this.dBias = new Float32Array(bias.length);
  }

  /** out = x · weightᵀ + bias */
  forward(x: Float32Array, out: Float32Array, rows: number): void {
    matmul(x, this.weight, out, rows, this.outputs, this.inputs, { transposeB: true });
    addBias(out, this.bias, rows);
  }

  /** dWeight = dOutᵀ · x, dBias = Σ dOut over the rows, dx = dOut · weight (the first layer needs no dx). */
  backward(x: Float32Array, dOut: Float32Array, dx: Float32Array | undefined, rows: number): void {
    matmul(dOut, x, this.dWeight, this.outputs, this.inputs, rows, { transposeA: true });
    sumRows(dOut, this.dBias, rows);
    if (dx) matmul(dOut, this.weight, dx, rows, this.inputs, this.outputs);
  }
}

/** velocity = momentum · velocity + gradient; parameter -= lr · velocity */
class PlainSGD {
  private readonly velocities: Float32Array[];

  constructor(
    private readonly parameters: readonly Float32Array[],
    private readonly gradients: readonly Float32Array[],
    private readonly options: { lr: number; momentum: number },
  ) {
    this.velocities = parameters.map((parameter) => new Float32Array(parameter.length));
  }

  step(): void {
    for (let i = 0; i < this.parameters.length; i++) {
      this.update(this.parameters[i]!, this.gradients[i]!, this.velocities[i]!);
    }
  }

  private update(parameter: Float32Array, gradient: Float32Array, velocity: Float32Array): void {
    const { lr, momentum } = this.options;
    for (let i = 0; i < parameter.length; i++) {
      const v = momentum * velocity[i]! + gradient[i]!;
      velocity[i] = v;
      parameter[i] = parameter[i]! - lr * v;
    }
  }
}

/**
 * The training of linear layers with ReLU between them by SGD with momentum, by hand. Every buffer is made once; a step
 * allocates nothing.
 */
export class PlainMlp {
  private readonly layers: readonly PlainLinear[];
  private readonly optimizer: PlainSGD;
  /** What each layer gives, after its ReLU, and the gradient of that. */
  private readonly outs: readonly Float32Array[];
  private readonly dOuts: readonly Float32Array[];

  /** `parameters` as the library's model lists them, weight, bias, weight, bias, …; trained in place. */
  constructor(
    parameters: readonly Float32Array[],
    { maxBatch, lr, momentum }: { maxBatch: number; lr: number; momentum: number },
  ) {
    const layers: PlainLinear[] = [];
    for (let i = 0; i < parameters.length; i += 2) {
      layers.push(new PlainLinear(parameters[i]!, parameters[i + 1]!));
    }
    this.layers = layers;
    this.outs = layers.map(({ outputs }) => new Float32Array(maxBatch * outputs));
    this.dOuts = layers.map(({ outputs }) => new Float32Array(maxBatch * outputs));
    const gradients = layers.flatMap(({ dWeight, dBias }) => [dWeight, dBias]);
    this.optimizer = new PlainSGD(parameters, gradients, { lr, momentum });
  }

  /**
   * One batch, `x` being [rows, inputs]. The loss is cross-entropy for labels in an Int32Array, the mean squared error
   * for numbers in a Float32Array. Returns the loss before the update.
   */
  step(x: Float32Array, target: Int32Array | Float32Array): number {
    const { layers, dOuts } = this;
    const rows = x.length / layers[0]!.inputs;
    const y = this.forward(x, rows);
    const loss = gradientOfLoss(y, target, dOuts.at(-1)!, layers.at(-1)!.outputs);
    this.backward(x, rows);
    this.optimizer.step();
    return loss;
  }

  /** The outputs of the last layer for x, [rows, inputs]: a buffer of the model's. */
  forward(x: Float32Array, rows: number): Float32Array {
    let input = x;
    this.layers.forEach((layer, i) => {
      const out = this.outs[i]!;
      layer.forward(input, out, rows);
      if (i + 1 < this.layers.length) relu(out, out, rows * layer.outputs);
      input = out;
    });
    return input;
  }

  private backward(x: Float32Array, rows: number): void {
    for (let i = this.layers.length - 1; i > 0; i--) {
      const layer = this.layers[i]!;
      const [input, dInput] = [this.outs[i - 1]!, this.dOuts[i - 1]!];
      layer.backward(input, this.dOuts[i]!, dInput, rows);
      reluGradient(input, dInput, rows * layer.inputs);
    }
    this.layers[0]!.backward(x, this.dOuts[0]!, undefined, rows);
  }
}

/** Returns the loss, and writes its gradient to dy. */
function gradientOfLoss(
  y: Float32Array,
  target: Int32Array | Float32Array,
  dy: Float32Array,
  cols: number,
): number {
  return target instanceof Int32Array ? crossEntropy(y, target, dy, cols) : meanSquaredError(y, target, dy);
}
