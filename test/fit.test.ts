import { afterEach, describe, expect, test, vi } from "vitest";
import {
  accuracy,
  crossEntropyLoss,
  type FitOptions,
  fit,
  OptionError,
  type Step,
  scope,
  type Tensor,
} from "../src/index";
import { all, classifier, meanOf, numbered } from "./fitData";
import { held, heldForGood } from "./held";

/** The first column of each batch that `fit` makes of ten rows. */
async function batchesSeen(options: FitOptions): Promise<number[][]> {
  const seen: number[][] = [];
  const step: Step = (x) => {
    seen.push([...x.data]);
    return x.mean();
  };
  await all(fit(step, numbered(10), options));
  return seen;
}

describe("training", () => {
  test("lowers the loss, and validates on rows that it does not train on", async () => {
    const { data, model, step } = classifier();
    const evaluate = (x: Tensor, y: Tensor) => {
      const logits = model.forward(x);
      return { loss: crossEntropyLoss(logits, y), accuracy: accuracy(logits, y) };
    };
    const epochs = await all(fit(step, data, { epochs: 30, seed: 1, validation: 0.2, evaluate }));
    expect(epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(epochs.every(({ batches }) => batches === 5)).toBe(true);
    expect(epochs[29]!.loss).toBeLessThan(epochs[0]!.loss / 3);
    expect(epochs[29]!.validation!.loss).toBeLessThan(0.3);
    expect(epochs[29]!.validation!.accuracy).toBeGreaterThan(0.9);
    expect(epochs.every(({ seconds }) => seconds > 0)).toBe(true);
  });

  test("gives the losses of a loop by hand over the same batches", async () => {
    const first = classifier(5);
    const byFit = (await all(fit(first.step, first.data, { epochs: 3, batchSize: 16, shuffle: false }))).map(
      ({ loss }) => loss,
    );
    const second = classifier(5);
    const byHand = [0, 1, 2].map(() => {
      let total = 0;
      for (const { x, y } of second.data.batches({ batchSize: 16 })) {
        total += scope(() => second.step(x, y).item()) * x.shape[0]!;
      }
      return total / second.data.size;
    });
    expect(byFit).toEqual(byHand);
  });

  test("weights the losses by the rows of their batches", async () => {
    const options = { batchSize: 4, shuffle: false };
    const [whole] = await all(fit(meanOf, numbered(10), options));
    expect(whole).toMatchObject({ loss: 4.5, batches: 3 });
    const [dropped] = await all(fit(meanOf, numbered(10), { ...options, dropLast: true }));
    expect(dropped).toMatchObject({ loss: 3.5, batches: 2 });
  });

  test("runs one epoch of 32 rows a batch by default", async () => {
    expect(await all(fit(meanOf, numbered(70)))).toMatchObject([{ epoch: 0, batches: 3 }]);
  });
});

describe("the order of the rows", () => {
  const sorted = (rows: number[]) => [...rows].sort((a, b) => a - b);

  test("is new in each epoch, and the same for the same seed", async () => {
    const options = { epochs: 2, batchSize: 10, seed: 3 };
    const [first, second] = await batchesSeen(options);
    expect(first).not.toEqual(second);
    expect(sorted(first!)).toEqual(sorted(second!));
    expect(await batchesSeen(options)).toEqual([first, second]);
    expect(await batchesSeen({ ...options, seed: 4 })).not.toEqual([first, second]);
  });

  test("is that of the data without shuffle, and validation takes the end", async () => {
    const measured: number[] = [];
    const evaluate = (x: Tensor) => {
      measured.push(...x.data);
      return x.mean();
    };
    const options = { shuffle: false, batchSize: 5, validation: 0.3, evaluate };
    expect(await batchesSeen(options)).toEqual([
      [0, 1, 2, 3, 4],
      [5, 6],
    ]);
    expect(measured).toEqual([7, 8, 9]);
  });

  test("draws the rows for validation by the seed", async () => {
    const evaluate = (x: Tensor) => x.mean();
    const rows = async (seed: number) =>
      sorted((await batchesSeen({ batchSize: 10, validation: 0.5, evaluate, seed }))[0]!);
    expect(await rows(1)).toEqual(await rows(1));
    expect(await rows(1)).not.toEqual(await rows(2));
  });
});

describe("onBatch", () => {
  test("hears of every step, and training waits for its promise", async () => {
    const heard: unknown[] = [];
    const onBatch = async (batch: unknown) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      heard.push(batch);
    };
    for await (const { epoch } of fit(meanOf, numbered(4), {
      epochs: 2,
      batchSize: 2,
      shuffle: false,
      onBatch,
    })) {
      expect(heard).toHaveLength(2 * (epoch + 1));
    }
    expect(heard).toEqual([
      { epoch: 0, batch: 0, loss: 0.5 },
      { epoch: 0, batch: 1, loss: 2.5 },
      { epoch: 1, batch: 0, loss: 0.5 },
      { epoch: 1, batch: 1, loss: 2.5 },
    ]);
  });
});

