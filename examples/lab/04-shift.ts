import * as Plot from "@observablehq/plot";
import {
  BatchNorm1d,
  crossEntropyLoss,
  ELU,
  kaimingNormal,
  Linear,
  type Module,
  manualSeed,
  mean as meanOf,
  noGrad,
  ReLU,
  Sequential,
  SGD,
  scope,
  type Tensor,
  variance,
} from "nablas";
import { chart } from "./chart";
import { spirals } from "./data";
import { claim, type Experiment, mean, range, show, train } from "./experiment";

type Layer = Module & { forward(x: Tensor): Tensor };

const WIDTH = 64;
const DEPTH = 10;
const CLASSES = 3;
const LR = 0.05;
const STEPS = 60;
/** What stands between two products. */
const BLOCKS: Record<string, () => Layer[]> = {
  relu: () => [new ReLU()],
  elu: () => [new ELU()],
  "batch norm, relu": () => [new BatchNorm1d(WIDTH), new ReLU()],
};

function network(block: () => Layer[]) {
  const hidden = range(DEPTH).map((i) => {
    const product = new Linear(i === 0 ? 2 : WIDTH, WIDTH, { init: kaimingNormal });
    return [product, ...block()] as Layer[];
  });
  return { hidden, model: new Sequential(...hidden.flat(), new Linear(WIDTH, CLASSES)) };
}

/** For each layer |mean| / deviation over the rows of what enters the activation, averaged over the units. */
function shifts(hidden: Layer[][], x: Tensor): number[] {
  return noGrad(() => {
    let h = x;
    return hidden.map((layers) => {
      const z = layers.slice(0, -1).reduce((value, layer) => layer.forward(value), h);
      h = layers.at(-1)!.forward(z);
      const [means, variances] = [meanOf(z, { dim: 0 }).data, variance(z, { dim: 0 }).data];
      return mean([...means].map((m, unit) => Math.abs(m) / Math.sqrt(variances[unit]! + 1e-12)));
    });
  });
}

export const shift: Experiment = {
  name: "04-shift",
  title: "Bias shift, and batch norm",
  asks: `A unit's inputs come from a layer whose outputs have a mean. If that mean is not 0, it acts as a bias that nobody chose. How
far does it shift what enters each activation in a network of ${DEPTH} layers of ${WIDTH} units, and what does that do to training?`,
  formula: `relu gives nothing below 0, so its mean is above: for z ~ N(0, 1) it is 1/√(2π) = 0.40. The next layer gets z with the mean
Σ wᵢ E[hᵢ], which varies from unit to unit. The figure is |mean z| / deviation of z over the rows, averaged over a layer's units.
Batch norm forms (z − mean) / deviation, unit by unit: 0 by construction.`,
  run({ seed, quick }) {
    manualSeed(seed);
    const data = spirals(150, CLASSES, 0.05);
    const draws = range(quick ? 3 : 5);
    const figures = Object.entries(BLOCKS).map(([block, make]) => {
      const runs = draws.map(() =>
        scope(() => {
          const { hidden, model } = network(make);
          const layers = shifts(hidden, data[0]);
          const optimizer = new SGD(model.parameters(), { lr: LR });
          return { layers, loss: train(model, optimizer, crossEntropyLoss, data, STEPS) };
        }),
      );
      const layers = range(DEPTH).map((i) => mean(runs.map((run) => run.layers[i]!)));
      return { block, layers, loss: mean(runs.map(({ loss }) => loss)) };
    });
    const [relu, elu, normed] = figures as [Figure, Figure, Figure];
    type Figure = (typeof figures)[number];
    claim(relu.layers.at(-1)! > 1.2 * relu.layers[0]!, "with relu the shift grows from layer to layer");
    claim(elu.layers.at(-1)! < relu.layers.at(-1)!, "elu, which has negative outputs, shifts less");
    claim(Math.max(...normed.layers) < 1e-4, "after batch norm nothing is shifted");
    claim(normed.loss < 0.9 * relu.loss, "with batch norm the same steps lower the loss further");
    return {
      table: {
        head: [
          "between two products",
          "shift in layer 1",
          "layer 5",
          "layer 10",
          `loss after ${STEPS} steps, lr ${LR}`,
        ],
        rows: figures.map(({ block, layers, loss }) => [
          block,
          ...[0, 4, 9].map((i) => show(layers[i]!, 2)),
          show(loss, 2),
        ]),
      },
      alt: "The shift of what enters the activation by layer: growing with relu, less with elu, zero with batch norm",
      chart: () =>
        chart({
          series: Object.keys(BLOCKS),
          x: { label: "layer", ticks: range(DEPTH).map((i) => i + 1) },
          y: { label: "shift: |mean| / deviation", grid: true, domain: [0, 1.6] },
          marks: [
            Plot.line(
              figures.flatMap(({ block, layers }) =>
                layers.map((value, i) => ({ block, value, layer: i + 1 })),
              ),
              { x: "layer", y: "value", stroke: "block", strokeWidth: 2, marker: "circle" },
            ),
          ],
        }),
      sees: `Before training, relu's shift grows to ${show(relu.layers.at(-1)!, 2)} deviations in layer ${DEPTH}: most units there have the same sign for
almost every row, and say little about it. elu's is ${show(elu.layers.at(-1)!, 2)}, since its negative outputs balance a part. After batch
norm there is none, and the same ${STEPS} steps end at a loss of ${show(normed.loss, 2)} instead of ${show(relu.loss, 2)}. elu comes to ${show(elu.loss, 2)}: in a
network of this size a better activation may do what batch norm does.`,
    };
  },
  advice: `\`new Linear(n, m, { bias: false }), new BatchNorm1d(m), new ReLU()\` in deep networks (the norm has a bias of its own), with batches
of 16 rows or more; \`LayerNorm\` for smaller ones. \`ELU\` or \`SELU\` with \`lecunNormal\` where one wants no norm. And standardise the
inputs: \`new Standardise().fit(train)\`.`,
};
