export { noGrad } from "./autograd";
export { type AverageOptions, averageGradients, averageState } from "./average";
export { arange, eye, full, ones, type TensorOptions, tensor, zeros } from "./create";
export type { Rows, Values } from "./data/column";
export {
  type Batch,
  type BatchOptions,
  Dataset,
  type DatasetOptions,
  dataset,
  type SplitOptions,
} from "./data/dataset";
export { readIdx } from "./data/idx";
export { Normalise, type Scaler, type ScalerState, Standardise } from "./data/scaler";
export type { EarlyStopping } from "./earlyStopping";
export {
  CorruptionError,
  DisposedError,
  DomainError,
  DTypeError,
  FormatError,
  GradientError,
  GraphError,
  InstanceError,
  LoadError,
  NablasError,
  NonFiniteError,
  OptionError,
  OutOfMemoryError,
  PlanError,
  ShapeError,
  WorkerError,
} from "./errors";
export { type Epoch, type FitOptions, fit, type Step } from "./fit";
export { type GradcheckOptions, gradcheck } from "./gradcheck";
export { type DiagnoseOptions, diagnose, type LossFunction } from "./health/diagnose";
export { type LintOptions, lint } from "./health/lint";
export { Diagnosis, type Finding, type FindingCode, type LayerHealth } from "./health/report";
export type { HealthOptions } from "./health/watch";
export { type InitOptions, init } from "./init";
export { loadCheckpoint, type Plain, type Stateful, saveCheckpoint } from "./io/checkpoint";
export { loadSafetensors, type Safetensors, saveSafetensors } from "./io/tensorFile";
export type { Measures } from "./measures";
export { type MemoryUse, memory } from "./memory";
export {
  type AccuracyOptions,
  accuracy,
  type ClassPredictions,
  type ConfusionMatrixOptions,
  confusionMatrix,
  r2Score,
  topK,
} from "./metrics";
export * from "./nn/index";
export type { ClassTargets } from "./ops/classTargets";
export type { ClipOptions } from "./ops/comparison";
export type { CrossEntropyOptions, NllOptions } from "./ops/crossEntropy";
export type { CustomLoss } from "./ops/customLoss";
export type { LossOptions, Reduction } from "./ops/elementwiseLoss";
export type { GeluOptions } from "./ops/gated";
export * from "./ops/index";
export type { EmbeddingOptions, Indices, OneHotOptions } from "./ops/indexing";
export type { BceWithLogitsOptions, KlDivOptions, WeightedLossOptions } from "./ops/likelihoodLosses";
export type { LinearOpOptions } from "./ops/matmul";
export { Tensor } from "./ops/methods";
export type { BatchNormOptions, LayerNormOptions } from "./ops/normalization";
export type { Operand } from "./ops/operand";
export type { PoissonNllOptions } from "./ops/poissonNllLoss";
export { type DropoutOptions, getRngState, type RreluOptions, setRngState } from "./ops/random";
export type { ReductionOptions, VarianceOptions } from "./ops/reductions";
export type { CosineEmbeddingOptions, MultiMarginOptions } from "./ops/rowLosses";
export * from "./optim/index";
export { PlanBatches, type PlanBatchesOptions, type PlanBatchesState } from "./plan/batches";
export { type Compiled, compile } from "./plan/compile";
export type { Input } from "./plan/input";
export { scope } from "./scope";
export type { StateValue } from "./stateDict";
export { type LayerSummary, Summary, summary } from "./summary";
export type { DType, Nested, Shape, TensorData, TypedArray } from "./tensor";
export { shutdown, type ThreadOptions, type Threads, threads } from "./threads/threads";
export type { WorkerLike } from "./threads/workers";
export { Training, type TrainingState } from "./training";
export type { Simd } from "./wasm";
