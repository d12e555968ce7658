export * from "./activations";
export { calculateGain, kaimingNormal, kaimingUniform, xavierNormal, xavierUniform } from "./init";
export { Linear } from "./linear";
export { Module, parameter } from "./module";
export { Sequential } from "./sequential";
