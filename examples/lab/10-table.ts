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
  mul,
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
/** Summed over the outputs, the squared error halved: matched losses have the gradient a − y of experiment 6. */
const summed = (meanLoss: Tensor) => mul(meanLoss, CLASSES);
const squared = (a: Tensor, y: Tensor) => mul(mseLoss(a, oneHot(y, { numClasses: CLASSES })), CLASSES / 2);
/** Of the logits and the classes. */
const LOSSES: Record<string, Loss> = {
  "cross-entropy": (z, y) => crossEntropyLoss(z, y),
  "binary cross-entropy": (z, y) => summed(bceWithLogitsLoss(z, oneHot(y, { numClasses: CLASSES }))),
  "multi-class hinge": (z, y) => summed(multiMarginLoss(z, y)),
  "squared error, linear": (z, y) => squared(z, y),
  "squared error, softmax": (z, y) => squared(softmax(z), y),
  "squared error, sigmoid": (z, y) => squared(sigmoid(z), y),
};

function measure(activation: string, loss: string, seed: number, lr = LR, steps = STEPS): number {
  return scope(() => {
    manualSeed(seed);
    const [data, [x, labels]] = [spirals(300, CLASSES, 0.1), spirals(300, CLASSES, 0.1)];
    const unit = ACTIVATIONS[activation]!;
    const model = new Sequential(
      ...[new Linear(2, WIDTH), unit(), new Linear(WIDTH, WIDTH), unit(), new Linear(WIDTH, CLASSES)],
    );
    train(model, new SGD(model.parameters(), { lr, momentum: 0.9 }), LOSSES[loss]!, data, steps);
    return evaluate(() => accuracy(model.forward(x), labels));
  });
}

interface Cell {
  activation: string;
  loss: string;
  accuracy: number;
}

function drawn(cells: readonly Cell[]): string {
  return chart({
    height: 330,
    marginLeft: 165,
    // Dark enough for white figures; orange and blue differ for everyone.
    color: { type: "linear", domain: [0.5, 1], range: ["#b84a00", "#1f6fae"], clamp: true },
    x: { domain: Object.keys(ACTIVATIONS), tickSize: 0, label: "activation of the hidden layers" },
    y: { domain: Object.keys(LOSSES), label: null, tickSize: 0 },
    marks: [
      Plot.cell(cells, { x: "activation", y: "loss", fill: "accuracy", inset: 1 }),
      Plot.text(cells, {
        ...{ x: "activation", y: "loss", fill: "white", fontWeight: "bold" },
        text: ({ accuracy }: { accuracy: number }) => percent(accuracy, 1),
      }),
    ],
  });
}

export const table: Experiment = {
  name: "10-table",
  title: "Activations by losses",
  asks: `Which of these matter in the end? Seven activations in two hidden layers of ${WIDTH} units, six losses, three spirals of noisy points: how many of 300 new points are
right after ${STEPS} steps of SGD (η = ${LR}, momentum 0.9)? All start by PyTorch's default, from the same five seeds.
Losses are summed over the three outputs, and the squared error is halved, so that the matched ones have the gradient a − y of experiment 6.`,
  formula: `What training gets is a product: the gradient of the loss by the logits (experiment 6) times f′(z) W for each layer (experiment 2).
With two layers of sigmoids, f′ ≤ 1/4 comes twice, and squared error behind a sigmoid makes it three times.`,
  run({ seed, quick }) {
    const seeds = range(quick ? 1 : 5).map((i) => 5 * seed + i);
    const cells = Object.keys(LOSSES).flatMap((loss) =>
      Object.keys(ACTIVATIONS).map((activation) => {
        return { activation, loss, accuracy: mean(seeds.map((s) => measure(activation, loss, s))) };
      }),
    );
    const at = (activation: string, loss: string) =>
      cells.find((cell) => cell.activation === activation && cell.loss === loss)!.accuracy;
    const byActivation = (activation: string) => mean(losses.map((loss) => at(activation, loss)));
    const losses = Object.keys(LOSSES);
    const [ofClasses, squares] = [losses.slice(0, 3), losses.slice(3)];
    const sigmoidByClasses = ofClasses.map((loss) => at("sigmoid", loss));
    const sigmoidBySquares = squares.map((loss) => at("sigmoid", loss));
    claim(
      Math.min(...sigmoidByClasses) > Math.max(...sigmoidBySquares) + 0.1,
      "with sigmoid a loss of classes saves what a squared error does not",
    );
    for (const activation of Object.keys(ACTIVATIONS).slice(1)) {
      claim(byActivation(activation) > byActivation("sigmoid") + 0.05, `${activation} beats sigmoid`);
      for (const loss of ofClasses)
        claim(at(activation, loss) > 0.93, `${activation} learns the task with ${loss}`);
    }
    for (const loss of losses) {
      for (const unit of ["relu", "leakyRelu"])
        claim(at(unit, loss) > 0.93, `${unit} learns the task with ${loss}`);
    }
    const linear = squares[0]!;
    const slower = mean(seeds.map((s) => measure("elu", linear, s, LR / 3)));
    claim(slower > 0.9, "elu learns with squared error at a learning rate that is not too high for it");
    const longer = mean(seeds.map((s) => measure("sigmoid", linear, s, LR, 3 * STEPS)));
    claim(longer > at("sigmoid", linear) + 0.1, "sigmoid goes on learning with squared error too");
    return {
      table: {
        head: ["loss", ...Object.keys(ACTIVATIONS)],
        rows: losses.map((loss) => [
          loss,
          ...Object.keys(ACTIVATIONS).map((unit) => percent(at(unit, loss), 1)),
        ]),
      },
      alt: "A table of activations by losses, coloured by accuracy",
      chart: () => drawn(cells),
      sees: `The column of sigmoid is the worst on average, ${percent(byActivation("sigmoid"))}. There the loss decides how fast it learns: the three losses of classes come to
${sigmoidByClasses.map((a) => percent(a)).join(", ")}, the three squared errors to ${sigmoidBySquares.map((a) => percent(a)).join(", ")}. It goes on: in ${3 * STEPS} steps
sigmoid comes to ${percent(longer)} with squared error on a linear output. With relu and leakyRelu even the wrong loss learns this task in ${STEPS}.
Another danger is in the row of squared error on a linear output, the only loss here whose gradient has no bound: it grows with the
error, so that after a step too long the next one is longer. elu ends at ${percent(at("elu", linear))} there, where guessing gives 33 %; with a third of
the learning rate it comes to ${percent(slower)}.`,
    };
  },
  advice: `Start with relu (or gelu, silu) in the hidden layers, no activation at the end, and the loss that belongs to the targets. Change that
only for a reason, and compare over several seeds, as here: one seed says little.`,
};
