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
export type { ClassTargets, CrossEntropyOptions, NllOptions } from "./ops/crossEntropy";
export type { CustomLoss } from "./ops/customLoss";
export * from "./ops/index";
export type { BceWithLogitsOptions, LossOptions, Reduction, WeightedLossOptions } from "./ops/losses";
export { Tensor } from "./ops/methods";
export type { Operand } from "./ops/operand";
export type { RreluOptions } from "./ops/random";
export type { ReductionOptions } from "./ops/reductions";
export * from "./optim/index";
export { scope } from "./scope";
export type { StateValue } from "./stateDict";
export type { DType, Nested, Shape, TensorData } from "./tensor";
