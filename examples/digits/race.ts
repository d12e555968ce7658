import { type Batch, shuffledBatches } from "./data";
import { randomNumbers } from "./random";

/** Trains on one batch and returns its loss. */
export type Step = (batch: Batch) => number;

export type OnEpoch = (loss: number) => void;

/** One training: the mean loss and the milliseconds of each epoch. */
interface Run {
  losses: number[];
  times: number[];
}

export interface RaceOptions {
  epochs: number;
  batchSize: number;
  seed: number;
  onEpoch: OnEpoch;
}

export interface RaceResult {
  /** Steps per second. */
  wasmRate: number;
  plainRate: number;
  /** The largest difference of the two losses of an epoch. */
  lossGap: number;
}

/**
 * Two trainings on the same batches, in turns, an epoch each: what slows the machine down slows both.
 * Only the steps are timed, not the making of the batches nor `onEpoch`.
 */
export function race(steps: { wasm: Step; plain: Step }, data: Batch, options: RaceOptions): RaceResult {
  const random = randomNumbers(options.seed);
  const wasm: Run = { losses: [], times: [] };
  const plain: Run = { losses: [], times: [] };
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    const batches = shuffledBatches(data, options.batchSize, random);
    runEpoch(wasm, steps.wasm, batches);
    runEpoch(plain, steps.plain, batches);
    options.onEpoch(wasm.losses[epoch]!);
  }
  const stepsPerEpoch = Math.ceil(data.labels.length / options.batchSize);
  return {
    wasmRate: (1000 * stepsPerEpoch) / median(wasm.times),
    plainRate: (1000 * stepsPerEpoch) / median(plain.times),
    lossGap: largestDifference(wasm.losses, plain.losses),
  };
}

function runEpoch(run: Run, step: Step, batches: Batch[]): void {
  let sum = 0;
  let rows = 0;
  const start = performance.now();
  for (const batch of batches) {
    sum += step(batch) * batch.labels.length;
    rows += batch.labels.length;
  }
  run.times.push(performance.now() - start);
  run.losses.push(sum / rows);
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}

function largestDifference(a: number[], b: number[]): number {
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
}
