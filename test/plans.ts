// What is planned in the tests, and the bits that a plan has to come to.
import {
  Adagrad,
  Adam,
  AdamW,
  BatchNorm1d,
  clipGradNorm,
  crossEntropyLoss,
  Dropout,
  Linear,
  type Module,
  manualSeed,
  PReLU,
  ReLU,
  RMSprop,
  RReLU,
  Sequential,
  SGD,
  softmax,
  type Tensor,
} from "../src/index";

/** The bits of the elements: signs of zeros and NaN count, too. */
export const bits = (t: Tensor | null) =>
  t === null ? null : Array.from(new Uint32Array(Float32Array.from(t.data).buffer));

export const optimizers: Record<string, (parameters: Tensor[]) => SGD | Adam | AdamW | RMSprop | Adagrad> = {
  SGD: (p) => new SGD(p, { lr: 0.1, weightDecay: 0.01 }),
  "SGD with momentum": (p) => new SGD(p, { lr: 0.05, momentum: 0.9, dampening: 0.1, l1: 0.001 }),
  Nesterov: (p) => new SGD(p, { lr: 0.05, momentum: 0.9, nesterov: true }),
  Adam: (p) => new Adam(p, { lr: 0.01, amsgrad: true }),
  AdamW: (p) => new AdamW(p, { lr: 0.01, weightDecay: 0.1 }),
  RMSprop: (p) => new RMSprop(p, { lr: 0.01, centered: true, momentum: 0.5 }),
  Adagrad: (p) => new Adagrad(p, { lr: 0.05, lrDecay: 0.1 }),
};

/** A network with everything that moves on by itself, and a step that clips, too. */
export function network(kind: string) {
  manualSeed(3);
  const model = new Sequential(
    new Linear(6, 16),
    new BatchNorm1d(16, { momentum: null }),
    new ReLU(),
    new Dropout({ p: 0.3 }),
    new Linear(16, 8),
    new RReLU(),
    new Linear(8, 8, { bias: false }),
    new PReLU(),
    new Linear(8, 3),
  );
  const optimizer = optimizers[kind]!(model.parameters());
  const step = (x: Tensor, labels: Tensor) => {
    const logits = model.forward(x);
    const loss = crossEntropyLoss(logits, labels, { labelSmoothing: 0.1 });
    const probabilities = softmax(logits.detach());
    optimizer.zeroGrad();
    loss.backward();
    const norm = clipGradNorm(model.parameters(), 0.5);
    optimizer.step();
    return { loss, norm, probabilities };
  };
  return { model, optimizer, step };
}

export const state = (model: Module) => Object.values(model.stateDict()).map((t) => [...t.data]);
