import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** Readable on white and on black, as all colours here. */
export const GREY = "#808890";
export const COLORS = ["#e4572e", "#2e9bd6", "#2fae7b", "#d99a00", "#9b6fd0", "#d667a3", GREY];

export interface Look extends Plot.PlotOptions {
  /** The names of the colours, in the order of the legend. */
  series?: readonly string[];
  colors?: readonly string[];
}

/** An SVG that stands on its own: a plot with its legend above. */
export function chart({ series = [], colors = COLORS, ...options }: Look): string {
  const { document } = parseHTML("<html></html>");
  const top = series.length === 0 ? 30 : 60;
  const svg = Plot.plot({
    document,
    width: 760,
    height: 400,
    marginTop: top,
    marginLeft: 65,
    marginBottom: 45,
    ...options,
    x: { labelAnchor: "center", labelArrow: "none", ...options.x },
    y: { labelAnchor: "center", labelArrow: "none", ...options.y },
    style: { fontSize: "12px", color: GREY, background: "transparent" },
    color: { domain: [...series], range: [...colors], ...options.color },
    marks: [...(options.marks ?? []), ...legend(series, colors)],
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${svg.outerHTML}\n`;
}

/** One line of text at the top: a square in the colour of each series, and its name. */
function legend(series: readonly string[], colors: readonly string[]): Plot.Markish[] {
  const place = { frameAnchor: "top-left", dy: -44, textAnchor: "start", lineAnchor: "middle" } as const;
  let left = -30;
  return series.flatMap((name, i) => {
    const dx = left;
    left += 34 + 6.8 * name.length;
    return [
      Plot.text(["■"], { ...place, dx, fill: colors[i]!, fontSize: 15, facet: "super" }),
      Plot.text([name], { ...place, dx: dx + 15, facet: "super" }),
    ];
  });
}
