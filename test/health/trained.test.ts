// Healthy networks as people build and train them: deep, normalised, of few rows, before and after training.
import { expect, test } from "vitest";
import { generateDigits } from "../../examples/digits/generate";
import type { Module, Tensor } from "../../src/index";
import * as n from "../../src/index";
import { bitsOf, clouds, kaiming, labelsOf, layers, type Patient, train, valuesOf, xavier } from "./networks";

const crossEntropy: Patient["loss"] = (p, t) => n.crossEntropyLoss(p, t);
const gain = (shape: readonly number[]) => n.xavierNormal(shape, { gain: n.calculateGain("tanh") });

/** What diagnose finds, and what it finds in the first 8 rows. */
function found({ model, inputs, targets, loss }: Patient): string[] {
  return n.scope(() => {
    const few = n.diagnose(model, n.slice(inputs, 0, 8), n.slice(targets, 0, 8), loss);
    const all = n.diagnose(model, inputs, targets, loss);
    return [...all.findings, ...few.findings].map(({ code, advice }) => `${code}: ${advice}`);
  });
}

/** Runs for three seeds, each in a scope. */
function seeds(fn: (where: string) => void): void {
  for (const seed of [1, 2, 3]) {
    n.manualSeed(seed);
    n.scope(() => fn(`seed ${seed}`));
  }
}

const starts: Record<string, [() => Module, (shape: readonly number[]) => Tensor]> = {
  relu: [() => new n.ReLU(), kaiming],
  tanh: [() => new n.Tanh(), gain],
  selu: [() => new n.SELU(), (shape) => n.lecunNormal(shape)],
};

test.each(Object.entries(starts))("finds nothing wrong with ten layers of %s", (_, [activation, init]) => {
  for (const width of [16, 64, 256]) {
    seeds((where) => {
      const model = new n.Sequential(...layers([...Array(11).fill(width), 4], activation, init));
      const inputs = n.randn([128, width]);
      const { findings } = n.diagnose(model, inputs, labelsOf(inputs, 4), crossEntropy);
      expect(
        findings.map(({ advice }) => advice),
        `${width}, ${where}`,
      ).toEqual([]);
    });
  }
});

/** Blocks of a width, as they stand between two products. */
const blocks: Record<string, (width: number) => Module[]> = {
  "batch norm": (width) => [new n.BatchNorm1d(width), new n.ReLU()],
  "layer norm": (width) => [new n.LayerNorm(width), new n.GELU()],
  dropout: () => [new n.ReLU(), new n.Dropout({ p: 0.5 })],
  prelu: () => [new n.PReLU()],
  rrelu: () => [new n.RReLU()],
  "batch norm before sigmoid": (width) => [new n.BatchNorm1d(width), new n.Sigmoid()],
};

test.each(Object.entries(blocks))("finds nothing wrong with %s, trained or not", (_, block) => {
  seeds((where) => {
    const [inputs, targets] = clouds(256, 8, 4);
    const widths = [8, 32, 32, 32];
    const inner = widths
      .slice(1)
      .flatMap((width, i) => [new n.Linear(widths[i]!, width, { init: kaiming }), ...block(width)]);
    const patient = {
      model: new n.Sequential(...inner, new n.Linear(32, 4)),
      inputs,
      targets,
      loss: crossEntropy,
    };
    expect(found(patient), where).toEqual([]);
    expect(train(patient, new n.Adam(patient.model.parameters(), { lr: 3e-3 }), 200)).toBeLessThan(0.6);
    expect(found(patient), where).toEqual([]);
  });
});

test("finds nothing wrong with maxout, embeddings and functions", () => {
  class Words extends n.Module {
    readonly words = new n.Embedding(50, 16);
    readonly output = new n.Linear(16, 3);
    forward(x: Tensor): Tensor {
      return this.output.forward(n.relu(this.words.forward(x)));
    }
  }
  class Functions extends n.Module {
    readonly first = n.parameter(kaiming([32, 8]));
    readonly bias = n.parameter(n.zeros([32]));
    readonly second = n.parameter(n.randn([32, 3]).mul(0.2));
    forward(x: Tensor): Tensor {
      return n.linear(x, this.first, this.bias, { activation: "relu" }).matmul(this.second);
    }
  }
  seeds((where) => {
    const [inputs, targets] = clouds(128, 8, 3);
    const words = n.tensor(Int32Array.from({ length: 128 }, (_, i) => (7 * i) % 50));
    const maxout = new n.Sequential(new n.Linear(8, 32), new n.Maxout({ k: 2 }), new n.Linear(16, 3));
    for (const [model, x] of [
      [maxout, inputs],
      [new Words(), words],
      [new Functions(), inputs],
    ] as const) {
      const patient = { model, inputs: x, targets, loss: crossEntropy };
      expect(found(patient), where).toEqual([]);
      train(patient, new n.Adam(model.parameters(), { lr: 3e-3 }), 200);
      expect(found(patient), where).toEqual([]);
    }
  });
});

/** Data, the sizes that go with them, a loss, and what it comes to when trained well. */
const tasks: Record<string, () => [Patient["inputs"], Tensor, number[], Patient["loss"], number]> = {
  "four classes": () => [...clouds(256, 8, 4), [8, 32, 32, 4], crossEntropy, 0.1],
  "a curve": () => {
    const x = n.rand([256, 1]).mul(4).sub(2);
    return [x, valuesOf(x, 1), [1, 32, 32, 1], n.mseLoss, 0.5];
  },
  "a bit": () => {
    const x = n.randn([256, 2]);
    return [x, bitsOf(x, 1), [2, 32, 32, 1], n.bceWithLogitsLoss, 0.5];
  },
  "an autoencoder": () => {
    const x = clouds(256, 16, 3)[0].mul(0.6);
    return [x, x, [16, 8, 3, 8, 16], n.mseLoss, 0.5];
  },
  digits: () => {
    const { pixels, labels } = generateDigits(256, 1);
    const x = n.tensor(pixels, { shape: [256, 64] }).div(16);
    return [x, n.tensor(labels), [64, 64, 32, 10], crossEntropy, 0.1];
  },
};

const hidden: typeof starts = {
  ...starts,
  hardtanh: [() => new n.Hardtanh(), xavier],
  gelu: [() => new n.GELU(), kaiming],
};

test.each(Object.entries(tasks))("finds nothing wrong with networks that learn %s", (_, task) => {
  for (const [name, [activation, init]] of Object.entries(hidden)) {
    seeds((seed) => {
      const where = `${name}, ${seed}`;
      const [inputs, targets, widths, loss, good] = task();
      const model = new n.Sequential(...layers(widths, activation, init, xavier));
      const patient = { model, inputs, targets, loss };
      expect(found(patient), where).toEqual([]);
      const adam = new n.Adam(model.parameters(), { lr: 3e-3 });
      for (const steps of [20, 180, 400]) {
        const last = train(patient, adam, steps);
        if (steps === 400) expect(last, where).toBeLessThan(good);
        expect(found(patient), `${where}, after ${steps} more steps`).toEqual([]);
      }
    });
  }
});

test("finds nothing wrong with logistic regression that has learnt to be certain", () => {
  seeds((where) => {
    const [inputs, targets] = clouds(256, 16, 2);
    const patient = { model: new n.Linear(16, 2), inputs, targets, loss: crossEntropy };
    train(patient, new n.SGD(patient.model.parameters(), { lr: 0.5, momentum: 0.9 }), 400);
    expect(found(patient), where).toEqual([]);
  });
});
