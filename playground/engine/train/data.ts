import { randomNumbers } from "../../../examples/digits/random";
import { type DataSpec, type Point, REACH } from "../../panels/train/spec";

type Random = () => number;

/** The points of the specification; the same seed gives the same ones. */
export function pointsOf({ kind, count, classes, noise, points, seed }: DataSpec): readonly Point[] {
  if (kind === "own") return points;
  const random = randomNumbers(seed);
  return Array.from({ length: count }, (_, i) => {
    const label = i % classes;
    const [x, y] = PLACES[kind](label, classes, random, noise);
    return { x: within(x), y: within(y), label };
  });
}

type Place = (label: number, classes: number, random: Random, noise: number) => [x: number, y: number];

const PLACES: Record<Exclude<DataSpec["kind"], "own">, Place> = {
  /** Half circles that reach into each other. */
  moons: (label, _, random, noise) => {
    const angle = Math.PI * random();
    const side = label % 2 === 0 ? 1 : -1;
    const [dx, dy] = normal(random, 0.05 + 0.5 * noise);
    const shift = 0.25 * Math.floor(label / 2);
    const x = side * (1.4 * Math.cos(angle) - 0.7);
    return [x + dx, side * (1.4 * Math.sin(angle) - 0.4) + shift + dy];
  },
  /** One ring within the other. */
  circles: (label, classes, random, noise) => {
    const angle = 2 * Math.PI * random();
    const radius = (2.3 * (label + 0.6)) / classes;
    const [dx, dy] = normal(random, 0.04 + 0.4 * noise);
    return [radius * Math.cos(angle) + dx, radius * Math.sin(angle) + dy];
  },
  /** An arm for each class. */
  spirals: (label, classes, random, noise) => {
    const t = Math.sqrt(random());
    const angle = 3.6 * t + (2 * Math.PI * label) / classes;
    const [dx, dy] = normal(random, 0.02 + 0.3 * noise);
    return [(0.15 + 2.2 * t) * Math.cos(angle) + dx, (0.15 + 2.2 * t) * Math.sin(angle) + dy];
  },
  /** A cloud for each class. */
  blobs: (label, classes, random, noise) => {
    const angle = (2 * Math.PI * (label + 0.5)) / classes;
    const [dx, dy] = normal(random, 0.25 + 0.9 * noise);
    return [1.5 * Math.cos(angle) + dx, 1.5 * Math.sin(angle) + dy];
  },
  /** Squares, the class of which is the sum of their row and column: for two classes of four squares, exclusive or. */
  checkers: (label, classes, random, noise) => {
    const row = Math.floor(classes * random());
    const column = (label - row + classes) % classes;
    const side = 4.4 / classes;
    const [dx, dy] = normal(random, 0.3 * noise);
    const place = (cell: number) => -2.2 + side * (cell + 0.06 + 0.88 * random());
    return [place(column) + dx, place(row) + dy];
  },
};

/** Box and Muller 1958. */
function normal(random: Random, deviation: number): [number, number] {
  const radius = deviation * Math.sqrt(-2 * Math.log(1 - random()));
  const angle = 2 * Math.PI * random();
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

function within(x: number): number {
  return Math.min(Math.max(x, -REACH), REACH);
}
