import * as Plot from "@observablehq/plot";
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
import { chart } from "./chart";
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
    train(model, new Adam(model.parameters(), { lr: 0.02 }), loss, data, steps);
    const [clean, labels] = classes(0);
    const scores = model.forward(clean).data;
    const right = range(ROWS).filter((i) => labels.data[i]! * scores[i]! > 0).length;
    return { accuracy: right / ROWS, size: norm(model.weight.data) };
  });
}

export const margins: Experiment = {
  name: "09-margins",
  title: "Hinge, logistic, exponential",
  asks: `A straight line is to separate two classes, whose labels are −1 and 1, by three losses of the margin m = y · score. First the
classes are separable. Then up to a tenth of the rows are noise: they lie far on the side of class 1 and are labelled −1. The accuracy
is that on rows without noise.`,
  formula: `Hinge max(0, 1 − m), logistic ln(1 + e^−m), exponential e^−m. The pull of a row is the slope: for a row on the wrong side,
m = −4, it is 1 with hinge, 0.98 with the logistic loss, and e⁴ = 55 with the exponential one. For a row that is right, m = 2, it is 0,
0.12 and 0.14.`,
  run({ seed, quick }) {
    manualSeed(seed);
    const draws = range(quick ? 3 : 10);
    const figures = Object.entries(LOSSES).map(([name, loss]) => ({
      name,
      cells: SHARES.map((share) => {
        const fits = draws.map(() => fit(loss, share, 1500));
        return {
          name,
          share,
          accuracy: mean(fits.map((f) => f.accuracy)),
          size: mean(fits.map((f) => f.size)),
        };
      }),
    }));
    const at = (loss: number, share: number) => figures[loss]!.cells.find((cell) => cell.share === share)!;
    for (const { name, cells } of figures)
      claim(cells[0]!.accuracy > 0.99, `${name} separates what is separable`);
    claim(at(1, 0).size > 1.3 * at(0, 0).size, "hinge is content with a margin, the logistic loss is not");
    claim(
      at(0, 0.05).accuracy > at(1, 0.05).accuracy + 0.01,
      "hinge stands more noise than the logistic loss",
    );
    claim(at(1, 0.05).accuracy > at(2, 0.05).accuracy + 0.01, "and that more than the exponential loss");
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
      alt: "Accuracy by the share of noise: hinge highest, exponential lowest",
      chart: () =>
        chart({
          series: Object.keys(LOSSES),
          x: { label: "rows that lie far on the wrong side (%)" },
          y: { label: "accuracy without them (%)", domain: [75, 100], grid: true },
          marks: [
            Plot.line(
              figures.flatMap(({ cells }) =>
                cells.map(({ name, share, accuracy }) => ({
                  name,
                  share: 100 * share,
                  accuracy: 100 * accuracy,
                })),
              ),
              { x: "share", y: "accuracy", stroke: "name", strokeWidth: 2, marker: "circle" },
            ),
          ],
        }),
      sees: `Without noise all are right. Hinge stops as soon as every margin is 1; the other two go on enlarging the weights, to
${show(at(1, 0).size, 2)} and ${show(at(2, 0).size, 2)} instead of ${show(at(0, 0).size, 2)}, for there is no weight at which they are content. With 5 % noise hinge keeps ${percent(at(0, 0.05).accuracy)}, the logistic
loss ${percent(at(1, 0.05).accuracy)}, the exponential one ${percent(at(2, 0.05).accuracy)}: it turns the line for the sake of the few rows that are worst, and they are the
wrong ones.`,
    };
  },
  advice: `\`bceWithLogitsLoss\` (or \`softMarginLoss\` with labels of ±1) unless there is a reason: it gives probabilities. \`hingeLoss\` where labels
are unreliable and only the decision counts. \`exponentialLoss\` only with labels one trusts. Look at the rows with the largest loss:
they are often labelled wrongly.`,
};
