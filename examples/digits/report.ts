import { type Batch, PIXELS, type Split } from "./data";
import type { RaceResult } from "./race";
import { renderDigits } from "./render";

export interface Outcome extends RaceResult {
  seed: number;
  /** For each of the test digits. */
  predictions: Int32Array;
}

const SHOWN = 4;
const IMAGE_WIDTH = 16;

export function describeTask({ train, test }: Split, source: string): string {
  return (
    `${train.labels.length} digits to train on, ${test.labels.length} to test, ${source}\n` +
    "64-32-10 network, ReLU, cross-entropy, SGD with momentum\n"
  );
}

/** The first test digits, each above the answer of the network. */
export function describePredictions({ x, labels }: Batch, predictions: Int32Array): string {
  const answers = Array.from(predictions.subarray(0, SHOWN), (prediction, i) => {
    const answer = prediction === labels[i] ? `read as ${prediction}` : `${labels[i]}, read as ${prediction}`;
    return answer.padEnd(IMAGE_WIDTH);
  });
  return `${renderDigits(x.subarray(0, SHOWN * PIXELS))}\n${answers.join(" ").trimEnd()}\n`;
}

/** The means over the seeds, after the accuracy of each if there are several. */
export function describeOutcomes(outcomes: Outcome[], { labels }: Batch): string {
  const accuracies = outcomes.map(({ predictions }) => accuracy(predictions, labels));
  const seeds = outcomes.map(({ seed }, i) => row(`seed ${seed}`, accuracies[i]!.toFixed(4)));
  const wasm = mean(outcomes.map(({ wasmRate }) => wasmRate));
  const plain = mean(outcomes.map(({ plainRate }) => plainRate));
  const several = outcomes.length > 1;
  return [
    ...(several ? seeds : []),
    row("test accuracy", mean(accuracies).toFixed(4), several ? "mean of the seeds" : ""),
    row("WebAssembly", rate(wasm), "steps/s"),
    row("plain JavaScript", rate(plain), "steps/s"),
    row("ratio", (wasm / plain).toFixed(2), "times faster"),
    row("loss difference", lossGap(outcomes).toExponential(1), "largest of all epochs"),
  ].join("\n");
}

/** The largest difference between the losses of the two trainings. */
export function lossGap(outcomes: Outcome[]): number {
  return Math.max(...outcomes.map((outcome) => outcome.lossGap));
}

function accuracy(predictions: Int32Array, labels: Int32Array): number {
  return predictions.filter((prediction, i) => prediction === labels[i]).length / labels.length;
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
