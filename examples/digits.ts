/**
 * Trains a network to read handwritten digits, or to tell the classes of a table: `npm start`, or
 * `npm start -- --help`.
 *
 * The same training runs in plain JavaScript beside it, from the same weights and over the same batches:
 * to compare their speeds, and as a check, since both must reach the same losses.
 */
import {
  argmax,
  compile,
  crossEntropyLoss,
  Linear,
  manualSeed,
  noGrad,
  ReLU,
  Sequential,
  SGD,
  scope,
  type Tensor,
  tensor,
} from "nablas";
import { PlainMlp } from "../bench/plain-mlp";
import type { Batch } from "./digits/data";
import { generateDigits } from "./digits/generate";
import { InputError } from "./digits/input-error";
import { HELP, readOptions } from "./digits/options";
import { showProgress } from "./digits/progress";
import { type OnEpoch, race, type Step } from "./digits/race";
import { describeOutcomes, describeTask, lossGap, type Outcome } from "./digits/report";
import { digitsTask, readTask, type Task } from "./digits/task";

const BATCH_SIZE = 32;
const SGD_OPTIONS = { lr: 0.1, momentum: 0.9 };
/** Rounding makes 1e-7; in about one seed of 300 a ReLU is so near its kink that it grows to 1e-3. */
const LOSS_TOLERANCE = 1e-3;
/** Both sides are slow in their first thousand steps, until V8 has compiled them. */
const WARM_UP_STEPS = 1000;

/** Half as many hidden units as features, in eights; one output for each class. */
function layersFor({ features, classes }: Task): [inputs: number, hidden: number, outputs: number] {
  return [features, 8 * Math.ceil(features / 16), classes];
}

function createModel(task: Task, seed: number): Sequential {
  const [inputs, hidden, outputs] = layersFor(task);
  manualSeed(seed);
  return new Sequential(new Linear(inputs, hidden), new ReLU(), new Linear(hidden, outputs));
}

function toTensor({ x, labels }: Batch): Tensor {
  return tensor(x, { shape: [labels.length, x.length / labels.length] });
}

/** One step of training by the library: a batch in, its loss out. */
function createStep(model: Sequential): Step {
  const optimizer = new SGD(model.parameters(), SGD_OPTIONS);
  const step = compile((x: Tensor, labels: Tensor) => {
    const loss = crossEntropyLoss(model.forward(x.reshape([labels.size, -1])), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  });
  return ({ x, labels }) => step(x, labels).item();
}

/** The same step in plain JavaScript, from a copy of the model's weights. */
function createPlainStep(model: Sequential): Step {
  const weights = model.parameters().map((parameter) => Float32Array.from(parameter.data));
  const plain = new PlainMlp(weights, { maxBatch: BATCH_SIZE, ...SGD_OPTIONS });
  return ({ x, labels }) => plain.step(x, labels);
}

function predict(model: Sequential, batch: Batch): Int32Array {
  return scope(() => noGrad(() => Int32Array.from(argmax(model.forward(toTensor(batch)), { dim: 1 }).data)));
}

function trainAndTest(task: Task, seed: number, epochs: number, onEpoch: OnEpoch): Outcome {
  const { train, test } = task.split(seed);
  const model = createModel(task, seed);
  const steps = { wasm: createStep(model), plain: createPlainStep(model) };
  const result = race(steps, train, { epochs, batchSize: BATCH_SIZE, seed, onEpoch });
  return { ...result, seed, test, predictions: predict(model, test) };
}

/** Trains other models, to compile the code. */
function warmUp(task: Task, seed: number): void {
  const stepsPerEpoch = Math.ceil(task.split(seed).train.labels.length / BATCH_SIZE);
  trainAndTest(task, seed, Math.ceil(WARM_UP_STEPS / stepsPerEpoch), () => {});
}

function main(): void {
  const { help, data, epochs, seed, seeds } = readOptions(process.argv.slice(2));
  if (help) {
    console.log(HELP);
    return;
  }
  const task = data === undefined ? digitsTask(generateDigits(1797, seed)) : readTask(data);
  const source = data === undefined ? "drawn by a generator" : `from ${data}`;
  console.log(describeTask(task, seed, layersFor(task), source));
  warmUp(task, seed);
  const progress = showProgress(epochs * seeds);
  const outcomes = Array.from({ length: seeds }, (_, i) =>
    trainAndTest(task, seed + i, epochs, progress.advance),
  );
  progress.stop();

  const { test, predictions } = outcomes[0]!;
  console.log(task.describe(test, predictions));
  console.log(describeOutcomes(outcomes));
  const gap = lossGap(outcomes);
  if (gap <= LOSS_TOLERANCE) return;
  console.error(`digits: the losses of the two trainings differ by ${gap}, more than ${LOSS_TOLERANCE}`);
  process.exitCode = 1;
}

// As in `npm start | head`: the reader has seen enough.
process.stdout.on("error", () => process.exit());

try {
  main();
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(`digits: ${error.message}`);
  process.exitCode = 1;
}
