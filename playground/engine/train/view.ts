// What is shown of a network.
import type { Module } from "nablas";
import { REACH } from "../../panels/train/spec";
import type { Rgb } from "../../theme";

/** How strongly the colours of sure answers cover the paper. */
const STRENGTH = 0.62;

/** Of the picture of a network's answers, in cells, for so many weights: the picture takes some 5 ms at most. */
export function sideFor(weights: number): number {
  return weights < 6_000 ? 96 : weights < 15_000 ? 64 : 40;
}

/** The coordinates of the cells' middles, [side², 2], from the upper left. */
export function gridPoints(side: number, scale: number): Float32Array {
  const at = (i: number) => scale * REACH * ((2 * (i + 0.5)) / side - 1);
  return Float32Array.from({ length: 2 * side * side }, (_, i) => {
    const cell = i >> 1;
    return i % 2 === 0 ? at(cell % side) : -at(Math.floor(cell / side));
  });
}

/** RGBA of the classes' colours mixed by their shares, [cells, classes]; answers that are unsure let the paper through. */
export function paint(
  shares: ArrayLike<number>,
  colors: readonly Rgb[],
  paper: Rgb,
): Uint8ClampedArray<ArrayBuffer> {
  const classes = colors.length;
  const cells = shares.length / classes;
  const pixels = new Uint8ClampedArray(4 * cells);
  for (let cell = 0; cell < cells; cell++) {
    let [red, green, blue, most] = [0, 0, 0, 0];
    for (let i = 0; i < classes; i++) {
      const share = shares[cell * classes + i]!;
      const color = colors[i]!;
      red += share * color[0];
      green += share * color[1];
      blue += share * color[2];
      if (share > most) most = share;
    }
    const cover = STRENGTH * (0.25 + (0.75 * (most - 1 / classes)) / (1 - 1 / classes));
    pixels[4 * cell] = paper[0] + cover * (red - paper[0]);
    pixels[4 * cell + 1] = paper[1] + cover * (green - paper[1]);
    pixels[4 * cell + 2] = paper[2] + cover * (blue - paper[2]);
    pixels[4 * cell + 3] = 255;
  }
  return pixels;
}

/** A layer with weights, as they are after a step. */
export interface LayerView {
  /** √Σ g² over the layer's parameters; 0 before the first step. */
  gradientNorm: number;
  /** √Σ w² of its weight. */
  weightNorm: number;
  /** How many weights lie in each of BINS parts from −reach to reach. */
  histogram: number[];
  reach: number;
}

const BINS = 25;

/** Views of the modules in turn; undefined for those that learn nothing. */
export function layerViews(modules: readonly Module[]): (LayerView | undefined)[] {
  return modules.map((module) => {
    const parameters = module.parameters();
    if (parameters.length === 0) return undefined;
    const gradients = parameters.map(({ grad }) => (grad === null ? 0 : squares(grad.data)));
    const weight = parameters[0]!.data;
    return {
      gradientNorm: Math.sqrt(gradients.reduce((sum, square) => sum + square, 0)),
      weightNorm: Math.sqrt(squares(weight)),
      ...histogramOf(weight),
    };
  });
}

function squares(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}

/** Up to the largest, in steps of a power of two, so that the picture does not jump. */
function histogramOf(values: ArrayLike<number>): { histogram: number[]; reach: number } {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  const reach = Number.isFinite(largest) ? 2 ** Math.ceil(Math.log2(Math.max(largest, 2 ** -10))) : 1;
  const histogram = new Array<number>(BINS).fill(0);
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor(((values[i]! / reach + 1) / 2) * BINS);
    if (bin >= 0) histogram[Math.min(bin, BINS - 1)]!++;
  }
  return { histogram, reach };
}
