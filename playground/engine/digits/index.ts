// The worker of the panel "Digits": it holds the data and the network.
import { init } from "nablas";
import type { Stroke } from "../../../examples/digits/font";
import { BITMAP, writeDigit } from "../../../examples/digits/generate";
import { randomNumbers } from "../../../examples/digits/random";
import { type Contents, type Halves, pair, Refusal, readFile } from "./files";
import { loadNetwork, makeNetwork, type Network, saveNetwork } from "./network";
import { rasterise } from "./raster";
import { divide, examine, generate, learn, Run } from "./training";
import type { DigitData, Drawing, Opened, Seen, Tested, TrainSettings, Watcher } from "./types";

/** From files; without, the generator draws. */
let data: DigitData | undefined;
let waiting: Halves = {};
let network: Network | undefined;
let current: Run | undefined;

/** Trains a new network from the start. Undefined if another training or a model from a file takes its place. */
async function train(settings: TrainSettings, watcher: Watcher): Promise<Tested | undefined> {
  current?.replace();
  const run = new Run(watcher);
  current = run;
  try {
    await init();
    const parts = divide(data ?? (await generate(settings, run)));
    const { side, placing } = parts.data;
    const made = makeNetwork({ side, placing, hidden: settings.hidden }, settings.seed);
    watcher.begun(parts.info);
    network = made;
    await untilStopped(learn(made, parts, settings, run), run);
    made.tested = await examine(made, parts, run);
    return made.tested;
  } catch (error) {
    if (run.replaced) return undefined;
    throw error;
  }
}

/** A learning that was stopped has ended, too. */
async function untilStopped(learning: Promise<void>, run: Run): Promise<void> {
  const { signal } = run.stop;
  try {
    await learning;
  } catch (error) {
    if (run.replaced || !signal.aborted || error !== signal.reason) throw error;
  }
}

/** Ends the learning under way. */
function stop(): void {
  current?.stop.abort();
}

/** What the network makes of a drawing; undefined as long as there is none, or for an image of another side. */
function see({ strokes, image: given }: Drawing): Seen | undefined {
  if (network === undefined) return undefined;
  const { side, placing, probabilities } = network;
  const image = given ?? rasterise(strokes, side, placing);
  if (image.length !== side * side) return undefined;
  return { side, image, probabilities: probabilities(image).data.slice() as Float32Array };
}

/** Of the page around a digit that is written, at least. */
const MARGIN = 0.06;

/** A digit as the generator writes it, from 0 to 1 in both directions; one that would leave the page is moved onto it. */
function write(digit: number, seed: number): Stroke[] {
  const { strokes } = writeDigit(digit, randomNumbers(seed));
  const points = strokes.flat();
  const [dx, dy] = ([0, 1] as const).map((axis) => {
    const places = points.map((point) => point[axis] / BITMAP);
    const [least, most] = [Math.min(...places), Math.max(...places)];
    return Math.max(0, MARGIN - least) - Math.max(0, most - (1 - MARGIN));
  }) as [number, number];
  return strokes.map((stroke) => stroke.map(([x, y]) => [x / BITMAP + dx, y / BITMAP + dy] as const));
}

/** Takes files over: data to train on next, or a network. What does not fit changes nothing. */
async function open(files: readonly File[]): Promise<Opened> {
  try {
    const read = await Promise.all(
      files.map(async (file) => ({ file: file.name, ...(await readFile(file)) })),
    );
    const [first] = read;
    if (read.length === 1 && first?.kind === "model") return takeModel(first.file, first.bytes);
    if (read.length === 1 && first?.kind === "csv") return takeData(first.data);
    return takeHalves(read);
  } catch (error) {
    if (error instanceof Refusal) return { kind: "problem", problem: error.problem };
    throw error;
  }
}

function takeModel(file: string, bytes: Uint8Array): Opened {
  const loaded = loadNetwork(file, bytes);
  current?.replace();
  network = loaded;
  const { side, hidden, tested } = loaded;
  return { kind: "model", file, model: { side, hidden }, tested };
}

function takeData(found: DigitData): Opened {
  data = found;
  waiting = {};
  return { kind: "data" };
}

/** Images and labels, which may come one after the other. */
function takeHalves(files: readonly (Contents & { file: string })[]): Opened {
  const found: Halves = {};
  for (const read of files) {
    const { kind, file } = read;
    if (kind === "csv" || kind === "model") throw new Refusal({ kind: "several", file });
    if (found[kind] !== undefined) throw new Refusal({ kind, file });
    found[kind] = read.half;
  }
  const { images, labels } = { ...waiting, ...found };
  if (images !== undefined && labels !== undefined) return takeData(pair(images, labels));
  waiting = found;
  const [have, half] = images === undefined ? (["labels", labels!] as const) : (["images", images] as const);
  return { kind: "half", have, count: half.shape[0]!, file: half.file };
}

/** Goes back to the generator. */
function forget(): void {
  data = undefined;
  waiting = {};
}

/** The bytes of the network's file; undefined if there is no network. */
function save(): Uint8Array | undefined {
  return network && saveNetwork(network);
}

export const digits = { train, stop, see, write, open, forget, save };
