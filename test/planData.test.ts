// Plans over datasets, the memory that they hold, and what they tell of themselves.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import {
  compile,
  crossEntropyLoss,
  DisposedError,
  dataset,
  fit,
  getRngState,
  Linear,
  loadCheckpoint,
  manualSeed,
  memory,
  mseLoss,
  ReLU,
  rand,
  randn,
  relu,
  Sequential,
  SGD,
  saveCheckpoint,
  scope,
  type Tensor,
  tensor,
} from "../src/index";
import { network, state } from "./plans";

describe("memory", () => {
  test("is given back by dispose", () => {
    const { model, optimizer, step } = network("Adam");
    const x = randn([8, 6]);
    const labels = tensor(new Int32Array(8));
    scope(() => void step(x, labels));
    const before = memory();
    const compiled = compile(step);
    compiled(x, labels);
    compiled(x, labels);
    expect(memory().bytes).toBeGreaterThan(before.bytes);
    compiled.dispose();
    expect({ ...memory(), reserved: 0 }).toEqual({ ...before, reserved: 0 });
    expect(compiled(x, labels).loss.item()).toBeGreaterThan(0);
    compiled.dispose();
    for (const owner of [model, optimizer, x, labels]) owner.dispose();
  });

  // In debug mode each call takes longer, and intermediates lie apart.
  const quick = test.skipIf(process.env.NABLAS_DEBUG === "1");

  quick("stays where it is over 1,000,000 replays, in JavaScript, too", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const heap = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const net = new Sequential(new Linear(2, 8), new ReLU(), new Linear(8, 1));
    const optimizer = new SGD(net.parameters(), { lr: 1e-3 });
    using step = compile((x: Tensor, y: Tensor) => {
      const loss = mseLoss(net.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    });
    const [x, y] = [randn([4, 2]), rand([4, 1])];
    step(x, y);
    for (let i = 0; i < 10_000; i++) step(x, y);
    const before = { memory: memory(), heap: heap() };
    for (let i = 0; i < 1_000_000; i++) step(x, y);
    expect(memory()).toEqual(before.memory);
    // The smallest object in each replay would be 16 MB; what the engine and the test runner keep moves by some kB.
    expect(heap() - before.heap).toBeLessThan(1_000_000);
  });

  quick("of intermediates is shared by those that do not live together", () => {
    const x = rand([1000]);
    using f = compile((t: Tensor) => {
      let y = t;
      for (let i = 0; i < 10; i++) y = relu(y).add(1);
      return y;
    });
    f(x);
    const [, shared, apart] = f.describe().match(/intermediates: (\d+) bytes shared, (\d+) bytes apart/)!;
    expect(Number(apart)).toBeGreaterThanOrEqual(20 * 4000);
    expect(Number(shared)).toBeLessThanOrEqual(3 * 4000);
    x.dispose();
  });
});

