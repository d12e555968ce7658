// The loop between the page and the engine: at each picture of the screen one frame is asked for, if none is under way.
import { computed, effect, signal } from "@preact/signals";
import { type Engine, startEngine } from "../../engine/index";
import type { Frame, Health, ShownPoint } from "../../engine/train/index";
import { panel } from "../../link";
import { rgb } from "../../theme";
import { History } from "./history";
import type { Spec } from "./spec";
import { fromBase64, SPEEDS, set, spec, toBase64 } from "./state";

/** Milliseconds of the worker for a frame: with the messages and the drawing it is there within a sixtieth of a second. */
const FRAME = 11;
/** Pictures of the screen for each step, at the slowest speed. */
const SLOW = 8;
/** Names in style.css. */
export const CLASS_COLORS = ["blue", "orange", "green", "purple"] as const;

export const points = signal<readonly ShownPoint[]>([]);
export const frame = signal<Frame | undefined>(undefined);
export const picture = signal<Frame["picture"]>(undefined);
export const health = signal<Health>({ findings: [], layers: [] });
/** Why there is no network, or why its training has stopped. */
export const problem = signal<string | undefined>(undefined);
/** Whether the loss has ceased to be a finite number. */
export const diverged = signal(false);
export let history = new History();

/** Of the classes and of the paper, as they are drawn: other ones in the dark. */
const look = computed(() => ({ colors: CLASS_COLORS.map(rgb), paper: rgb("card") }));

let engine: Engine<"train">;
/** Settings to take over, whether to begin with them anew, and the state of a link to begin from. */
let wanted: Spec | undefined;
let anew = false;
let saved = "";
let running: Spec | undefined;
let busy = false;
let looked = true;
let pictures = 0;

/** Starts following the settings, and the screen. */
export function begin(): void {
  engine = startEngine("train");
  effect(() => {
    wanted = spec.value;
    if (set.state.value === "") return;
    saved = set.state.value;
    set.state.value = "";
  });
  effect(() => {
    look.value;
    looked = false;
  });
  const next = () => {
    requestAnimationFrame(next);
    pictures++;
    if (!busy && panel.peek() === "train") void turn();
  };
  requestAnimationFrame(next);
}

/** Begins anew, from the seed. */
export function reset(): void {
  anew = true;
  wanted = spec.peek();
}

/** One step, and a stop. */
export async function stepOnce(): Promise<void> {
  set.play.value = false;
  while (busy || wanted !== undefined) await new Promise(requestAnimationFrame);
  if (problem.peek() === undefined) await advance(1, undefined, true);
}

/**
 * What a link has beside the settings: weights, the optimizer's memory, random numbers. Undefined where there is no network,
 * or one of other settings.
 */
export async function stateOf(): Promise<string | undefined> {
  while (wanted !== undefined) await new Promise(requestAnimationFrame);
  if (problem.peek() !== undefined) return undefined;
  return toBase64(await deflated(await engine.remote.save()));
}

/** What is due: other settings, a frame of training, or another look. */
async function turn(): Promise<void> {
  if (wanted !== undefined) return follow();
  if (problem.peek() !== undefined || running === undefined) return;
  const speed = set.speed.peek();
  if (set.play.peek()) {
    if (speed === "slow" && pictures % SLOW !== 0) return;
    await advance(SPEEDS[speed], FRAME, false);
  } else if (!looked) await advance(0, undefined, true);
}

/** Takes over settings: those that can change at once, other points, or all anew. */
async function follow(): Promise<void> {
  if (anew) running = undefined;
  const [next, state, before] = [wanted!, saved, running];
  [wanted, saved, anew] = [undefined, "", false];
  await safely(async () => {
    const checkpoint = state === "" ? undefined : await inflated(state);
    if (before === undefined || checkpoint !== undefined || !sameBut(["live", "data"], before, next))
      await start(next, checkpoint);
    else if (sameBut(["points"], before.data, next.data)) {
      if (before.data.points !== next.data.points) points.value = await engine.remote.exchange(next.data);
      await engine.remote.tune(next.live);
    } else await start(next);
    running = next;
    problem.value = undefined;
  });
  if (problem.peek() === undefined) await advance(0, undefined, true);
}

async function start(next: Spec, saved?: Uint8Array): Promise<void> {
  points.value = await engine.remote.start(next, saved);
  history = new History();
  diverged.value = false;
}

async function advance(steps: number, ms: number | undefined, whole: boolean): Promise<void> {
  looked = true;
  await safely(async () => {
    const { colors, paper } = look.value;
    const classes = colors.slice(0, running!.data.classes);
    const limit = { steps, ...(ms !== undefined && { ms }) };
    const next = await engine.remote.advance({ ...limit, colors: classes, paper, whole });
    history.add(next);
    frame.value = next;
    if (next.picture !== undefined) picture.value = next.picture;
    if (next.health !== undefined) health.value = next.health;
    if (next.problem !== undefined) throw new Error(next.problem);
    if (next.batchLoss === null || Number.isFinite(next.batchLoss)) return;
    set.play.value = false;
    diverged.value = true;
    looked = false;
  });
}

/** One thing at a time; what goes wrong is said, and stops the training. */
async function safely(fn: () => Promise<void>): Promise<void> {
  busy = true;
  try {
    await fn();
  } catch (error) {
    problem.value = (error as Error).message;
    set.play.value = false;
  } finally {
    busy = false;
  }
}

function sameBut<T extends object>(names: readonly (keyof T)[], a: T, b: T): boolean {
  const rest = (value: T) =>
    JSON.stringify(value, (key, item) => (names.includes(key as keyof T) ? undefined : item));
  return rest(a) === rest(b);
}

async function deflated(bytes: Uint8Array): Promise<Uint8Array> {
  return through(bytes, new CompressionStream("deflate-raw"));
}

async function inflated(text: string): Promise<Uint8Array | undefined> {
  const bytes = fromBase64(text);
  return bytes && through(bytes, new DecompressionStream("deflate-raw")).catch(() => undefined);
}

async function through(bytes: Uint8Array, stream: ReadableWritablePair): Promise<Uint8Array> {
  const body = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(body).arrayBuffer());
}
