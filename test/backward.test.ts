import { describe, expect, test } from "vitest";
import {
  bceWithLogitsLoss,
  cosineEmbeddingLoss,
  crossEntropyLoss,
  logSoftmax,
  logSumExp,
  multiMarginLoss,
  nllLoss,
  scope,
  type Tensor,
  tensor,
} from "../src/index";
import * as elementwiseActivations from "../src/ops/activations";
import * as gated from "../src/ops/gated";
import * as scaled from "../src/ops/scaled";
import { type Case, cases, draw, numbers, tensors, title, type Variant } from "./cases";
import { differences, mismatch, type Nd, nd, sizeOf } from "./reference";

// Differences cost two runs of the reference for each element.
const ENOUGH = 200;

const variants = cases.flatMap((c) =>
  c.variants
    .filter(({ shapes }) => shapes.every((shape) => sizeOf(shape) <= ENOUGH))
    .map((v) => [c.name, title(v), c, v] as const),
);
const differentiable = variants.filter(([, , c]) => c.backward !== null);

// Adding to a gradient, products round in another order than from zero on.
const ROUNDING = { rtol: 1e-6, atol: 5e-6 };

/** An upstream gradient for the result of a case. */
function upstream(c: Case, data: Nd[], variant: Variant): Nd {
  const random = numbers(1);
  const { shape, data: values } = c.expected(data, variant);
  return nd(
    shape,
    Float32Array.from(values, () => 3 * random() - 1.5),
  );
}

/** Runs a case and goes back; the tensors belong to a scope around. */
function goBack(
  c: Case,
  inputs: Tensor[],
  variant: Variant,
  dy: Nd,
  options?: { retainGraph: boolean },
): Tensor {
  const y = c.run(inputs, variant);
  y.backward({ ...options, gradient: tensor(dy.data, { shape: dy.shape }) });
  return y;
}

const gradients = (inputs: Tensor[]) => inputs.map((x) => (x.grad === null ? null : Array.from(x.grad.data)));

describe("gradients", () => {
  test.each(differentiable)(
    "of %s %s agree with differences of the reference",
    (_name, _title, c, variant) => {
      const data = draw(c, variant);
      const dy = upstream(c, data, variant);
      scope(() => {
        const inputs = tensors(c, data, { requiresGrad: true });
        goBack(c, inputs, variant, dy);
        for (const [i, x] of inputs.entries()) {
          if (!x.requiresGrad) continue;
          const f = (values: Float64Array) =>
            c.expected(data.with(i, nd(data[i]!.shape, values)), variant).data;
          const { gradient, noise } = differences(f, data[i]!.data, dy.data);
          expect(x.grad?.shape).toEqual(x.shape);
          expect(mismatch(x.grad!.data, gradient, c.backward!, noise), `input ${i}`).toBeUndefined();
        }
      });
    },
  );

  test.each(differentiable)("of %s %s add up, and twice is twice", (_name, _title, c, variant) => {
    const data = draw(c, variant);
    const dy = upstream(c, data, variant);
    scope(() => {
      const inputs = tensors(c, data, { requiresGrad: true });
      const y = goBack(c, inputs, variant, dy, { retainGraph: true });
      const once = gradients(inputs);
      y.backward({ gradient: tensor(dy.data, { shape: dy.shape }) });
      for (const [i, x] of inputs.entries()) {
        const twice = once[i]?.map((v) => 2 * v) ?? [];
        expect(mismatch(x.grad?.data ?? [], twice, ROUNDING)).toBeUndefined();
      }
      for (const x of inputs) x.zeroGrad();
      goBack(c, inputs, variant, dy);
      expect(gradients(inputs)).toEqual(once);
    });
  });

  const several = differentiable.filter(
    ([, , { inputs }]) => inputs.filter((x) => x.differentiable).length > 1,
  );
  test.each(several)("of %s %s reach one input alone", (_name, _title, c, variant) => {
    const data = draw(c, variant);
    const dy = upstream(c, data, variant);
    scope(() => {
      const together = tensors(c, data, { requiresGrad: true });
      goBack(c, together, variant, dy);
      for (const i of data.keys()) {
        if (!c.inputs[i]!.differentiable) continue;
        const inputs = tensors(c, data);
        inputs[i]!.requiresGrad = true;
        goBack(c, inputs, variant, dy);
        const { grad } = inputs[i]!;
        expect(mismatch(grad!.data, together[i]!.grad!.data, ROUNDING)).toBeUndefined();
        expect(gradients(inputs).filter((g) => g !== null)).toHaveLength(1);
      }
    });
  });
});

