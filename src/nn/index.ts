export * from "./activations";
export { Dropout } from "./dropout";
export { Embedding } from "./embedding";
export { Flatten } from "./flatten";
export {
  calculateGain,
  constant,
  type KaimingOptions,
  kaimingNormal,
  kaimingUniform,
  lecunNormal,
  lecunUniform,
  type Nonlinearity,
  type OrthogonalOptions,
  orthogonal,
  type XavierOptions,
  xavierNormal,
  xavierUniform,
} from "./init";
export { Linear, type LinearOptions } from "./linear";
export { type AnyModule, type Layer, Module, parameter } from "./module";
export { BatchNorm1d, LayerNorm } from "./normalization";
export { Sequential } from "./sequential";
