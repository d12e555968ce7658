// Tensors of 0 elements through every op that takes shapes freely, with gradients, losses, optimizers, plans and files.
import { expect, test } from "vitest";
import * as nablas from "../../src/index";
import { NablasError, scope, type Tensor, tensor, zeros } from "../../src/index";
import { cases } from "../cases";

const elementwise = cases
  .filter((c) => c.elementwise && c.backward !== null)
  .map((c) => [c.name, c] as const);

test.each(elementwise)("%s of nothing is nothing, and goes back", (_, c) => {
  scope(() => {
    const variant = c.variants[0]!;
    const inputs = variant.shapes.map(() => zeros([0, 3], { requiresGrad: true }));
    const y = c.run(inputs, { ...variant, shapes: variant.shapes.map(() => [0, 3]) });
    if (y.size > 1) throw new Error("made of nothing");
    if (y.requiresGrad) y.sum().backward();
    for (const x of inputs) if (x.grad !== null) expect(x.grad.shape).toEqual([0, 3]);
  });
});

const exported: Readonly<Record<string, unknown>> = nablas;

test.each([
  "mseLoss",
  "l1Loss",
  "huberLoss",
  "smoothL1Loss",
  "bceWithLogitsLoss",
  "klDivLoss",
  "hingeLoss",
] as const)("%s of an empty batch: mean NaN, sum 0, as in PyTorch", (name) => {
  const loss = exported[name] as (a: Tensor, b: Tensor, options?: object) => Tensor;
  scope(() => {
    const x = zeros([0, 3], { requiresGrad: true });
    const y = zeros([0, 3]);
    expect(loss(x, y).item()).toBeNaN();
    expect(loss(x, y, { reduction: "sum" }).item()).toBe(0);
    expect(loss(x, y, { reduction: "none" }).size).toBe(0);
    loss(x, y).backward();
    expect(x.grad!.shape).toEqual([0, 3]);
  });
});

test("reductions, products, normalization, optimizers, plans and files of nothing", () => {
  scope(() => {
    const x = zeros([0, 4]);
    expect(x.sum().item()).toBe(0);
    expect(x.sum({ dim: 0 }).toArray()).toEqual([0, 0, 0, 0]);
    expect(x.mean().item()).toBeNaN();
    expect(nablas.crossEntropyLoss(x, new Int32Array(0)).item()).toBeNaN();
    expect(() => x.max()).toThrow(NablasError);
    expect(() => x.argmax({ dim: 0 })).toThrow(NablasError);
    expect(x.argmax({ dim: 1 }).shape).toEqual([0]);
    expect(nablas.matmul(zeros([2, 0]), zeros([0, 3])).toArray()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(nablas.softmax(zeros([3, 0])).shape).toEqual([3, 0]);
    expect(nablas.batchNorm(x, { training: true }).shape).toEqual([0, 4]);
    expect(nablas.layerNorm(x, { normalizedShape: 4 }).shape).toEqual([0, 4]);
    const w = zeros([0], { requiresGrad: true });
    for (const Optimizer of [nablas.SGD, nablas.Adam, nablas.RMSprop, nablas.Adagrad]) {
      const optimizer = new Optimizer([w]);
      w.mul(2).sum().backward();
      optimizer.step();
      nablas.saveCheckpoint({ optimizer });
    }
    const step = nablas.compile((a: Tensor) => a.mul(2).sum());
    for (let i = 0; i < 2; i++) expect(step(x).item()).toBe(0);
    step.dispose();
    expect(nablas.loadSafetensors(nablas.saveSafetensors({ x })).tensors.x!.shape).toEqual([0, 4]);
    expect(String(x)).toBe("Tensor [0, 4] f32 []");
    expect(tensor([[], []]).shape).toEqual([2, 0]);
  });
});

// By loops over the sizes that are not 0, these would take hours.
test("what is empty takes no work, whatever its other sizes are", () => {
  const [a, b] = [2 ** 24, 2 ** 14];
  scope(() => {
    for (const shape of [
      [a, b, 0],
      [0, a, b],
      [a, 0, b],
    ]) {
      const x = zeros(shape, { requiresGrad: true });
      const made: Tensor[] = [
        x.transpose(0, 1),
        x.transpose(1, 2),
        x.transpose(0, 2),
        nablas.concat([x, x], { dim: 1 }),
      ];
      made.push(
        x.slice(0, 5, { dim: 1 }),
        x.slice(0, a, { step: 3 }),
        nablas.stack([x, x]),
        nablas.softmax(x),
      );
      if (shape[1] === 0) made.push(nablas.matmul(x, x, { transposeB: true }));
      for (const dim of [0, 1, 2]) {
        if (x.size / x.shape[dim]! === 0)
          made.push(x.sum({ dim }), nablas.logSumExp(x, { dim }), nablas.softmax(x, { dim }));
      }
      if (x.shape[2] === 0) made.push(x.max({ dim: 1 }), x.min({ dim: 0 }), x.variance({ dim: 1 }));
      expect(String(x)).toBe(`Tensor [${shape.join(", ")}] f32 []`);
      for (const y of made.filter(({ size }) => size === 0)) y.backward({ gradient: zeros(y.shape) });
    }
  });
});
