// What fit evaluates after an epoch, and all that ends it early.
import { describe, expect, test, vi } from "vitest";
import {
  type FitOptions,
  fit,
  Linear,
  Module,
  mseLoss,
  mul,
  noGrad,
  RReLU,
  type Step,
  sum,
  type Tensor,
  tensor,
} from "../src/index";
import { all, classifier, meanOf, numbered } from "./fitData";
import { held, heldForGood } from "./held";

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
    const before = await heldForGood();
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
    const before = await heldForGood();
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
    const before = await heldForGood();
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
    ["nothing", () => undefined, "expected a tensor of one element of step, got undefined"],
    ["a number", () => 3, "expected a tensor of one element of step, got number 3"],
    ["a promise", async () => tensor(1), "step returned a promise"],
    ["many losses", (x: Tensor) => x.mul(2), "expected one element of step, got the output of mul [4, 1]"],
  ])("a step that returns %s is an error", async (_, step, message) => {
    await expect(all(fit(step as Step, numbered(4)))).rejects.toThrow(`fit: ${message}`);
  });

  test.each<[string, unknown, string]>([
    ["a promise", async () => 1, "evaluate returned a promise"],
    [
      "text",
      () => ({ loss: "low" }),
      'expected a tensor of one element of evaluate, "loss", got string "low"',
    ],
  ])("evaluate that returns %s is an error", async (_, evaluate, message) => {
    const options = { validation: 0.5, evaluate } as FitOptions;
    await expect(all(fit(meanOf, numbered(4), options))).rejects.toThrow(`fit: ${message}`);
  });
});
