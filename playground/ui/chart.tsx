// Curves, by uPlot.
import { useLayoutEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { digits, language, translated } from "../text";
import { color, dark } from "../theme";
import { digitsOf, givenEnds, linearEnds, linearTicks, logEnds, logTicks } from "./scale";

const text = translated(
  {
    ends: (label: string, first: string, last: string) => `${label}: from ${first} to ${last}`,
    nothing: (label: string) => `${label}: nothing yet`,
    gap: "; ",
  },
  {
    ends: (label, first, last) => `${label}：从 ${first} 到 ${last}`,
    nothing: (label) => `${label}：暂无数据`,
    gap: "；",
  },
);

/** A curve. */
export interface Line {
  label: string;
  /** Of style.css. */
  color: string;
  /** What is no finite number leaves a gap. */
  values: ArrayLike<number | null>;
  dash?: number[];
  width?: number;
  /** Points without a line between them. */
  dots?: boolean;
}

interface ChartProps {
  /** What it shows. */
  title: string;
  /** What is to be seen, for those who listen; default: the title, and where each curve starts and ends. */
  description?: string;
  x: ArrayLike<number>;
  lines: readonly Line[];
  xLabel: string;
  height?: number;
  /** A logarithmic scale of y, which has no place for 0 and below. */
  log?: boolean;
  /** The ends of y; default: those of the values. */
  range?: readonly [min: number, max: number];
  /** The place in x that the legend tells of; default: the pointer's. */
  at?: number | undefined;
  /** Gets the place in x that the pointer is at. */
  onPoint?: (index: number) => void;
  /** Draws below the curves. */
  underneath?: (plot: uPlot) => void;
}

/** Curves over x, with a legend that tells their values where the pointer is. */
export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const { title, lines, xLabel, height = 200, log = false, range, at } = props;
  const look = JSON.stringify([title, xLabel, height, log, range !== undefined, dark.value, language.value]);
  const curves = JSON.stringify(lines.map(({ values: _, ...rest }) => rest));

  useLayoutEffect(() => {
    const made = create(box.current!, latest);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: box.current!.clientWidth, height }));
    observer.observe(box.current!);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [look, curves]);

  useLayoutEffect(() => {
    plot.current?.setData(dataOf(latest.current));
    const canvas = box.current!.querySelector("canvas")!;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", props.description ?? summary(props));
  });

  useLayoutEffect(() => {
    // Where the pointer, or nothing, says the place from now on.
    if (at === undefined) plot.current?.setCursor({ left: -10, top: -10 }, false);
  }, [at]);

  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div ref={box} />
    </figure>
  );
}

/** The title, and where each curve starts and ends. */
function summary({ title, lines }: ChartProps): string {
  const { ends, nothing, gap } = text.value;
  const known = (value: unknown) => Number.isFinite(value);
  const parts = lines.map(({ label, values }) => {
    const [first, last] = [
      Array.prototype.find.call(values, known),
      Array.prototype.findLast.call(values, known),
    ];
    return first === undefined ? nothing(label) : ends(label, digits(first), digits(last));
  });
  return [title, ...parts].join(gap);
}

/** Cursor and legend at the place in x that the owner of the chart says. */
function point(plot: uPlot, { at, x }: ChartProps): void {
  if (at === undefined) return;
  plot.setCursor({ left: plot.valToPos(x[at] ?? 0, "x"), top: -10 }, false);
  plot.setLegend({ idx: at }, false);
}

function dataOf({ x, lines, log = false }: ChartProps): uPlot.AlignedData {
  const least = log ? 0 : -Infinity;
  const shown = (value: number | null) =>
    value !== null && value > least && value < Infinity ? value : null;
  return [x, ...lines.map(({ values }) => Array.from(values, shown))] as unknown as uPlot.AlignedData;
}

/** The ends of y: as they are given, or for the values. */
function endsOf(
  { range, log = false }: ChartProps,
  min: number | null,
  max: number | null,
): uPlot.Range.MinMax {
  if (range !== undefined) return givenEnds(range);
  if (min === null || max === null) return [null, null];
  return (log ? logEnds : linearEnds)(min, max);
}

function create(box: HTMLDivElement, latest: { readonly current: ChartProps }): uPlot {
  const { height = 200, log = false } = latest.current;
  return new uPlot(
    {
      width: box.clientWidth,
      height,
      scales: {
        x: { time: false },
        y: { distr: log ? 3 : 1, range: (_, min, max) => endsOf(latest.current, min, max) },
      },
      axes: axesOf(latest.current),
      series: seriesOf(latest.current),
      cursor: { drag: { x: false, y: false }, y: false },
      legend: { markers: { width: 3 } },
      hooks: {
        drawClear: [(made) => latest.current.underneath?.(made)],
        draw: [(made) => point(made, latest.current)],
        setCursor: [
          (made) => {
            const { idx, event } = made.cursor;
            // uPlot keeps the event, also for what the pointer has not moved.
            if (event == null) return;
            made.cursor.event = undefined as unknown as MouseEvent;
            if (typeof idx === "number") latest.current.onPoint?.(idx);
            else point(made, latest.current);
          },
        ],
      },
    },
    dataOf(latest.current),
    box,
  );
}

function axesOf({ xLabel, log = false }: ChartProps): uPlot.Axis[] {
  const [ink, grid] = [color("muted"), color("line")];
  const look = {
    stroke: ink,
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid, width: 1 },
    font: "11px system-ui",
  };
  return [
    { ...look, ...ticksBy(linearTicks), label: xLabel, labelSize: 16, labelFont: "12px system-ui", size: 32 },
    { ...look, ...ticksBy(log ? logTicks : linearTicks), size: (_, texts) => widthOf(texts ?? []) },
  ];
}

/** Pixels for these numbers and their ticks: the same for all short ones, so that charts stand in line. */
function widthOf(texts: readonly string[]): number {
  return Math.max(52, 16 + 6.5 * Math.max(...texts.map(({ length }) => length)));
}

/** An axis with these ticks: uPlot forms them without end below 1e−25 on a logarithmic scale, and none beyond 1e32. */
function ticksBy(ticks: (min: number, max: number, room: number) => number[]): uPlot.Axis {
  let room = 1;
  return {
    // Wide enough for uPlot at any scale, which then asks for `splits`.
    incrs: (_, __, ___, ____, length, space) => {
      room = length / space;
      return [Number.MAX_VALUE];
    },
    splits: (_, __, min, max) => ticks(min, max, room),
    filter: (_, all) => all,
    values: (_, all) => {
      const count = digitsOf(all);
      return all.map((tick) => digits(tick, count));
    },
  };
}

function seriesOf({ xLabel, lines }: ChartProps): uPlot.Series[] {
  const value = (_: uPlot, value: number | null) => (value === null ? "" : digits(value));
  return [
    { label: xLabel, value },
    ...lines.map(({ label, color: name, dash, width = 2, dots = false }) => ({
      label,
      stroke: color(name),
      width,
      pxAlign: 0,
      ...(dash && { dash }),
      ...(dots && { paths: () => null }),
      points: dots ? { show: true, space: 0, size: 3, fill: color(name) } : { show: false },
      value,
    })),
  ];
}
