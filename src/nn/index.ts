export * from "./activations";
export {
  calculateGain,
  type KaimingOptions,
  kaimingNormal,
  kaimingUniform,
  type Nonlinearity,
  type XavierOptions,
  xavierNormal,
  xavierUniform,
} from "./init";
export { Linear, type LinearOptions } from "./linear";
export { Module, parameter } from "./module";
export { Sequential } from "./sequential";
