export { noGrad } from "./autograd";
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
export { memory, scope } from "./memory";
export * from "./nn/index";
export * from "./ops/index";
export { Adam, type AdamOptions } from "./optim/adam";
export { SGD, type SGDOptions } from "./optim/sgd";
export {
  arange,
  type DType,
  eye,
  full,
  ones,
  type Shape,
  Tensor,
  type TensorOptions,
  tensor,
  zeros,
} from "./tensor";
