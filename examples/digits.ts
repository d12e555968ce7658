/**
 * Trains a network to read handwritten digits: `npm start`, or `npm start -- --help`.
 *
 * The same training runs in plain JavaScript beside it, from the same weights and over the same batches:
 * to compare their speeds, and as a check, since both must reach the same losses.
 */
import {
  argmax,
  crossEntropyLoss,
  Linear,
  manualSeed,
  noGrad,
  ReLU,
  Sequential,
  SGD,
  scope,
  tensor,
} from "nablas";
import { PlainMlp } from "../bench/plain-mlp";
import { type Batch, type Split, split } from "./digits/data";
import { generateDigits } from "./digits/generate";
import { InputError } from "./digits/input-error";
import { HELP, readOptions } from "./digits/options";
import { showProgress } from "./digits/progress";
import { type OnEpoch, race, type Step } from "./digits/race";
import { readDigits } from "./digits/read";
import { describeOutcomes, describePredictions, describeTask, lossGap, type Outcome } from "./digits/report";

const BATCH_SIZE = 32;
const SGD_OPTIONS = { lr: 0.1, momentum: 0.9 };
/** Rounding makes 1e-7; in about one seed of 300 a ReLU is so near its kink that it grows to 1e-3. */
const LOSS_TOLERANCE = 1e-3;
const WARM_UP_EPOCHS = 20;

function createModel(seed: number): Sequential {
  manualSeed(seed);
  return new Sequential(new Linear(64, 32), new ReLU(), new Linear(32, 10));
}

/** One step of training by the library: a batch in, its loss out. */
function createStep(model: Sequential): Step {
  const optimizer = new SGD(model.parameters(), SGD_OPTIONS);
  return ({ x, labels }) =>
    scope(() => {
      const logits = model.forward(tensor(x, { shape: [labels.length, 64] }));
      const loss = crossEntropyLoss(logits, labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.item();
    });
}

/** The same step in plain JavaScript, from a copy of the model's weights. */
function createPlainStep(model: Sequential): Step {
  const weights = model.parameters().map((parameter) => Float32Array.from(parameter.data));
  const plain = new PlainMlp(weights, { maxBatch: BATCH_SIZE, ...SGD_OPTIONS });
  return ({ x, labels }) => plain.step(x, labels);
}

function predict(model: Sequential, { x, labels }: Batch): Int32Array {
  return scope(() =>
    noGrad(() => {
      const logits = model.forward(tensor(x, { shape: [labels.length, 64] }));
      return Int32Array.from(argmax(logits, { dim: 1 }).data);
    }),
  );
}

function trainAndTest(digits: Split, seed: number, epochs: number, onEpoch: OnEpoch): Outcome {
  const model = createModel(seed);
  const steps = { wasm: createStep(model), plain: createPlainStep(model) };
  const result = race(steps, digits.train, { epochs, batchSize: BATCH_SIZE, seed, onEpoch });
  return { ...result, seed, predictions: predict(model, digits.test) };
}

function main(): void {
  const { help, data, epochs, seed, seeds } = readOptions(process.argv.slice(2));
  if (help) {
    console.log(HELP);
    return;
  }
  const digits = split(data === undefined ? generateDigits(1797, seed) : readDigits(data));
  console.log(describeTask(digits, data === undefined ? "drawn by a generator" : `from ${data}`));
  // On another model: both sides are slow in their first thousand steps, until V8 has compiled them.
  trainAndTest(digits, seed, WARM_UP_EPOCHS, () => {});
  const progress = showProgress(epochs * seeds);
  const outcomes = Array.from({ length: seeds }, (_, i) =>
    trainAndTest(digits, seed + i, epochs, progress.advance),
  );
  progress.stop();

  console.log(describePredictions(digits.test, outcomes[0]!.predictions));
  console.log(describeOutcomes(outcomes, digits.test));
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
