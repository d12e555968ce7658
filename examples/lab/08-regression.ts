import {
  Adam,
  add,
  exp,
  full,
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
  type Tensor,
  tensor,
  zeros,
} from "nablas";
import { chart, curves } from "./chart";
import { claim, type Experiment, type Loss, mean, median, percent, range, show, train } from "./experiment";

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

/** How far the fitted line is off the true one: at its worse end, and above it on average over the rows. */
function lineError(loss: Loss, data: ReturnType<typeof line>, steps: number) {
  return scope(() => {
    const model = new Linear(1, 1);
    // Predictions that are positive: msleLoss has no gradient below 0.
    model.bias!.data.fill(1);
    train(model, new Adam(model.parameters(), { lr: 0.05 }), loss, data, steps);
    const [slope, offset] = [model.weight.item() - SLOPE, model.bias!.item() - OFFSET];
    const worst = Math.max(Math.abs(offset), Math.abs(offset + slope));
    return { worst, lift: offset + slope * mean([...data[0].data]) };
  });
}

/** Skewed targets y = e^N(0, 1), and the constant that a loss makes of them. */
function constant(loss: Loss, y: Tensor, steps: number): number {
  return scope(() => {
    const level = full([1], 2, { requiresGrad: true });
    const optimizer = new Adam([level], { lr: 0.03 });
    for (let i = 0; i < steps; i++) {
      optimizer.zeroGrad();
      loss(add(level, zeros(y.shape)), y).backward();
      optimizer.step();
    }
    return level.item();
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

interface Figure {
  name: string;
  worst: number;
  lift: number;
  errors: number[];
  level: number;
}

function assertClaims(figures: [Figure, Figure, Figure, Figure, Figure], skewed: number[]): void {
  const [mse, mae, huber, msle, mape] = figures;
  claim(Math.abs(mse.lift - 3) < 0.1, "MSE lifts the line by the mean of all errors, a tenth of 30");
  claim(msle.lift > 0.5 && msle.lift < 2, "MSLE lifts it too, but less");
  claim(Math.max(mae.worst, huber.worst, mape.worst) < 0.25, "MAE, Huber and MAPE hardly see outliers");
  for (const { name, errors } of [mse, mae, huber]) {
    claim(errors[0]! > 0.5, `${name} neglects small targets`);
    claim(errors.at(-1)! < 0.25, `${name} fits large targets`);
  }
  for (const { name, errors } of [msle, mape]) claim(Math.max(...errors) < 0.25, `${name} fits all decades`);
  claim(Math.abs(mse.level / mean(skewed) - 1) < 0.02, "MSE leads to the mean");
  claim(Math.abs(mae.level / median(skewed) - 1) < 0.05, "MAE leads to the median");
  claim(huber.level > mae.level && huber.level < mse.level, "Huber stands between");
  claim(mape.level < 0.6 * mae.level, "MAPE is too low");
}

export const regression: Experiment = {
  name: "08-regression",
  title: "Which error counts: outliers and magnitudes",
  asks: `A loss says which errors count. Five of them fit the same numbers: the mean of d² (MSE), of |d| (MAE), Huber's, which is d² / 2 up to
|d| = 1 and grows like |d| beyond, the mean of the squared difference of logarithms (MSLE), and the mean of |d| / y in percent (MAPE), where
d = p − y is prediction minus target. First a straight line where every tenth of ${ROWS} targets is too high by 30. Then targets from 1
to 10⁶, with predictions e^network(x), which are positive: how large is the relative error in each decade? Last one constant for skewed
targets e^N(0, 1).`,
  formula: `The gradient by p is 2d for MSE, sign d for MAE, d clipped to ±1 for Huber. For MAPE it is 100 sign d / y. For MSLE,
(ln(1 + p) − ln(1 + y))², it is 2 (ln(1 + p) − ln(1 + y)) / (1 + p): relative errors count. The best constant is the mean of the targets for MSE and the median for MAE (Huber 1964 stands between). For MAPE it
is the median with weights 1 / y, which is lower: e^−1 = 0.37 for targets e^N(0, 1), whose median is 1 and whose mean is e^(1/2) = 1.65.`,
  run({ seed, quick }) {
    manualSeed(seed);
    const [straight, wide, skewed] = [line(), decades(), exp(randn([1000]))];
    const figures = Object.entries(LOSSES).map(([name, loss]) => ({
      name,
      ...lineError(loss, straight, quick ? 1000 : 3000),
      errors: decadeErrors(loss, wide, quick ? 1500 : 4000),
      level: constant(loss, skewed, quick ? 300 : 600),
    }));
    const [mse, mae, huber, msle, mape] = figures as [Figure, Figure, Figure, Figure, Figure];
    assertClaims(figures as [Figure, Figure, Figure, Figure, Figure], [...skewed.data]);
    const decadeNames = ["1–10", "10–100", "100–1,000", "1,000–10⁴", "10⁴–10⁵", "10⁵–10⁶"];
    return {
      table: {
        head: [
          "loss",
          "line with outliers: lifted by",
          "largest error",
          ...["1 to 10", "1,000 to 10⁴", "10⁵ to 10⁶"].map((decade) => `relative error, targets ${decade}`),
          "constant for e^N(0, 1)",
        ],
        rows: figures.map(({ name, lift, worst, errors, level }) => [
          name,
          ...[lift, worst].map((value) => show(value, 2)),
          ...[0, 3, 5].map((decade) => percent(errors[decade]!)),
          show(level, 2),
        ]),
      },
      alt: "The relative error by the decade of the target, for five losses",
      chart: () =>
        chart({
          series: Object.keys(LOSSES),
          points: true,
          x: { type: "point", label: "targets", domain: decadeNames },
          y: { label: "median relative error (%)", domain: [0, 100], grid: true },
          marks: curves(
            figures.flatMap(({ name, errors }) =>
              errors.map((error, i) => ({ name, error: 100 * error, decade: decadeNames[i]! })),
            ),
            { x: "decade", y: "error", by: "name" },
          ),
        }),
      sees: `Outliers: MSE lifts the line by ${show(mse.lift, 2)}, a tenth of 30, the mean of all errors. MSLE, which is a squared error too, lifts
it by ${show(msle.lift, 2)}; with the other three no end of the line is off by more than ${show(Math.max(mae.worst, huber.worst, mape.worst), 2)}. Magnitudes: MSE, MAE and Huber fit the largest
targets and miss those from 1 to 10 by ${[mse, mae, huber].map(({ errors }) => percent(errors[0]!)).join(", ")}: to miss a target of 5 altogether costs MAE as much as 0.001 % of
one of 500,000, and the steps of the training are not enough for that. MSLE and MAPE miss no decade by more than ${percent(Math.max(...msle.errors, ...mape.errors))}. Only MAPE stood both tests, but it has a bias of its own, as too low a prediction costs at
most 100 % and too high a one any amount: its constant is ${show(mape.level, 2)}, while MAE's is the median, ${show(mae.level, 2)}, and MSE's
the mean, ${show(mse.level, 2)}.`,
    };
  },
  advice: `Where targets span decades, train on their logarithms with \`mseLoss\` or \`huberLoss\`; that is nearly \`msleLoss\`, without the 1 in
ln(1 + y). \`huberLoss\` with a \`delta\` of the size of the usual noise against outliers. Standardise other targets. \`mapeLoss\` is a measure
to report; it fails near targets of 0, and \`msleLoss\` has no gradient for predictions below 0.`,
};
