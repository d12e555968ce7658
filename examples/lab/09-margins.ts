import {
  Adam,
  exponentialLoss,
  hingeLoss,
  Linear,
  manualSeed,
  rand,
  randn,
  scope,
  softMarginLoss,
  tensor,
} from "nablas";
import { chart, curves } from "./chart";
import { claim, type Experiment, type Loss, mean, norm, percent, range, show, train } from "./experiment";

const LOSSES: Record<string, Loss> = {
  hinge: (p, y) => hingeLoss(p, y),
  logistic: (p, y) => softMarginLoss(p, y),
  exponential: (p, y) => exponentialLoss(p, y),
};
const ROWS = 400;
const SHARES = [0, 0.025, 0.05, 0.075, 0.1];

/** The class is the sign of x₁; a share of the rows is far on the right (x₁ = 4, x₂ = 4) and bears the wrong label. */
function classes(share: number) {
  const [u, v] = [rand([ROWS]).data, randn([ROWS]).data];
  const rows = range(ROWS).map((i) => {
    const sign = i % 2 === 0 ? 1 : -1;
    if (i < share * ROWS) return { x: [3 + u[i]!, 3 + 0.5 * v[i]!], y: -1 };
    return { x: [sign * (0.3 + 1.5 * u[i]!), v[i]!], y: sign };
  });
  const y = tensor(
    rows.map(({ y }) => y),
    { shape: [ROWS, 1] },
  );
  return [tensor(rows.map(({ x }) => x)), y] as const;
}

function fit(loss: Loss, share: number, steps: number) {
  return scope(() => {
    const data = classes(share);
    const model = new Linear(2, 1);
    const optimizer = new Adam(model.parameters(), { lr: 0.02 });
    train(model, optimizer, loss, data, steps / 2);
    const half = norm(model.weight.data);
    train(model, optimizer, loss, data, steps / 2);
    const [clean, labels] = classes(0);
    const scores = model.forward(clean).data;
    const right = range(ROWS).filter((i) => labels.data[i]! * scores[i]! > 0).length;
    return { accuracy: right / ROWS, half, size: norm(model.weight.data) };
  });
}

/** Each loss at each share of noise, the mean of some runs. */
function sweep(runs: number) {
  return Object.entries(LOSSES).map(([name, loss]) => ({
    name,
    cells: SHARES.map((share) => {
      const fits = range(runs).map(() => fit(loss, share, share === 0 ? 3000 : 1500));
      return {
        name,
        share,
        accuracy: mean(fits.map((f) => f.accuracy)),
        size: mean(fits.map((f) => f.size)),
        growth: mean(fits.map((f) => f.size / f.half)),
      };
    }),
  }));
}

type Cell = ReturnType<typeof sweep>[number]["cells"][number];

function drawn(cells: readonly Cell[]): string {
  return chart({
    series: Object.keys(LOSSES),
    points: true,
    x: {
      label: "noise: rows far on the wrong side (%)",
      ticks: [0, 2.5, 5, 7.5, 10],
      tickFormat: String,
    },
    y: { label: "accuracy on clean rows (%)", domain: [80, 100], ticks: 5, grid: true },
    marks: curves(
      cells.map(({ name, share, accuracy }) => ({ name, share: 100 * share, accuracy: 100 * accuracy })),
      { x: "share", y: "accuracy", by: "name" },
    ),
  });
}

export const margins: Experiment = {
  name: "09-margins",
  title: "Hinge, logistic, exponential",
  asks: `Wrong labels are the outliers of classes. A straight line is to separate two classes, whose labels are −1 and 1, by three losses of the margin m = y · score. First the
classes are separable. Then up to a tenth of the rows are noise: they lie far on the side of class 1 and are labelled −1. The accuracy
is that on rows without noise.`,
  formula: `Hinge max(0, 1 − m), logistic ln(1 + e^−m), exponential e^−m (that of AdaBoost). A row pulls at the line by the slope of its loss. A
mislabelled row far on the wrong side, m = −4, pulls by 1 with hinge, by 0.98 with the logistic loss, and by e⁴ = 55 with the exponential
one. Against it pull the rows that are right: at m = 0.5 by 1, 0.38 and 0.61, at m = 2 by 0, 0.12 and 0.14.`,
  run({ seed, quick }) {
    manualSeed(seed);
    const figures = sweep(quick ? 3 : 10);
    const at = (loss: number, share: number) => figures[loss]!.cells.find((cell) => cell.share === share)!;
    for (const { name, cells } of figures)
      claim(cells[0]!.accuracy > 0.99, `${name} separates what is separable`);
    claim(at(0, 0).growth < 1.06, "hinge is content with a margin of 1");
    for (const loss of [1, 2]) {
      claim(at(loss, 0).growth > 1.2, "the other two go on enlarging the weights");
      claim(at(loss, 0).size > 1.3 * at(0, 0).size, "and have larger ones than hinge");
    }
    const [hinge, logistic, exponential] = [0, 1, 2].map((loss) => at(loss, 0.025).accuracy) as number[] &
      [number, number, number];
    claim(hinge > logistic + 0.01, "hinge stands some noise better than the logistic loss");
    claim(logistic > exponential + 0.02, "and that better than the exponential loss");
    claim(hinge > 0.97 && at(0, 0.1).accuracy < 0.95, "but a tenth of noise is too much for hinge too");
    return {
      table: {
        head: [
          "loss",
          ...SHARES.map((share) => `accuracy with ${percent(share, 1)} noise`),
          "norm of the weights without noise",
        ],
        rows: figures.map(({ name, cells }) => [
          name,
          ...cells.map(({ accuracy }) => percent(accuracy, 1)),
          show(cells[0]!.size, 2),
        ]),
      },
      alt: "Accuracy by the share of noise: it falls first with the exponential loss, last with hinge",
      chart: () => drawn(figures.flatMap(({ cells }) => cells)),
      sees: `Without noise all are right. Hinge stops as soon as every margin is 1; in the second half of the training its weights
grow by ${percent(at(0, 0).growth - 1)}, those of the other two by ${percent(at(1, 0).growth - 1)} and ${percent(at(2, 0).growth - 1)}, for there are no weights at which they are content. With 2.5 % noise hinge
keeps ${percent(hinge, 1)}, the logistic loss ${percent(logistic, 1)}, the exponential one ${percent(exponential, 1)}: it turns the line for the sake of the few rows that are
worst, and they are the wrong ones. Hinge is not immune: a row's pull is bounded by 1, that of all of them is not. With 10 % noise, all
of it on one side, it is at ${percent(at(0, 0.1).accuracy, 1)}.`,
    };
  },
  advice: `\`bceWithLogitsLoss\` (or \`softMarginLoss\` with labels of ±1) unless there is a reason: it gives probabilities. \`hingeLoss\` where labels
are unreliable and only the decision counts. \`exponentialLoss\` only with labels one trusts. Look at the rows with the largest loss:
they are often labelled wrongly.`,
};
