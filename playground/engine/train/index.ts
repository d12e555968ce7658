// Training for the page: it moves only when the page asks for the next frame, so that pictures are never late.
import { transfer } from "comlink";
import { NablasError } from "nablas";
import type { DataSpec, Live, Spec } from "../../panels/train/spec";
import type { Rgb } from "../../theme";
import { type Health, type Score, Session, type ShownPoint } from "./session";
import { type LayerView, layerViews, paint } from "./view";

export type { Health, LayerView, Score, ShownPoint };

/** What the page wants to see. */
export interface Wanted {
  /** Steps to make at most, and milliseconds to take for them and for looking. */
  steps?: number;
  ms?: number;
  /** Of the classes, and of the paper beneath. */
  colors: readonly Rgb[];
  paper: Rgb;
  /** Picture and health now, however little time has passed. */
  whole?: boolean;
}

/** What the network answers over the plane, as RGBA, side x side. */
export interface Picture {
  side: number;
  pixels: Uint8ClampedArray<ArrayBuffer>;
}

/** The network after these steps. */
export interface Frame {
  steps: number;
  epochs: number;
  /** Mean loss of the batches since the last frame; null if there were none. */
  batchLoss: number | null;
  train: Score | null;
  test: Score | null;
  layers: readonly (LayerView | undefined)[];
  /** Undefined if it is too soon for another. */
  picture?: Picture;
  health?: Health;
  /** What the library refuses. */
  problem?: string;
}

/** What the library refuses leaves the rest to be looked at, the findings above all. */
class Faults {
  first: string | undefined;

  catch<T>(fn: () => T): T | null {
    try {
      return fn();
    } catch (error) {
      if (!(error instanceof NablasError)) throw error;
      this.first ??= error.message;
      return null;
    }
  }
}

/** Looking takes at most this share of the time. */
const SHARES = { picture: 0.5, health: 0.1 };

/** Something that is done again when it has had its share of the time. */
class Regularly {
  private due = 0;

  constructor(
    private readonly share: number,
    private readonly least: number,
  ) {}

  run<T>(now: boolean, fn: () => T): T | undefined {
    const start = performance.now();
    if (!now && start < this.due) return undefined;
    const result = fn();
    const end = performance.now();
    this.due = end + Math.max(this.least, (end - start) / this.share);
    return result;
  }
}

/** Milliseconds of training in a frame at least. */
const LEAST = 2;

/** Milliseconds that the last look took. */
let looking = 0;
let session: Session | undefined;
const pictures = new Regularly(SHARES.picture, 0);
const checks = new Regularly(SHARES.health, 250);

function current(): Session {
  if (session === undefined) throw new Error("no network yet");
  return session;
}

export const train = {
  /** Another network and its data, anew or as it was saved; the points. What fails leaves the one before. */
  start(spec: Spec, saved?: Uint8Array): readonly ShownPoint[] {
    const next = new Session(spec, saved);
    session?.dispose();
    session = next;
    return next.points;
  },

  /** Other points for the same network. */
  exchange(data: DataSpec): readonly ShownPoint[] {
    current().exchange(data);
    return current().points;
  },

  tune(live: Live): void {
    current().tune(live);
  },

  /** Trains on, and tells how it is then. */
  advance({ steps = 0, ms, colors, paper, whole = false }: Wanted): Frame {
    const now = current();
    const faults = new Faults();
    const trains = steps > 0 && now.points.length > 0;
    const limits = { steps, ...(ms !== undefined && { ms: Math.max(LEAST, ms - looking) }) };
    const batchLoss = trains ? faults.catch(() => now.run(limits)) : null;
    const trained = performance.now();
    const pixels = pictures.run(whole, () => faults.catch(() => paint(now.picture(), colors, paper)));
    const health = checks.run(whole || faults.first !== undefined, () => faults.catch(() => now.health()));
    const frame: Frame = {
      steps: now.steps,
      epochs: now.epochs,
      batchLoss,
      train: faults.catch(() => now.measure("train")),
      test: faults.catch(() => now.measure("test")),
      layers: layerViews(now.model.layers),
      ...(pixels && { picture: { side: now.side, pixels } }),
      ...(health && { health }),
      ...(faults.first && { problem: faults.first }),
    };
    if (health === undefined) looking = performance.now() - trained;
    return transfer(frame, pixels ? [pixels.buffer] : []);
  },

  /** A checkpoint for `start`. */
  save(): Uint8Array {
    const bytes = current().save();
    return transfer(bytes, [bytes.buffer]);
  },
};
