// Output, loss and gradient of both descents over the epochs.
import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import type { Descent } from "../../engine/neuron";
import { color, dark } from "../../theme";
import { Chart } from "../../ui/chart";
import { Card } from "../../ui/controls";
import { EPOCHS, type Loss } from "./kinds";
import { COLORS, chosen, SIDES, type Side } from "./state";
import { text } from "./text";

const X = Float64Array.from({ length: EPOCHS + 1 }, (_, i) => i);

type Runs = Readonly<Record<Side, Descent & { loss: Loss }>>;

export function ChartsCard({ runs }: { runs: Runs }) {
  const { output, cost, gradient } = text.value;
  return (
    <Card title={text.value.charts}>
      <div class="charts">
        <Curves title={output} runs={runs} of={({ a }) => a} top={1} />
        <Curves title={cost} runs={runs} of={(run) => run.cost} />
        <Curves title={gradient} runs={runs} of={(run) => run.gradient.map(Math.abs)} />
      </div>
    </Card>
  );
}

interface CurvesProps {
  title: string;
  runs: Runs;
  of: (run: Descent) => Float32Array;
  /** The upper end; default: the largest value. */
  top?: number;
}

/** Both curves up to the epoch that is looked at; the rest of them is faint. */
function Curves({ title, runs, of, top }: CurvesProps) {
  const epoch = chosen.epoch.value;
  const all = SIDES.map((side) => of(runs[side]));
  const strokes = useMemo(() => SIDES.map((side) => color(COLORS[side])), [dark.value]);
  const high = top ?? Math.max(...all.flatMap((values) => [...values]));
  return (
    <Chart
      title={title}
      x={X}
      xLabel={text.value.epoch}
      height={190}
      range={[-0.02 * high, 1.05 * high]}
      at={epoch}
      onPoint={(index) => {
        chosen.epoch.value = index;
      }}
      underneath={(plot) => {
        for (const [i, values] of all.entries()) drawFaintly(plot, values, strokes[i]!);
      }}
      lines={SIDES.map((side, i) => ({
        label: text.value.losses[runs[side].loss],
        color: COLORS[side],
        values: Array.from(all[i]!, (value, at) => (at <= epoch ? value : null)),
        width: 2.5,
      }))}
    />
  );
}

function drawFaintly(plot: uPlot, values: Float32Array, stroke: string): void {
  const { ctx } = plot;
  ctx.save();
  ctx.globalAlpha = 0.5;
  ctx.strokeStyle = stroke;
  ctx.lineWidth = 1.25 * devicePixelRatio;
  ctx.beginPath();
  for (const [i, value] of values.entries()) {
    ctx.lineTo(plot.valToPos(i, "x", true), plot.valToPos(value, "y", true));
  }
  ctx.stroke();
  ctx.restore();
}
