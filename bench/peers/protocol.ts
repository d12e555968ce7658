import type { Timing } from "../stats";

/** The libraries by their packages, ours first, and plain loops. */
export const libraries = [
  "nablas",
  "@tensorflow/tfjs",
  "onnxruntime-web",
  "@jax-js/jax",
  "numpy-ts",
  "brain.js",
  "plain JavaScript",
] as const;

export type Library = (typeof libraries)[number];

export const titles: Record<Library, string> = {
  nablas: "nablas",
  "@tensorflow/tfjs": "tfjs",
  "onnxruntime-web": "onnxruntime-web",
  "@jax-js/jax": "jax-js",
  "numpy-ts": "numpy-ts",
  "brain.js": "brain.js",
  "plain JavaScript": "plain JavaScript",
};

export interface Effort {
  processes: number;
  /** In each process. */
  rounds: number;
  /** Seconds for each library in each round. */
  time: number;
}

export interface Order {
  rows: string[];
  libraries: Library[];
  effort: Effort;
}

/** What a process prints, one line of JSON each. */
export type Message =
  | { library: Library; about: string }
  | { library: Library; row: string; samples: number[]; unlike?: boolean }
  | { library: Library; row: string; wrong: string };

/** How a library did in a row; undefined where it has no such operation. */
export interface Outcome {
  timing?: Timing;
  /** Why its answer was not the right one. */
  wrong?: string;
  /** Its mathematics is not the row's. */
  unlike?: boolean;
}
