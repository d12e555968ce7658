// Networks with one thing wrong: diagnose raises its code, and only such as follow from it.
import { expect, test } from "vitest";
import type { FindingCode, Module, Tensor } from "../../src/index";
import * as n from "../../src/index";
import { bitsOf, drawn, kaiming, labelsOf, layers, type Patient, valuesOf, xavier } from "./networks";

/** What else may be found where a code is right: causes and consequences of it. */
const related: Record<FindingCode, FindingCode[]> = {
  "vanishing-gradient": ["constant-output", "bias-shift", "saturated", "bad-init"],
  "exploding-gradient": ["bad-init", "saturated", "not-normalised"],
  "dead-relu": ["vanishing-gradient", "constant-output", "bias-shift"],
  saturated: [
    "loss-mismatch",
    "constant-output",
    "exploding-gradient",
    "vanishing-gradient",
    "bad-init",
    "not-normalised",
    "bias-shift",
  ],
  "loss-mismatch": ["constant-output", "dead-relu", "saturated"],
  "non-finite": [],
  "not-normalised": [
    "dead-relu",
    "exploding-gradient",
    "saturated",
    "bias-shift",
    "constant-output",
    "vanishing-gradient",
  ],
  "bias-shift": ["exploding-gradient", "vanishing-gradient", "constant-output", "saturated"],
  "bad-init": ["exploding-gradient", "vanishing-gradient", "constant-output", "saturated", "bias-shift"],
  "constant-output": ["vanishing-gradient", "bad-init", "bias-shift", "dead-relu"],
  "labels-out-of-range": [],
};

const crossEntropy: Patient["loss"] = (p, t) => n.crossEntropyLoss(p, t);
const sigmoid = () => new n.Sigmoid();
const tanh = () => new n.Tanh();
const relu = () => new n.ReLU();

/** A classifier of `rows` standard normal rows. */
function classifier(sizes: number[], activation: () => Module, init: typeof kaiming, rows = 64): Patient {
  const inputs = n.randn([rows, sizes[0]!]);
  const model = new n.Sequential(...layers(sizes, activation, init));
  return { model, inputs, targets: labelsOf(inputs, sizes.at(-1)!), loss: crossEntropy };
}

/** A network that ends in some layers, with a loss. */
function ending(
  sizes: number[],
  output: Module[],
  loss: Patient["loss"],
  targetsOf: (x: Tensor, outputs: number) => Tensor,
): Patient {
  const inputs = n.randn([32, sizes[0]!]);
  const model = new n.Sequential(...layers(sizes, tanh, xavier), ...output);
  return { model, inputs, targets: targetsOf(inputs, sizes.at(-1)!), loss };
}

function withBiases(patient: Patient, value: number): Patient {
  for (const [name, t] of patient.model.namedParameters()) if (name.endsWith("bias")) t.data.fill(value);
  return patient;
}

function withInputs(patient: Patient, change: (x: Tensor) => Tensor): Patient {
  return { ...patient, inputs: change(patient.inputs) };
}

function set(t: Tensor, at: number, value: number): Tensor {
  t.data[at] = value;
  return t;
}

const wide = (sizes: number, depth: number, last: number) => [...Array<number>(depth).fill(sizes), last];

