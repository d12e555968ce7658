// The network that reads digits.
import {
  type Compiled,
  compile,
  Linear,
  loadCheckpoint,
  manualSeed,
  noGrad,
  type Plain,
  ReLU,
  Sequential,
  saveCheckpoint,
  softmax,
  type Tensor,
} from "nablas";
import { Refusal, SIDES } from "./files";
import { PLACINGS, type Placing } from "./raster";
import { CLASSES, type Tested } from "./types";

export interface Shape {
  side: number;
  hidden: number;
  placing: Placing;
}

export interface Network extends Shape {
  model: Sequential;
  /** The probabilities of the digits, [1, 10], for an image [side²]; they hold until the next call. */
  probabilities: Compiled<[Tensor], Tensor>;
  tested: Tested | undefined;
}

/** How wide a hidden layer a file may have. */
const WIDEST = 1024;

/** side² – hidden – 10, with weights drawn by the seed. */
export function makeNetwork(shape: Shape, seed = 0): Network {
  manualSeed(seed);
  const pixels = shape.side ** 2;
  const model = new Sequential(
    new Linear(pixels, shape.hidden),
    new ReLU(),
    new Linear(shape.hidden, CLASSES),
  );
  const probabilities = compile((image: Tensor) =>
    noGrad(() => softmax(model.forward(image.reshape([1, pixels])), { dim: 1 })),
  );
  return { ...shape, model, probabilities, tested: undefined };
}

/** The bytes of a file that `loadNetwork` takes. */
export function saveNetwork({ model, side, hidden, placing, tested }: Network): Uint8Array {
  const test = tested ? { accuracy: tested.accuracy, matrix: tested.matrix } : null;
  return saveCheckpoint({ model, digits: { side, hidden, placing, test } });
}

/** @throws Refusal for a file that `saveNetwork` did not write */
export function loadNetwork(file: string, bytes: Uint8Array): Network {
  const shape = attempt(file, "foreign", () => loadCheckpoint(bytes, {})).digits as
    | Record<string, Plain>
    | undefined;
  const { side, hidden, placing, test } = shape ?? {};
  const fits =
    isWhole(side, SIDES.min, SIDES.max) &&
    isWhole(hidden, 1, WIDEST) &&
    PLACINGS.includes(placing as Placing);
  if (!fits) throw new Refusal({ kind: "foreign", file });
  const network = makeNetwork({ side, hidden, placing: placing as Placing } as Shape);
  attempt(file, "misfit", () => loadCheckpoint(bytes, { model: network.model }));
  return { ...network, tested: testedOf(test) };
}

function attempt<T>(file: string, kind: "foreign" | "misfit", run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new Refusal({ kind, file, got: (error as Error).message });
  }
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

function testedOf(test: Plain | undefined): Tested | undefined {
  const { accuracy, matrix } = (test ?? {}) as Partial<Tested>;
  const isRow = (row: unknown) =>
    Array.isArray(row) && row.length === CLASSES && row.every((count) => isWhole(count, 0, 1e9));
  const fits = typeof accuracy === "number" && isRow(matrix?.map?.(() => 0)) && matrix!.every(isRow);
  return fits ? { accuracy, matrix: matrix!, misread: [] } : undefined;
}
