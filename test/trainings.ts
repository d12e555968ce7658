// Trainings that are stopped, and go on.
import {
  Adagrad,
  Adam,
  AdamW,
  accuracy,
  BatchNorm1d,
  crossEntropyLoss,
  type Dataset,
  Dropout,
  dataset,
  type Epoch,
  type FitOptions,
  fit,
  Linear,
  type Module,
  manualSeed,
  oneCycleLR,
  PReLU,
  RMSprop,
  RReLU,
  randn,
  Sequential,
  SGD,
  scope,
  type Tensor,
} from "../src/index";

export type AnyOptimizer = SGD | Adam | AdamW | RMSprop | Adagrad;

export const optimizers: Record<string, (parameters: Tensor[]) => AnyOptimizer> = {
  SGD: (p) => new SGD(p, { lr: 0.01, weightDecay: 0.1 }),
  momentum: (p) => new SGD(p, { lr: 0.01, momentum: 0.9, dampening: 0.1, l1: 0.01 }),
  Nesterov: (p) => new SGD(p, { lr: 0.01, momentum: 0.9, nesterov: true }),
  Adam: (p) => new Adam(p, { lr: 0.01, amsgrad: true }),
  AdamW: (p) => new AdamW(p, { lr: 0.01, weightDecay: 0.1 }),
  RMSprop: (p) => new RMSprop(p, { lr: 0.01, centered: true, momentum: 0.5 }),
  Adagrad: (p) => new Adagrad(p, { lr: 0.01, lrDecay: 0.1 }),
};

export const data: Dataset = scope(() => {
  manualSeed(4);
  return dataset(
    randn([50, 6]),
    Array.from({ length: 50 }, (_, i) => i % 3),
  );
});

/** A training whose every part has a state: random slopes and units, running statistics, averages, a schedule. */
export function training(kind: string, options: FitOptions = {}) {
  const model = new Sequential(
    new Linear(6, 16),
    new BatchNorm1d(16),
    new RReLU(),
    new Dropout({ p: 0.3 }),
    new Linear(16, 8),
    new PReLU(),
    new Linear(8, 3),
  );
  const optimizer = optimizers[kind]!(model.parameters());
  const schedule = oneCycleLR({ maxLr: 0.05, totalSteps: 100 });
  const run = fit(
    (x, labels) => {
      optimizer.groups[0]!.lr = schedule(run.steps);
      const loss = crossEntropyLoss(model.forward(x), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    },
    data,
    {
      epochs: 6,
      batchSize: 8,
      validation: 0.2,
      evaluate: (x, labels) => {
        const logits = model.forward(x);
        return { loss: crossEntropyLoss(logits, labels), accuracy: accuracy(logits, labels) };
      },
      model,
      earlyStopping: { patience: 4 },
      ...options,
    },
  );
  return { model, optimizer, run };
}

/** Everything that can be told of epochs apart from the time they took. */
export async function epochs(run: AsyncIterable<Epoch>) {
  const all = [];
  for await (const { seconds: _, ...epoch } of run) all.push(epoch);
  return all;
}

export const values = (model: Module) =>
  Object.fromEntries(Object.entries(model.stateDict()).map(([key, t]) => [key, [...t.data]]));
