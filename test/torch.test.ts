// What PyTorch has written and computed: scripts/torch-models.py. Files of its exporter, and weights from which both train.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  Adam,
  BatchNorm1d,
  crossEntropyLoss,
  gelu,
  LayerNorm,
  Linear,
  linear,
  loadSafetensors,
  mish,
  Sequential,
  SGD,
  SiLU,
  saveSafetensors,
  scope,
  softsign,
  type Tensor,
  tensor,
} from "../src/index";
import { fromOnnx } from "../src/onnx/index";
import { deviation } from "./onnxRuntime";

interface Values {
  shape: number[];
  data: number[];
}

interface Torch {
  cases: { name: string; onnx: string; inputs: Values[]; y: Values }[];
  trainings: {
    name: string;
    x: Values;
    labels: number[];
    before: Record<string, Values>;
    losses: number[];
    after: Record<string, Values>;
  }[];
}

const { cases, trainings }: Torch = JSON.parse(readFileSync(new URL("torch.json", import.meta.url), "utf8"));

/** Indices are the inputs of embeddings. */
const read = ({ shape, data }: Values, name = ""): Tensor =>
  tensor(data, { shape, dtype: name.startsWith("Embedding") ? "i32" : "f32" });

describe("fromOnnx reads what torch.onnx.export writes", () => {
  test.each(cases)("$name", ({ name, onnx, inputs, y }) => {
    const file = Buffer.from(onnx, "base64");
    if (name.endsWith("for training")) {
      expect(() => fromOnnx(file)).toThrow(/is in training; export the model in evaluation/);
      return;
    }
    scope(() => {
      const output = fromOnnx(file).forward(...inputs.map((input) => read(input, name)));
      expect(output.shape).toEqual(y.shape);
      expect(deviation(output.data, y.data)).toBeLessThan(1e-6);
    });
  });

  test.each([
    ["Softsign", softsign],
    ["GELU", gelu],
    ["Mish", mish],
  ])("and %s is the op", (name, op) => {
    const { onnx, inputs } = cases.find((one) => one.name === `MLP with ${name}`)!;
    const model = fromOnnx(Buffer.from(onnx, "base64"));
    const [w0, b0, w1, b1] = ["0.weight", "0.bias", "2.weight", "2.bias"].map(
      (key) => model.stateDict()[key]!,
    );
    const x = read(inputs[0]!);
    const expected = linear(op(linear(x, w0!, b0)), w1!, b1);
    expect(model.forward(x).toArray()).toEqual(expected.toArray());
  });
});

test.each(trainings)("ten steps of $name from its weights have its losses", ({ name, ...theirs }) => {
  const model = new Sequential(
    new Linear(6, 8),
    new BatchNorm1d(8),
    new SiLU(),
    new LayerNorm(8),
    new Linear(8, 3),
  );
  const before = Object.entries(theirs.before).map(([key, values]) => [key, read(values)] as const);
  const integers = before.map(([key, t]) => [key, key.endsWith("_tracked") ? toInteger(t) : t] as const);
  const file = saveSafetensors(Object.fromEntries(integers));
  model.loadStateDict(loadSafetensors(file).tensors);
  const optimizer =
    name === "SGD"
      ? new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, weightDecay: 1e-3 })
      : new Adam(model.parameters(), { lr: 0.02, weightDecay: 1e-3 });
  const x = read(theirs.x);
  const losses = theirs.losses.map(() => {
    const loss = crossEntropyLoss(model.forward(x), theirs.labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss.item();
  });
  expect(deviation(losses, theirs.losses)).toBeLessThan(1e-5);
  expect(Object.keys(model.stateDict()).sort()).toEqual(Object.keys(theirs.after).sort());
  for (const [key, t] of Object.entries(model.stateDict())) {
    expect(deviation(t.data, theirs.after[key]!.data), key).toBeLessThan(1e-4);
  }
});

const toInteger = (t: Tensor): Tensor => tensor(Int32Array.from(t.data), { shape: t.shape });
