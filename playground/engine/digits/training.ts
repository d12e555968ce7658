// Training on digits, and what the network makes of those that it has not seen.
import {
  Adam,
  accuracy,
  compile,
  confusionMatrix,
  crossEntropyLoss,
  type Dataset,
  dataset,
  fit,
  noGrad,
  scope,
  softmax,
  type Tensor,
} from "nablas";
import { generateDigits } from "../../../examples/digits/generate";
import type { Network } from "./network";
import {
  CLASSES,
  type DataInfo,
  type DigitData,
  type Misread,
  type Progress,
  type Tested,
  type TrainSettings,
  type Watcher,
} from "./types";

/** Test digits: a fifth, the last ones, since those of UCI are by other writers; and no more than MNIST's. */
const TEST = { share: 0.2, most: 10_000 };
/** Of them, those for the accuracy after each epoch. */
const GLANCE = 1000;
/** Digits to draw, or images to test, between two looks at what the page asks. */
const SLICE = 250;
/** Milliseconds between two reports. */
const PAUSE = 50;
const MOST_MISREAD = 12;

export interface Parts {
  data: DigitData;
  train: Dataset;
  test: Dataset;
  info: DataInfo;
}

/** A training, from its data to its test. */
export class Run {
  /** Ends the learning; the test follows. */
  readonly stop = new AbortController();
  replaced = false;

  constructor(readonly watcher: Watcher) {}

  /** Ends all of it: something else has taken its place. */
  replace(): void {
    this.replaced = true;
    this.stop.abort();
  }

  /** Lets messages of the page come in. @throws when it was replaced */
  async breathe(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    if (this.replaced) throw this.stop.signal.reason;
  }
}

/** Digits of the generator, a slice at a time. */
export async function generate({ examples, epochs, seed }: TrainSettings, run: Run): Promise<DigitData> {
  const side = 8;
  const pixels = new Float32Array(examples * side * side);
  const labels = new Int32Array(examples);
  for (let at = 0; at < examples; at += SLICE) {
    const digits = generateDigits(Math.min(SLICE, examples - at), seed + 7919 * at);
    pixels.set(digits.pixels, at * side * side);
    labels.set(digits.labels, at);
    run.watcher.advanced({ stage: "drawing", part: at / examples, epochs, losses: [], accuracies: [] });
    await run.breathe();
  }
  return { side, placing: "box", ink: 16, pixels, labels };
}

/** The data to train on and to test by. */
export function divide(data: DigitData): Parts {
  const { side, pixels, labels, name } = data;
  const count = labels.length;
  const test = Math.min(TEST.most, Math.max(1, Math.round(TEST.share * count)));
  const all = dataset({ data: pixels, shape: [count, side * side] }, labels);
  const [first, last] = all.split([count - test, test], { shuffle: false }) as [Dataset, Dataset];
  const samples = new Float32Array(CLASSES * side * side);
  for (let digit = 0; digit < CLASSES; digit++) {
    const at = labels.indexOf(digit);
    if (at >= 0) samples.set(imageAt(data, at), digit * side * side);
  }
  const info = { side, train: count - test, test, samples, ...(name !== undefined && { name }) };
  return { data, train: first, test: last, info };
}

/** An image from 0 to 1. */
function imageAt({ pixels, side, ink }: DigitData, index: number): Float32Array {
  const size = side * side;
  return Float32Array.from(pixels.subarray(index * size, (index + 1) * size), (value) => value / ink);
}

/** Trains; the event loop gets its turn every few milliseconds. */
export async function learn(
  { model }: Network,
  { data, train, test }: Parts,
  { epochs, lr, seed }: TrainSettings,
  { watcher, stop }: Run,
): Promise<void> {
  const optimizer = new Adam(model.parameters(), { lr });
  using step = compile((x: Tensor, labels: Tensor) => {
    const loss = crossEntropyLoss(model.forward(x.div(data.ink)), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  });
  const [losses, accuracies]: [number[], number[]] = [[], []];
  const batches = Math.ceil(train.size / 32);
  let told = -Infinity;
  const tell = (stage: Progress["stage"], part: number) => {
    told = performance.now();
    watcher.advanced({ stage, part, epochs, losses, accuracies });
  };
  const training = fit(step, train, {
    epochs,
    seed,
    model,
    optimizer,
    signal: stop.signal,
    validation: test.size > GLANCE ? test.subset(Array.from({ length: GLANCE }, (_, i) => i)) : test,
    evaluate: (x, labels) => ({ accuracy: accuracy(model.forward(x.div(data.ink)), labels) }),
    onBatch: ({ epoch, batch }) => {
      if (performance.now() - told > PAUSE) tell("training", (epoch + batch / batches) / epochs);
    },
  });
  for await (const { loss, validation } of training) {
    losses.push(loss);
    accuracies.push(validation!.accuracy!);
  }
  tell("testing", 1);
}

/** What the network takes the test digits for. */
export async function examine({ model }: Network, { data, test, info }: Parts, run: Run): Promise<Tested> {
  const [guesses, truths] = [new Int32Array(test.size), new Int32Array(test.size)];
  const certainties = new Float32Array(test.size);
  let at = 0;
  for (const { x, y } of test.batches({ batchSize: SLICE })) {
    scope(() =>
      noGrad(() => {
        const probabilities = softmax(model.forward(x.div(data.ink)), { dim: 1 });
        guesses.set(probabilities.argmax({ dim: 1 }).data, at);
        certainties.set(probabilities.max({ dim: 1 }).data, at);
        truths.set(y.data, at);
      }),
    );
    at += y.size;
    await run.breathe();
  }
  return {
    accuracy: accuracy(guesses, truths),
    matrix: confusionMatrix(guesses, truths, { classes: CLASSES }),
    misread: misreadOf(data, info.train, { guesses, truths, certainties }),
  };
}

/** Those that it was most certain of. */
function misreadOf(
  data: DigitData,
  first: number,
  { guesses, truths, certainties }: { guesses: Int32Array; truths: Int32Array; certainties: Float32Array },
): Misread[] {
  return Array.from(guesses.keys())
    .filter((i) => guesses[i] !== truths[i])
    .sort((a, b) => certainties[b]! - certainties[a]!)
    .slice(0, MOST_MISREAD)
    .map((i) => ({
      image: imageAt(data, first + i),
      truth: truths[i]!,
      guess: guesses[i]!,
      certainty: certainties[i]!,
    }));
}
