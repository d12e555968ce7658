// What is trained, as plain data: the page sets it, a link carries it, the engine builds it.

/** Points have coordinates from −REACH to REACH. */
export const REACH = 3;

export const DATA_KINDS = ["moons", "circles", "spirals", "blobs", "checkers", "own"] as const;
export type DataKind = (typeof DATA_KINDS)[number];

/** A point of one's own, and its class. */
export interface Point {
  x: number;
  y: number;
  label: number;
}

export interface DataSpec {
  kind: DataKind;
  /** Points to generate, those for the test included. */
  count: number;
  classes: number;
  /** 0 for none, 1 for much. */
  noise: number;
  /** What the network sees are the coordinates times this. */
  scale: number;
  points: readonly Point[];
  seed: number;
}

/** The number that a layer has. */
interface LayerValue {
  name: "units" | "p" | "k" | "slope" | "alpha" | "beta" | "limit";
  initial: number;
  min: number;
  max: number;
  step: number;
}

const units: LayerValue = { name: "units", initial: 8, min: 1, max: 128, step: 1 };
const alpha: LayerValue = { name: "alpha", initial: 1, min: 0.1, max: 5, step: 0.1 };
const slope = (initial: number): LayerValue => ({ name: "slope", initial, min: -1, max: 2, step: 0.05 });

/** Layers by the names of their classes, with the number that each has, if any. */
export const LAYERS = {
  Linear: units,
  ReLU: undefined,
  LeakyReLU: slope(0.01),
  PReLU: slope(0.25),
  RReLU: undefined,
  ReLU6: undefined,
  Sigmoid: undefined,
  Tanh: undefined,
  ELU: alpha,
  CELU: alpha,
  SELU: undefined,
  GELU: undefined,
  SiLU: undefined,
  Mish: undefined,
  Softplus: { name: "beta", initial: 1, min: 0.1, max: 10, step: 0.1 },
  Softsign: undefined,
  Hardtanh: { name: "limit", initial: 1, min: 0.1, max: 10, step: 0.1 },
  Hardsigmoid: undefined,
  Hardswish: undefined,
  LogSigmoid: undefined,
  Identity: undefined,
  Softmax: undefined,
  LogSoftmax: undefined,
  Maxout: { name: "k", initial: 2, min: 2, max: 8, step: 1 },
  BatchNorm1d: undefined,
  LayerNorm: undefined,
  Dropout: { name: "p", initial: 0.2, min: 0, max: 0.9, step: 0.05 },
} as const satisfies Record<string, LayerValue | undefined>;

export type LayerKind = keyof typeof LAYERS;

export interface Layer {
  kind: LayerKind;
  /** 0 for layers without a number. */
  value: number;
}

export const layer = (kind: LayerKind): Layer => ({ kind, value: LAYERS[kind]?.initial ?? 0 });

/** What may stand behind the last layer of weights. */
export const OUTPUTS = [
  "Identity",
  "Sigmoid",
  "Tanh",
  "Softmax",
  "LogSoftmax",
  "LogSigmoid",
  "ReLU",
  "Softplus",
] as const;

/**
 * Losses, by what each wants to compare the outputs with: the number of the class; 0 and 1 for each class; −1 and 1; 1 and
 * 2, of which errors in percent can be taken.
 */
export const LOSSES = {
  crossEntropyLoss: "class",
  nllLoss: "class",
  multiMarginLoss: "class",
  bceWithLogitsLoss: "01",
  bceLoss: "01",
  focalLoss: "01",
  klDivLoss: "01",
  poissonNllLoss: "01",
  categoricalHingeLoss: "01",
  mseLoss: "01",
  l1Loss: "01",
  smoothL1Loss: "01",
  huberLoss: "01",
  logCoshLoss: "01",
  msleLoss: "01",
  mapeLoss: "12",
  cosineEmbeddingLoss: "01",
  hingeLoss: "±1",
  squaredHingeLoss: "±1",
  exponentialLoss: "±1",
  softMarginLoss: "±1",
} as const satisfies Record<string, "class" | "01" | "±1" | "12">;

export type LossKind = keyof typeof LOSSES;

export const OPTIMIZERS = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"] as const;

export const INITS = [
  "default",
  "xavierUniform",
  "xavierNormal",
  "kaimingUniform",
  "kaimingNormal",
  "lecunNormal",
  "orthogonal",
  "tiny",
  "huge",
  "zeros",
] as const;

/** What can change while the network trains. */
export interface Live {
  lr: number;
  /** Share of the last step; SGD and RMSprop have it. */
  momentum: number;
  l2: number;
  l1: number;
}

export interface NetworkSpec {
  layers: readonly Layer[];
  output: (typeof OUTPUTS)[number];
  loss: LossKind;
  optimizer: (typeof OPTIMIZERS)[number];
  init: (typeof INITS)[number];
  batchSize: number;
}

export interface Spec extends NetworkSpec {
  data: DataSpec;
  live: Live;
}
