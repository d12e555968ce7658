// The curves of f and f′, and what is flat in them.
import type uPlot from "uplot";
import type { Interval, Saturation } from "../../engine/activations";
import { digits, percent } from "../../text";
import { color } from "../../theme";
import { Chart, type Line } from "../../ui/chart";
import { Card } from "../../ui/controls";
import { chosen, curves, problem, XS } from "./state";
import { text } from "./text";

const COMPANIONS = ["green", "purple", "gold", "grey", "blue", "orange"];

/** The curve itself, what belongs to it, dashed, and the one it is compared with, thin. */
function linesOf(of: "f" | "slope"): Line[] {
  const mark = of === "f" ? "f" : "f′";
  return curves.value.flatMap(({ name: shown, answer }, i): Line[] => {
    const { companions, [of]: values } = answer;
    if (values === null) return [];
    const drawn = shown === "rrelu" && chosen.training.value;
    const own = { color: of === "f" ? "blue" : "orange", width: 2.5 };
    const look = i === 0 ? own : { color: "grey", width: 1.25 };
    const first = {
      label: i === 0 ? mark : shown,
      values,
      dots: drawn,
      ...look,
    };
    if (i > 0) return [first];
    const rest = companions.map((companion, j) => ({
      label: companionLabel(shown, j),
      values: companion[of] ?? [],
      color: COMPANIONS[j]!,
      width: 1.25,
      dash: [5, 4],
    }));
    return [...rest, first];
  });
}

function companionLabel(name: string, i: number): string {
  const below = "₁₂₃₄₅₆";
  return name === "maxout" ? `z${below[i]}` : `f${below[i + 1]}`;
}

/** The range of y, with 0 and some air. */
function rangeOf(lines: readonly Line[]): [number, number] {
  const values = lines
    .flatMap(({ values }) => Array.from(values as ArrayLike<number>))
    .filter(Number.isFinite);
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const air = 0.06 * (high - low || 1);
  return [low - air, high + air];
}

function shade(plot: uPlot, intervals: readonly Interval[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.globalAlpha = 0.13;
  ctx.fillStyle = color("warn");
  for (const [from, to] of intervals) {
    const [left, right] = [from, to].map((x) =>
      Math.min(bbox.left + bbox.width, Math.max(bbox.left, plot.valToPos(x, "x", true))),
    ) as [number, number];
    ctx.fillRect(left, bbox.top, Math.max(0, right - left), bbox.height);
  }
  ctx.restore();
}

/** The place of x among XS, if it is there. */
function placeOf(x: number): number | undefined {
  const place = Math.round(50 * x + 400);
  return place >= 0 && place < XS.length ? place : undefined;
}

export function CurvesCard() {
  const [first] = curves.value;
  if (first === undefined) return <Card>{text.value.loading}</Card>;
  const { name, answer } = first;
  const intervals = answer.saturation?.intervals ?? [];
  const [values, slopes] = [linesOf("f"), linesOf("slope")];
  const shared = {
    x: XS,
    xLabel: "x",
    at: placeOf(chosen.x.value),
    onPoint: (i: number) => {
      chosen.x.value = XS[i]!;
    },
    underneath: (plot: uPlot) => shade(plot, intervals),
  };
  const said = text.value.saturated(saturationText(answer.saturation, answer.slope !== null));
  return (
    <Card class={problem.value === undefined ? "" : "stale"}>
      <Chart
        {...shared}
        title={text.value.values(name)}
        description={`${text.value.values(name)}. ${said}`}
        lines={values}
        height={250}
      />
      {answer.slope === null ? (
        <p class="note">{text.value.noSlope}</p>
      ) : (
        <Chart
          {...shared}
          title={text.value.slopes(name)}
          lines={slopes}
          range={rangeOf(slopes)}
          height={190}
        />
      )}
      <p class="saturation">
        {intervals.length > 0 && <span class="swatch" aria-hidden="true" />} {said}
      </p>
    </Card>
  );
}

function saturationText(saturation: Saturation | null, hasSlope: boolean): string {
  const { flat, flatEverywhere, neverFlat, drawn, noGradient, or } = text.value;
  if (!hasSlope) return noGradient;
  if (saturation === null) return drawn;
  if (saturation.largest === 0) return flatEverywhere;
  const largest = digits(saturation.largest);
  if (saturation.intervals.length === 0) return neverFlat(largest);
  const where = saturation.intervals.map(intervalText).join(or);
  return flat(where, largest, percent(saturation.share));
}

/** x ≤ −4.59, or −0.79 ≤ x ≤ −0.71. */
function intervalText([from, to]: Interval): string {
  const place = (x: number) => digits(Math.round(100 * x) / 100, 4);
  if (from === -Infinity) return `x ≤ ${place(to)}`;
  return to === Infinity ? `x ≥ ${place(from)}` : `${place(from)} ≤ x ≤ ${place(to)}`;
}
