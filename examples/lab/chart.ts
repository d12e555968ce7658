import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** Contrasts of more than 4 with white and with the black of dark pages. */
const GREY = "#757c84";
/** Hues of Okabe and Ito, which the colour-blind tell apart, in shades to be seen on white and on black. */
export const COLORS = ["#d55e00", "#2f8fd0", "#00966e", "#b98a00", "#a566c6"];
/** The forms of the points, by the order of the series: nobody needs the colours. */
const SYMBOLS = ["circle", "triangle", "square", "diamond", "star"] as const;
const GLYPHS = ["●", "▲", "■", "◆", "★"];

export interface Look extends Plot.PlotOptions {
  /** The names of the colours, in the order of the legend. */
  series?: readonly string[];
  colors?: readonly string[];
  /** Whether the series have points of their own forms, as those of `curves`. */
  points?: boolean;
}

/** An SVG that stands on its own: a plot with its legend above. */
export function chart({ series = [], colors = COLORS, points = false, ...options }: Look): string {
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
    symbol: { domain: [...series], range: SYMBOLS.slice(0, series.length) },
    marks: [...(options.marks ?? []), ...legend(series, colors, points)],
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${svg.outerHTML}\n`;
}

/** A line for each series, with its points. */
export function curves<Row>(
  rows: Row[],
  place: { x: keyof Row; y: keyof Row; by: keyof Row; fx?: keyof Row },
) {
  const { x, y, by, fx } = place as Record<"x" | "y" | "by", string> & { fx?: string };
  const where = fx === undefined ? { x, y } : { x, y, fx };
  return [
    Plot.line(rows, { ...where, stroke: by, strokeWidth: 2 }),
    Plot.dot(rows, { ...where, fill: by, symbol: by, r: 4 }),
  ];
}

/** One line of text at the top: a sign in the colour of each series, and its name. */
function legend(series: readonly string[], colors: readonly string[], points: boolean): Plot.Markish[] {
  const place = { frameAnchor: "top-left", dy: -44, textAnchor: "start", lineAnchor: "middle" } as const;
  let left = -30;
  return series.flatMap((name, i) => {
    const dx = left;
    left += 36 + 6.4 * name.length;
    return [
      Plot.text([points ? GLYPHS[i]! : "■"], {
        ...place,
        dx,
        fill: colors[i]!,
        fontSize: 15,
        facet: "super",
      }),
      Plot.text([name], { ...place, dx: dx + 19, facet: "super" }),
    ];
  });
}
