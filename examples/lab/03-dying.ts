import {
  accuracy,
  clipGradNorm,
  crossEntropyLoss,
  ELU,
  kaimingUniform,
  LeakyReLU,
  Linear,
  type Module,
  manualSeed,
  PReLU,
  ReLU,
  RReLU,
  Sequential,
  SGD,
  scope,
  type Tensor,
} from "nablas";
import { chart, curves } from "./chart";
import { spirals } from "./data";
import { claim, type Experiment, evaluate, mean, percent, range, show, suffers, train } from "./experiment";

const WIDTH = 64;
const CLASSES = 3;
const ACTIVATIONS: Record<string, () => Module & { forward(x: Tensor): Tensor }> = {
  relu: () => new ReLU(),
  leakyRelu: () => new LeakyReLU(),
  prelu: () => new PReLU(),
  rrelu: () => new RReLU(),
  elu: () => new ELU(),
};
const RATES = [0.1, 0.3, 1, 3, 10];
const HIGH_STEPS = 40;
const LOW_RATE = 0.1;

/** The share of the hidden units whose weights get no gradient from any row. */
function deadShare(model: Sequential, hidden: readonly Linear[], x: Tensor, labels: Tensor): number {
  for (const p of model.parameters()) p.zeroGrad();
  crossEntropyLoss(model.forward(x), labels).backward();
  const dead = hidden.flatMap(({ weight }) => {
    const { data } = weight.grad!;
    const [units, inputs] = weight.shape as [number, number];
    return range(units).map((unit) =>
      data.subarray(unit * inputs, (unit + 1) * inputs).every((g) => g === 0),
    );
  });
  return dead.filter(Boolean).length / dead.length;
}

function measure(activation: string, lr: number, steps: number, [x, labels]: [Tensor, Tensor]) {
  return scope(() => {
    const init = kaimingUniform;
    const hidden = [new Linear(2, WIDTH, { init }), new Linear(WIDTH, WIDTH, { init })];
    const units = hidden.map(() => ACTIVATIONS[activation]!());
    const layers = hidden.flatMap((layer, i) => [layer, units[i]!]);
    const model = new Sequential(...layers, new Linear(WIDTH, CLASSES));
    const optimizer = new SGD(model.parameters(), { lr });
    const clipped = {
      zeroGrad: () => optimizer.zeroGrad(),
      step() {
        clipGradNorm(model.parameters(), 1);
        optimizer.step();
      },
    };
    train(model, clipped, crossEntropyLoss, [x, labels], HIGH_STEPS);
    for (const group of optimizer.groups) group.lr = LOW_RATE;
    train(model, clipped, crossEntropyLoss, [x, labels], steps);
    model.eval();
    return {
      reported: suffers("dead-relu", model, crossEntropyLoss, [x, labels]),
      dead: deadShare(model, hidden, x, labels),
      accuracy: evaluate(() => accuracy(model.forward(x), labels)),
      slopes: units.flatMap((unit) => (unit instanceof PReLU ? [unit.weight.item()] : [])),
    };
  });
}

/** Each activation at each learning rate, the mean of some runs. */
function sweep(rates: readonly number[], runsEach: number) {
  const data = spirals(150, CLASSES, 0.05);
  return Object.keys(ACTIVATIONS).map((activation) => ({
    activation,
    cells: rates.map((lr) => {
      const runs = range(runsEach).map(() => measure(activation, lr, 300, data));
      return {
        activation,
        lr,
        dead: mean(runs.map(({ dead }) => dead)),
        accuracy: mean(runs.map((run) => run.accuracy)),
        slopes: runs.map((run) => run.slopes),
        reported: runs.filter(({ reported }) => reported).length / runs.length,
      };
    }),
  }));
}

function drawn(rates: readonly number[], figures: ReturnType<typeof sweep>): string {
  const cells = figures.flatMap((figure) => figure.cells);
  return chart({
    series: Object.keys(ACTIVATIONS),
    points: true,
    x: {
      type: "log",
      label: `learning rate η of the first ${HIGH_STEPS} steps`,
      ticks: rates,
      tickFormat: "~r",
    },
    y: { label: "share (%)", domain: [0, 100], grid: true },
    fx: { label: null, domain: ["dead units", "accuracy"] },
    marks: curves(
      cells.flatMap(({ activation, lr, dead, accuracy }) => [
        { activation, lr, share: 100 * dead, what: "dead units" },
        { activation, lr, share: 100 * accuracy, what: "accuracy" },
      ]),
      { x: "lr", y: "share", by: "activation", fx: "what" },
    ),
  });
}

