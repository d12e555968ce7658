// What the panel shows, and what it asks of its worker.

import { computed, signal } from "@preact/signals";
import { proxy } from "comlink";
import type { Stroke } from "../../../examples/digits/font";
import { type Engine, startEngine } from "../../engine";
import type {
  DataInfo,
  Drawing,
  ModelInfo,
  Opened,
  Problem,
  Progress,
  Seen,
  Tested,
} from "../../engine/digits/types";
import { newest } from "../../newest";
import { choice, number, settings } from "../../settings";

export const WIDTHS = ["16", "32", "64", "128", "256"] as const;
export const COUNTS = ["500", "1000", "2000", "5000", "10000", "20000"] as const;

export const set = settings("digits", {
  hidden: choice("64", WIDTHS),
  examples: choice("5000", COUNTS),
  epochs: number(20, { min: 1, max: 50, integer: true }),
  lr: number(0.003, { min: 1e-5, max: 1 }),
  seed: number(1, { min: 0, max: 999_999, integer: true }),
});

const NOTHING: Drawing = { strokes: [] };

export const drawing = signal<Drawing>(NOTHING);
/** What the network makes of the drawing; undefined where nothing is drawn. */
export const seen = signal<Seen | undefined>(undefined);
/** Of the data under training. */
export const info = signal<DataInfo | undefined>(undefined);
export const progress = signal<Progress | undefined>(undefined);
export const tested = signal<Tested | undefined>(undefined);
/** A network that came from a file. */
export const loaded = signal<{ file: string; model: ModelInfo } | undefined>(undefined);
/** What is wanted to go with the half of a set that has come. */
export const half = signal<Extract<Opened, { kind: "half" }> | undefined>(undefined);
/** Why files were refused; or in words of the library, what failed. */
export const problem = signal<Problem | string | undefined>(undefined);
/** Whether a training is under way. */
export const training = signal(false);

export const isBlank = computed(() => drawing.value.strokes?.length === 0);

let engine: Engine<"digits"> | undefined;

function remote() {
  engine ??= startEngine("digits");
  return engine.remote;
}

/** Counts trainings: what an earlier one tells is not shown any more. */
let latest = 0;

/** Trains anew, with the settings as they are. */
export async function train(): Promise<void> {
  const mine = ++latest;
  const { hidden, examples, epochs, lr, seed } = set;
  training.value = true;
  const asked = {
    hidden: Number(hidden.value),
    examples: Number(examples.value),
    epochs: epochs.value,
    lr: lr.value,
    seed: seed.value,
  };
  try {
    const result = await remote().train(asked, watcher(mine));
    if (mine === latest) tested.value = result;
  } catch (error) {
    if (mine === latest) problem.value = (error as Error).message;
  }
  if (mine !== latest) return;
  training.value = false;
  look(drawing.value);
}

function watcher(mine: number) {
  return proxy({
    begun: (about: DataInfo) => {
      if (mine !== latest) return;
      info.value = about;
      tested.value = undefined;
      loaded.value = undefined;
      const { image } = drawing.value;
      if (image !== undefined && image.length !== about.side ** 2) draw(NOTHING);
    },
    advanced: (told: Progress) => {
      if (mine !== latest) return;
      progress.value = told;
      look(drawing.value);
    },
  });
}

/** Ends the learning: the network is tested as it is. */
export function stop(): void {
  void remote().stop();
}

/** Asks what the network makes of the drawing. */
const look = newest(
  async (asked: Drawing) => {
    const answer = isBlank.value ? undefined : await remote().see(asked);
    // What was cleared meanwhile stays so.
    seen.value = isBlank.value ? undefined : answer;
  },
  (error) => {
    if (error !== undefined) problem.value = error.message;
  },
);

export function draw(next: Drawing): void {
  drawing.value = next;
  look(drawing.value);
}

export function clear(): void {
  draw(NOTHING);
}

/** Begins a stroke, on an empty page if there is an image. */
export function begin(point: Stroke[number]): void {
  draw({ strokes: [...(drawing.value.strokes ?? []), [point]] });
}

/** Goes on with the last stroke. */
export function go(points: Stroke): void {
  const strokes = drawing.value.strokes ?? [];
  const last = strokes.at(-1);
  if (last !== undefined) draw({ strokes: [...strokes.slice(0, -1), [...last, ...points]] });
}

export function undo(): void {
  draw({ strokes: drawing.value.strokes?.slice(0, -1) ?? [] });
}

let written = 0;

/** Has the generator write a digit. */
export async function write(digit: number): Promise<void> {
  draw({ strokes: await remote().write(digit, ++written) });
}

/** Takes files over, and trains on what is data. */
export async function open(files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  problem.value = undefined;
  try {
    const opened = await remote().open(files);
    if (opened.kind === "problem") problem.value = opened.problem;
    else half.value = opened.kind === "half" ? opened : undefined;
    if (opened.kind === "data") void train();
    if (opened.kind === "model") take(opened);
  } catch (error) {
    problem.value = (error as Error).message;
  }
}

function take({ file, model, tested: test }: Extract<Opened, { kind: "model" }>): void {
  latest++;
  training.value = false;
  progress.value = undefined;
  loaded.value = { file, model };
  tested.value = test;
  if (drawing.value.image !== undefined) clear();
  look(drawing.value);
}

/** Goes back to the digits that the generator draws. */
export async function generated(): Promise<void> {
  half.value = undefined;
  await remote().forget();
  await train();
}

/** Downloads the network. */
export async function save(): Promise<void> {
  const bytes = await remote().save();
  if (bytes === undefined) return;
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  const link = document.createElement("a");
  link.href = url;
  link.download = "nablas-digits.safetensors";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
