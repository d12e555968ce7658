// What is set, as a link carries it.
import { computed, signal } from "@preact/signals";
import { type Codec, choice, flag, number, settings } from "../../settings";
import {
  DATA_KINDS,
  INITS,
  LAYERS,
  type Layer,
  type LayerKind,
  LOSSES,
  type LossKind,
  layer,
  OPTIMIZERS,
  OUTPUTS,
  type Point,
  REACH,
  type Spec,
} from "./spec";

export const MOST_LAYERS = 16;
export const MOST_POINTS = 600;
export const CLASSES = 4;

export const SCALES = ["0.001", "0.1", "1", "10", "100"] as const;

/** Linear:8,ReLU,Dropout:0.2 */
const layers: Codec<readonly Layer[]> = {
  initial: [{ kind: "Linear", value: 8 }, layer("Tanh"), { kind: "Linear", value: 8 }, layer("Tanh")],
  parse(text) {
    if (text === "") return [];
    const read = text.split(",").map((part) => readLayer(part));
    return read.length <= MOST_LAYERS && read.every((one) => one !== undefined) ? read : undefined;
  },
  format: (value) =>
    value.map(({ kind, value }) => (LAYERS[kind] === undefined ? kind : `${kind}:${value}`)).join(),
};

function readLayer(text: string): Layer | undefined {
  const [kind, written] = text.split(":") as [LayerKind, string | undefined];
  if (!Object.hasOwn(LAYERS, kind)) return undefined;
  const limits = LAYERS[kind];
  if (limits === undefined) return written === undefined ? { kind, value: 0 } : undefined;
  const value = Number(written);
  const whole = limits.step !== 1 || Number.isInteger(value);
  return written && value >= limits.min && value <= limits.max && whole ? { kind, value } : undefined;
}

/** Three bytes a point, in base64url: the coordinates in steps of REACH / 127, and the class. */
const points: Codec<readonly Point[]> = {
  initial: [],
  parse(text) {
    const bytes = fromBase64(text);
    if (bytes === undefined || bytes.length % 3 !== 0 || bytes.length > 3 * MOST_POINTS) return undefined;
    const at = (i: number) => ((bytes[i]! - 127) * REACH) / 127;
    const read = Array.from({ length: bytes.length / 3 }, (_, i) => {
      return { x: at(3 * i), y: at(3 * i + 1), label: bytes[3 * i + 2]! };
    });
    return read.every(({ label }) => label < CLASSES) ? read : undefined;
  },
  format(value) {
    const byte = (x: number) => Math.round((x * 127) / REACH) + 127;
    return toBase64(Uint8Array.from(value.flatMap(({ x, y, label }) => [byte(x), byte(y), label])));
  },
};

/** Characters of a link that people can still send around. */
export const LONGEST = 30_000;

const checkpoint: Codec<string> = {
  initial: "",
  parse: (text) => (text.length <= LONGEST ? text : undefined),
  format: (value) => value,
};

export const SPEEDS = { slow: 1, steady: 1, quick: 10, full: Number.POSITIVE_INFINITY };
export type Speed = keyof typeof SPEEDS;

export const set = settings("train", {
  data: choice("moons", DATA_KINDS),
  classes: number(2, { min: 2, max: CLASSES, integer: true }),
  count: number(300, { min: 20, max: 1000, integer: true }),
  noise: number(0.2, { min: 0, max: 1 }),
  scale: choice("1", SCALES),
  points,
  layers,
  output: choice("Identity", OUTPUTS),
  loss: choice("crossEntropyLoss", Object.keys(LOSSES) as LossKind[]),
  optimizer: choice("Adam", OPTIMIZERS),
  init: choice("default", INITS),
  lr: number(0.03, { min: 1e-5, max: 100 }),
  momentum: number(0, { min: 0, max: 0.99 }),
  l2: number(0, { min: 0, max: 1 }),
  l1: number(0, { min: 0, max: 1 }),
  batch: number(32, { min: 1, max: 1000, integer: true }),
  seed: number(1, { min: 0, max: 999_999, integer: true }),
  speed: choice("steady", Object.keys(SPEEDS) as Speed[]),
  play: flag(false),
  // A checkpoint, deflated, in base64url: only in links that somebody asked for.
  state: checkpoint,
});

/** The same ones as long as they are not drawn on: other settings do not exchange them. */
const drawn = computed(() => set.points.value.filter(({ label }) => label < set.classes.value));

/** What the settings come to. */
export const spec = computed<Spec>(() => ({
  data: {
    kind: set.data.value,
    count: set.count.value,
    classes: set.classes.value,
    noise: set.noise.value,
    scale: Number(set.scale.value),
    points: drawn.value,
    seed: set.seed.value,
  },
  layers: set.layers.value,
  output: set.output.value,
  loss: set.loss.value,
  optimizer: set.optimizer.value,
  init: set.init.value,
  batchSize: set.batch.value,
  live: { lr: set.lr.value, momentum: set.momentum.value, l2: set.l2.value, l1: set.l1.value },
}));

const chosenClass = signal(0);

/** The class of the points that are drawn by hand, one of those that there are. */
export const brush = computed(() => Math.min(chosenClass.value, set.classes.value - 1));

export function choose(label: number): void {
  chosenClass.value = label;
}

export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) =>
      char.charCodeAt(0),
    );
  } catch {
    return undefined;
  }
}
