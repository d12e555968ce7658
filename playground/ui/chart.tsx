// Curves, by uPlot.
import { useLayoutEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { digits, language } from "../text";
import { color, dark } from "../theme";

/** A curve. */
export interface Line {
  label: string;
  /** Of style.css. */
  color: string;
  values: ArrayLike<number | null>;
  dash?: number[];
  width?: number;
}

interface ChartProps {
  /** What it shows, for all; and, where they cannot see it, for those who listen, what is to be seen. */
  title: string;
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
  const { title, lines, xLabel, height = 200, log = false, range, x, at } = props;
  const look = JSON.stringify([title, xLabel, height, log, range, dark.value, language.value]);
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
  });

  useLayoutEffect(() => {
    const current = plot.current;
    if (at === undefined || current === null) return;
    const left = current.valToPos(x[at] ?? 0, "x");
    current.setCursor({ left, top: -10 }, false);
    current.setLegend({ idx: at }, false);
  });

  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div ref={box} />
    </figure>
  );
}

function dataOf({ x, lines }: ChartProps): uPlot.AlignedData {
  return [x, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;
}

function create(box: HTMLDivElement, latest: { readonly current: ChartProps }): uPlot {
  const { title, description, lines, xLabel, height = 200, log = false, range } = latest.current;
  const [ink, grid] = [color("muted"), color("line")];
  const axis = {
    stroke: ink,
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid, width: 1 },
    font: "11px system-ui",
  };
  const plot = new uPlot(
    {
      width: box.clientWidth,
      height,
      scales: {
        x: { time: false },
        y: { distr: log ? 3 : 1, ...(range && { range: [...range] as [number, number] }) },
      },
      axes: [
        { ...axis, label: xLabel, labelSize: 16, labelFont: "12px system-ui", size: 32 },
        {
          ...axis,
          ...(log && {
            filter: decades,
            grid: { ...axis.grid, filter: decades },
            ticks: { ...axis.ticks, filter: decades },
          }),
          size: 52,
          values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : digits(tick))),
        },
      ],
      series: [
        { label: xLabel, value: (_, value) => (value === null ? "–" : digits(value)) },
        ...lines.map(({ label, color: name, dash, width = 2 }) => ({
          label,
          stroke: color(name),
          width,
          ...(dash && { dash }),
          points: { show: false },
          value: (_: uPlot, value: number | null) => (value === null ? "–" : digits(value)),
        })),
      ],
      cursor: { drag: { x: false, y: false }, y: false },
      legend: { markers: { width: 3 } },
      hooks: {
        drawClear: [(made) => latest.current.underneath?.(made)],
        setCursor: [
          ({ cursor: { idx, event } }) => {
            if (event !== undefined && typeof idx === "number") latest.current.onPoint?.(idx);
          },
        ],
      },
    },
    dataOf(latest.current),
    box,
  );
  const canvas = box.querySelector("canvas")!;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", description ?? title);
  return plot;
}

/** Of the ticks of a logarithmic scale some six powers of ten. */
function decades(_: uPlot, ticks: number[]): (number | null)[] {
  const exponents = ticks.map((tick) => Math.round(Math.log10(tick) * 1e6) / 1e6);
  const span = (exponents.at(-1) ?? 0) - (exponents[0] ?? 0);
  const every = Math.max(1, Math.ceil(span / 6));
  return ticks.map((tick, i) => (exponents[i]! % every === 0 ? tick : null));
}
