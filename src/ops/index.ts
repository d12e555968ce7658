export * from "./activations";
export * from "./arithmetic";
export { clip, maximum, minimum } from "./comparison";
export { crossEntropyLoss, nllLoss } from "./crossEntropy";
export { customLoss } from "./customLoss";
export { embedding, gather, oneHot } from "./indexing";
export { clone, concat, detach, reshape, slice, stack, transpose } from "./layout";
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
export { batchNorm, layerNorm } from "./normalization";
export { dropout, manualSeed, rand, randn, rrelu } from "./random";
export { argmax, max, mean, min, sum, variance } from "./reductions";
export { logSoftmax, logSumExp, softmax } from "./softmax";
