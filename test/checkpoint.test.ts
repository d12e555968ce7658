import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  type FitOptions,
  loadCheckpoint,
  Module,
  manualSeed,
  ones,
  parameter,
  rand,
  randn,
  SGD,
  saveCheckpoint,
} from "../src/index";
import { epochs, optimizers, training, values } from "./trainings";

describe.each(Object.keys(optimizers))("a training by %s", (kind) => {
  /** What an uninterrupted one gives. */
  async function reference(options?: FitOptions) {
    manualSeed(7);
    const { model, optimizer, run } = training(kind, options);
    const told = await epochs(run);
    return { told, weights: values(model), state: [...saveCheckpoint({ optimizer, run })] };
  }

  /** Stops after `steps` steps, in the middle of an epoch or between two, and goes on with new objects. */
  async function interrupted(steps: number, options?: FitOptions) {
    manualSeed(7);
    const stopping = new AbortController();
    const onBatch = () => void (first.run.steps === steps && stopping.abort(new Error("stop")));
    const first = training(kind, { onBatch, signal: stopping.signal, ...options });
    const told = [];
    try {
      for await (const { seconds: _, ...epoch } of first.run) told.push(epoch);
    } catch (error) {
      expect((error as Error).message).toBe("stop");
    }
    expect(first.run.steps).toBe(steps);
    const bytes = saveCheckpoint(first);
    manualSeed(1234);
    rand([3]).dispose();
    const second = training(kind, options);
    loadCheckpoint(bytes, second);
    told.push(...(await epochs(second.run)));
    const { model, optimizer, run } = second;
    return { told, weights: values(model), state: [...saveCheckpoint({ optimizer, run })] };
  }

  test.each([1, 3, 5, 12])("goes on after %i steps with the same bits", async (steps) => {
    expect(await interrupted(steps)).toEqual(await reference());
  });

  test("goes on in order and without a short batch", async () => {
    const options = { shuffle: false, dropLast: true, batchSize: 7 };
    expect(await interrupted(8, options)).toEqual(await reference(options));
  });
});

test("a checkpoint of each epoch goes on from there, in a process of its own, too", async () => {
  manualSeed(7);
  const first = training("AdamW");
  const told: { epoch: number; loss: number; bytes: Uint8Array }[] = [];
  for await (const { epoch, loss } of first.run) told.push({ epoch, loss, bytes: saveCheckpoint(first) });
  expect(told.length).toBeGreaterThan(3);
  for (const { epoch, bytes } of told) {
    const next = training("AdamW");
    loadCheckpoint(bytes, next);
    expect(next.run.epoch).toBe(epoch + 1);
    expect((await epochs(next.run)).map(({ loss }) => loss)).toEqual(
      told.slice(epoch + 1).map((e) => e.loss),
    );
  }
});

test("random numbers go on in another process", () => {
  const folder = mkdtempSync(join(tmpdir(), "nablas-"));
  try {
    manualSeed(11);
    rand([5]).dispose();
    writeFileSync(join(folder, "checkpoint"), saveCheckpoint({}));
    const expected = [...randn([4]).data];
    const script = `
      import { readFileSync } from "node:fs";
      import { loadCheckpoint, randn } from ${JSON.stringify(join(process.cwd(), "dist/index.js"))};
      loadCheckpoint(readFileSync(process.argv[1]), {});
      console.log(JSON.stringify([...randn([4]).data]));`;
    const args = ["--input-type=module", "-e", script, join(folder, "checkpoint")];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual(expected);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a parameter that got no gradient since goes on being decayed", () => {
  // The second parameter is used in the first step only; later steps change it by its decay and momentum.
  const make = () => {
    const [a, b] = [parameter(ones([2])), parameter(ones([2]))];
    const optimizer = new SGD([a, b], { lr: 0.1, weightDecay: 0.5 });
    const model = new (class extends Module {
      readonly a = a;
      readonly b = b;
      forward = () => a;
    })();
    const step = (both: boolean) => {
      optimizer.zeroGrad();
      (both ? a.add(b) : a.mul(1)).sum().backward();
      optimizer.step();
    };
    return { model, optimizer, step };
  };
  const whole = make();
  whole.step(true);
  const bytes = saveCheckpoint({ model: whole.model, optimizer: whole.optimizer });
  whole.step(false);
  const resumed = make();
  loadCheckpoint(bytes, { model: resumed.model, optimizer: resumed.optimizer });
  resumed.step(false);
  expect(values(resumed.model)).toEqual(values(whole.model));
});
