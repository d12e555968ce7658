// What one loss makes of the neuron at the epoch that is looked at.
import type { Descent } from "../../engine/neuron";
import { digits } from "../../text";
import { Card } from "../../ui/controls";
import { type Cases, Equation, Maths } from "../../ui/maths";
import { EPOCHS, type Loss, OF_LOGITS } from "./kinds";
import { COLORS, chosen, type Side } from "./state";
import { text } from "./text";

const FORMULAS: Readonly<Record<Loss, string | Cases>> = {
  mse: "(a − y)^{2} / 2",
  l1: "|a − y|",
  huber: [
    ["(a − y)^{2} / 2", "|a − y| ≤ δ"],
    ["δ |a − y| − δ^{2}/2", "|a − y| > δ"],
  ],
  logCosh: "log cosh(a − y)",
  bce: "−y log a − (1 − y) log(1 − a)",
  bceWithLogits: "log(1 + e^{z}) − y z",
  focal: "−(1 − p)^{2} log p, p = y a + (1 − y) (1 − a)",
};

export function SideCard({ side, run }: { side: Side; run: Descent & { loss: Loss } }) {
  const epoch = chosen.epoch.value;
  const at = (values: Float32Array) => values[epoch]!;
  const show = (values: Float32Array) => digits(at(values));
  const { loss, a, cost, gradient } = run;
  return (
    <Card class="side">
      <h3>
        <span class="swatch" style={{ background: `var(--${COLORS[side]})` }} aria-hidden="true" />
        {text.value.losses[loss]}
        <small>{text.value.numbers(epoch)}</small>
      </h3>
      <Equation left="C" right={FORMULAS[loss]} />
      <Drawing w={at(run.w)} b={at(run.b)} a={at(a)} side={side} />
      <table class="plain state">
        <thead>
          <tr>
            {["a", "C", "∂C/∂w"].map((name) => (
              <th key={name} scope="col">
                <Maths>{name}</Maths>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr>
            <td>{show(a)}</td>
            <td>{show(cost)}</td>
            <td>{show(gradient)}</td>
          </tr>
        </tbody>
      </table>
      <p>
        <Maths>{productText(run, epoch)}</Maths>
      </p>
      <p>{reasonText(run, epoch)}</p>
      <p>
        <strong>{reachedText(a)}</strong>
      </p>
    </Card>
  );
}

/** ∂C/∂w by the chain rule, with its numbers. */
function productText({ loss, push, slope, gradient }: Descent & { loss: Loss }, epoch: number): string {
  const [outer, inner, whole] = [push, slope, gradient].map((values) => digits(values[epoch]!));
  return OF_LOGITS.includes(loss)
    ? `∂C/∂w = ∂C/∂z · x = ${outer} · 1 = ${whole}`
    : `∂C/∂w = C′(a) · σ′(z) · x = ${outer} · ${inner} · 1 = ${whole}`;
}

/** Below this share of its largest, 1/4, σ′ counts as that of a saturated neuron. */
const SATURATED = 0.3;

function reasonText({ loss, a, slope }: Descent & { loss: Loss }, epoch: number): string {
  const { direct, cancels, learnt, saturated, open } = text.value;
  const [answer, bend] = [a[epoch]!, slope[epoch]!];
  if (OF_LOGITS.includes(loss)) return direct;
  if (loss === "bce") return cancels(digits(answer));
  if (answer < 0.1) return learnt;
  return bend < SATURATED / 4 ? saturated(digits(bend)) : open(digits(bend));
}

function reachedText(a: Float32Array): string {
  const epochs = a.findIndex((value) => value < 0.1);
  if (epochs === 0) return text.value.there;
  return epochs < 0 ? text.value.missed(EPOCHS) : text.value.reached(epochs);
}

/** Input, weight, bias and output: the heavier the weight the wider its line, the larger the output the fuller its dot. */
function Drawing({ w, b, a, side }: { w: number; b: number; a: number; side: Side }) {
  const [weight, bias, output] = [w, b, a].map((value) => digits(value)) as [string, string, string];
  return (
    <svg
      class="drawing"
      viewBox="0 0 320 92"
      role="img"
      aria-label={text.value.drawing(weight, bias, output)}
      style={{ color: `var(--${COLORS[side]})` }}
    >
      <line x1="34" y1="58" x2="136" y2="58" stroke-width={1 + 1.3 * Math.abs(w)} />
      <line x1="160" y1="24" x2="160" y2="36" stroke-width={1 + 1.3 * Math.abs(b)} />
      <line x1="182" y1="58" x2="252" y2="58" stroke-width="1.5" />
      <circle class="body" cx="20" cy="58" r="14" />
      <circle class="body" cx="160" cy="58" r="22" />
      <circle class="body" cx="268" cy="58" r="16" />
      <circle cx="268" cy="58" r="16" fill="currentColor" fill-opacity={a} />
      <text x="20" y="63">
        1
      </text>
      <text x="84" y="44">{`w = ${weight}`}</text>
      <text x="160" y="17">{`b = ${bias}`}</text>
      <text class="sign" x="160" y="65">
        σ
      </text>
      <text x="268" y="34">{`a = ${output}`}</text>
    </svg>
  );
}