describe("the event loop", () => {
  afterEach(() => vi.unstubAllGlobals());

  /** Trains for seconds, or until a timer of 1 ms has fired so often; returns how often it has. */
  async function ticks(most: number): Promise<number> {
    let count = 0;
    const timer = setInterval(() => count++, 1);
    for await (const _ of fit(meanOf, numbered(100), { epochs: 100_000 })) if (count >= most) break;
    clearInterval(timer);
    return count;
  }

  test.each([
    ["setImmediate", []],
    ["MessageChannel", ["setImmediate"]],
    ["setTimeout", ["setImmediate", "MessageChannel"]],
  ])("gets its turn by %s", async (_, missing) => {
    for (const name of missing) vi.stubGlobal(name, undefined);
    expect(await ticks(4)).toBeGreaterThanOrEqual(4);
  });

  test("lets two trainings run side by side", async () => {
    const before = await heldForGood();
    const batches = { a: 0, b: 0 };
    // Each goes on until both have trained: if one waited for the other's end, there would be none.
    const train = async (name: "a" | "b") => {
      const onBatch = () => void batches[name]++;
      for await (const _ of fit(meanOf, numbered(64), { epochs: 100_000, onBatch }))
        if (batches.a > 4 && batches.b > 4) break;
    };
    await Promise.all([train("a"), train("b")]);
    expect(Math.min(batches.a, batches.b)).toBeGreaterThan(4);
    expect(held()).toEqual(before);
  });
});

describe("options", () => {
  const data = numbered(10);
  const evaluate = meanOf;
  test.each<[string, object, string]>([
    ["no epochs", { epochs: 0 }, "fit: epochs is an integer ≥ 1, got 0"],
    ["half a row", { batchSize: 0.5 }, "fit: batchSize is an integer ≥ 1, got 0.5"],
    ["nothing to train on", { batchSize: 11, dropLast: true }, "fit: dropLast leaves nothing of 10 rows"],
    ["a seed that is none", { seed: 1.5 }, "fit: seed is an integer"],
    ["validation without evaluate", { validation: 0.2 }, "fit: validation, the data, and evaluate"],
    ["evaluate without validation", { evaluate }, "fit: validation, the data, and evaluate"],
    ["validation by all rows", { validation: 1, evaluate }, "fit: validation is a dataset, or the share"],
    [
      "validation by none",
      { validation: 0, evaluate },
      "above 0 and below 1, with one left to train on; got 0 of",
    ],
    ["validation by nearly all rows", { validation: 0.95, evaluate }, "fit: validation is a dataset"],
    ["no patience", { earlyStopping: {} }, "earlyStopping: patience is an integer ≥ 1, got undefined"],
    [
      "a minDelta below 0",
      { earlyStopping: { patience: 1, minDelta: -1 } },
      "minDelta is a number ≥ 0, got -1",
    ],
    ["an unknown option", { batch: 3 }, 'fit: unknown option "batch"; it takes epochs, batchSize'],
  ])("refuse %s at once", (_, options, message) => {
    expect(() => fit(meanOf, data, options)).toThrow(OptionError);
    expect(() => fit(meanOf, data, options)).toThrow(message);
  });

  test("data is a dataset", () => {
    expect(() => fit(meanOf, [[1]] as never)).toThrow("fit: expected a dataset; make one by dataset(x, y)");
  });
});
