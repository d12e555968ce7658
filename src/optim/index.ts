export { Adagrad, type AdagradOptions } from "./adagrad";
export { Adam, type AdamOptions, AdamW, type AdamWOptions } from "./adam";
export { type ClipGradNormOptions, clipGradNorm, clipGradValue } from "./clip";
export type { Group, ParameterGroup, ParameterList } from "./groups";
export type { Optimizer, OptimizerState } from "./optimizer";
export { RMSprop, type RMSpropOptions } from "./rmsprop";
export {
  type CosineLROptions,
  cosineLR,
  type OneCycleLROptions,
  oneCycleLR,
  type Schedule,
  type StepLROptions,
  stepLR,
  type WarmupOptions,
  warmup,
} from "./schedules";
export { SGD, type SGDOptions } from "./sgd";