export const dying: Experiment = {
  name: "03-dying",
  title: "Dying ReLUs",
  asks: `With the right start relu lets the gradient pass. But a half of it is flat, and a large step can throw a unit there for good. Three
classes of points on spirals, two hidden layers of ${WIDTH} units; the first ${HIGH_STEPS} steps are made with a learning rate η that may be too
high, the other 300 with a good one, ${LOW_RATE}. Which units never come back, and what does it cost? The norm of the gradient is clipped at 1,
so that nothing overflows and a step is never longer than η. A unit counts as dead if its weights get no gradient from any row: it is flat for all
of them, or all the units behind it are.`,
  formula: `relu′(z) is 0 for z < 0. A step that makes a unit's z negative for all rows makes its gradient 0 for all rows: its own weights
rest from then on, and only a change in the layer before can wake it. On the left leakyRelu (Maas et al. 2013) has the slope 0.01,
prelu (He et al. 2015) one that it learns, rrelu (Xu et al. 2015) a random one from 1/8 to 1/3, elu (Clevert et al. 2016) the slope e^z.`,
  run({ seed, quick }) {
    manualSeed(seed);
    const rates = quick ? [0.1, 10] : RATES;
    const figures = sweep(rates, quick ? 2 : 4);
    const [relu, ...cures] = figures.map(({ cells }) => ({
      ...{ cells, good: cells[0]!, high: cells.at(-1)! },
    }));
    const [leaky, prelu, rrelu, elu] = cures as [Pair, Pair, Pair, Pair];
    type Pair = (typeof cures)[number];
    claim(relu!.good.dead < 0.15 && relu!.good.reported === 0, "with a good learning rate few ReLUs die");
    claim(
      relu!.high.dead > 0.8 && relu!.high.reported === 1,
      "with a high one most die, and diagnose says so",
    );
    claim(relu!.high.accuracy < 0.6, "a network of dead ReLUs does not learn");
    for (const { good, high } of [relu!, ...cures]) {
      claim(good.accuracy > 0.95, `${good.activation} learns with a good learning rate`);
      claim(high === relu!.high || high.dead < 0.05, `${high.activation} keeps its units alive`);
    }
    for (const { high } of [prelu, rrelu, elu]) {
      claim(high.accuracy > relu!.high.accuracy + 0.2, `${high.activation} finds its way again`);
    }
    claim(leaky.high.accuracy > relu!.high.accuracy + 0.05, "leakyRelu learns more than relu");
    claim(leaky.high.accuracy < rrelu.high.accuracy - 0.1, "but a slope of 0.01 is small");
    const slopes = prelu.good.slopes.flat();
    claim(
      slopes.every((slope) => Math.abs(slope - new PReLU().weight.item()) > 1e-3),
      "prelu learns its slopes",
    );
    const middle = relu!.cells.find(({ lr }) => lr === 3);
    return {
      table: {
        head: [
          "activation",
          ...rates.map((lr) => `η ${lr}: dead, accuracy`),
          "learned slopes, first run at η 0.1",
        ],
        rows: figures.map(({ activation, cells }) => [
          activation,
          ...cells.map(({ dead, accuracy }) => `${percent(dead)}, ${percent(accuracy)}`),
          cells[0]!.slopes[0]!.map((slope) => show(slope, 2)).join(" and ") || "–",
        ]),
      },
      alt: "Dead units and accuracy by the learning rate of the first steps, for relu and four others",
      chart: () => drawn(rates, figures),
      sees: `${HIGH_STEPS} steps with a learning rate of 10 kill ${percent(relu!.high.dead)} of the ReLUs, and 300 good steps do not bring them
back: the network stays at ${percent(relu!.high.accuracy)}, and \`diagnose\` reports \`dead-relu\`. ${
        middle === undefined
          ? ""
          : `At a rate of 3, ${percent(middle.dead)} die and the accuracy is still ${percent(middle.accuracy)}: a network with units to spare stands that. `
      }The others keep a gradient
on the left. rrelu, elu and prelu find their way again (${[rrelu, elu, prelu].map(({ high }) => percent(high.accuracy)).join(", ")}); the slope of leakyRelu, 0.01, is so small that in 300 steps
it comes to ${percent(leaky.high.accuracy)}. With a good learning rate all five learn the task; relu then has ${percent(relu!.good.dead)} dead units. prelu starts with slopes
of ${show(new PReLU().weight.item())} and learns others, from ${show(Math.min(...slopes), 2)} to ${show(Math.max(...slopes), 2)} in these runs. A slope near 1 makes a unit almost linear, one below 0 bends it
upwards on the left, like |x|.`,
    };
  },
  advice: `First lower the learning rate, or start with \`warmup\`; then \`clipGradNorm\`, and \`kaimingUniform\` for the weights. If units
die all the same, take \`LeakyReLU\` or \`ELU\`; \`PReLU\` has a slope to learn in each layer, \`RReLU\` adds noise where overfitting is near.`,
};
