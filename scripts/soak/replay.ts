// Compiled steps, with batches whose sizes are drawn from a few.
import {
  type Compiled,
  compile,
  dataset,
  manualSeed,
  rand,
  scope,
  type Tensor,
  tensor,
} from "../../src/index";
import type { Scenario, Work } from "./gauge";
import { integers, medium, small, type Task } from "./networks";

const SIZES = [1, 2, 3, 4, 7, 8, 16, 31, 32];

function compiled({ model, optimizer, loss }: Task): Compiled<[Tensor], Tensor> {
  return compile((x: Tensor) => {
    const value = loss(model.forward(x), x.shape[0]!);
    optimizer.zeroGrad();
    value.backward();
    optimizer.step();
    return value;
  });
}

function check(loss: Tensor): void {
  if (!Number.isFinite(loss.item())) throw new Error(`the loss is ${loss.item()}`);
}

/** Plans of 2-8-1 for each size, disposed of and recorded anew now and then. */
function replays(): Work {
  manualSeed(2);
  const task = small(2);
  const step = compiled(task);
  const inputs = SIZES.map((rows) => rand([rows, 2]));
  const random = integers(2);
  let last = 0;
  return {
    run(times) {
      for (let i = 0; i < times; i++) {
        step(inputs[random(0, SIZES.length - 1)]!);
        if (++last % 20_000 === 0) step.dispose();
      }
      for (const input of inputs) check(step(input));
    },
    end() {
      for (const owner of [step, task.model, task.optimizer, ...inputs]) owner.dispose();
    },
  };
}

/** Batches of data in linear memory, the last of each epoch smaller, in train and eval mode. */
function epochs(): Work {
  manualSeed(3);
  const task = medium(2);
  const step = compiled(task);
  const data = dataset(rand([500, 64]), tensor(new Float32Array(500), { shape: [500, 1] }));
  const over = step.over(data, { batchSize: 32, seed: 3 });
  return {
    run(times) {
      for (let done = 0; done < times; done += 100) {
        check(over.run(100));
        if (done % 5000 === 0) task.model.train(!task.model.training);
      }
      task.model.train();
      over.run(over.batches);
    },
    end() {
      for (const owner of [over, step, task.model, task.optimizer]) owner.dispose();
    },
  };
}

/** A new shape in nearly every call: only so many plans are kept. */
function shapes(): Work {
  manualSeed(4);
  const task = small(2);
  const step = compiled(task);
  const random = integers(4);
  return {
    run(times) {
      for (let i = 0; i < times; i++) scope(() => check(step(rand([random(1, 1000), 2]))));
    },
    end() {
      for (const owner of [step, task.model, task.optimizer]) owner.dispose();
    },
  };
}

export const replay: Scenario = { name: "replay", full: 1e7, short: 50_000, start: replays };
export const over: Scenario = { name: "replay over data", full: 1e6, short: 5000, start: epochs };
export const everNew: Scenario = {
  name: "replay, new shapes",
  full: 100_000,
  short: 1500,
  unaided: true,
  start: shapes,
};
