// What the page and its worker tell each other of digits.
import type { Stroke } from "../../../examples/digits/font";
import type { Placing } from "./raster";

/** How many digits there are. */
export const CLASSES = 10;

/** Images of digits: `pixels` is [count, side, side], from 0 to `ink`. */
export interface DigitData {
  side: number;
  placing: Placing;
  ink: number;
  pixels: Float32Array | Uint8Array;
  labels: Int32Array;
  /** Of the file; none: they were generated. */
  name?: string;
}

/** What there is to learn from. */
export interface DataInfo {
  side: number;
  train: number;
  test: number;
  name?: string;
  /** An image of each digit, one after the other, from 0 to 1. */
  samples: Float32Array;
}

export interface TrainSettings {
  hidden: number;
  epochs: number;
  lr: number;
  seed: number;
  /** How many digits to generate, unless a file was dropped. */
  examples: number;
}

export interface Progress {
  stage: "drawing" | "training" | "testing";
  /** From 0 to 1. */
  part: number;
  /** How many there are to be. */
  epochs: number;
  /** By epoch, as the share of a part of the test digits that is read rightly. */
  accuracies: readonly number[];
  losses: readonly number[];
}

/** Is told how a training goes. */
export interface Watcher {
  begun(info: DataInfo): void;
  advanced(progress: Progress): void;
}

/** A test digit that was taken for another. */
export interface Misread {
  image: Float32Array;
  truth: number;
  guess: number;
  /** The probability of the guess. */
  certainty: number;
}

export interface Tested {
  accuracy: number;
  /** `matrix[truth][guess]` */
  matrix: number[][];
  misread: Misread[];
}

/** Strokes of a pen, from 0 to 1 from left to right and from top to bottom; or an image as the network takes it. */
export type Drawing =
  | { strokes: readonly Stroke[]; image?: undefined }
  | { image: Float32Array; strokes?: undefined };

/** What the network sees, and what it makes of it. */
export interface Seen {
  side: number;
  image: Float32Array;
  probabilities: Float32Array;
}

/** A network that can be asked. */
export interface ModelInfo {
  side: number;
  hidden: number;
}

/** Why a file was refused. */
export interface Problem {
  kind:
    | "empty"
    | "unknown"
    | "damaged"
    | "columns"
    | "number"
    | "pixel"
    | "label"
    | "few"
    | "rank"
    | "bytes"
    | "square"
    | "counts"
    | "images"
    | "labels"
    | "several"
    | "foreign"
    | "misfit";
  file: string;
  /** Counted from 1. */
  row?: number;
  column?: number;
  got?: string;
}

/** What came of files. */
export type Opened =
  | { kind: "data" }
  | { kind: "half"; have: "images" | "labels"; count: number; file: string }
  | { kind: "model"; file: string; model: ModelInfo; tested: Tested | undefined }
  | { kind: "problem"; problem: Problem };
