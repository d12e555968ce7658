import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { type Library, libraries, titles } from "./protocol";
import type { Section } from "./run";

/** Readable on white and on black, as all colours here. */
const GREY = "#808890";
const LOOKS: Record<Library, { color: string; symbol: string }> = {
  nablas: { color: "#e4572e", symbol: "circle" },
  "@tensorflow/tfjs": { color: "#d99a00", symbol: "square" },
  "onnxruntime-web": { color: "#2e9bd6", symbol: "triangle" },
  "@jax-js/jax": { color: "#2fae7b", symbol: "diamond" },
  "numpy-ts": { color: "#9b6fd0", symbol: "star" },
  "brain.js": { color: "#d667a3", symbol: "wye" },
  "plain JavaScript": { color: GREY, symbol: "cross" },
};

const LEGEND = "";

interface Point {
  row: string;
  library: Library;
  /** As a multiple of the time of nablas. */
  time: number;
}

/** The times of all libraries in each row, on a logarithmic axis, as an SVG that stands on its own. */
export function chart({ rows, node }: Section): string {
  const points = rows.flatMap(({ name, outcomes }) => {
    const own = outcomes.nablas?.timing;
    return libraries.flatMap((library): Point[] => {
      const { timing, unlike } = outcomes[library] ?? {};
      if (own === undefined || timing === undefined || unlike) return [];
      return [{ row: name, library, time: timing.median / own.median }];
    });
  });
  const shown = libraries.filter((library) => points.some((point) => point.library === library));
  const legend = legendOf(shown, points);
  const look = { x: "time", y: "row", fill: "library", symbol: "library", r: 4.5 } as const;
  const { document } = parseHTML("<html></html>");
  const svg = Plot.plot({
    document,
    width: 860,
    height: 90 + 21 * rows.length,
    marginLeft: 290,
    marginRight: 30,
    marginBottom: 45,
    style: { fontSize: "12px", color: GREY, background: "transparent" },
    x: {
      type: "log",
      grid: true,
      label: `time as a multiple of nablas's, Node ${node}`,
      tickFormat: (x: number) => `${x}×`,
      ticks: ticksOf(points),
    },
    y: { domain: [LEGEND, ...rows.map(({ name }) => name)], label: null, tickSize: 0 },
    color: { domain: shown, range: shown.map((library) => LOOKS[library].color) },
    symbol: { domain: shown, range: shown.map((library) => LOOKS[library].symbol) },
    marks: [
      Plot.gridY({ strokeOpacity: 0.15 }),
      Plot.ruleX([1], { stroke: LOOKS.nablas.color }),
      Plot.dot(points, look),
      Plot.dot(legend, look),
      Plot.text(legend, {
        x: "time",
        y: "row",
        text: ({ library }: Point) => titles[library],
        dx: 9,
        textAnchor: "start",
      }),
    ],
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return svg.outerHTML;
}

/** A point for each library, from left to right in a row of their own, as far apart as the titles are long. */
function legendOf(shown: Library[], points: Point[]): Point[] {
  const [min, max] = range(points);
  const widths = shown.map((library) => titles[library].length + 4);
  const total = widths.reduce((sum, width) => sum + width);
  let left = 0;
  return shown.map((library, i) => {
    const time = min * (max / min) ** (left / total);
    left += widths[i]!;
    return { row: LEGEND, library, time };
  });
}

function ticksOf(points: Point[]): number[] {
  const [min, max] = range(points);
  return [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200].filter(
    (tick) => tick >= min && tick <= max,
  );
}

function range(points: Point[]): [min: number, max: number] {
  const times = points.map(({ time }) => time);
  return [Math.min(...times), Math.max(...times)];
}
