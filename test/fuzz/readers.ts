// Every reader of files: valid ones to begin with, the changes that know their format, and what has to hold of what is read.
import { GELU, LayerNorm, Linear, ReLU, Sequential, Softplus } from "../../src/index";
import { idxReader, npy, npz } from "./arrays";
import { onnx, tfjs, tfjsShards } from "./models";
import type { Reader } from "./reader";
import { checkpoint, safetensors } from "./states";
import { csvReader, playgroundFiles } from "./tables";

export { removeFolder } from "./tables";

export const readers: readonly Reader[] = [
  safetensors(),
  checkpoint(),
  npy(),
  npz(),
  idxReader(),
  onnx("layers", new Sequential(new Linear(2, 3), new LayerNorm(3), new GELU(), new ReLU()), [null, 2]),
  onnx("constants", new Sequential(new Linear(2, 2), new Softplus({ beta: 2, threshold: 1 })), [null, 1, 2]),
  tfjs(),
  tfjsShards(),
  csvReader(),
  playgroundFiles(),
];
