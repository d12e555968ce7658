// The largest error of a kernel over every float32.
import {
  A,
  binaries,
  CHUNK,
  doubles,
  floats,
  type Kernel,
  PLACE,
  T,
  truths,
  unary,
  words,
  Y,
} from "./binaries";

/** The largest error, and the argument, or arguments, where it occurs. */
export interface Worst {
  error: number;
  at: readonly number[];
}

/** What is measured: a kernel's values in ULP, or its derivative, relative. */
export interface Sweep {
  kernel: Kernel;
  slope: boolean;
  /** The true values, a function of assembly/index.ts, and its options. */
  truth: string;
  options: readonly [a: number, b: number];
  /** Whether negative numbers are visited. */
  negative: boolean;
  /** Every how many-th chunk is visited: 1 for every float32. */
  stride: number;
  /** The first and last argument that is left out. */
  gap?: readonly [number, number] | undefined;
}

/** The first 16 bits of infinity; what is beyond is NaN. */
const INFINITE = 0x7f80;
/** Numbers of a chunk that stand for all of it where nothing rounds. */
const SAMPLES = 16;

/**
 * The largest error of each binary over every finite float32. A chunk is all numbers that have the first 16 bits in common.
 * Where the kernel gives one and the same number for all of a chunk, or the argument times a power of two, no
 * rounding makes neighbours differ: the error is as smooth as the function, and the ends of the chunk and numbers between show it.
 */
export function sweep(task: Sweep, progress: (share: number) => void): Worst[] {
  const worst = binaries.map((): Worst => ({ error: 0, at: [] }));
  const end = task.negative ? 65_536 : 32_768;
  for (let high = 0; high < end; high += task.stride) {
    if (high % 64 === 0) progress(high / end);
    if ((high & 0x7fff) < INFINITE) sweepChunk(task, high, worst);
  }
  return worst;
}

function sweepChunk(task: Sweep, high: number, worst: Worst[]): void {
  const { kernel, slope, truth, options, gap = [1, 0] } = task;
  let known = 0;
  for (const [i, { error }] of worst.entries()) {
    truths.fill!(A, high * CHUNK, CHUNK);
    unary(i, kernel, slope);
    const count = truths.isSmooth!(A, Y, CHUNK) ? sampled() : CHUNK;
    if (known !== count) truths[truth]!(A, T, count, ...options, Number(slope));
    known = count;
    const most = truths.largest!(A, Y, T, count, error, PLACE, Number(slope), ...gap);
    if (most > error) worst[i] = { error: most, at: [floats(A)[words(PLACE)[0]!]!] };
  }
}

/** Keeps the ends of the chunk and some numbers between, and their results. */
function sampled(): number {
  const [x, y] = [floats(A), floats(Y)];
  for (let i = 1; i < SAMPLES; i++) {
    const at = Math.round((i * (CHUNK - 1)) / (SAMPLES - 1));
    [x[i], y[i]] = [x[at]!, y[at]!];
  }
  return SAMPLES;
}

/** The true values of `truth` at some numbers, for those who check it. */
export function trueValues(
  truth: string,
  options: readonly number[],
  slope: boolean,
  x: Float32Array,
): Float64Array {
  floats(A).set(x);
  truths[truth]!(A, T, x.length, ...options, Number(slope));
  return doubles(T, x.length).slice();
}
