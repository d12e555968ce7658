// Curves, by uPlot.
import { useLayoutEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { digits, language, translated } from "../text";
import { color, dark } from "../theme";

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
  /** A logarithmic scale of y. */
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

function dataOf({ x, lines }: ChartProps): uPlot.AlignedData {
  return [x, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;
}

function create(box: HTMLDivElement, latest: { readonly current: ChartProps }): uPlot {
  const { height = 200, log = false, range } = latest.current;
  return new uPlot(
    {
      width: box.clientWidth,
      height,
      scales: {
        x: { time: false },
        y: {
          distr: log ? 3 : 1,
          ...(range && { range: () => [...latest.current.range!] as [number, number] }),
        },
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
  const axis = {
    stroke: ink,
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid, width: 1 },
    font: "11px system-ui",
    values: (_: uPlot, ticks: (number | null)[]) => ticks.map((tick) => (tick === null ? "" : digits(tick))),
  };
  return [
    { ...axis, label: xLabel, labelSize: 16, labelFont: "12px system-ui", size: 32 },
    {
      ...axis,
      ...(log && {
        filter: decades,
        grid: { ...axis.grid, filter: decades },
        ticks: { ...axis.ticks, filter: decades },
      }),
      size: 52,
    },
  ];
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

/** Of the ticks of a logarithmic scale some six powers of ten. */
function decades(_: uPlot, ticks: number[]): (number | null)[] {
  const exponents = ticks.map((tick) => Math.round(Math.log10(tick) * 1e6) / 1e6);
  const span = (exponents.at(-1) ?? 0) - (exponents[0] ?? 0);
  const every = Math.max(1, Math.ceil(span / 6));
  return ticks.map((tick, i) => (exponents[i]! % every === 0 ? tick : null));
}
