export { fromOnnx } from "./fromOnnx";
export type { OnnxInput } from "./graph";
export { OnnxModel } from "./model";
export { type OnnxOptions, toOnnx } from "./toOnnx";
