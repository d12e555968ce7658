import * as Plot from "@observablehq/plot";
import {
  bceWithLogitsLoss,
  crossEntropyLoss,
  Linear,
  lint,
  manualSeed,
  mseLoss,
  mul,
  rand,
  randn,
  Sequential,
  Sigmoid,
  scope,
  sigmoid,
  softmax,
  type Tensor,
  tensor,
} from "nablas";
import { COLORS, chart } from "./chart";
import { claim, type Experiment, type Loss, percent, range, show } from "./experiment";

interface Pair {
  loss: Loss;
  /** a from the logits z of one row, in float64. */
  output(z: number[]): number[];
}

const sigmoids = (z: number[]) => z.map((value) => 1 / (1 + Math.exp(-value)));
const halfSquares: Loss = (a, y) => mul(mseLoss(a, y, { reduction: "sum" }), 0.5);

function softmaxes(z: number[]): number[] {
  const powers = z.map((value) => Math.exp(value - Math.max(...z)));
  const total = powers.reduce((sum, power) => sum + power);
  return powers.map((power) => power / total);
}

const MATCHED: Record<string, Pair> = {
  "linear, squared error": { loss: halfSquares, output: (z) => z },
  "sigmoid, cross-entropy": {
    loss: (z, y) => bceWithLogitsLoss(z, y, { reduction: "sum" }),
    output: sigmoids,
  },
  "softmax, log-likelihood": {
    loss: (z, y) => crossEntropyLoss(z, y, { reduction: "sum" }),
    output: softmaxes,
  },
};
const MISMATCHED: Record<string, Pair> = {
  "sigmoid, squared error": { loss: (z, y) => halfSquares(sigmoid(z), y), output: sigmoids },
};
const PAIRS = { ...MATCHED, ...MISMATCHED };
const ROWS = 40;
const CLASSES = 3;

/** For each output its a − y and the gradient by its z. */
function measure(pair: string, { loss, output }: Pair, z: Tensor, y: Tensor) {
  return scope(() => {
    const logits = tensor(z.data, { shape: z.shape, requiresGrad: true });
    loss(logits, y).backward();
    const errors = range(ROWS).flatMap((row) => {
      const place = row * CLASSES;
      const a = output([...z.data.subarray(place, place + CLASSES)]);
      return a.map((value, i) => value - y.data[place + i]!);
    });
    return errors.map((error, i) => ({ pair, error, gradient: logits.grad!.data[i]! }));
  });
}

function drawn(points: ReturnType<typeof measure>): string {
  return chart({
    series: Object.keys(PAIRS),
    height: 330,
    points: true,
    // Red is for squared error behind σ, as in experiment 1.
    colors: [1, 2, 4, 0].map((i) => COLORS[i]!),
    x: { domain: [-1.1, 1.1], label: "error a − y", tickFormat: "d", ticks: [-1, 0, 1] },
    y: { domain: [-1, 1], label: "gradient ∂C/∂z", grid: true, ticks: 5 },
    fx: { domain: Object.keys(PAIRS), axis: null },
    marks: [
      Plot.line(
        [
          [-1, -1],
          [1, 1],
        ],
        { strokeOpacity: 0.4 },
      ),
      Plot.dot(
        points.filter(({ error }) => Math.abs(error) <= 1),
        { x: "error", y: "gradient", fx: "pair", fill: "pair", symbol: "pair", r: 3 },
      ),
    ],
  });
}

export const pairs: Experiment = {
  name: "06-pairs",
  title: "Three pairs with the gradient a − y",
  asks: `Experiment 1 mended a neuron by another loss. What is the rule? An output unit turns z into an answer a, a loss C compares it with
the target y. What comes back to z? Measured for ${ROWS} rows of
${CLASSES} random logits with targets that are probabilities.`,
  formula: `∂C/∂z = a − y for a linear unit with (a − y)² / 2, for σ with −y ln a − (1 − y) ln(1 − a), and for softmax with −Σ yᵢ ln aᵢ:
each loss is the negative log-likelihood of the distribution that belongs to its unit, the normal, the Bernoulli and the categorical one
(Bishop 2006, section 4.3.6: canonical link functions). For σ with (a − y)² / 2 it is (a − y) a (1 − a).`,
  run({ seed }) {
    manualSeed(seed);
    const z = mul(randn([ROWS, CLASSES]), 3);
    const y = softmax(mul(rand([ROWS, CLASSES]), 8));
    const points = Object.entries(PAIRS).flatMap(([name, pair]) => measure(name, pair, z, y));
    const figures = Object.keys(PAIRS).map((pair) => {
      const own = points.filter((point) => point.pair === pair);
      const wrong = own.filter(({ error }) => Math.abs(error) > 0.9 && Math.abs(error) < 1);
      return {
        pair,
        gap: Math.max(...own.map(({ error, gradient }) => Math.abs(gradient - error))),
        strongest: Math.max(...own.map(({ gradient }) => Math.abs(gradient))),
        kept: Math.max(...wrong.map(({ error, gradient }) => gradient / error)),
      };
    });
    for (const { pair, gap } of figures.slice(0, 3)) {
      claim(gap < 1e-6, `${pair}: the gradient is a − y to 1e-6, got ${gap}`);
    }
    const mismatched = figures.at(-1)!;
    claim(mismatched.strongest <= 4 / 27 + 1e-6, "sigmoid with squared error never gives more than 4/27");
    // Where |a − y| > 0.9, a is within 0.1 of 0 or 1, and a (1 − a) below 0.09.
    claim(mismatched.kept < 0.09, "and of the largest errors it passes on less than a tenth");
    const warns = (layers: Linear | Sequential, loss: Loss) =>
      lint(layers, loss).some(({ code }) => code === "loss-mismatch");
    const linear = new Linear(CLASSES, CLASSES);
    claim(warns(new Sequential(linear, new Sigmoid()), mseLoss), "lint knows the wrong pair");
    claim(!warns(linear, mseLoss) && !warns(linear, bceWithLogitsLoss), "and accepts the right ones");
    claim(lint(linear, (z: Tensor, y: number[]) => crossEntropyLoss(z, y)).length === 0, "softmax's too");
    return {
      table: {
        head: ["output, loss", "largest difference of ∂C/∂z and a − y", "largest gradient"],
        rows: figures.map(({ pair, gap, strongest }) => [pair, show(gap, 2), show(strongest)]),
      },
      alt: "The gradient by a − y: three pairs on the diagonal, sigmoid with squared error far below it",
      chart: () => drawn(points),
      sees: `Three pairs lie on the diagonal: the gradient is the error, to the rounding of float32. The fourth is the neuron of
experiment 1: its gradient is never above 4/27 = 0.148, and it goes back to 0 where the error is largest, since there a (1 − a)
is 0: of errors above 0.9 it passes on ${percent(mismatched.kept)} at most. Errors of the linear unit beyond ±1, up to ${show(figures[0]!.strongest)}, are on the diagonal too, but
not in the chart. \`lint\` reports \`loss-mismatch\` for the fourth pair, and nothing for the others.`,
    };
  },
  advice: `Numbers: a linear output with \`mseLoss\`. Yes or no, or several labels at once: \`bceWithLogitsLoss\`. One of several classes:
\`crossEntropyLoss\`. The last two take the logits and contain σ and softmax.`,
};
