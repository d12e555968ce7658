import { afterEach, describe, expect, test, vi } from "vitest";
import {
  accuracy,
  crossEntropyLoss,
  type Dataset,
  dataset,
  type Epoch,
  type FitOptions,
  fit,
  Linear,
  Module,
  manualSeed,
  mseLoss,
  mul,
  noGrad,
  OptionError,
  ReLU,
  RReLU,
  Sequential,
  SGD,
  type Step,
  scope,
  sum,
  type Tensor,
  tensor,
} from "../src/index";
import { held } from "./held";

/** Rows [i] with the target [i]. */
function numbered(count: number): Dataset {
  const rows = Array.from({ length: count }, (_, i) => [i]);
  return dataset(rows, rows);
}

/** The mean of the batch as its loss. */
const meanOf: Step = (x) => x.mean();

async function all(epochs: AsyncIterable<Epoch>): Promise<Epoch[]> {
  const list: Epoch[] = [];
  for await (const epoch of epochs) list.push(epoch);
  return list;
}

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

/** Two classes on either side of a line, a model for them, and its step. */
function classifier(seed = 0) {
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
    expect(epochs.every(({ seconds }) => seconds > 0 && seconds < 10)).toBe(true);
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

describe("evaluate", () => {
  const validation = numbered(10);

  test("gives means over the rows, of tensors and of numbers", async () => {
    const evaluate = (x: Tensor) => ({ mean: x.mean(), first: x.data[0]! });
    const [epoch] = await all(fit(meanOf, numbered(4), { batchSize: 4, validation, evaluate }));
    expect(epoch!.validation).toEqual({ mean: 4.5, first: (4 * 0 + 4 * 4 + 2 * 8) / 10 });
  });

  test("calls a single value loss", async () => {
    const [epoch] = await all(fit(meanOf, numbered(4), { validation, evaluate: (x) => x.mean() }));
    expect(epoch!.validation).toEqual({ loss: 4.5 });
  });

  test("records nothing, and sets the model to evaluation only meanwhile", async () => {
    class Model extends Module {
      readonly frozen = new RReLU().eval();
      readonly layer = new Linear(1, 1);
      forward(x: Tensor): Tensor {
        return this.frozen.forward(this.layer.forward(x));
      }
    }
    const model = new Model();
    const modes: boolean[] = [];
    const step: Step = (x, y) => {
      modes.push(model.training, model.layer.training, model.frozen.training);
      return mseLoss(model.forward(x), y);
    };
    const evaluate: Step = (x, y) => {
      modes.push(model.training, model.layer.training, model.frozen.training);
      const loss = mseLoss(model.forward(x), y);
      expect(loss.requiresGrad).toBe(false);
      return loss;
    };
    await all(fit(step, numbered(4), { epochs: 2, validation, evaluate, model }));
    const [training, evaluation] = [
      [true, true, false],
      [false, false, false],
    ];
    expect(modes).toEqual([training, evaluation, training, evaluation].flat());
    expect([model.training, model.layer.training, model.frozen.training]).toEqual(training);
  });
});

describe("early stopping", () => {
  /** Runs epochs with these losses; returns how many ran. */
  async function epochsOf(losses: number[], options: FitOptions["earlyStopping"]): Promise<number> {
    let epoch = 0;
    const step = () => tensor(losses[epoch++]!);
    return (
      await all(fit(step, numbered(4), { epochs: losses.length, earlyStopping: options!, stopOnNaN: false }))
    ).length;
  }

  test.each<[string, number[], FitOptions["earlyStopping"], number]>([
    ["never while the loss falls", [5, 4, 3, 2, 1], { patience: 1 }, 5],
    ["after so many epochs without a better one", [5, 4, 4, 4.5, 1], { patience: 2 }, 4],
    ["counting anew after a better one", [5, 6, 4, 6, 3, 6, 6, 0], { patience: 2 }, 7],
    ["if a gain is below minDelta", [5, 4.9, 4.8, 4.7, 0], { patience: 2, minDelta: 0.5 }, 3],
    ["taking NaN for no gain", [5, Number.NaN, Number.NaN, 1], { patience: 2 }, 3],
    ["by what monitor gives", [1, 2, 3, 2, 1], { patience: 1, monitor: ({ loss }) => -loss }, 4],
  ])("stops %s", async (_, losses, options, ran) => {
    expect(await epochsOf(losses, options)).toBe(ran);
  });

  test("looks at the validation loss if there is one", async () => {
    let falling = 10;
    const step = () => tensor(falling--);
    const options = { epochs: 9, validation: numbered(4), earlyStopping: { patience: 2 } };
    expect(await all(fit(step, numbered(4), { ...options, evaluate: () => 1 }))).toHaveLength(3);
    const nameless = all(fit(step, numbered(4), { ...options, evaluate: () => ({ error: 1 }) }));
    await expect(nameless).rejects.toThrow("earlyStopping: evaluate gave error but no loss; pass monitor");
  });
});

describe("stopping from outside", () => {
  test("an abort stops before the next batch with the signal's reason", async () => {
    const before = held();
    const controller = new AbortController();
    let steps = 0;
    const onBatch = () => {
      if (++steps === 3) controller.abort();
    };
    const training = all(fit(meanOf, numbered(100), { batchSize: 10, onBatch, signal: controller.signal }));
    await expect(training).rejects.toMatchObject({ name: "AbortError" });
    await expect(training).rejects.toBeInstanceOf(DOMException);
    expect(steps).toBe(3);
    expect(held()).toEqual(before);
  });

  test("an abort before the start, and one with a reason of its own", async () => {
    const step = vi.fn(meanOf);
    const signal = AbortSignal.abort(new Error("closed"));
    await expect(all(fit(step, numbered(4), { signal }))).rejects.toThrow("closed");
    expect(step).not.toHaveBeenCalled();
  });

  test("an abort from a timer comes through, and during the evaluation, too", async () => {
    for (const options of [{ epochs: 1e9 }, { validation: numbered(1e5), evaluate: meanOf, batchSize: 1 }]) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 30);
      const training = all(fit(meanOf, numbered(4), { ...options, signal: controller.signal }));
      await expect(training).rejects.toMatchObject({ name: "AbortError" });
    }
  });

  test("leaving the loop ends the training and leaves nothing behind", async () => {
    const { data, step } = classifier();
    await all(fit(step, data)); // the gradients and the optimizer's state stay
    const before = held();
    const epochs = fit(step, data, { epochs: 5 });
    for await (const { epoch } of epochs) if (epoch === 1) break;
    expect(held()).toEqual(before);
    expect(await epochs.next()).toEqual({ done: true, value: undefined });
  });
});

