export * from "./activations";
export * from "./arithmetic";
export { crossEntropyLoss, nllLoss } from "./crossEntropy";
export { customLoss } from "./customLoss";
export { gelu, hardswish, mish, silu } from "./gated";
export { clone, concat, detach, reshape, slice, transpose } from "./layout";
export {
  bceLoss,
  bceWithLogitsLoss,
  focalLoss,
  klDivLoss,
  poissonNllLoss,
} from "./likelihoodLosses";
export * from "./losses";
export * from "./marginLosses";
export { linear, matmul } from "./matmul";
export { manualSeed, rand, randn, rrelu } from "./random";
export { argmax, max, mean, sum } from "./reductions";
export { categoricalHingeLoss, cosineEmbeddingLoss, multiMarginLoss } from "./rowLosses";
export { logSoftmax, logSumExp, softmax } from "./softmax";
