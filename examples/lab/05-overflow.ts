import * as Plot from "@observablehq/plot";
import {
  crossEntropyLoss,
  div,
  exp,
  Linear,
  log,
  manualSeed,
  neg,
  rand,
  scope,
  slice,
  softmax,
  sum,
  type Tensor,
  tensor,
} from "nablas";
import { chart } from "./chart";
import { claim, type Experiment, range, show, suffers } from "./experiment";

const FORMS: Record<string, (z: Tensor, label: number) => Tensor> = {
  "exp, sum, log": (z, label) => surprise(div(exp(z), sum(exp(z))), label),
  "softmax, log": (z, label) => surprise(softmax(z), label),
  crossEntropyLoss: (z, label) => crossEntropyLoss(z, [label]),
};
const LABEL = 1;
const STEPS_PER_DECADE = 10;

/** −log of the probability of the label. */
function surprise(p: Tensor, label: number): Tensor {
  return neg(sum(log(slice(p, label, label + 1, { dim: 1 }))));
}

/** Loss and gradient in float64, from the largest logit. */
function truth(z: ArrayLike<number>, label: number) {
  const powers = Array.from(z, (value) => Math.exp(value - Math.max(...Array.from(z))));
  const total = powers.reduce((sum, power) => sum + power);
  const loss = Math.max(...Array.from(z)) - z[label]! + Math.log(total);
  return { loss, gradient: powers.map((power, i) => power / total - Number(i === label)) };
}

function measure(form: string, logits: Tensor, label: number) {
  return scope(() => {
    const z = tensor(logits.data, { shape: logits.shape, requiresGrad: true });
    const loss = FORMS[form]!(z, label);
    const value = loss.item();
    loss.backward();
    const { loss: wanted, gradient } = truth(z.data, label);
    const gradientError = Math.max(...gradient.map((g, i) => Math.abs(z.grad!.data[i]! - g)));
    const lost = z.grad!.data.every(Number.isNaN);
    return { form, lost, loss: value, error: Math.abs(value / wanted - 1), gradientError };
  });
}

/** Whether diagnose finds that a network with such logits, times 1,000, has values that are not finite. */
function overflows(direction: number[], form: (z: Tensor, label: number) => Tensor): boolean {
  return scope(() => {
    const model = new Linear(1, direction.length, { bias: false });
    model.weight.data.set(direction.map((value) => 1000 * value));
    const one = tensor([[1]]);
    return suffers("non-finite", model, (z) => form(z, LABEL), [one, one]);
  });
}

/** Each form at the logits (1, second, −1) times the scale. */
function at(second: number, scale: number) {
  const logits = tensor([[1, second, -1].map((value) => value * scale)]);
  return Object.keys(FORMS).map((form) => ({ scale, ...measure(form, logits, LABEL) }));
}

type Point = ReturnType<typeof at>[number];

/** The loss by the scale, of points whose loss is a number. */
function drawn(finite: readonly Point[]): string {
  return chart({
    series: Object.keys(FORMS),
    x: {
      ...{ type: "log", label: "scale of the logits", domain: [1, 1e4] },
      ...{ ticks: range(5).map((i) => 10 ** i), tickFormat: "," },
    },
    y: {
      ...{ type: "log", label: "loss (nats)", domain: [0.5, 2e3], grid: true },
      ...{ ticks: [1, 10, 100, 1000], tickFormat: "," },
    },
    // The widest first, so that all three can be seen where they agree.
    marks: Object.keys(FORMS)
      .toReversed()
      .flatMap((form, i) => {
        const shown = finite.filter((point) => point.form === form);
        const place = { x: "scale", y: "loss" } as const;
        const end =
          form === "crossEntropyLoss" ? [] : [Plot.dot(shown.slice(-1), { ...place, fill: "form", r: 6 })];
        return [Plot.line(shown, { ...place, stroke: "form", strokeWidth: 9 - 3.5 * i }), ...end];
      }),
  });
}