describe("errors of callbacks", () => {
  const leaky: Step = (x) => {
    const w = tensor([[2]], { requiresGrad: true });
    const loss = sum(mul(x, w));
    mul(x, 3);
    return loss;
  };
  const fail = (): never => {
    throw new RangeError("enough");
  };
  const second = (fn: Step): Step => {
    let calls = 0;
    return (x, y) => {
      const loss = fn(x, y);
      return ++calls === 2 ? fail() : loss;
    };
  };

  test.each<[string, Step, FitOptions]>([
    ["step", second(leaky), {}],
    ["onBatch", leaky, { onBatch: ({ batch }) => (batch === 1 ? fail() : undefined) }],
    ["an asynchronous onBatch", leaky, { onBatch: async ({ batch }) => (batch === 1 ? fail() : undefined) }],
    ["evaluate", leaky, { validation: 0.5, evaluate: second(leaky) }],
    ["monitor", leaky, { earlyStopping: { patience: 1, monitor: fail } }],
  ])("%s come through and leave no tensors", async (_, step, options) => {
    const before = held();
    const training = all(fit(step, numbered(10), { batchSize: 2, epochs: 2, ...options }));
    await expect(training).rejects.toThrow(new RangeError("enough"));
    expect(held()).toEqual(before);
    expect(noGrad(() => 1)).toBe(1);
  });

  test("leave the model's mode as it was", async () => {
    const model = new Linear(1, 1);
    const options = { validation: numbered(2), evaluate: fail, model };
    await expect(all(fit(meanOf, numbered(2), options))).rejects.toThrow("enough");
    expect(model.training).toBe(true);
    model.dispose();
  });

  test.each<[string, unknown, string]>([
    ["nothing", () => undefined, "expected a tensor of one element of step, got undefined undefined"],
    ["a number", () => 3, "expected a tensor of one element of step, got number 3"],
    ["a promise", async () => tensor(1), "step returned a promise"],
    ["many losses", (x: Tensor) => x.mul(2), "expected one element of step, got the output of mul [4, 1]"],
  ])("a step that returns %s is an error", async (_, step, message) => {
    await expect(all(fit(step as Step, numbered(4)))).rejects.toThrow(`fit: ${message}`);
  });

  test.each<[string, unknown, string]>([
    ["a promise", async () => 1, "evaluate returned a promise"],
    ["text", () => ({ loss: "low" }), 'expected a tensor of one element of evaluate, "loss", got string low'],
  ])("evaluate that returns %s is an error", async (_, evaluate, message) => {
    const options = { validation: 0.5, evaluate } as FitOptions;
    await expect(all(fit(meanOf, numbered(4), options))).rejects.toThrow(`fit: ${message}`);
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

  /** Trains for 200 ms; returns how often a timer of 1 ms has fired meanwhile. */
  async function ticks(): Promise<number> {
    let count = 0;
    const timer = setInterval(() => count++, 1);
    const end = performance.now() + 200;
    for await (const _ of fit(meanOf, numbered(100), { epochs: 1e9 })) {
      if (performance.now() > end) break;
    }
    clearInterval(timer);
    return count;
  }

  test.each([
    ["setImmediate", []],
    ["MessageChannel", ["setImmediate"]],
    ["setTimeout", ["setImmediate", "MessageChannel"]],
  ])("gets its turn by %s", async (_, missing) => {
    for (const name of missing) vi.stubGlobal(name, undefined);
    expect(await ticks()).toBeGreaterThanOrEqual(4);
  });

  test("lets two trainings run side by side", async () => {
    const before = held();
    const turns: string[] = [];
    const train = (name: string) =>
      all(fit(meanOf, numbered(64), { epochs: 3, onBatch: async () => void turns.push(name) }));
    await Promise.all([train("a"), train("b")]);
    // Neither waits for the other's end; how they alternate depends on how long a batch takes.
    expect(turns.indexOf("b")).toBeLessThan(turns.lastIndexOf("a"));
    expect(turns.indexOf("a")).toBeLessThan(turns.lastIndexOf("b"));
    expect(turns).toHaveLength(12);
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
