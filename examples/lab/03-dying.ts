import * as Plot from "@observablehq/plot";
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
import { chart } from "./chart";
import { spirals } from "./data";
import { claim, type Experiment, evaluate, mean, percent, range, show, train } from "./experiment";

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
const HIGH_STEPS = 20;
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
      dead: deadShare(model, hidden, x, labels),
      accuracy: evaluate(() => accuracy(model.forward(x), labels)),
      slopes: units.flatMap((unit) => (unit instanceof PReLU ? [unit.weight.item()] : [])),
    };
  });
}

export const dying: Experiment = {
  name: "03-dying",
  title: "Dying ReLUs",
  asks: `Three classes of points on spirals, two hidden layers of ${WIDTH} units. The first ${HIGH_STEPS} steps are made with a learning
rate that may be too high, the other 300 with a good one, ${LOW_RATE}. Which units never come back, and what does it cost? The
norm of the gradient is clipped at 1, so that nothing overflows. A unit counts as dead if its weights get no gradient from any row.`,
  formula: `relu′(z) is 0 for z < 0. A step that makes a unit's z negative for all rows makes its gradient 0 for all rows, and no
later step changes it. leakyRelu has the slope 0.01 there, prelu one that it learns, rrelu a random one from 1/8 to 1/3, elu the
slope e^z.`,
  run({ seed, quick }) {
    manualSeed(seed);
    const data = spirals(150, CLASSES, 0.05);
    const draws = range(quick ? 2 : 4);
    const rates = quick ? [0.1, 10] : RATES;
    const figures = Object.keys(ACTIVATIONS).map((activation) => ({
      activation,
      cells: rates.map((lr) => {
        const runs = draws.map(() => measure(activation, lr, 300, data));
        return {
          activation,
          lr,
          dead: mean(runs.map(({ dead }) => dead)),
          accuracy: mean(runs.map((run) => run.accuracy)),
          slopes: runs[0]!.slopes,
        };
      }),
    }));
    const [relu, ...cures] = figures.map(({ cells }) => ({ good: cells[0]!, high: cells.at(-1)! }));
    claim(relu!.good.dead < 0.15, "with a good learning rate few ReLUs die");
    claim(relu!.high.dead > 0.5, "with a high learning rate most ReLUs die");
    for (const { high } of cures) claim(high.dead < 0.05, `${high.activation} keeps its units alive`);
    const best = Math.max(...cures.map(({ high }) => high.accuracy));
    claim(best > relu!.high.accuracy + 0.05, "the best of the cures still learns where relu does not");
    const slopes = cures[1]!.good.slopes;
    claim(
      slopes.every((slope) => Math.abs(slope - 0.25) > 1e-3),
      "prelu learns its slopes",
    );
    return {
      table: {
        head: ["activation", ...rates.map((lr) => `lr ${lr}: dead, accuracy`), "learned slopes at lr 0.1"],
        rows: figures.map(({ activation, cells }) => [
          activation,
          ...cells.map(({ dead, accuracy }) => `${percent(dead)}, ${percent(accuracy)}`),
          cells[0]!.slopes.map((slope) => show(slope, 2)).join(" and ") || "–",
        ]),
      },
      alt: "Dead units and accuracy by the learning rate of the first steps, for relu and four others",
      chart: () =>
        chart({
          series: Object.keys(ACTIVATIONS),
          x: {
            type: "log",
            label: `learning rate of the first ${HIGH_STEPS} steps`,
            ticks: rates,
            tickFormat: "~r",
          },
          y: { label: "share (%)", domain: [0, 100], grid: true },
          fx: { label: null, domain: ["dead units", "accuracy"] },
          marks: [
            Plot.line(
              figures.flatMap(({ cells }) =>
                cells.flatMap(({ activation, lr, dead, accuracy }) => [
                  { activation, lr, share: 100 * dead, what: "dead units" },
                  { activation, lr, share: 100 * accuracy, what: "accuracy" },
                ]),
              ),
              { x: "lr", y: "share", fx: "what", stroke: "activation", strokeWidth: 2, marker: "circle" },
            ),
          ],
        }),
      sees: `${HIGH_STEPS} steps with a learning rate of 10 kill ${percent(relu!.high.dead)} of the ReLUs, and 300 good steps do not bring them
back: the network stays at ${percent(relu!.high.accuracy)}. All others keep a gradient on the left. prelu, rrelu and elu find their way
again; the slope of leakyRelu, 0.01, is small, and in 300 steps it comes to ${percent(cures[0]!.high.accuracy)}. With a good
learning rate there is no difference: then relu has ${percent(relu!.good.dead)} dead units and learns everything. prelu starts with slopes
of 0.25 and ends, in the first of the runs, with ${slopes.map((slope) => show(slope, 2)).join(" and ")}: with a negative slope a unit bends like |x|.`,
    };
  },
  advice: `First lower the learning rate, or start with \`warmup\`; then \`clipGradNorm\`, and \`kaimingUniform\` for the weights. If units
die all the same, take \`LeakyReLU\` or \`ELU\`; \`PReLU\` and \`RReLU\` where one slope for all is too few or overfitting is near.`,
};
