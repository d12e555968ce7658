import { accuracy } from "nablas";
import type { Batch } from "./data";
import type { RaceResult } from "./race";
import type { Task } from "./task";

export interface Outcome extends RaceResult {
  seed: number;
  test: Batch;
  /** For each row of `test`. */
  predictions: Int32Array;
}

export function describeTask(
  { things, split }: Task,
  seed: number,
  layers: number[],
  source: string,
): string {
  const { train, test } = split(seed);
  return (
    `${train.labels.length} ${things} to train on, ${test.labels.length} to test, ${source}\n` +
    `${layers.join("-")} network, ReLU, cross-entropy, SGD with momentum\n`
  );
}

/** The means over the seeds, after the accuracy of each if there are several. */
export function describeOutcomes(outcomes: Outcome[]): string {
  const accuracies = outcomes.map(({ predictions, test }) => accuracy(predictions, test.labels));
  const seeds = outcomes.map(({ seed }, i) => row(`seed ${seed}`, accuracies[i]!.toFixed(4)));
  const wasm = mean(outcomes.map(({ wasmRate }) => wasmRate));
  const plain = mean(outcomes.map(({ plainRate }) => plainRate));
  const several = outcomes.length > 1;
  return [
    ...(several ? seeds : []),
    row("test accuracy", mean(accuracies).toFixed(4), several ? "mean of the seeds" : ""),
    row("WebAssembly", rate(wasm), "steps/s"),
    row("plain JavaScript", rate(plain), "steps/s"),
    row("ratio", (wasm / plain).toFixed(2), wasm < plain ? "times as fast" : "times faster"),
    row("loss difference", lossGap(outcomes).toExponential(1), "largest of all epochs"),
  ].join("\n");
}

/** The largest difference between the losses of the two trainings. */
export function lossGap(outcomes: Outcome[]): number {
  return Math.max(...outcomes.map((outcome) => outcome.lossGap));
}

function row(name: string, value: string, unit = ""): string {
  return `${name.padEnd(18)}${value.padStart(8)}  ${unit}`.trimEnd();
}

function rate(stepsPerSecond: number): string {
  return Math.round(stepsPerSecond).toLocaleString("en");
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