const others = variants.filter(([, , c]) => c.backward === null);
test.each(others)("%s %s records nothing", (_name, _title, c, variant) => {
  scope(() => {
    const y = c.run(tensors(c, draw(c, variant), { requiresGrad: true }), variant);
    expect(y.requiresGrad).toBe(false);
  });
});

const by = (name: string) => cases.find((c) => c.name === name)!;

describe("gradients at kinks and limits are PyTorch's", () => {
  const [inf, nan] = [Infinity, NaN];
  const rows: [name: string, x: number[], dx: number[], ...args: unknown[]][] = [
    ["relu", [0, -0, inf, -inf], [0, 0, 1, 0]],
    ["leakyRelu", [0, -0, inf], [0.5, 0.5, 1], { negativeSlope: 0.5 }],
    ["elu", [0, -inf, inf], [0.5, 0, 1], { alpha: 0.5 }],
    ["celu", [0, -inf, inf], [1, 0, 1], { alpha: 0.5 }],
    ["selu", [0, -inf, inf], [1.7580993408473766, 0, 1.0507009873554805]],
    ["gelu", [0, inf, -inf, 3e38, -3e38, nan], [0.5, 1, 0, 1, 0, nan]],
    ["gelu", [0, inf, -inf, 3e38, -3e38, nan], [0.5, 1, 0, 1, 0, nan], { approximate: "tanh" }],
    ["silu", [0, inf, -inf, 3e38, -3e38, nan], [0.5, 1, 0, 1, 0, nan]],
    ["mish", [0, inf, -inf, 3e38, -3e38, nan], [0.6, 1, 0, 1, 0, nan]],
    ["logSigmoid", [0, inf, -inf, nan], [0.5, 0, 1, nan]],
    ["softsign", [0, inf, -inf, 1e19, nan], [1, 0, 0, 1e-38, nan]],
    ["hardtanh", [-1, 1, 0.5, 7], [0, 0, 1, 0]],
    ["relu6", [0, 6, 3, inf], [0, 0, 1, 0]],
    ["hardsigmoid", [-3, 3, 0], [0, 0, 1 / 6]],
    ["hardswish", [-3, 3, inf, -inf], [0, 1, 1, 0]],
    ["erf", [0, inf, -inf, nan], [2 / Math.sqrt(Math.PI), 0, 0, nan]],
    ["abs", [0, -0, -inf], [0, 0, -1]],
    ["sigmoid", [0, inf, -inf, 100, nan], [0.25, 0, 0, Math.fround(Math.exp(-100)), nan]],
    ["tanh", [0, inf, -inf, nan], [1, 0, 0, nan]],
    ["softplus", [0, inf, -inf, 20.5, nan], [0.5, 1, 0, 1, nan]],
    ["sqrt", [0, inf], [inf, 0]],
    ["log", [inf, 1e-38], [0, 1 / Math.fround(1e-38)]],
    ["square", [0, 1e-45], [0, 2 * 2 ** -149]],
    ["max", [1, 7, 7], [0, 1, 0]],
    ["min", [7, 1, 1], [0, 1, 0]],
    ["clip", [-2, -1, 0, 1, 2, inf, -inf, nan], [0, 1, 1, 1, 0, 0, 0, 0], { min: -1, max: 1 }],
    ["clip", [-2, 0, 2], [0, 0, 0], { min: 1.5, max: 1 }],
    ["variance", [5, 5], [0, 0]],
    ["dropout", [inf, 1], [0, 0], { p: 1 }],
    ["maxout", [7, 7, 1, 2], [1, 0, 0, 1], { k: 2 }],
    ["softmax", [0, -inf], [0, 0]],
    ["logSumExp", [-inf, 0], [0, 1]],
    ["logSumExp", [3e38, 3e38], [0.5, 0.5]],
    ["crossEntropyLoss", [3e38, -3e38], [0, 0], 0],
    ["crossEntropyLoss", [-3e38, 3e38], [-1, 1], 0],
    ["clone", [nan, -inf], [1, 1]],
  ];
  test.each(rows)("%s at %j: %j", (name, x, dx, ...args) => {
    scope(() => {
      const input = tensor(x, { requiresGrad: true });
      const y = by(name).run([input], { shapes: [], args });
      y.backward({ gradient: tensor(new Float32Array(y.size).fill(1), { shape: y.shape }) });
      expect(mismatch(input.grad!.data, dx, { ulp: 2, atol: 1e-45 })).toBeUndefined();
    });
  });

  const named = { ...elementwiseActivations, ...gated, ...scaled };
  const activations = cases.filter((c) => c.name in named && c.elementwise && c.inputs.length === 1);
  const finite = [-1, 1].flatMap((sign) => Array.from({ length: 84 }, (_, i) => sign * 10 ** (i - 45)));
  test.each(activations.map((c) => [c.name, c] as const))("%s is finite for finite numbers", (_name, c) => {
    for (const { args } of c.variants) {
      scope(() => {
        const x = tensor(finite, { requiresGrad: true });
        const y = c.run([x], { shapes: [], args });
        y.backward({ gradient: tensor(new Float32Array(finite.length).fill(1)) });
        const expected = c.expected([nd([finite.length], x.data)], { shapes: [], args }).data;
        for (const [i, value] of expected.entries()) {
          if (!Number.isFinite(Math.fround(value))) continue;
          expect([y.data[i], x.grad!.data[i]].every(Number.isFinite), `at ${finite[i]}`).toBe(true);
        }
      });
    }
  });

  const pairs: [name: string, a: number, b: number, da: number, db: number][] = [
    ["l1Loss", 1, 1, 0, 0],
    ["smoothL1Loss", 1, 1, 0, 0],
    ["smoothL1Loss", 3e38, 0, 1, -1],
    ["huberLoss", 0, 1, -1, 1],
    ["logCoshLoss", 1e-20, 0, 1e-20, -1e-20],
    ["logCoshLoss", -3e38, 0, -1, 1],
    ["pow", 0, 2, 0, 0],
    ["pow", 0, 0, 0, 0],
    ["pow", 3, 0, 0, Math.log(3)],
    ["pow", -2, 3, 12, nan],
    ["div", 1e38, 1e25, 1e-25, -1e-12],
    ["prelu", 0, 0.25, 0.25, 0],
    ["mul", inf, 2, 2, inf],
    ["maximum", 2, 2, 0.5, 0.5],
    ["maximum", 2, 1, 1, 0],
    ["maximum", nan, 1, 1, 1],
    ["minimum", 0, -0, 0.5, 0.5],
    ["minimum", 2, 1, 0, 1],
    ["minimum", 2, nan, 1, 1],
  ];
  test.each(pairs)("%s of %d and %d: %d and %d", (name, a, b, da, db) => {
    scope(() => {
      const inputs = [tensor([a], { requiresGrad: true }), tensor([b], { requiresGrad: true })];
      by(name).run(inputs, { shapes: [], args: [] }).backward();
      const got = inputs.map((x) => x.grad!.item());
      expect(mismatch(got, [da, db], { ulp: 2, rtol: 1e-6, atol: 1e-45 })).toBeUndefined();
    });
  });
});

