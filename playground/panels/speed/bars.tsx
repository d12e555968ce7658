// The ratios as bars on a logarithmic scale. They grow from the line of plain JavaScript, at 1: to the right where wasm is
// faster.
import { computed } from "@preact/signals";
import { Card } from "../../ui/controls";
import type { SideName } from "./machine";
import { COLORS, nameOf, shownSides, times } from "./names";
import { figuresOf, isRunning, meanRatio, measured, state } from "./run";
import { text } from "./text";

/** What the scale shows at least. */
const LEAST = { min: 0.5, max: 20 };

/** The ends of the scale, beyond all ratios but those of a time that the clock was too coarse to see. */
const scale = computed(() => {
  const ratios = measured.value
    .flatMap((name) => Object.values(figuresOf(name).value?.sides ?? {}).map(({ ratio }) => ratio))
    .filter((ratio) => ratio > 0 && ratio < Infinity);
  return { min: Math.min(LEAST.min, ...ratios), max: Math.max(LEAST.max, ...ratios) };
});

/** The place of a ratio, in percent of the width; a ratio beyond the scale is at its end. */
function place(ratio: number): number {
  const { min, max } = scale.value;
  const within = Math.min(max, Math.max(min, ratio));
  return (100 * Math.log(within / min)) / Math.log(max / min);
}

function ticks(): number[] {
  const { min, max } = scale.value;
  const decades = [0.001, 0.01, 0.1, 1, 10, 100, 1000];
  const all = decades.flatMap((decade) => [1, 2, 5].map((step) => step * decade));
  return all.filter((tick) => tick >= min && tick <= max);
}

/** On narrow screens there is no room for a number at each. */
function classOf(tick: number): string {
  if (tick === 1) return "tick one";
  return Number.isInteger(Math.log10(tick)) ? "tick" : "tick minor";
}

/** Bars of these rows. */
export function Bars({ names }: { names: readonly string[] }) {
  return (
    <Card title={text.value.chart} class="bars">
      <Means />
      <div class="plot" role="img" aria-label={text.value.chartLabel(summary())}>
        <div class="grid" aria-hidden="true">
          {ticks().map((tick) => (
            <span key={tick} class={classOf(tick)} style={{ left: `${place(tick)}%` }}>
              {Number(tick.toPrecision(1))}×
            </span>
          ))}
        </div>
        {names.map((name) => (
          <Row key={name} name={name} />
        ))}
      </div>
    </Card>
  );
}

function summary(): string {
  return shownSides()
    .flatMap((side) => {
      const mean = meanRatio(side);
      return mean === undefined ? [] : `${nameOf(side)} ${times(mean)}`;
    })
    .join(", ");
}

/** The legend, with what each side comes to. */
function Means() {
  return (
    <ul class="means">
      {shownSides().map((side) => {
        const mean = meanRatio(side);
        return (
          <li key={side} style={{ borderColor: `var(--${COLORS[side]})` }}>
            <span>{nameOf(side)}</span>
            <b>{mean === undefined ? "–" : times(mean)}</b>
            <small>{text.value.mean}</small>
          </li>
        );
      })}
    </ul>
  );
}

function Row({ name }: { name: string }) {
  const figures = figuresOf(name).value;
  const current = state.value;
  const active = isRunning.value && current.kind === "running" && current.name === name;
  return (
    <div class={active ? "line active" : "line"}>
      <span class="name">{name}</span>
      <div>
        {shownSides().map((side) => (
          <Bar key={side} side={side} ratio={figures?.sides[side]?.ratio} />
        ))}
      </div>
    </div>
  );
}

function Bar({ side, ratio }: { side: SideName; ratio: number | undefined }) {
  if (ratio === undefined) return <div class="bar" />;
  const [from, to] = [place(Math.min(1, ratio)), place(Math.max(1, ratio))];
  return (
    <div class="bar">
      <i
        class="fill"
        style={{ left: `${from}%`, width: `${to - from}%`, background: `var(--${COLORS[side]})` }}
      />
      <span class="value" style={{ left: `${to}%` }}>
        {times(ratio)}
      </span>
    </div>
  );
}
