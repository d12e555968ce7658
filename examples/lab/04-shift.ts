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
import { chart, curves } from "./chart";
import { spirals } from "./data";
import { claim, type Experiment, mean, median, percent, range, show, train } from "./experiment";

type Layer = Module & { forward(x: Tensor): Tensor };

const WIDTH = 64;
const DEPTH = 10;
const CLASSES = 3;
const [LOW_RATE, HIGH_RATE] = [0.05, 0.3];
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

/**
 * For each layer, of what enters the activation: |mean| / deviation over the rows, and the share of the rows with the
 * sign that most have; averaged over the units.
 */
function shifts(hidden: Layer[][], x: Tensor): { shift: number; sameSign: number }[] {
  return noGrad(() => {
    let h = x;
    return hidden.map((layers) => {
      const z = layers.slice(0, -1).reduce((value, layer) => layer.forward(value), h);
      h = layers.at(-1)!.forward(z);
      const [means, variances] = [meanOf(z, { dim: 0 }).data, variance(z, { dim: 0 }).data];
      const [rows, values] = [x.shape[0]!, z.data];
      const units = [...means].map((m, unit) => {
        const positive = range(rows).filter((row) => values[row * WIDTH + unit]! > 0).length / rows;
        const shift = Math.abs(m) / Math.sqrt(variances[unit]! + 1e-12);
        return { shift, sameSign: Math.max(positive, 1 - positive) };
      });
      const [shift, sameSign] = [mean(units.map((u) => u.shift)), mean(units.map((u) => u.sameSign))];
      return { shift, sameSign };
    });
  });
}

/** The loss after some steps; ∞ where it is no longer a number. */
function lossAfter(block: () => Layer[], lr: number, data: readonly [Tensor, Tensor]): number {
  return scope(() => {
    const { model } = network(block);
    const loss = train(model, new SGD(model.parameters(), { lr }), crossEntropyLoss, data, STEPS);
    return Number.isNaN(loss) ? Number.POSITIVE_INFINITY : loss;
  });
}

function end(loss: number): string {
  return Number.isFinite(loss) ? `stays at ${show(loss, 2)}` : "diverges";
}

export const shift: Experiment = {
  name: "04-shift",
  title: "Bias shift, and batch norm",
  asks: `relu has another side. A unit's inputs come from a layer whose outputs have a mean, and if that mean is not 0 it acts as a bias that
nobody chose: the *bias shift* (Clevert et al. 2016). How far does it shift what enters each activation in a network of ${DEPTH} layers of
${WIDTH} units with Kaiming's start, and how does batch norm (Ioffe and Szegedy 2015), which takes it away, change training?`,
  formula: `relu gives nothing below 0, so its mean is above: for z ~ N(0, 1) it is 1/√(2π) = 0.40. The next layer gets z with the mean
Σ wᵢ E[aᵢ], which varies from unit to unit. The figure is |mean z| / deviation of z over the rows, averaged over a layer's units.
Batch norm forms (z − mean) / deviation, unit by unit: the shift is 0 by construction. Since it also divides, weights twice as large give
the same outputs and half the gradient: a step that was too long makes the next ones shorter.`,
  run({ seed, quick }) {
    manualSeed(seed);
    const data = spirals(150, CLASSES, 0.05);
    const draws = range(quick ? 3 : 5);
    const figures = Object.entries(BLOCKS).map(([block, make]) => {
      const runs = draws.map(() => scope(() => shifts(network(make).hidden, data[0])));
      const layers = range(DEPTH).map((i) => mean(runs.map((run) => run[i]!.shift)));
      const sameSign = mean(runs.map((run) => run.at(-1)!.sameSign));
      const [low, high] = [LOW_RATE, HIGH_RATE].map((lr) =>
        median(range(quick ? 1 : 5).map(() => lossAfter(make, lr, data))),
      ) as [number, number];
      return { block, layers, sameSign, low, high };
    });
    const [relu, elu, normed] = figures as [Figure, Figure, Figure];
    type Figure = (typeof figures)[number];
    claim(relu.layers.at(-1)! > 1.5 * relu.layers[0]!, "with relu the shift grows from layer to layer");
    claim(relu.sameSign > 0.75, "units of the last layer have the same sign for most rows");
    claim(elu.layers.at(-1)! < relu.layers.at(-1)!, "elu, which has negative outputs, shifts less");
    claim(Math.max(...normed.layers) < 1e-4, "after batch norm nothing is shifted");
    claim(normed.low < 0.1 && elu.low < normed.low, "at a low learning rate elu does as well as batch norm");
    claim(normed.high < normed.low, "with batch norm a high learning rate is a faster one");
    claim(Math.min(relu.high, elu.high) > 5 * normed.high, "without it a high learning rate is too high");
    return {
      table: {
        head: [
          "between two products",
          "shift in layer 1",
          "layer 5",
          "layer 10",
          ...[LOW_RATE, HIGH_RATE].map((lr) => `loss after ${STEPS} steps, η = ${lr}`),
        ],
        rows: figures.map(({ block, layers, low, high }) => [
          block,
          ...[0, 4, 9].map((i) => show(layers[i]!, 2)),
          ...[low, high].map((loss) => (loss === Number.POSITIVE_INFINITY ? "NaN" : show(loss, 2))),
        ]),
      },
      alt: "The shift of what enters the activation by layer: growing with relu, less with elu, zero with batch norm",
      chart: () =>
        chart({
          series: Object.keys(BLOCKS),
          points: true,
          x: { label: "layer", ticks: range(DEPTH).map((i) => i + 1) },
          y: { label: "shift: |mean z| / deviation", grid: true, domain: [0, 1.6] },
          marks: curves(
            figures.flatMap(({ block, layers }) =>
              layers.map((value, i) => ({ block, value, layer: i + 1 })),
            ),
            { x: "layer", y: "value", by: "block" },
          ),
        }),
      sees: `Before training, relu's shift grows to ${show(relu.layers.at(-1)!, 2)} deviations in layer ${DEPTH}: a unit there has the same sign for ${percent(relu.sameSign)} of the
rows on average, and says little about them. elu's is ${show(elu.layers.at(-1)!, 2)}, since its negative outputs balance a part. After batch norm there
is none. In training batch norm is not the only cure: at η = ${LOW_RATE} it ends at a loss of ${show(normed.low, 2)}, relu alone at ${show(relu.low, 2)} and elu at ${show(elu.low, 2)}. What it does
is to allow larger steps: at η = ${HIGH_RATE} it comes to ${show(normed.high, 2)}, where relu alone ${end(relu.high)} and elu ${end(elu.high)}. Whether the missing
shift is the reason is disputed; Santurkar et al. (2018) say that it is the smoother loss.`,
    };
  },
  advice: `\`new Linear(n, m, { bias: false }), new BatchNorm1d(m), new ReLU()\` in deep networks (the norm has a bias of its own), with batches
of 16 rows or more; \`LayerNorm\` for smaller ones. \`ELU\` or \`SELU\` with \`lecunNormal\` where one wants no norm. And standardise the
inputs, the layer before the first: \`new Standardise().fit(train)\`. \`diagnose\` reports \`bias-shift\` where units hardly vary around a
mean far from 0, and \`not-normalised\` for such inputs.`,
};