describe("over a dataset", () => {
  const rows = 26;
  const data = scope(() => {
    manualSeed(2);
    return dataset(
      randn([rows, 6]),
      Array.from({ length: rows }, (_, i) => i % 3),
    );
  });
  const options = { batchSize: 8, seed: 4 };

  test.each([false, true])("run does the steps that fit does, dropLast: %s", async (dropLast) => {
    const [a, b, c] = [network("AdamW"), network("AdamW"), network("AdamW")];
    manualSeed(8);
    for await (const _ of fit((x, y) => a.step(x, y).loss, data, { ...options, dropLast, epochs: 3 }));
    const random = [...getRngState()];
    manualSeed(8);
    const compiled = compile(b.step);
    for await (const _ of fit((x, y) => compiled(x, y).loss, data, { ...options, dropLast, epochs: 3 }));
    manualSeed(8);
    using step = compile(c.step);
    using batches = step.over(data, { ...options, dropLast });
    expect(batches.batches).toBe(dropLast ? 3 : 4);
    batches.run(5);
    expect([batches.epoch, batches.batch]).toEqual(dropLast ? [1, 2] : [1, 1]);
    const { loss } = batches.run(3 * batches.batches - 5);
    expect(loss.shape).toEqual([]);
    expect([...getRngState()]).toEqual(random);
    expect(state(b.model)).toEqual(state(a.model));
    expect(state(c.model)).toEqual(state(a.model));
  });

  test.each([true, false])("a checkpoint goes on with the batch that comes next, shuffle: %s", (shuffle) => {
    const run = () => {
      const { model, optimizer, step } = network("AdamW");
      const compiled = compile((x: Tensor, y: Tensor) => step(x, y).loss);
      return { model, optimizer, batches: compiled.over(data, { batchSize: 8, shuffle }) };
    };
    const [whole, first] = [run(), run()];
    manualSeed(6);
    whole.batches.run(13);
    manualSeed(6);
    first.batches.run(6);
    const bytes = saveCheckpoint({ ...first });
    const second = run();
    second.batches.loadStateDict({ ...second.batches.stateDict(), seed: shuffle ? 1 : 0 });
    loadCheckpoint(bytes, { ...second });
    expect([second.batches.epoch, second.batches.batch]).toEqual([1, 2]);
    second.batches.run(7);
    expect(state(second.model)).toEqual(state(whole.model));
    for (const { batches } of [whole, first, second]) batches.dispose();
  });

  test("a state that does not fit is refused, and changes nothing", () => {
    using step = compile((x: Tensor, y: Tensor) => crossEntropyLoss(x, y));
    using batches = step.over(data, { batchSize: 8, seed: 1 });
    batches.run(2);
    const good = batches.stateDict();
    const refused = (change: object, error: string) =>
      expect(() => batches.loadStateDict({ ...good, ...change })).toThrow(error);
    refused({ rows: 27 }, "over: expected the state of batches with rows 26, got 27");
    refused({ dropLast: true }, "over: expected the state of batches with dropLast false, got true");
    refused({ batch: 4 }, "over: expected an integer from 0 to 3 for the state's batch, got 4");
    refused({ seed: -1 }, "for the state's seed, got -1");
    expect(() => batches.loadStateDict(null as never)).toThrow("over.loadStateDict: expected an object");
    expect(batches.stateDict()).toEqual(good);
  });

  test("goes on when a mode changes or the plan is gone, and gives its memory back", () => {
    const { model, step } = network("SGD");
    scope(() => void step(data.batch().x, data.batch().y));
    const before = memory();
    const compiled = compile(step);
    const batches = compiled.over(data, { batchSize: 13 });
    batches.run(4);
    model.eval();
    batches.run();
    compiled.dispose();
    model.train();
    batches.run(2);
    expect(() => batches.run(0)).toThrow("run: expected an integer ≥ 1, got 0");
    compiled.dispose();
    batches.dispose();
    expect({ ...memory(), reserved: 0 }).toEqual({ ...before, reserved: 0 });
    expect(() => compiled.over(data, { batchSize: 0 })).toThrow("over: batchSize is an integer ≥ 1, got 0");
    expect(() => batches.run()).toThrow(DisposedError);
  });
});

describe("describe", () => {
  test("lists the kernels that remain, with shapes and names", () => {
    const net = new Sequential(new Linear(2, 8), new ReLU(), new Linear(8, 1));
    const optimizer = new SGD(net.parameters());
    using step = compile((x: Tensor, y: Tensor) => {
      const loss = mseLoss(net.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    });
    step(randn([4, 2]), rand([4, 1]));
    const text = step.describe();
    expect(text).toContain("plan for [4, 2], [4, 1]");
    expect(text).toMatch(/linearReluForward .*0\.bias \[8\]/);
    expect(text).toMatch(/linearReluBackward/);
    expect(text).toMatch(/matmul .* input 0 \[4, 2\], d 0\.weight \[8, 2\]/);
    expect(text).toMatch(/sgdStep +d 0\.weight \[8, 2\], 0\.weight \[8, 2\]/);
    expect(text).not.toContain("reluForward ");
    expect(text.match(/ zero /g)).toHaveLength(1);
  });
});
