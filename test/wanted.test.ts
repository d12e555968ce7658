// Which inputs get a gradient: those that required one when the op was recorded, and still do.
import { describe, expect, test } from "vitest";
import * as n from "../src/index";
import { Linear, memory, scope, type Tensor, tensor } from "../src/index";

const inScope = (fn: () => void) => () => scope(fn);
const leaf = (values: number[] | number[][]) => tensor(values, { requiresGrad: true });

/** Ops of several inputs that can have gradients, with the shapes of these. */
const SEVERAL: Record<string, { shapes: number[][]; op: (...x: Tensor[]) => Tensor }> = {
  add: { shapes: [[2], [2]], op: (a, b) => a!.add(b!) },
  "add, broadcast": { shapes: [[3, 2], [2]], op: (a, b) => a!.add(b!) },
  mul: { shapes: [[2], [2]], op: (a, b) => a!.mul(b!) },
  div: { shapes: [[2], [2]], op: (a, b) => a!.div(b!) },
  pow: { shapes: [[2], [2]], op: (a, b) => a!.pow(b!) },
  maximum: { shapes: [[2], [2]], op: (a, b) => a!.maximum(b!) },
  prelu: { shapes: [[3, 2], [2]], op: (a, b) => n.prelu(a!, b!) },
  matmul: {
    shapes: [
      [3, 2],
      [2, 4],
    ],
    op: (a, b) => a!.matmul(b!),
  },
  linear: { shapes: [[3, 2], [4, 2], [4]], op: (x, w, b) => n.linear(x!, w!, b) },
  "linear with relu": {
    shapes: [[3, 2], [4, 2], [4]],
    op: (x, w, b) => n.linear(x!, w!, b, { activation: "relu" }),
  },
  concat: { shapes: [[2], [2], [2]], op: (...x) => n.concat(x) },
  stack: { shapes: [[2], [2]], op: (...x) => n.stack(x) },
  mseLoss: { shapes: [[2], [2]], op: (a, b) => n.mseLoss(a!, b!) },
  l1Loss: { shapes: [[2], [2]], op: (a, b) => n.l1Loss(a!, b!) },
  cosineEmbeddingLoss: {
    shapes: [
      [3, 2],
      [3, 2],
    ],
    op: (a, b) => n.cosineEmbeddingLoss(a!, b!, tensor([1, -1, 1])),
  },
  batchNorm: {
    shapes: [[3, 2], [2], [2]],
    op: (x, weight, bias) => n.batchNorm(x!, { weight: weight!, bias: bias!, training: true }),
  },
  layerNorm: {
    shapes: [[3, 2], [2], [2]],
    op: (x, weight, bias) => n.layerNorm(x!, { normalizedShape: 2, weight: weight!, bias: bias! }),
  },
};

const inputs = (shapes: number[][]) =>
  shapes.map((shape, k) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return tensor(
      Array.from({ length: size }, (_, i) => 0.5 + ((3 * i + 2 * k) % 5)),
      { shape, requiresGrad: true },
    );
  });

const gradients = (x: readonly Tensor[]) => x.map(({ grad }) => grad && [...grad.data]);

describe.each(Object.entries(SEVERAL))("%s", (_, { shapes, op }) => {
  const all = () => {
    const x = inputs(shapes);
    op(...x)
      .sum()
      .backward();
    return gradients(x);
  };
  const each = shapes.map((_, i) => i);

  test.each(each)("input %i, frozen in the forward pass and unfrozen after it, gets none", (i) =>
    scope(() => {
      const x = inputs(shapes);
      x[i]!.requiresGrad = false;
      const y = op(...x).sum();
      x[i]!.requiresGrad = true;
      y.backward();
      expect(gradients(x)).toEqual(all().with(i, null));
    }),
  );

  test.each(each)("input %i, frozen after the forward pass, gets none", (i) =>
    scope(() => {
      const x = inputs(shapes);
      const y = op(...x).sum();
      x[i]!.requiresGrad = false;
      y.backward();
      expect(gradients(x)).toEqual(all().with(i, null));
    }),
  );
});

test.each([
  "relu",
  "exp",
  "sum",
  "softmax",
  "abs",
  "square",
  "tanh",
  "logSumExp",
  "mean",
  "clone",
  "transpose",
] as const)("%s gives none to an input that was frozen after it", (name) =>
  scope(() => {
    const x = leaf([[1, 2]]);
    const y = x[name]().sum();
    x.requiresGrad = false;
    const before = memory();
    y.backward();
    expect(x.grad).toBeNull();
    expect(memory().bytes).toBeLessThanOrEqual(before.bytes);
  }),
);

test(
  "a GAN's generator step leaves the discriminator alone",
  inScope(() => {
    const [discriminator, z] = [new Linear(2, 1), leaf([[1, 2]])];
    const loss = discriminator.forward(z).sum();
    for (const p of discriminator.parameters()) p.requiresGrad = false;
    const second = discriminator.forward(z).sum();
    for (const p of discriminator.parameters()) p.requiresGrad = true;
    second.backward();
    expect(discriminator.weight.grad).toBeNull();
    expect(z.grad!.toArray()).toEqual(discriminator.weight.toArray());
    loss.backward();
    expect(discriminator.weight.grad!.toArray()).toEqual([[1, 2]]);
  }),
);
