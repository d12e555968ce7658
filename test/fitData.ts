// Data and steps for the tests of fit.
import {
  crossEntropyLoss,
  type Dataset,
  dataset,
  type Epoch,
  Linear,
  manualSeed,
  ReLU,
  Sequential,
  SGD,
  type Step,
} from "../src/index";

/** Rows [i] with the target [i]. */
export function numbered(count: number): Dataset {
  const rows = Array.from({ length: count }, (_, i) => [i]);
  return dataset(rows, rows);
}

/** The mean of the batch as its loss. */
export const meanOf: Step = (x) => x.mean();

export async function all(epochs: AsyncIterable<Epoch>): Promise<Epoch[]> {
  const list: Epoch[] = [];
  for await (const epoch of epochs) list.push(epoch);
  return list;
}

/** Two classes on either side of a line, a model for them, and its step. */
export function classifier(seed = 0) {
  manualSeed(seed);
  const points = Array.from({ length: 200 }, (_, i) => [Math.sin(7 * i), Math.cos(3 * i)]);
  const data = dataset(
    points,
    points.map(([a, b]) => Number(a! + b! > 0)),
  );
  const model = new Sequential(new Linear(2, 8), new ReLU(), new Linear(8, 2));
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const step: Step = (x, y) => {
    const loss = crossEntropyLoss(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  return { data, model, optimizer, step };
}
