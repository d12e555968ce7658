import * as Plot from "@observablehq/plot";
import {
  crossEntropyLoss,
  div,
  exp,
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
import { claim, type Experiment, range, show } from "./experiment";

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
    return { form, loss: value, error: Math.abs(value / wanted - 1), gradientError };
  });
}

export const overflow: Experiment = {
  name: "05-overflow",
  title: "Softmax at logits of 1,000",
  asks: `Three logits, (1, 0.8, −1) times a scale, and the second class is the right one: the network is a little wrong, and the surer the
larger the scale. What do three ways to write the same loss say, in float32?`,
  formula: `−log softmax(z)ₖ = −log(e^zₖ / Σ e^zᵢ) = max z − zₖ + log Σ e^(zᵢ − max z). The largest float32 is 3.4 · 10³⁸ = e^88.7 and the
smallest 1.4 · 10⁻⁴⁵ = e^−103.3. The last form takes no exponential above 1 and no logarithm below it.`,
  run({ seed }) {
    manualSeed(seed);
    const second = seed === 0 ? 0.8 : 0.5 + 0.35 * rand([1]).item();
    const direction = [1, second, -1];
    const at = (scale: number) => {
      const logits = tensor([direction.map((value) => value * scale)]);
      return Object.keys(FORMS).map((form) => ({ scale, ...measure(form, logits, LABEL) }));
    };
    const scales = range(4 * STEPS_PER_DECADE + 1).map((i) => 10 ** (i / STEPS_PER_DECADE));
    const points = scales.flatMap(at);
    const ends = (form: string) =>
      Math.max(
        ...points.filter((point) => point.form === form && point.error < 1e-3).map(({ scale }) => scale),
      );
    const [naive, apart, fused] = at(1000) as [Point, Point, Point];
    type Point = ReturnType<typeof at>[number];
    claim(!Number.isFinite(naive.loss), "e^1000 is not a float32");
    claim(apart.loss === Number.POSITIVE_INFINITY, "the logarithm of a probability that is 0 is −∞");
    claim(fused.error < 1e-6 && fused.gradientError < 1e-6, "the fused loss is right at 1,000");
    const worst = Math.max(
      ...points.filter(({ form }) => form === "crossEntropyLoss").map(({ error }) => error),
    );
    claim(worst < 1e-6, "the fused loss is right at all scales");
    return {
      table: {
        head: ["form", "loss at scale 1", "at 10", "at 100", "at 1,000", "error of its gradient at 1,000"],
        rows: Object.keys(FORMS).map((form, i) => {
          const measured = [1, 10, 100, 1000].map((scale) => at(scale)[i]!);
          return [form, ...measured.map(({ loss }) => show(loss, 5)), show(measured[3]!.gradientError, 2)];
        }),
      },
      alt: "The loss by the scale of the logits: two of three curves end before 1,000",
      chart: () =>
        chart({
          series: Object.keys(FORMS),
          x: { type: "log", label: "scale of the logits", domain: [1, 1e4], tickFormat: "," },
          y: { type: "log", label: "loss (nats)", domain: [0.5, 5e3], grid: true, ticks: 4, tickFormat: "," },
          marks: Object.keys(FORMS)
            .map((form, i) => ({
              form,
              shown: points.filter((p) => p.form === form && Number.isFinite(p.loss)),
              i,
            }))
            .flatMap(({ shown, i }) => [
              // Wider below, so that all three can be seen where they agree.
              Plot.line(shown, { x: "scale", y: "loss", stroke: "form", strokeWidth: 2, dy: 5 * (i - 1) }),
              ...(i < 2
                ? [Plot.dot(shown.slice(-1), { x: "scale", y: "loss", fill: "form", r: 5, dy: 5 * (i - 1) })]
                : []),
            ]),
        }),
      sees: `The three lines are drawn a little apart; their values agree as long as there are any. The form of the textbook
ends first: beyond ${show(ends("exp, sum, log"))} it is ∞ or NaN, and one NaN makes all weights NaN in the next step. A softmax that
subtracts the maximum does not overflow, but the right class's probability becomes 0 and its logarithm −∞, beyond
${show(ends("softmax, log"))}. The fused loss is right to ${show(worst, 1)} everywhere, its gradient too.`,
    };
  },
  advice: `Let the network end with logits and give them to \`crossEntropyLoss\` or \`bceWithLogitsLoss\`. Take \`softmax\` where
probabilities are shown, not where they are trained.`,
};
