export * from "./activations";
export * from "./arithmetic";
export { clip, maximum, minimum } from "./comparison";
export { crossEntropyLoss, nllLoss } from "./crossEntropy";
export { customLoss } from "./customLoss";
export { gelu, hardswish, mish, silu } from "./gated";
export { embedding, gather, oneHot } from "./indexing";
export { clone, concat, detach, reshape, slice, stack, transpose } from "./layout";
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
export { batchNorm, layerNorm } from "./normalization";
export { dropout, manualSeed, rand, randn, rrelu } from "./random";
export { argmax, argmin, max, mean, min, sum, variance } from "./reductions";
export { categoricalHingeLoss, cosineEmbeddingLoss, multiMarginLoss } from "./rowLosses";
export { logSoftmax, logSumExp, softmax } from "./softmax";