test("gradients of a class that is nearly sure keep their precision", () => {
  const p = 1 / (1 + Math.exp(20));
  const losses: [(x: Tensor) => Tensor, x: number[], dx: number[]][] = [
    [(x) => crossEntropyLoss(x, 0), [20, 0], [-p, p]],
    [(x) => nllLoss(logSoftmax(x), 0), [20, 0], [-p, p]],
    [(x) => crossEntropyLoss(x, tensor([1, 0]), { reduction: "sum" }), [0, 0], [-0.5, 0.5]],
    [(x) => bceWithLogitsLoss(x, tensor([1, 0]), { reduction: "sum" }), [20, -20], [-p, p]],
    [(x) => logSumExp(x), [20, 0], [1 - p, p]],
  ];
  for (const [loss, data, dx] of losses) {
    scope(() => {
      const x = tensor(data, { requiresGrad: true });
      loss(x).backward();
      expect(mismatch(x.grad!.data, dx, { rtol: 1e-6 })).toBeUndefined();
    });
  }
});

describe("gradients of losses on the margin and far from it", () => {
  const [inf, far] = [Infinity, Math.exp(-100)];
  const rows: [name: string, pred: number[], target: number[], dpred: number[], options?: object][] = [
    ["smoothL1Loss", [2, 2.5, -3], [2, 2, 2], [0, 1, -1], { beta: 0 }],
    ["squaredHingeLoss", [1, -1, 3], [1, 1, -1], [0, -4, 8]],
    ["softMarginLoss", [100, -100, inf, -3e38], [1, 1, 1, 1], [-far, -1, 0, -1]],
    ["bceWithLogitsLoss", [100, -100, inf, -inf], [1, 0, 0, 1], [-far, far, 1, -1]],
    ["bceWithLogitsLoss", [100, -100], [1, 1], [-3 * far, -3], { posWeight: 3 }],
    ["focalLoss", [100, -100, -100, 100], [0, 1, 0, 1], [0.75, -0.25, 0, 0]],
    ["focalLoss", [3e38, -3e38, -3e38, 3e38], [0, 1, 0, 1], [0.75, -0.25, 0, 0]],
    ["focalLoss", [inf, -inf, -inf, inf], [0, 1, 0, 1], [0.75, -0.25, 0, 0]],
    ["focalLoss", [-40, 40], [0, 1], [2 * Math.exp(-80), -2 * Math.exp(-80)], { alpha: -1, gamma: 1 }],
    ["klDivLoss", [-inf, -1], [0, 0.5], [0, -0.5]],
    ["klDivLoss", [-1, -2], [-inf, 0], [0, -1], { logTarget: true }],
    ["poissonNllLoss", [-inf, 0], [2, 1], [-2, 0]],
    ["poissonNllLoss", [0, 7], [0, 7], [1, 2 ** -50 / 7], { logInput: false, eps: 2 ** -50 }],
    ["categoricalHingeLoss", [2, 1, 0], [1, 0, 0], [0, 0, 0]],
    ["categoricalHingeLoss", [0, 1, 1], [1, 0, 0], [-1, 1, 0]],
  ];
  test.each(rows)("%s of %j and %j: %j", (name, pred, target, dpred, options = {}) => {
    scope(() => {
      const input = tensor(pred, { requiresGrad: true });
      const args = [{ reduction: "sum", ...options }];
      by(name)
        .run([input, tensor(target)], { shapes: [], args })
        .backward();
      expect(mismatch(input.grad!.data, dpred, { rtol: 2e-6, atol: 1e-44 })).toBeUndefined();
    });
  });

  test("multiMarginLoss on the margin and beyond", () => {
    scope(() => {
      const x = tensor([2, 1, 1.5, -3], { requiresGrad: true });
      multiMarginLoss(x, 0).backward();
      expect(x.grad!.toArray()).toEqual([-0.25, 0, 0.25, 0]);
    });
  });

  test("cosineEmbeddingLoss of zeros, of large rows, of parallel ones", () => {
    const pairs: [a: number[], b: number[], loss: number][] = [
      [[0, 0], [1, 2], 1],
      [[3e38, 3e38], [3e38, 3e38], 0],
      [[1, 0], [1, 2 ** -10], 1 - 1 / Math.sqrt(1 + 2 ** -20)],
    ];
    for (const [a, b, loss] of pairs) {
      scope(() => {
        const inputs = [tensor(a, { requiresGrad: true }), tensor(b, { requiresGrad: true })] as const;
        const y = cosineEmbeddingLoss(...inputs, tensor(1));
        y.backward();
        expect(mismatch(y.data, [loss], { rtol: 1e-5, atol: 1e-12 })).toBeUndefined();
        for (const x of inputs) expect(x.grad!.data.every(Number.isFinite)).toBe(true);
      });
    }
  });
});
