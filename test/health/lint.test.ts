import { describe, expect, test } from "vitest";
import type { Module, Tensor } from "../../src/index";
import * as n from "../../src/index";
import { kaiming, xavier } from "./networks";

const net = (...last: Module[]) =>
  new n.Sequential(new n.Linear(8, 32, { init: kaiming }), new n.ReLU(), new n.Linear(32, 4), ...last);
const found = (model: Module, loss: n.LossFunction<never>) =>
  n.lint(model, loss as n.LossFunction).map(({ code, layer }) => `${code} ${layer}`);
const crossEntropy = (p: Tensor, t: Tensor) => n.crossEntropyLoss(p, t);
const nll = (p: Tensor, t: Tensor) => n.nllLoss(p, t);

describe("lint finds a loss that does not fit", () => {
  const wrong: [string, Module[], (p: Tensor, t: Tensor) => Tensor][] = [
    ["mse after sigmoid", [new n.Sigmoid()], n.mseLoss],
    ["mse after softmax", [new n.Softmax()], n.mseLoss],
    ["cross-entropy after softmax", [new n.Softmax()], crossEntropy],
    ["cross-entropy after sigmoid", [new n.Sigmoid()], crossEntropy],
    ["cross-entropy after relu", [new n.ReLU()], crossEntropy],
    ["bce with logits after sigmoid", [new n.Sigmoid()], n.bceWithLogitsLoss],
    ["hinge after relu", [new n.ReLU()], n.hingeLoss],
    ["nll after softmax", [new n.Softmax()], nll],
  ];
  test.each(wrong)("%s", (_, last, loss) => {
    expect(found(net(...last), loss)).toEqual(["loss-mismatch 3"]);
    expect(found(net(...last, new n.Dropout()), loss)).toEqual(["loss-mismatch 3"]);
  });

  test("bce and nll after no squashing at all, and softmax within the loss function", () => {
    expect(found(net(), n.bceLoss)).toEqual(["loss-mismatch 2"]);
    expect(found(net(), nll)).toEqual(["loss-mismatch 2"]);
    expect(found(net(), (p: Tensor, t: Tensor) => n.crossEntropyLoss(n.softmax(p), t))).toEqual([
      "loss-mismatch softmax",
    ]);
    const fused = new n.Sequential(new n.Linear(3, 2, { activation: "sigmoid" }));
    expect(found(fused, n.mseLoss)).toEqual(["loss-mismatch 0"]);
    expect(found(new n.Linear(3, 1), crossEntropy)).toEqual(["loss-mismatch model"]);
  });

  test("and says what to do", () => {
    const [finding] = n.lint(net(new n.Softmax()), crossEntropy);
    expect(finding!.advice).toBe(
      "layer 3 (Softmax): crossEntropyLoss takes scores, and softmax squeezes them beforehand; drop the softmax",
    );
  });
});

describe("lint finds", () => {
  test("weights in front of a relu as xavier draws them", () => {
    n.manualSeed(4);
    const model = (init: typeof xavier) =>
      new n.Sequential(new n.Linear(32, 32, { init }), new n.ReLU(), new n.Linear(32, 2));
    const fused = (init: typeof xavier) =>
      new n.Sequential(new n.Linear(32, 32, { init, activation: "relu" }), new n.Linear(32, 2));
    for (const init of [xavier, (shape: readonly number[]) => n.xavierUniform(shape)]) {
      expect(found(model(init), crossEntropy)).toEqual(["bad-init 0"]);
      expect(found(fused(init), crossEntropy)).toEqual(["bad-init 0"]);
    }
    expect(found(model(kaiming), crossEntropy)).toEqual([]);
    expect(found(new n.Sequential(new n.Linear(32, 32), new n.ReLU()), n.mseLoss)).toEqual([]);
    const tanh = new n.Sequential(new n.Linear(32, 32, { init: xavier }), new n.Tanh());
    expect(found(tanh, n.mseLoss)).toEqual([]);
  });

  test("dropout in front of a batch norm", () => {
    const model = (...inner: Module[]) => new n.Sequential(new n.Linear(4, 8), ...inner, new n.Linear(8, 2));
    expect(found(model(new n.Dropout(), new n.BatchNorm1d(8)), n.mseLoss)).toEqual(["not-normalised 1"]);
    expect(found(model(new n.BatchNorm1d(8), new n.Dropout()), n.mseLoss)).toEqual([]);
    expect(found(model(new n.Dropout({ p: 0 }), new n.BatchNorm1d(8)), n.mseLoss)).toEqual([]);
  });
});

describe("lint finds the input's shape", () => {
  test("of embeddings, norms and modules of one's own", () => {
    class Words extends n.Module {
      readonly words = new n.Embedding(10, 6);
      readonly output = new n.Sequential(new n.LayerNorm([6]), new n.Linear(6, 3));
      forward(x: Tensor): Tensor {
        return this.output.forward(this.words.forward(x));
      }
    }
    expect(found(new Words(), crossEntropy)).toEqual([]);
    expect(found(new n.Sequential(new n.BatchNorm1d(5), new n.Softmax()), crossEntropy)).toEqual([
      "loss-mismatch 1",
    ]);
  });

  test("or is told, and says so when it has to be", () => {
    const model = new n.Sequential(new n.Flatten(), new n.Sigmoid());
    expect(() => n.lint(model, n.mseLoss)).toThrow(/pass \{ inputShape: \[4, …\] \}/);
    expect(n.lint(model, n.mseLoss, { inputShape: [2, 3, 3] })).toHaveLength(1);
    const odd = (_: Tensor, t: { label: number }) => n.tensor(t.label).reshape([9]);
    expect(() => n.lint(net(), odd)).toThrow(n.NablasError);
  });
});
