export { noGrad } from "./autograd";
export { arange, eye, full, ones, type TensorOptions, tensor, zeros } from "./create";
export {
  DisposedError,
  DomainError,
  DTypeError,
  GradientError,
  GraphError,
  InstanceError,
  NablasError,
  OptionError,
  OutOfMemoryError,
  ShapeError,
} from "./errors";
export { type GradcheckOptions, gradcheck } from "./gradcheck";
export { type InitOptions, init } from "./init";
export { type MemoryUse, memory } from "./memory";
export * from "./nn/index";
export type { ClipOptions } from "./ops/comparison";
export type { ClassTargets, CrossEntropyOptions, NllOptions } from "./ops/crossEntropy";
export type { CustomLoss } from "./ops/customLoss";
export * from "./ops/index";
export type { Indices, OneHotOptions } from "./ops/indexing";
export type { BceWithLogitsOptions, LossOptions, Reduction, WeightedLossOptions } from "./ops/losses";
export { Tensor } from "./ops/methods";
export type { BatchNormOptions, LayerNormOptions } from "./ops/normalization";
export type { Operand } from "./ops/operand";
export type { DropoutOptions, RreluOptions } from "./ops/random";
export type { ReductionOptions, VarianceOptions } from "./ops/reductions";
export { Adam, type AdamOptions } from "./optim/adam";
export { SGD, type SGDOptions } from "./optim/sgd";
export { scope } from "./scope";
export type { DType, Nested, Shape, TensorData } from "./tensor";