/** For each code, patients that have it. */
const zoo: Record<FindingCode, (() => Patient)[]> = {
  "vanishing-gradient": [
    () => classifier(wide(16, 9, 2), sigmoid, xavier),
    () => classifier(wide(32, 12, 4), sigmoid, xavier, 128),
    () => classifier(wide(64, 20, 10), tanh, drawn(0.05), 32),
    () => classifier([8, 24, 24, 24, 24, 24, 24, 24, 3], () => new n.Hardsigmoid(), xavier),
  ],
  "exploding-gradient": [
    () => classifier(wide(32, 8, 4), relu, drawn(1)),
    () => classifier(wide(64, 12, 10), () => new n.LeakyReLU(), drawn(0.5), 128),
    () => classifier(wide(16, 20, 2), () => new n.Identity(), drawn(0.6), 32),
    () => ({ ...ending([4, 16, 1], [], n.mseLoss, (x, o) => valuesOf(x, o).mul(1e5)) }),
  ],
  "dead-relu": [
    () => withBiases(classifier([8, 32, 32, 3], relu, kaiming), -10),
    () => withBiases(classifier([16, 64, 10], relu, kaiming, 128), -7),
    () =>
      withBiases(
        classifier([2, 8, 8, 8, 2], () => new n.ReLU6(), kaiming, 16),
        -8,
      ),
    () => withBiases(classifier([4, 16, 2], relu, kaiming, 256), -30),
  ],
  saturated: [
    () => classifier([16, 32, 32, 4], tanh, drawn(2)),
    () => classifier([32, 64, 2], sigmoid, drawn(3), 128),
    () => withInputs(classifier([8, 16, 3], tanh, xavier), (x) => x.mul(50)),
    () => classifier([24, 48, 24, 5], () => new n.Hardtanh(), drawn(2), 32),
    () => ({
      ...ending([1, 1], [sigmoid()], n.mseLoss, bitsOf),
      model: withBiases(ending([1, 1], [sigmoid()], n.mseLoss, bitsOf), 8).model,
    }),
  ],
  "loss-mismatch": [
    () => ending([4, 8, 2], [sigmoid()], n.mseLoss, bitsOf),
    () => ending([8, 16, 3], [new n.Softmax()], crossEntropy, labelsOf),
    () => ending([2, 8, 1], [sigmoid()], n.bceWithLogitsLoss, bitsOf),
    () => ending([6, 12, 4], [relu()], crossEntropy, labelsOf),
    () => ending([6, 12, 4], [], (p, t) => n.nllLoss(p, t), labelsOf),
    () => ending([3, 12, 2], [], n.bceLoss, bitsOf),
    () => ending([5, 10, 4], [], (p, t) => n.crossEntropyLoss(n.softmax(p), t), labelsOf),
  ],
  "non-finite": [
    () => withInputs(classifier([4, 8, 2], relu, kaiming), (x) => set(x, 7, Number.NaN)),
    () => withInputs(classifier([16, 32, 4], tanh, xavier), (x) => set(x, 100, Number.POSITIVE_INFINITY)),
    () => {
      const patient = classifier([8, 16, 16, 2], relu, kaiming, 16);
      set(patient.model.parameters()[2]!, 5, Number.NaN);
      return patient;
    },
    () => ending([4, 8, 2], [], (p, t) => n.log(p).sub(t).square().mean(), valuesOf),
    () => ({ ...ending([4, 8, 2], [], n.mseLoss, (x, o) => set(valuesOf(x, o), 3, Number.NaN)) }),
  ],
  "not-normalised": [
    () => withInputs(classifier([8, 16, 3], relu, kaiming), (x) => x.mul(100)),
    () => withInputs(classifier([32, 64, 10], tanh, xavier, 128), (x) => x.mul(1e-4)),
    () => withInputs(classifier([4, 16, 2], relu, kaiming, 32), (x) => x.mul(0.1).add(3)),
    () => ({ ...ending([4, 16, 1], [], n.mseLoss, (x, o) => valuesOf(x, o).mul(300)) }),
  ],
  "bias-shift": [
    () => withBiases(classifier([8, 32, 32, 3], relu, kaiming), 30),
    () => classifier([16, 32, 32, 32, 32, 4], sigmoid, xavier, 128),
    () =>
      withBiases(
        classifier([4, 16, 2], () => new n.Softplus(), kaiming, 32),
        40,
      ),
  ],
  "bad-init": [
    () => classifier([16, 32, 4], relu, drawn(1e-3)),
    () => classifier([64, 64, 10], tanh, drawn(2), 128),
    () => classifier([8, 16, 3], relu, (shape) => n.full(shape, 0.1)),
    () => classifier([32, 128, 2], relu, drawn(5), 32),
  ],
  "constant-output": [
    () => classifier([8, 32, 3], sigmoid, (shape) => n.zeros(shape)),
    () => withBiases(classifier([4, 16, 16, 2], relu, kaiming, 32), -20),
    () => classifier(wide(32, 14, 5), sigmoid, xavier, 128),
    () => withBiases(classifier([16, 32, 4], tanh, drawn(1e-4), 32), 1),
  ],
  "labels-out-of-range": [
    () => ({ ...classifier([4, 8, 3], relu, kaiming), targets: n.full([64], 3, { dtype: "i32" }) }),
    () => ({ ...classifier([16, 32, 10], tanh, xavier, 32), targets: n.full([32], -1, { dtype: "i32" }) }),
    () => ending([2, 8, 1], [], n.bceWithLogitsLoss, (x, o) => bitsOf(x, o).add(1)),
    () => ending([2, 8, 1], [], n.hingeLoss, bitsOf),
  ],
};

for (const [code, patients] of Object.entries(zoo) as [FindingCode, (() => Patient)[]][]) {
  test(`finds ${code}, and nothing unrelated`, () => {
    expect(patients.length).toBeGreaterThanOrEqual(3);
    for (const [i, make] of patients.entries()) {
      for (const seed of [1, 2, 3]) {
        n.scope(() => {
          n.manualSeed(seed);
          const { model, inputs, targets, loss } = make();
          const { findings } = n.diagnose(model, inputs, targets, loss);
          const found = findings.map((finding) => finding.code);
          const where = `patient ${i}, seed ${seed}: ${findings.map((f) => `${f.code} ${f.layer} ${f.value}`)}`;
          expect(found, where).toContain(code);
          expect(
            found.filter((other) => other !== code && !related[code].includes(other)),
            where,
          ).toEqual([]);
          for (const { advice } of findings) expect(advice, where).toMatch(/^[^\n]{20,}[^.]$/);
        });
      }
    }
  });
}
