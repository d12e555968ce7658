import * as Plot from "@observablehq/plot";
import {
  accuracy,
  bceWithLogitsLoss,
  crossEntropyLoss,
  ELU,
  GELU,
  LeakyReLU,
  Linear,
  type Module,
  manualSeed,
  mseLoss,
  multiMarginLoss,
  oneHot,
  ReLU,
  Sequential,
  SGD,
  Sigmoid,
  SiLU,
  scope,
  sigmoid,
  softmax,
  Tanh,
  type Tensor,
} from "nablas";
import { chart } from "./chart";
import { spirals } from "./data";
import { claim, type Experiment, evaluate, type Loss, mean, percent, range, train } from "./experiment";

const CLASSES = 3;
const WIDTH = 32;
const LR = 0.3;
const STEPS = 200;
const ACTIVATIONS: Record<string, () => Module & { forward(x: Tensor): Tensor }> = {
  sigmoid: () => new Sigmoid(),
  tanh: () => new Tanh(),
  relu: () => new ReLU(),
  leakyRelu: () => new LeakyReLU(),
  elu: () => new ELU(),
  gelu: () => new GELU(),
  silu: () => new SiLU(),
};
/** Of the logits and the classes. */
const LOSSES: Record<string, Loss> = {
  "cross-entropy": (z, y) => crossEntropyLoss(z, y),
  "binary cross-entropy": (z, y) => bceWithLogitsLoss(z, oneHot(y, { numClasses: CLASSES })),
  "multi-class hinge": (z, y) => multiMarginLoss(z, y),
  "squared error, linear": (z, y) => mseLoss(z, oneHot(y, { numClasses: CLASSES })),
  "squared error, softmax": (z, y) => mseLoss(softmax(z), oneHot(y, { numClasses: CLASSES })),
  "squared error, sigmoid": (z, y) => mseLoss(sigmoid(z), oneHot(y, { numClasses: CLASSES })),
};

function measure(activation: string, loss: Loss, seed: number, steps: number): number {
  return scope(() => {
    manualSeed(seed);
    const [data, [x, labels]] = [spirals(300, CLASSES, 0.1), spirals(300, CLASSES, 0.1)];
    const unit = ACTIVATIONS[activation]!;
    const model = new Sequential(
      ...[new Linear(2, WIDTH), unit(), new Linear(WIDTH, WIDTH), unit(), new Linear(WIDTH, CLASSES)],
    );
    train(model, new SGD(model.parameters(), { lr: LR, momentum: 0.9 }), loss, data, steps);
    return evaluate(() => accuracy(model.forward(x), labels));
  });
}

export const table: Experiment = {
  name: "10-table",
  title: "Activations by losses",
  asks: `Seven activations in two hidden layers of ${WIDTH} units, six losses, three spirals of noisy points: how many of 300 new points are
right after ${STEPS} steps of SGD (η = ${LR}, momentum 0.9)? All start by PyTorch's default, from the same five seeds.`,
  formula: `What training gets is a product: the gradient of the loss by the logits (experiment 6) times f′(z) W for each layer (experiment 2).
A small factor in one place may be made up for by another, two small ones not.`,
  run({ seed, quick }) {
    const seeds = range(quick ? 2 : 5).map((i) => 5 * seed + i);
    const cells = Object.entries(LOSSES).flatMap(([loss, f]) =>
      Object.keys(ACTIVATIONS).map((activation) => {
        const accuracies = seeds.map((s) => measure(activation, f, s, STEPS));
        return { activation, loss, accuracy: mean(accuracies), worst: Math.min(...accuracies) };
      }),
    );
    const at = (activation: string, loss: string) =>
      cells.find((cell) => cell.activation === activation && cell.loss === loss)!.accuracy;
    const average = (chosen: typeof cells) => mean(chosen.map(({ accuracy }) => accuracy));
    const byLoss = (loss: string) => average(cells.filter((cell) => cell.loss === loss));
    const byActivation = (activation: string) =>
      average(cells.filter((cell) => cell.activation === activation));
    const entropy = "cross-entropy";
    const mismatched = "squared error, sigmoid";
    for (const loss of Object.keys(LOSSES)) {
      claim(byLoss(entropy) > byLoss(loss) - 0.01, `no loss beats cross-entropy, not even ${loss}`);
    }
    for (const activation of Object.keys(ACTIVATIONS).slice(1)) {
      claim(byActivation(activation) > byActivation("sigmoid") + 0.1, `${activation} beats sigmoid`);
      claim(at(activation, entropy) > 0.93, `${activation} with cross-entropy learns the task`);
    }
    claim(at("sigmoid", mismatched) < at("sigmoid", entropy) - 0.1, "two mistakes are worse than one");
    const odd = cells.find((cell) => cell.activation === "elu" && cell.loss === "squared error, linear")!;
    const losses = Object.keys(LOSSES);
    return {
      table: {
        head: ["loss", ...Object.keys(ACTIVATIONS)],
        rows: losses.map((loss) => [
          loss,
          ...Object.keys(ACTIVATIONS).map((unit) => percent(at(unit, loss), 1)),
        ]),
      },
      alt: "A table of activations by losses, coloured by accuracy",
      chart: () =>
        chart({
          height: 330,
          marginLeft: 165,
          color: { type: "linear", domain: [0.5, 1], range: ["#e4572e", "#2e9bd6"], clamp: true },
          x: { domain: Object.keys(ACTIVATIONS), label: "activation of the hidden layers" },
          y: { domain: losses, label: null },
          marks: [
            Plot.cell(cells, { x: "activation", y: "loss", fill: "accuracy", inset: 1, fillOpacity: 0.85 }),
            Plot.text(cells, {
              ...{ x: "activation", y: "loss", fill: "white", fontWeight: "bold" },
              text: ({ accuracy }: { accuracy: number }) => percent(accuracy, 1),
            }),
          ],
        }),
      sees: `The column of sigmoid is the worst whatever the loss, ${percent(byActivation("sigmoid"))} on average, and cross-entropy saves most of it:
${percent(at("sigmoid", entropy))} instead of ${percent(at("sigmoid", mismatched))} with squared error behind a sigmoid, the two mistakes together. The row of cross-entropy is the best
on average, ${percent(byLoss(entropy), 1)}. Most others are near: with relu or tanh even the wrong loss learns this task, only later.
The odd cell is elu with squared error on a linear output: its worst seed ends at ${percent(odd.worst)}, where guessing does.
The gradient of that loss grows with the error, and a step that is too large for one activation diverges.`,
    };
  },
  advice: `Start with relu (or gelu, silu) in the hidden layers, no activation at the end, and the loss that belongs to the targets. Change that
only for a reason, and compare over several seeds, as here: one seed says little.`,
};
