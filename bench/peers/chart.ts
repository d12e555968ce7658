import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { type Library, libraries } from "./protocol";
import type { Section } from "./run";

/** Readable on white and on black. */
const GREY = "#808890";
const COLORS: Record<Library, string> = {
  nablas: "#e4572e",
  "@tensorflow/tfjs": "#f2a900",
  "onnxruntime-web": "#2e9bd6",
  "@jax-js/jax": "#2fae7b",
  "numpy-ts": "#9b6fd0",
  "brain.js": "#d667a3",
  "plain JavaScript": GREY,
};

/** The time of each library in each row, as a multiple of that of nablas, on a logarithmic axis. */
export function chart({ rows, node }: Section): string {
  const points = rows.flatMap(({ name, outcomes }) => {
    const own = outcomes.nablas?.timing?.median ?? Number.NaN;
    return libraries.flatMap((library) => {
      const { timing, unlike } = outcomes[library] ?? {};
      return timing === undefined || unlike ? [] : [{ name, library, times: timing.median / own }];
    });
  });
  const shown = libraries.filter((library) => points.some((point) => point.library === library));
  const { document } = parseHTML("<html><body></body></html>");
  const figure = Plot.plot({
    document,
    width: 860,
    height: 90 + 21 * rows.length,
    marginLeft: 230,
    marginTop: 50,
    style: { fontSize: "12px", color: GREY, background: "transparent" },
    x: {
      type: "log",
      grid: true,
      label: `time as a multiple of that of nablas, Node ${node} (logarithmic) →`,
      tickFormat: (x: number) => `${x}×`,
      ticks: [0.5, 1, 2, 5, 10, 20, 50, 100, 200].filter(inRange(points)),
    },
    y: { domain: rows.map(({ name }) => name), label: null, grid: true },
    color: { domain: shown, range: shown.map((library) => COLORS[library]) },
    symbol: {
      domain: shown,
      legend: true,
      range: ["circle", "square", "triangle", "diamond", "star", "cross", "times"],
    },
    marks: [
      Plot.ruleX([1], { stroke: COLORS.nablas }),
      Plot.dot(points, { x: "times", y: "name", fill: "library", symbol: "library", r: 4.5 }),
    ],
  });
  return figure.outerHTML;
}

function inRange(points: { times: number }[]): (tick: number) => boolean {
  const times = points.map((point) => point.times);
  const [min, max] = [Math.min(...times), Math.max(...times)];
  return (tick) => tick >= min / 1.5 && tick <= max * 1.5;
}
