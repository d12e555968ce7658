import * as Plot from "@observablehq/plot";
import {
  add,
  full,
  Linear,
  manualSeed,
  matmul,
  mseLoss,
  mul,
  rand,
  randn,
  SGD,
  type SGDOptions,
  tensor,
  zeros,
} from "nablas";
import { chart } from "./chart";
import { claim, type Experiment, mean, norm, percent, range, show, train } from "./experiment";

const FEATURES = 100;
const RELEVANT = 10;
const ROWS = 200;
const LR = 0.02;
const LAMBDA = 0.3;
const NEAR_ZERO = 2 * LR * LAMBDA;
const PENALTIES: Record<string, SGDOptions> = {
  "no penalty": {},
  [`L2, λ = ${LAMBDA}`]: { weightDecay: LAMBDA },
  [`L1, λ = ${LAMBDA}`]: { l1: LAMBDA },
};

/** y = x · w + noise, with ten weights of ±1 and ninety zeros. */
function sparseProblem() {
  const signs = [...rand([RELEVANT]).data].map((u) => (u < 0.5 ? -1 : 1));
  const truth = tensor([...signs, ...Array(FEATURES - RELEVANT).fill(0)], { shape: [FEATURES, 1] });
  const x = randn([ROWS, FEATURES]);
  return [x, add(matmul(x, truth), randn([ROWS, 1]))] as const;
}

/** A weight without a gradient after 100 steps, by the optimizer and by (1 − ηλ)^100. */
function decayed() {
  const w = full([1], 1, { requiresGrad: true });
  const [steps, weightDecay] = [100, 0.5];
  const optimizer = new SGD([w], { lr: LR, weightDecay });
  for (let i = 0; i < steps; i++) {
    optimizer.zeroGrad();
    mul(w, zeros([1]))
      .sum()
      .backward();
    optimizer.step();
  }
  return { measured: w.item(), formula: (1 - LR * weightDecay) ** steps };
}

/** The weights that each penalty leaves. */
function fitted(steps: number) {
  const problem = sparseProblem();
  return Object.entries(PENALTIES).map(([penalty, options]) => {
    const model = new Linear(FEATURES, 1);
    const optimizer = new SGD(model.parameters(), { lr: LR, ...options });
    train(model, optimizer, mseLoss, problem, steps);
    const weights = [...model.weight.data];
    const small = weights.filter((w) => Math.abs(w) < NEAR_ZERO).length / FEATURES;
    const [sizes, irrelevant] = [weights.map(Math.abs), norm(weights.slice(RELEVANT))];
    const relevant = mean(sizes.slice(0, RELEVANT));
    const gap = Math.min(...sizes.slice(0, RELEVANT)) / Math.max(...sizes.slice(RELEVANT));
    return { penalty, weights, small, size: norm(weights), irrelevant, relevant, gap };
  });
}

type Fit = ReturnType<typeof fitted>[number];

function drawn(fits: readonly Fit[]): string {
  return chart({
    series: Object.keys(PENALTIES),
    height: 330,
    x: { label: "weight", domain: [-1.3, 1.3], ticks: 5 },
    y: { label: "number of weights", grid: true },
    fx: { domain: Object.keys(PENALTIES), axis: null },
    marks: [
      Plot.rectY(
        fits.flatMap(({ penalty, weights }) => weights.map((weight) => ({ penalty, weight }))),
        Plot.binX<Plot.RectYOptions>(
          { y: "count" },
          {
            // Odd multiples of 0.025, so that 0 is in the middle of a bin.
            x: { value: "weight", thresholds: range(54).map((i) => (i - 26.5) / 20) },
            fx: "penalty",
            fill: "penalty",
          },
        ),
      ),
    ],
  });
}

export const penalties: Experiment = {
  name: "07-penalties",
  title: "L1 makes zeros, L2 makes small numbers",
  asks: `From here on the gradients are healthy; what do they ask for? A penalty adds a wish to the loss: small weights. A linear model with ${FEATURES} features, of which ${RELEVANT} matter (their true weights are ±1), sees ${ROWS} noisy rows. What do the
two penalties do to its weights?`,
  formula: `L2 adds λw to the gradient, so that a step is w ← (1 − ηλ) w − η ∂C/∂w: each weight loses the same share, and the smaller it
is the less it loses (*weight decay*). L1 (the lasso of Tibshirani 1996) adds λ sign(w): each weight loses the same amount, ηλ, however
small it is. Where |∂C/∂w| < λ nothing holds it, and at 0 it jumps from side to side by about ηλ = ${show(LR * LAMBDA)}, never farther out than 2ηλ.`,
  run({ seed, quick }) {
    manualSeed(seed);
    const fits = fitted(quick ? 500 : 2000);
    const [none, l2, l1] = fits as [Fit, Fit, Fit];
    const decay = decayed();
    claim(l1.small > 0.7, "L1 makes near zeros of most irrelevant weights");
    claim(l2.small < 0.3 && none.small < 0.3, "L2 makes hardly any zeros");
    claim(l2.size < 0.95 * none.size, "L2 shrinks the weights");
    claim(Math.max(l1.relevant, l2.relevant) < 0.95 * none.relevant, "both shrink the true weights too");
    claim(none.irrelevant > 0.5, "without a penalty the irrelevant weights are fitted to the noise");
    claim(l1.gap > 2, "with L1 every true weight is at least twice the largest of the others");
    claim(l1.irrelevant < 0.3 * none.irrelevant, "L1 removes what is irrelevant");
    claim(Math.abs(decay.measured / decay.formula - 1) < 1e-5, "weight decay multiplies by 1 − ηλ");
    return {
      table: {
        head: [
          "penalty",
          `weights below 2ηλ = ${show(NEAR_ZERO)}`,
          "norm of all weights",
          "norm of the 90 irrelevant",
          "mean size of the 10 true",
        ],
        rows: fits.map(({ penalty, small, size, irrelevant, relevant }) => [
          penalty,
          percent(small),
          ...[size, irrelevant, relevant].map((value) => show(value)),
        ]),
      },
      alt: "Histograms of the weights without a penalty, with L2, and with L1",
      chart: () => drawn(fits),
      sees: `Without a penalty the irrelevant weights are fitted to the noise. L2 pulls everything towards 0, the true
weights included, and leaves ${percent(l2.small)} near 0. With L1 ${percent(l1.small)} are near 0, and the two groups stand apart: the smallest true weight is ${show(l1.gap, 2)} times
the largest other, instead of ${show(none.gap, 2)} times without a penalty. That is a choice of features. It has a price: the true weights, ±1, are ${show(l1.relevant, 2)} on
average. A weight without any gradient is ${show(decay.measured, 6)} after 100 steps of η = ${LR} and λ = 0.5, and
(1 − ηλ)¹⁰⁰ = ${show(decay.formula, 6)}.`,
    };
  },
  advice: `\`weightDecay\` against weights that grow; \`l1\` to find which inputs matter, and set to 0 at the end what is below 2ηλ. Biases need
neither: give them a group of their own with \`{ weightDecay: 0 }\`. With Adam take \`AdamW\` (Loshchilov and Hutter 2019), where the share is (1 − ηλ) as here; in
\`Adam\` the penalty is divided by the gradient's size, and weights with large gradients decay less.`,
};
