// Training steps as they are written, with batches of random sizes.
import {
  accuracy,
  clipGradNorm,
  manualSeed,
  noGrad,
  rand,
  ShapeError,
  scope,
  type Tensor,
  topK,
} from "../../src/index";
import { type Scenario, turn, type Work } from "./gauge";
import { integers, type Task, tasks } from "./networks";

const MOST_ROWS = 64;

/** Steps after which something else happens, too. */
const EVERY = { evaluation: 10, fault: 100, turn: 200 };

function train({ model, optimizer, columns, loss }: Task, rows: number, clip: boolean): Tensor {
  const value = loss(model.forward(rand([rows, columns])), rows);
  optimizer.zeroGrad();
  value.backward();
  if (clip) clipGradNorm(model.parameters(), 1);
  optimizer.step();
  return value;
}

function evaluate({ model, columns }: Task, rows: number): void {
  model.eval();
  const scores = noGrad(() => model.forward(rand([rows, columns])));
  const labels = new Int32Array(rows);
  accuracy(scores, labels, columns === 2 ? { threshold: 0 } : {});
  if (columns === 64) topK(scores, labels, 3);
  model.train();
}

/** A step that fails half-way: its graph is never walked back. */
function fail({ model, columns, loss }: Task, rows: number): void {
  try {
    const y = model.forward(rand([rows, columns]));
    loss(y, rows).add(model.forward(rand([rows, columns + 1])));
  } catch (error) {
    if (error instanceof ShapeError) return;
    throw error;
  }
  throw new Error("expected a ShapeError");
}

/** @param around what each step runs in */
function steps(around: <T>(fn: () => T) => T): Work {
  manualSeed(1);
  const all = tasks();
  const random = integers(1);
  let step = 0;
  const once = () => {
    const task = all[step % all.length]!;
    const rows = random(2, MOST_ROWS);
    const value = around(() => train(task, rows, step % 3 === 0));
    if (!Number.isFinite(value.item())) throw new Error(`the loss is ${value.item()} at step ${step}`);
    value.dispose();
    if (step % EVERY.evaluation === 0) around(() => evaluate(task, rows));
    if (step % EVERY.fault === 0) around(() => fail(task, rows));
    step++;
  };
  return {
    async run(times) {
      for (const end = step + times; step < end; ) {
        once();
        if (step % EVERY.turn === 0) await turn();
      }
    },
    end() {
      for (const { model, optimizer } of all) for (const owner of [model, optimizer]) owner.dispose();
    },
  };
}

/** Each step in a scope. */
export const eager: Scenario = { name: "eager", full: 1e6, short: 2000, start: () => steps(scope) };

/** At top level, as PyTorch users write it; the inputs are never disposed of. */
export const unscoped: Scenario = {
  name: "eager, no scope",
  full: 1e6,
  short: 2000,
  unaided: true,
  start: () => steps((fn) => fn()),
};
