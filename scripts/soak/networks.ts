// What the scenarios train.
import { randomNumbers } from "../../src/data/random";
import {
  Adagrad,
  Adam,
  AdamW,
  BatchNorm1d,
  crossEntropyLoss,
  Dropout,
  LayerNorm,
  Linear,
  mseLoss,
  ReLU,
  RMSprop,
  rand,
  Sequential,
  SGD,
  Tanh,
  type Tensor,
} from "../../src/index";

export interface Task {
  model: Sequential;
  optimizer: Adam | AdamW | SGD | RMSprop | Adagrad;
  columns: number;
  loss(y: Tensor, rows: number): Tensor;
}

/** 2-8-1. */
export function small(optimizer = 0): Task {
  const model = new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 1));
  return { model, optimizer: OPTIMIZERS[optimizer]!(model), columns: 2, loss: regression };
}

/** 64-32-10, with batch norm and dropout. */
export function medium(optimizer = 1): Task {
  const norm = [new BatchNorm1d(32), new LayerNorm(32)][optimizer % 2]!;
  const model = new Sequential(
    new Linear(64, 32),
    norm,
    new ReLU(),
    new Dropout({ p: 0.2 }),
    new Linear(32, 10),
  );
  return { model, optimizer: OPTIMIZERS[optimizer]!(model), columns: 64, loss: classes };
}

const OPTIMIZERS = [
  (model: Sequential) => new SGD(model.parameters(), { lr: 1e-3 }),
  (model: Sequential) => new SGD(model.parameters(), { lr: 1e-3, momentum: 0.9, nesterov: true }),
  (model: Sequential) => new Adam(model.parameters(), { lr: 1e-3, amsgrad: true }),
  (model: Sequential) => new AdamW(model.parameters(), { lr: 1e-3 }),
  (model: Sequential) => new RMSprop(model.parameters(), { lr: 1e-3, centered: true }),
  (model: Sequential) => new Adagrad(model.parameters(), { lr: 1e-3 }),
];

/** One of each for every optimizer. */
export function tasks(): Task[] {
  return OPTIMIZERS.flatMap((_, i) => [small(i), medium(i)]);
}

function regression(y: Tensor, rows: number): Tensor {
  return mseLoss(y, rand([rows, 1]));
}

function classes(y: Tensor, rows: number): Tensor {
  return crossEntropyLoss(
    y,
    Int32Array.from({ length: rows }, (_, i) => i % 10),
  );
}

/** Whole numbers from `least` to `most`, the same ones each time. */
export function integers(seed: number): (least: number, most: number) => number {
  const next = randomNumbers(seed);
  return (least, most) => least + Math.floor(next() * (most - least + 1));
}
