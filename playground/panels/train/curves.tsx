import type { ComponentChildren } from "preact";
import { Chart } from "../../ui/chart";
import { frame, history } from "./player";
import { spec } from "./state";
import { text } from "./text";

const COLORS = ["blue", "orange", "green", "purple", "gold", "grey"];

/** A chart, or what to do for there to be one. */
function Curve({ children }: { children: ComponentChildren }) {
  return (
    <div class="curve">
      {children}
      {history.steps.length < 2 && <p class="note">{text.value.unplayed}</p>}
    </div>
  );
}

export function LossChart() {
  frame.value;
  const { steps, loss } = history;
  return (
    <Curve>
      <Chart
        title={text.value.lossChart}
        xLabel={text.value.steps}
        height={205}
        x={steps}
        lines={[
          { label: text.value.training, color: "blue", values: loss.train },
          { label: text.value.test, color: "orange", dash: [6, 4], values: loss.test },
        ]}
      />
    </Curve>
  );
}

/** One curve for each layer that learns. */
export function GradientChart() {
  const shown = frame.value;
  const { steps, gradients } = history;
  const kinds = spec.value.layers.map(({ kind }) => kind);
  const lines = (shown?.layers ?? []).flatMap((layer, i) =>
    layer === undefined
      ? []
      : [{ label: `${i} ${kinds[i] ?? "Linear"}`, values: gradients[i] ?? [], width: 1.5 }],
  );
  return (
    <Curve>
      <Chart
        title={text.value.gradientChart}
        xLabel={text.value.steps}
        height={205}
        log
        x={steps}
        lines={lines.map((line, i) => ({
          ...line,
          color: COLORS[i % COLORS.length]!,
          ...(i >= COLORS.length && { dash: [6, 4] }),
        }))}
      />
    </Curve>
  );
}
