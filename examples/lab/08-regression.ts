import * as Plot from "@observablehq/plot";
import {
  Adam,
  exp,
  huberLoss,
  Linear,
  l1Loss,
  manualSeed,
  mapeLoss,
  mseLoss,
  msleLoss,
  noGrad,
  rand,
  randn,
  Sequential,
  scope,
  Tanh,
  tensor,
} from "nablas";
import { chart } from "./chart";
import { claim, type Experiment, type Loss, median, percent, range, show, train } from "./experiment";

const LOSSES: Record<string, Loss> = {
  MSE: (p, y) => mseLoss(p, y),
  MAE: (p, y) => l1Loss(p, y),
  Huber: (p, y) => huberLoss(p, y),
  MSLE: (p, y) => msleLoss(p, y),
  MAPE: (p, y) => mapeLoss(p, y),
};
const [SLOPE, OFFSET] = [2, 5];
const ROWS = 200;
const DECADES = 6;

/** A line with little noise, and every tenth target 30 too high. */
function line() {
  const [x, noise] = [rand([ROWS, 1]), randn([ROWS, 1]).data];
  const y = range(ROWS).map((i) => SLOPE * x.data[i]! + OFFSET + 0.1 * noise[i]! + (i % 10 === 0 ? 30 : 0));
  return [x, tensor(y, { shape: [ROWS, 1] })] as const;
}

/** The largest distance of the fitted line from the true one. */
function lineError(loss: Loss, data: ReturnType<typeof line>, steps: number): number {
  return scope(() => {
    const model = new Linear(1, 1);
    train(model, new Adam(model.parameters(), { lr: 0.05 }), loss, data, steps);
    const [slope, offset] = [model.weight.item() - SLOPE, model.bias!.item() - OFFSET];
    return Math.max(Math.abs(offset), Math.abs(offset + slope));
  });
}

/** Targets from 1 to 10⁶, with noise of 10 %, by a number whose relation to them is not a straight line. */
function decades() {
  const [u, noise] = [rand([ROWS, 1]).data, randn([ROWS, 1]).data];
  const x = range(ROWS).map((i) => 2 * u[i]! - 1);
  const y = range(ROWS).map((i) => 10 ** (DECADES * u[i]! ** 2) * Math.exp(0.1 * noise[i]!));
  const shape = [ROWS, 1];
  return [tensor(x, { shape }), tensor(y, { shape })] as const;
}

/** For each decade of the targets the median of |prediction / target − 1|; predictions are e^network(x). */
function decadeErrors(loss: Loss, [x, y]: ReturnType<typeof decades>, steps: number): number[] {
  return scope(() => {
    const model = new Sequential(new Linear(1, 16), new Tanh(), new Linear(16, 1));
    const optimizer = new Adam(model.parameters(), { lr: 0.02 });
    train(model, optimizer, (z, target) => loss(exp(z), target), [x, y], steps);
    const p = noGrad(() => exp(model.forward(x)));
    return range(DECADES).map((decade) => {
      const rows = range(ROWS).filter((i) => Math.floor(Math.log10(y.data[i]!)) === decade);
      return median(rows.map((i) => Math.abs(p.data[i]! / y.data[i]! - 1)));
    });
  });
}

export const regression: Experiment = {
  name: "08-regression",
  title: "Which error counts: outliers and magnitudes",
  asks: `Five losses of numbers fit the same data, twice. First a straight line where every tenth of ${ROWS} targets is too high by 30.
Then targets from 1 to 10⁶, with predictions e^network(x), which are positive: how large is the relative error in each decade?`,
  formula: `With d = p − y, the gradient by p is 2d for MSE, sign d for MAE, d clipped to ±1 for Huber. For MAPE it is 100 sign d / y. For MSLE,
(ln(1 + p) − ln(1 + y))², it is 2 (ln(1 + p) − ln(1 + y)) / (1 + p): relative errors count. MSE leads to the mean of what is seen,
MAE to the median.`,
  run({ seed, quick }) {
    manualSeed(seed);
    const [straight, wide] = [line(), decades()];
    const figures = Object.entries(LOSSES).map(([name, loss]) => ({
      name,
      outliers: lineError(loss, straight, quick ? 1000 : 3000),
      errors: decadeErrors(loss, wide, quick ? 2000 : 4000),
    }));
    const [mse, mae, huber, msle, mape] = figures as [Figure, Figure, Figure, Figure, Figure];
    type Figure = (typeof figures)[number];
    claim(mse.outliers > 2, "outliers move the line of MSE");
    claim(
      Math.max(mae.outliers, huber.outliers, mape.outliers) < 0.25,
      "MAE, Huber and MAPE hardly see them",
    );
    for (const { name, errors } of [mse, mae, huber]) {
      claim(errors[0]! > 0.5, `${name} neglects small targets`);
      claim(errors.at(-1)! < 0.25, `${name} fits large targets`);
    }
    for (const { name, errors } of [msle, mape])
      claim(Math.max(...errors) < 0.25, `${name} fits all decades`);
    const decadeNames = range(DECADES).map((decade) => `${10 ** decade}`);
    return {
      table: {
        head: [
          "loss",
          "line with outliers: largest error",
          ...["1 to 10", "1,000 to 10⁴", "10⁵ to 10⁶"].map((decade) => `relative error, targets ${decade}`),
        ],
        rows: figures.map(({ name, outliers, errors }) => [
          name,
          show(outliers, 2),
          ...[0, 3, 5].map((decade) => percent(errors[decade]!)),
        ]),
      },
      alt: "The relative error by the decade of the target, for five losses",
      chart: () =>
        chart({
          series: Object.keys(LOSSES),
          x: { type: "point", label: "targets, from … to ten times as much", domain: decadeNames },
          y: { label: "median relative error (%)", domain: [0, 100], grid: true },
          marks: [
            Plot.line(
              figures.flatMap(({ name, errors }) =>
                errors.map((error, i) => ({ name, error: 100 * error, decade: decadeNames[i]! })),
              ),
              { x: "decade", y: "error", stroke: "name", strokeWidth: 2, marker: "circle" },
            ),
          ],
        }),
      sees: `Outliers: MSE pulls the line up by ${show(mse.outliers, 2)}, about a tenth of 30, the mean of all errors. MSLE, which is a squared
error too, by ${show(msle.outliers, 2)}; the other three by ${show(huber.outliers, 1)} or less. Magnitudes: MSE, MAE and Huber see nothing but the largest
targets and miss those from 1 to 10 by ${percent(mse.errors[0]!)}: what is gained there is less than the rounding elsewhere. MSLE and MAPE are
as good in all decades. Only MAPE stood both tests, but it has a bias of its own: too low a prediction costs at most
100 %, too high a one any amount.`,
    };
  },
  advice: `Where targets span decades, train on their logarithms with \`mseLoss\` or \`huberLoss\`; that is nearly \`msleLoss\`, and a network fits it
more easily. \`huberLoss\` with a \`delta\` of the size of the usual noise against outliers. Standardise other targets. \`mapeLoss\` is a measure
to report, and fails near targets of 0.`,
};
