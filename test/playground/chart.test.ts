// The charts at numbers that no panel should show: each is drawn, and none hangs the page.
import { build } from "esbuild";
import { expect, test } from "vitest";
import type { Chart } from "../../playground/ui/chart";
import { describeInBrowser } from "./playground";

type Props = Parameters<typeof Chart>[0];

const tiny = [5e-324, 1e-310, 1.4e-45, 1e-38, 1e-25, 1e-20, 3e-17];
const huge = [1e16, 1e25, 1e33, 3.4e38, 1.7e308];
const VALUES: Record<string, (number | null)[]> = {
  nothing: [],
  gaps: [null, null, null],
  zeros: [0, 0, 0],
  one: [0.7],
  "a tiny one": [1e-30],
  equal: [1e-38, 1e-38],
  "all but equal": [1e16, 1e16 + 2, 1 + 2 ** -52],
  neighbours: [1, 1 + 2 ** -52],
  tiny,
  huge,
  both: [...tiny, ...huge],
  negative: [...huge.map((x) => -x), ...huge],
  "not finite": [NaN, 1, Infinity, 0, -Infinity],
  "never finite": [NaN, Infinity],
  falling: Array.from({ length: 300 }, (_, i) => 10 ** -i),
};

const RANGES: [number, number][] = [
  [0, 0],
  [-0.02 * NaN, NaN],
  [-Infinity, Infinity],
  [1, 0],
  [-6e-47, 1.4e-45],
  [-1e16, 1e16],
  [1e16, 1e16 + 2],
];

/** Draws charts in turn, in one place: what each says of itself, and its pixels that are not empty. */
const PAGE = `
  import { h, render } from "preact";
  import { Chart } from "./playground/ui/chart";
  const box = document.body.appendChild(document.createElement("div"));
  const screen = () => new Promise(requestAnimationFrame);
  window.draw = async (all) => {
    const drawn = [];
    for (const props of all) {
      render(h(Chart, props), box);
      await screen();
      await screen();
      const canvas = document.querySelector("canvas");
      const { width, height } = canvas;
      const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, width, height);
      drawn.push([canvas.getAttribute("aria-label"), data.filter((alpha, i) => i % 4 === 3 && alpha > 0).length]);
    }
    return drawn;
  };`;

type Drawn = [label: string, inked: number];

describeInBrowser("a chart", ({ newPage }) => {
  test("is drawn at any numbers, and goes from one to the next", async () => {
    const { outputFiles } = await build({
      stdin: { contents: PAGE, resolveDir: new URL("../..", import.meta.url).pathname },
      ...{ bundle: true, write: false, format: "iife", jsx: "automatic", jsxImportSource: "preact" },
    });
    const page = await newPage();
    await page.route("http://chart/", (route) => route.fulfill({ contentType: "text/html", body: "<body>" }));
    await page.goto("http://chart/");
    await page.addScriptTag({ content: outputFiles[0]!.text });
    for (const [title, values] of Object.entries(VALUES)) {
      const lines = [{ label: "y", color: "blue", values }];
      const props: Props = { title, xLabel: "x", x: Array.from(values.keys()), lines };
      const all = [{}, { log: true }, ...RANGES.map((range) => ({ range }))].map((more) => ({
        ...props,
        ...more,
      }));
      const drawn = await page.evaluate(
        (all) => (window as unknown as { draw(all: Props[]): Promise<Drawn[]> }).draw(all),
        all,
      );
      const visible = values.some((value) => value !== null && value > 0 && value < Infinity);
      for (const [i, [label, inked]] of drawn.entries()) {
        expect(label).toMatch(new RegExp(`^${title}; y: (from .* to|nothing yet)`));
        if (visible) expect(inked, `${title}, ${i}`).toBeGreaterThan(100);
      }
    }
  });
});
