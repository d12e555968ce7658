import { addBias, crossEntropy, matmul, relu, reluGradient, sumRows } from "./plain";

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
  backward(x: Float32Array, dOut: Float32Array, dx: Float32Array | null, rows: number): void {
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
 * The training of Linear → ReLU → Linear with cross-entropy and SGD with momentum, by hand.
 * Every buffer is made once; a step allocates nothing.
 */
export class PlainMlp {
  private readonly layer1: PlainLinear;
  private readonly layer2: PlainLinear;
  private readonly optimizer: PlainSGD;
  private readonly hidden: Float32Array;
  private readonly dHidden: Float32Array;
  private readonly logits: Float32Array;
  private readonly dLogits: Float32Array;

  /** `parameters` as the library's model lists them, weight, bias, weight, bias; trained in place. */
  constructor(
    parameters: readonly Float32Array[],
    { maxBatch, lr, momentum }: { maxBatch: number; lr: number; momentum: number },
  ) {
    const [weight1, bias1, weight2, bias2] = parameters;
    if (!weight1 || !bias1 || !weight2 || !bias2) throw new Error("expected two weights and two biases");
    const layer1 = new PlainLinear(weight1, bias1);
    const layer2 = new PlainLinear(weight2, bias2);
    const gradients = [layer1.dWeight, layer1.dBias, layer2.dWeight, layer2.dBias];
    this.layer1 = layer1;
    this.layer2 = layer2;
    this.optimizer = new PlainSGD(parameters, gradients, { lr, momentum });
    this.hidden = new Float32Array(maxBatch * layer1.outputs);
    this.dHidden = new Float32Array(maxBatch * layer1.outputs);
    this.logits = new Float32Array(maxBatch * layer2.outputs);
    this.dLogits = new Float32Array(maxBatch * layer2.outputs);
  }

  /** One batch, `x` being [labels.length, inputs]. Returns the loss before the update. */
  step(x: Float32Array, labels: Int32Array): number {
    const { layer1, layer2, hidden, dHidden, logits, dLogits } = this;
    const rows = labels.length;
    const size = rows * layer1.outputs;

    layer1.forward(x, hidden, rows);
    relu(hidden, hidden, size);
    layer2.forward(hidden, logits, rows);
    const loss = crossEntropy(logits, labels, dLogits, layer2.outputs);

    layer2.backward(hidden, dLogits, dHidden, rows);
    reluGradient(hidden, dHidden, size);
    layer1.backward(x, dHidden, null, rows);
    this.optimizer.step();
    return loss;
  }
}
