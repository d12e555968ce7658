// From the specification to modules, optimizer and loss.

import type { Module, Shape, Tensor } from "nablas";
import * as nablas from "nablas";
import {
  type Layer,
  type LayerKind,
  LOSSES,
  type LossKind,
  type NetworkSpec,
  type Spec,
} from "../../panels/train/spec";

const INITS: Record<Exclude<NetworkSpec["init"], "default">, (shape: Shape) => Tensor> = {
  xavierUniform: nablas.xavierUniform,
  xavierNormal: nablas.xavierNormal,
  kaimingUniform: (shape) => nablas.kaimingUniform(shape, { nonlinearity: "relu" }),
  kaimingNormal: (shape) => nablas.kaimingNormal(shape, { nonlinearity: "relu" }),
  lecunNormal: nablas.lecunNormal,
  orthogonal: nablas.orthogonal,
  tiny: (shape) => nablas.randn(shape).mul(0.01),
  huge: (shape) => nablas.randn(shape).mul(5),
  zeros: nablas.zeros,
};

/** Makes a layer for so many inputs; those that change their number say to how many. */
type Make = (value: number, width: number) => Module | [Module, width: number];

const MAKE: Record<Exclude<LayerKind, "Linear">, Make> = {
  ReLU: () => new nablas.ReLU(),
  LeakyReLU: (negativeSlope) => new nablas.LeakyReLU({ negativeSlope }),
  PReLU: (init) => new nablas.PReLU({ init }),
  RReLU: () => new nablas.RReLU(),
  ReLU6: () => new nablas.ReLU6(),
  Sigmoid: () => new nablas.Sigmoid(),
  Tanh: () => new nablas.Tanh(),
  ELU: (alpha) => new nablas.ELU({ alpha }),
  CELU: (alpha) => new nablas.CELU({ alpha }),
  SELU: () => new nablas.SELU(),
  GELU: () => new nablas.GELU(),
  SiLU: () => new nablas.SiLU(),
  Mish: () => new nablas.Mish(),
  Softplus: (beta) => new nablas.Softplus({ beta }),
  Softsign: () => new nablas.Softsign(),
  Hardtanh: (limit) => new nablas.Hardtanh({ minVal: -limit, maxVal: limit }),
  Hardsigmoid: () => new nablas.Hardsigmoid(),
  Hardswish: () => new nablas.Hardswish(),
  LogSigmoid: () => new nablas.LogSigmoid(),
  Identity: () => new nablas.Identity(),
  Softmax: () => new nablas.Softmax(),
  LogSoftmax: () => new nablas.LogSoftmax(),
  Maxout: (k, width) => [new nablas.Maxout({ k }), Math.max(1, Math.floor(width / k))],
  BatchNorm1d: (_, width) => new nablas.BatchNorm1d(width),
  LayerNorm: (_, width) => new nablas.LayerNorm(width),
  Dropout: (p) => new nablas.Dropout({ p }),
};

/** The layers, one of weights with an output for each class, and what stands behind it. */
export function build({ layers, output, init, data }: Spec): nablas.Sequential {
  const last: Layer[] = [{ kind: "Linear", value: data.classes }];
  if (output !== "Identity") last.push({ kind: output, value: 1 });
  let width = 2;
  const modules = [...layers, ...last].map(({ kind, value }) => {
    const made =
      kind === "Linear"
        ? ([new nablas.Linear(width, value, init === "default" ? {} : { init: INITS[init] }), value] as const)
        : MAKE[kind](value, width);
    if (!Array.isArray(made)) return made as Module;
    width = made[1];
    return made[0] as Module;
  });
  return new nablas.Sequential(...modules);
}

export function optimizerFor(model: Module, { optimizer, live }: Spec) {
  const { lr, momentum, l2: weightDecay, l1 } = live;
  const parameters = model.parameters();
  const options = { lr, weightDecay, l1 };
  switch (optimizer) {
    case "SGD":
      return new nablas.SGD(parameters, { ...options, momentum });
    case "RMSprop":
      return new nablas.RMSprop(parameters, { ...options, momentum });
    case "Adam":
      return new nablas.Adam(parameters, options);
    case "AdamW":
      return new nablas.AdamW(parameters, options);
    case "Adagrad":
      return new nablas.Adagrad(parameters, options);
  }
}

/** Targets as the loss wants them: i32 [rows], or f32 [rows, classes]. */
export function targetsFor(loss: LossKind, labels: Int32Array, classes: number): Tensor {
  if (LOSSES[loss] === "class") return nablas.tensor(labels);
  const [other, own] = { "01": [0, 1], "12": [1, 2], "±1": [-1, 1] }[LOSSES[loss]] as [number, number];
  const data = new Float32Array(labels.length * classes).fill(other);
  labels.forEach((label, i) => {
    data[i * classes + label] = own;
  });
  return nablas.tensor(data, { shape: [labels.length, classes] });
}

export type Loss = (prediction: Tensor, targets: Tensor) => Tensor;

export const LOSS: Record<LossKind, Loss> = {
  crossEntropyLoss: nablas.crossEntropyLoss,
  nllLoss: nablas.nllLoss,
  multiMarginLoss: nablas.multiMarginLoss,
  bceWithLogitsLoss: nablas.bceWithLogitsLoss,
  bceLoss: nablas.bceLoss,
  focalLoss: nablas.focalLoss,
  klDivLoss: nablas.klDivLoss,
  poissonNllLoss: nablas.poissonNllLoss,
  categoricalHingeLoss: nablas.categoricalHingeLoss,
  mseLoss: nablas.mseLoss,
  l1Loss: nablas.l1Loss,
  smoothL1Loss: nablas.smoothL1Loss,
  huberLoss: nablas.huberLoss,
  logCoshLoss: nablas.logCoshLoss,
  msleLoss: nablas.msleLoss,
  mapeLoss: nablas.mapeLoss,
  hingeLoss: nablas.hingeLoss,
  squaredHingeLoss: nablas.squaredHingeLoss,
  exponentialLoss: nablas.exponentialLoss,
  softMarginLoss: nablas.softMarginLoss,
  cosineEmbeddingLoss: (a, b) => nablas.cosineEmbeddingLoss(a, b, nablas.ones([a.shape[0]!])),
};

/** Shares of the classes by the network's outputs, from 0 to 1, to be looked at: [rows, classes]. */
export function shares({ output, loss }: Pick<Spec, "output" | "loss">, scores: Tensor): Tensor {
  if (output === "LogSoftmax" || output === "LogSigmoid") return nablas.softmax(scores);
  const isValue = ["mseLoss", "l1Loss", "smoothL1Loss", "huberLoss", "logCoshLoss", "msleLoss", "bceLoss"];
  const isShare = output === "Softmax" || output === "Sigmoid" || isValue.includes(loss);
  if (!isShare) return nablas.softmax(LOSSES[loss] === "±1" ? scores.mul(2) : scores);
  const positive = nablas.clip(scores, { min: 1e-4, max: 1 });
  return positive.div(positive.sum({ dim: 1, keepdim: true }));
}
