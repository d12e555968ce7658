export * from "./activations";
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
export { Module, parameter } from "./module";
export { Sequential } from "./sequential";