export const overflow: Experiment = {
  name: "05-overflow",
  title: "Softmax at logits of 1,000",
  asks: `What is right on paper may fail in a computer. Three logits (what a network gives before softmax), (1, 0.8, −1) times a scale, and the second class is the right one: the network is a little wrong, and the surer the
larger the scale. What do three ways to write the same loss say, in float32?`,
  formula: `−log softmax(z)ₖ = −log(e^zₖ / Σ e^zᵢ) = max z − zₖ + log Σ e^(zᵢ − max z). The largest float32 is 3.4 · 10³⁸ = e^88.7 and the
smallest 1.4 · 10⁻⁴⁵ = e^−103.3. The last form, known as *log-sum-exp*, has no exponential above 1, and takes no logarithm of a number
below 1.`,
  run({ seed }) {
    manualSeed(seed);
    const second = seed === 0 ? 0.8 : 0.5 + 0.35 * rand([1]).item();
    const scales = range(4 * STEPS_PER_DECADE + 1).map((i) => 10 ** (i / STEPS_PER_DECADE));
    const points = scales.flatMap((scale) => at(second, scale));
    /** The largest whole scale at which form i gives a number. */
    const ends = (i: number) => range(1000).findLast((scale) => Number.isFinite(at(second, scale)[i]!.loss))!;
    const [naiveEnd, apartEnd] = [ends(0), ends(1)];
    const [naive, apart, fused] = at(second, 1000) as [Point, Point, Point];
    claim(Math.abs(naiveEnd - 88.7) < 1, "the largest exponential is e^88.7");
    claim(Math.abs(apartEnd * (1 - second) - 103.3) < 1, "the smallest probability is e^−103.3");
    claim(Number.isNaN(naive.loss), "∞ / ∞ is not a number");
    claim(apart.loss === Number.POSITIVE_INFINITY, "the logarithm of a probability that is 0 is −∞");
    claim(naive.lost && apart.lost, "the gradients of both are NaN");
    claim(fused.error < 1e-6 && fused.gradientError < 1e-6, "the fused loss is right at 1,000");
    const fusedPoints = points.filter(({ form }) => form === "crossEntropyLoss");
    const worst = Math.max(...fusedPoints.map(({ error }) => error));
    const worstGradient = Math.max(...fusedPoints.map(({ gradientError }) => gradientError));
    claim(worst < 1e-6 && worstGradient < 1e-6, "the fused loss is right at all scales");
    const finite = points.filter(({ loss }) => Number.isFinite(loss));
    claim(
      finite.every(({ error }) => error < 0.01),
      "the others agree with it as long as they are numbers",
    );
    const blamed = Object.values(FORMS).map((form) => overflows([1, second, -1], form));
    claim(
      blamed.join() === "true,true,false",
      "diagnose finds non-finite values with all but the fused loss",
    );
    return {
      table: {
        head: ["form", "loss at scale 1", "at 10", "at 100", "at 1,000", "error of its gradient at 1,000"],
        rows: Object.keys(FORMS).map((form, i) => {
          const measured = [1, 10, 100, 1000].map((scale) => at(second, scale)[i]!);
          return [form, ...measured.map(({ loss }) => show(loss, 5)), show(measured[3]!.gradientError, 2)];
        }),
      },
      alt: "The loss by the scale of the logits: two of three curves end before 1,000",
      chart: () => drawn(finite),
      sees: `The values agree to 1 % as long as they are numbers. The form of the textbook ends first: the largest whole scale at which it is one
is ${naiveEnd}, as e^88.7 is the largest exponential. A softmax that subtracts the maximum does not overflow, but beyond ${apartEnd} the right class's
probability, which is e^(−${show(1 - second, 2)} · scale), becomes 0 and its logarithm −∞. In both cases every gradient is NaN, and after one step so is
every weight that it reaches. The fused loss is right to ${show(worst, 1)} everywhere, its gradient to ${show(worstGradient, 1)}. \`diagnose\` reports
\`non-finite\` for the first two, with the op to blame.`,
    };
  },
  advice: `Let the network end with logits and give them to \`crossEntropyLoss\` or \`bceWithLogitsLoss\`. Take \`softmax\` where
probabilities are shown, not where they are trained.`,
};
