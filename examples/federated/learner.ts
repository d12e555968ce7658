import {
  accuracy,
  crossEntropyLoss,
  type Dataset,
  dataset,
  fit,
  Linear,
  manualSeed,
  noGrad,
  ReLU,
  Sequential,
  SGD,
  scope,
  type Tensor,
} from "nablas";
import { CLASSES, PIXELS, split } from "../digits/data";
import { generateDigits } from "../digits/generate";

/** How the rows are divided: evenly, or so that each worker sees only some of the digits. */
export type Division = "even" | "digits";

const HIDDEN = 32;
const BATCH_SIZE = 32;

/** The digits to train on and to test. */
export function makeData(count: number, seed: number): { train: Dataset; test: Dataset } {
  const { train, test } = split(generateDigits(count, seed));
  const toDataset = ({ x, labels }: typeof train) =>
    dataset({ data: x, shape: [labels.length, PIXELS] }, labels);
  return { train: toDataset(train), test: toDataset(test) };
}

/** The rows of one of the workers. */
export function shareOf(data: Dataset, division: Division, worker: number, workers: number): Dataset {
  const rows = Array.from({ length: data.size }, (_, row) => row);
  const keys = division === "even" ? rows : scope(() => [...data.batch().y.data]);
  return data.subset(rows.filter((row) => keys[row]! % workers === worker));
}

/** A network, the same for the same seed, and what it learns. */
export class Learner {
  readonly model: Sequential;
  private readonly optimizer: SGD;

  constructor(private readonly seed: number) {
    manualSeed(seed);
    this.model = new Sequential(new Linear(PIXELS, HIDDEN), new ReLU(), new Linear(HIDDEN, CLASSES));
    this.optimizer = new SGD(this.model.parameters(), { lr: 0.1 });
  }

  /** Goes through the data once. */
  async learn(data: Dataset, round: number): Promise<void> {
    const step = (x: Tensor, labels: Tensor) => {
      const loss = crossEntropyLoss(this.model.forward(x), labels);
      this.optimizer.zeroGrad();
      loss.backward();
      this.optimizer.step();
      return loss;
    };
    const seed = 10_000 * this.seed + round;
    for await (const _ of fit(step, data, { epochs: 1, batchSize: BATCH_SIZE, seed }));
  }

  /** The share of rows that it tells right. */
  test(data: Dataset): number {
    return scope(() => {
      const { x, y } = data.batch();
      return noGrad(() => accuracy(this.model.forward(x), y));
    });
  }
}
