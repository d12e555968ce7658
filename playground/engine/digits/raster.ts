// From a drawing to an image as the network was trained on them.
import type { Stroke } from "../../../examples/digits/font";
import { BLOCK, countInk } from "../../../examples/digits/generate";

/**
 * How the images of the data were made. "box": the drawing's box fills the image, as in the UCI digits. "mass": it fills
 * 20 of 28 pixels, with its centre of mass in the middle, as in MNIST.
 */
export const PLACINGS = ["box", "mass"] as const;
export type Placing = (typeof PLACINGS)[number];

/** Ink in a pixel that is full of it. */
const INK = BLOCK * BLOCK;

/** In parts of the image's side: the pen, and the longer side of the drawing from middle to middle of the pen. */
const PLACES: Record<Placing, { pen: number; extent: number }> = {
  box: { pen: 4 / 32, extent: 27.5 / 32 },
  mass: { pen: 2.5 / 28, extent: 17.5 / 28 },
};

/** The image, side x side, from 0 (paper) to 1 (ink); strokes are in any unit. */
export function rasterise(strokes: readonly Stroke[], side: number, placing: Placing): Float32Array {
  const size = side * BLOCK;
  const { pen, extent } = PLACES[placing];
  const fitted = fit(strokes, size, extent);
  const image = countInk(fitted, pen * size, side);
  if (placing === "box") return image.map((ink) => ink / INK);
  const [dx, dy] = centre(image, side).map((at) => BLOCK * (side / 2 - at)) as [number, number];
  const moved = fitted.map((stroke) => stroke.map(([x, y]) => [x + dx, y + dy] as const));
  return countInk(moved, pen * size, side).map((ink) => ink / INK);
}

/** The strokes with the longer side of their box `extent` of the size, and its middle in the middle. */
function fit(strokes: readonly Stroke[], size: number, extent: number): Stroke[] {
  const [left, right] = range(strokes, 0);
  const [top, bottom] = range(strokes, 1);
  const longer = Math.max(right - left, bottom - top);
  const scale = longer > 0 ? (extent * size) / longer : 0;
  const [x0, y0] = [(left + right) / 2, (top + bottom) / 2];
  return strokes.map((stroke) => {
    const points = stroke.map(
      ([x, y]) => [size / 2 + scale * (x - x0), size / 2 + scale * (y - y0)] as const,
    );
    return points.length === 1 ? [points[0]!, points[0]!] : points; // a dot is a line, too
  });
}

function range(strokes: readonly Stroke[], axis: 0 | 1): [min: number, max: number] {
  let [min, max] = [Infinity, -Infinity];
  for (const stroke of strokes) {
    for (const point of stroke) {
      min = Math.min(min, point[axis]);
      max = Math.max(max, point[axis]);
    }
  }
  return [min, max];
}

/** The centre of mass, in pixels. */
function centre(image: Float32Array, side: number): [x: number, y: number] {
  let [mass, x, y] = [0, 0, 0];
  image.forEach((ink, pixel) => {
    mass += ink;
    x += ink * ((pixel % side) + 0.5);
    y += ink * (Math.floor(pixel / side) + 0.5);
  });
  return mass > 0 ? [x / mass, y / mass] : [side / 2, side / 2];
}
