// What the zoos are built of.

import type { Module, Tensor } from "../../src/index";
import * as n from "../../src/index";

/** A network with its data and its loss. */
export interface Patient {
  model: Module;
  inputs: Tensor;
  targets: Tensor;
  loss: (prediction: Tensor, targets: Tensor) => Tensor;
}

type Init = (shape: readonly number[]) => Tensor;

/** Layers of these sizes with an activation between each two. */
export function layers(
  sizes: readonly number[],
  activation: () => Module,
  init: Init,
  last = init,
): Module[] {
  return sizes.slice(1).flatMap((size, i) => {
    const isLast = i === sizes.length - 2;
    const linear = new n.Linear(sizes[i]!, size, { init: isLast ? last : init });
    linear.bias!.data.fill(0);
    return isLast ? [linear] : [linear, activation()];
  });
}

export const kaiming: Init = (shape) => n.kaimingNormal(shape, { nonlinearity: "relu" });
export const xavier: Init = (shape) => n.xavierNormal(shape);
export const drawn =
  (std: number): Init =>
  (shape) =>
    n.randn(shape).mul(std);

/** Trains by batches of 32 rows, and gives the last loss. */
export function train(
  { model, inputs, targets, loss }: Patient,
  optimizer: Optimizer,
  steps: number,
): number {
  const data = n.dataset(inputs, targets);
  for (let step = 0; ; ) {
    for (const { x, y } of data.batches({ batchSize: 32 })) {
      const value = n.scope(() => {
        const now = loss(model.forward(x), y);
        optimizer.zeroGrad();
        now.backward();
        optimizer.step();
        return now.item();
      });
      if (++step === steps) return value;
    }
  }
}

interface Optimizer {
  zeroGrad(): void;
  step(): void;
}

/** Points around a centre for each class. */
export function clouds(rows: number, features: number, classes: number): [x: Tensor, labels: Tensor] {
  const labels = n.tensor(Int32Array.from({ length: rows }, (_, i) => i % classes));
  const centres = n.randn([classes, features]).mul(1.5);
  return [n.embedding(labels, centres).add(n.randn([rows, features]).mul(0.6)), labels];
}

/** Class labels that depend on the rows. */
export function labelsOf(inputs: Tensor, classes: number): Tensor {
  const [rows, cols] = inputs.shape as [number, number];
  const { data } = inputs;
  const label = (r: number) =>
    Math.min(classes - 1, Math.floor(classes * (0.5 + Math.atan(data[r * cols]!) / Math.PI)));
  return n.tensor(Int32Array.from({ length: rows }, (_, r) => label(r)));
}

/** Smooth targets [rows, outputs] of size 1. */
export function valuesOf(inputs: Tensor, outputs: number): Tensor {
  const [rows, cols] = inputs.shape as [number, number];
  const { data } = inputs;
  const rowsOf = Array.from({ length: rows }, (_, r) =>
    Array.from({ length: outputs }, (_, o) => Math.SQRT2 * Math.sin(data[r * cols + (o % cols)]! * 2 + o)),
  );
  return n.tensor(rowsOf);
}

/** Targets 0 and 1, [rows, outputs]. */
export function bitsOf(inputs: Tensor, outputs: number): Tensor {
  const values = valuesOf(inputs, outputs);
  return n.tensor(
    Float32Array.from(values.data, (v) => Number(v > 0)),
    { shape: values.shape },
  );
}
