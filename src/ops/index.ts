export * from "./activations";
export * from "./arithmetic";
export { crossEntropyLoss, nllLoss } from "./crossEntropy";
export { customLoss } from "./customLoss";
export { gelu, hardswish, mish, silu } from "./gated";
export { clone, concat, detach, reshape, slice, transpose } from "./layout";
export {
  bceLoss,
  bceWithLogitsLoss,
  exponentialLoss,
  hingeLoss,
  l1Loss,
  mapeLoss,
  mseLoss,
  msleLoss,
} from "./losses";
export { linear, matmul } from "./matmul";
export { manualSeed, rand, randn, rrelu } from "./random";
export { argmax, max, mean, sum } from "./reductions";
export { logSoftmax, logSumExp, softmax } from "./softmax";
