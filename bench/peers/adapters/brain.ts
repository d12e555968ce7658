// It learns from one sample after the other by the squared error and has the same activation after every layer, so its
// step is the same sizes and number of samples, not the same mathematics.
import brain from "brain.js";
import { type Adapter, oneHot } from "./adapter";

export const adapter: Adapter = {
  about: "NeuralNetwork on the CPU; per-sample steps on the squared error, not the same mathematics",
  prepare(row) {
    if (row.kind !== "train") return undefined;
    const { sizes, lr: learningRate, momentum } = row;
    const { x, target } = row.inputs();
    const outputs = sizes.at(-1)!;
    const targets = target instanceof Int32Array ? oneHot(target, outputs) : target;
    const samples = Array.from({ length: row.batch }, (_, i) => ({
      input: x.slice(i * sizes[0]!, (i + 1) * sizes[0]!),
      output: targets.slice(i * outputs, (i + 1) * outputs),
    }));
    const net = new brain.NeuralNetwork({
      inputSize: sizes[0]!,
      hiddenLayers: sizes.slice(1, -1),
      outputSize: outputs,
      activation: "relu",
      learningRate,
      momentum,
    });
    net.initialize();
    return {
      run: () => {
        for (const sample of samples) net.trainPattern(sample);
      },
    };
  },
};
