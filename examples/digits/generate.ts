import { CLASSES, type Digits, INK, PIXELS, SIDE } from "./data";
import { FONT, type Point, type Stroke } from "./font";
import { randomNumbers } from "./random";

/** The images of the UCI file were made so: the ink in each 4 x 4 block of a 32 x 32 bitmap, counted. */
export const BLOCK = 4;
/** The width and height of the bitmap. */
export const BITMAP = SIDE * BLOCK;

/** `count` digits as if by many hands; the same seed gives the same images. */
export function generateDigits(count: number, seed: number): Digits {
  const random = randomNumbers(seed);
  const digits = { pixels: new Float32Array(count * PIXELS), labels: new Int32Array(count) };
  for (let i = 0; i < count; i++) {
    const label = Math.floor(random() * CLASSES);
    digits.labels[i] = label;
    digits.pixels.set(drawDigit(label, random), i * PIXELS);
  }
  return digits;
}

function drawDigit(label: number, random: () => number): Float32Array {
  const { strokes, thickness } = writeDigit(label, random);
  return countInk(strokes, thickness, SIDE).map((ink) =>
    clamp(Math.round(ink + between(-1.5, 1.5, random)), 0, INK),
  );
}

/** A digit as one hand writes it, in the coordinates of the 32 x 32 bitmap. */
export function writeDigit(label: number, random: () => number): { strokes: Stroke[]; thickness: number } {
  const variants = FONT[label]!;
  const variant = variants[Math.floor(random() * variants.length)]!;
  const hand = randomHand(random);
  const thickness = between(3, 5.5, random);
  return { strokes: variant.map((stroke) => stroke.map(hand)), thickness };
}

/**
 * The image, side x side, of strokes on a bitmap four times as wide and high: the ink in each block, from 0 to 16.
 * Thickness and points are in the bitmap's pixels.
 */
export function countInk(strokes: readonly Stroke[], thickness: number, side: number): Float32Array {
  const size = side * BLOCK;
  const bitmap = new Uint8Array(size * size);
  for (const stroke of strokes) drawStroke(stroke, thickness, bitmap, size);
  const image = new Float32Array(side * side);
  bitmap.forEach((ink, pixel) => {
    const column = Math.floor((pixel % size) / BLOCK);
    const row = Math.floor(pixel / size / BLOCK);
    image[row * side + column] = image[row * side + column]! + ink;
  });
  return image;
}

/** From the font's coordinates to those of the bitmap, with a slant, size, place and shake of its own. */
function randomHand(random: () => number): (point: Point) => Point {
  const slant = between(-0.15, 0.4, random);
  const turn = between(-0.15, 0.15, random);
  const width = between(8, 14, random);
  const height = between(11, 15, random);
  const x0 = BITMAP / 2 + between(-2.5, 2.5, random);
  const y0 = BITMAP / 2 + between(-1.5, 1.5, random);
  return ([x, y]) => [
    x0 + width * (x - slant * y) + between(-1.4, 1.4, random),
    y0 + height * (y + turn * x) + between(-1.4, 1.4, random),
  ];
}

/** Inks what is nearer than half the thickness to the lines from point to point. */
function drawStroke(points: Stroke, thickness: number, bitmap: Uint8Array, size: number): void {
  const reach = thickness / 2;
  for (let i = 1; i < points.length; i++) {
    const [x0, y0] = points[i - 1]!;
    const [x1, y1] = points[i]!;
    const [left, right] = span(x0, x1, reach, size);
    const [top, bottom] = span(y0, y1, reach, size);
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        if (distanceToLine(x + 0.5, y + 0.5, x0, y0, x1, y1) < reach) bitmap[y * size + x] = 1;
      }
    }
  }
}

/** The pixels from start to end that a line from a to b may ink. */
function span(a: number, b: number, reach: number, size: number): [start: number, end: number] {
  return [
    clamp(Math.floor(Math.min(a, b) - reach), 0, size),
    clamp(Math.ceil(Math.max(a, b) + reach), 0, size),
  ];
}

function distanceToLine(x: number, y: number, x0: number, y0: number, x1: number, y1: number): number {
  const dx = x1 - x0;
  const dy = y1 - y0;
  const nearest = clamp(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1), 0, 1);
  const awayX = x - x0 - nearest * dx;
  const awayY = y - y0 - nearest * dy;
  return Math.sqrt(awayX * awayX + awayY * awayY);
}

function between(low: number, high: number, random: () => number): number {
  return low + (high - low) * random();
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
