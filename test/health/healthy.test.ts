// Networks as textbooks want them: diagnose and lint find nothing.
import { expect, test } from "vitest";
import type { Module, Tensor } from "../../src/index";
import * as n from "../../src/index";
import { bitsOf, kaiming, labelsOf, layers, type Patient, valuesOf, xavier } from "./networks";

type Build = () => Module;
type Init = (shape: readonly number[]) => Tensor;

/** Every activation with the initialisation that suits it. */
const activations: Record<string, [Build, Init]> = {
  sigmoid: [() => new n.Sigmoid(), xavier],
  tanh: [() => new n.Tanh(), (shape) => n.xavierNormal(shape, { gain: n.calculateGain("tanh") })],
  relu: [() => new n.ReLU(), kaiming],
  leakyRelu: [() => new n.LeakyReLU(), kaiming],
  prelu: [() => new n.PReLU(), kaiming],
  rrelu: [() => new n.RReLU(), kaiming],
  elu: [() => new n.ELU(), kaiming],
  celu: [() => new n.CELU(), kaiming],
  selu: [() => new n.SELU(), (shape) => n.lecunNormal(shape)],
  gelu: [() => new n.GELU(), kaiming],
  silu: [() => new n.SiLU(), kaiming],
  mish: [() => new n.Mish(), kaiming],
  softplus: [() => new n.Softplus(), kaiming],
  softsign: [() => new n.Softsign(), xavier],
  hardtanh: [() => new n.Hardtanh(), xavier],
  hardsigmoid: [() => new n.Hardsigmoid(), xavier],
  hardswish: [() => new n.Hardswish(), kaiming],
  relu6: [() => new n.ReLU6(), kaiming],
  logSigmoid: [() => new n.LogSigmoid(), xavier],
  identity: [() => new n.Identity(), xavier],
};

/** Output layer, loss and targets that belong together. */
const pairs: Record<
  string,
  [output: Build[], loss: Patient["loss"], targets: (x: Tensor, outputs: number) => Tensor]
> = {
  "linear + mse": [[], n.mseLoss, valuesOf],
  "linear + huber": [[], (p, t) => n.huberLoss(p, t), valuesOf],
  "linear + cross-entropy": [[], (p, t) => n.crossEntropyLoss(p, t), labelsOf],
  "log-softmax + nll": [[() => new n.LogSoftmax()], (p, t) => n.nllLoss(p, t), labelsOf],
  "linear + bce with logits": [[], n.bceWithLogitsLoss, bitsOf],
  "sigmoid + bce": [[() => new n.Sigmoid()], n.bceLoss, bitsOf],
  "tanh + mse": [[() => new n.Tanh()], n.mseLoss, (x, outputs) => valuesOf(x, outputs).mul(0.5)],
  "linear + hinge": [[], n.hingeLoss, (x, outputs) => bitsOf(x, outputs).mul(2).sub(1)],
};

/** Sizes, and rows in the batch. */
const sizes: [number[], number][] = [
  [[2, 8, 2], 32],
  [[8, 32, 3], 16],
  [[10, 64, 32, 4], 64],
  [[64, 128, 64, 10], 128],
];

const codes = (findings: readonly n.Finding[]) =>
  findings.map(({ code, layer, value }) => `${code} ${layer} ${value}`);

for (const [name, [activation, init]] of Object.entries(activations)) {
  test(`finds nothing wrong with ${name}`, () => {
    for (const [pair, [output, loss, targetsOf]] of Object.entries(pairs)) {
      for (const [i, [widths, rows]] of sizes.entries()) {
        n.scope(() => {
          n.manualSeed(100 + i);
          const hidden = layers(widths, activation, init, xavier);
          const model = new n.Sequential(...hidden, ...output.map((build) => build()));
          const inputs = n.randn([rows, widths[0]!]);
          const targets = targetsOf(inputs, widths.at(-1)!);
          const where = `${pair}, ${widths.join("-")}`;
          expect(codes(n.diagnose(model, inputs, targets, loss).findings), where).toEqual([]);
          expect(codes(n.lint(model, loss)), where).toEqual([]);
        });
      }
    }
  });
}
