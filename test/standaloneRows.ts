// What is written as a module of its own in the tests, and how it is compared with what it was.
import { expect } from "vitest";
import {
  BatchNorm1d,
  CELU,
  Dropout,
  ELU,
  Embedding,
  Flatten,
  GELU,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  Identity,
  LayerNorm,
  LeakyReLU,
  Linear,
  LogSigmoid,
  LogSoftmax,
  Maxout,
  Mish,
  type Module,
  noGrad,
  PReLU,
  ReLU,
  ReLU6,
  RReLU,
  randn,
  SELU,
  Sequential,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Softsign,
  Tanh,
  type Tensor,
} from "../src/index";
import { type Standalone, type StandaloneOptions, toModule } from "../src/standalone/index";

export interface Network {
  predict(x: ArrayLike<number>): Float32Array;
  load?(bytes: Uint8Array | ArrayBuffer): void;
}

let imported = 0;

/** Each text is a module of its own, even if another is equal to it. */
export function load({ code }: Standalone): Promise<Network> {
  return import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(`${code}// ${imported++}`)}`);
}

/** Parameters and running statistics as a training might leave them. */
export function trained(model: Module): Module {
  for (const [name, t] of Object.entries(model.stateDict())) {
    if (t.dtype === "i32") continue;
    const drawn = randn(t.shape);
    t.data.set(name.endsWith("running_var") ? drawn.data.map((v) => v * v + 0.1) : drawn.data);
  }
  return model;
}

/** The largest |error| / max(1, |y|); the same infinities and NaN count as none. */
export async function errorOf(
  model: Module,
  options: StandaloneOptions | undefined,
  x: Tensor,
): Promise<number> {
  const { predict } = await load(toModule(model.train(), options));
  expect(model.training).toBe(true);
  const wanted = noGrad(() => model.eval().forward(x));
  const before = x.data.slice();
  const got = predict(x.data.slice());
  expect(x.data).toEqual(before);
  expect(got).toBeInstanceOf(Float32Array);
  expect(got.length).toBe(wanted.size);
  const errors = Array.from(wanted.data, (y, i) =>
    Object.is(y, got[i]) ? 0 : Math.abs(got[i]! - y) / Math.max(1, Math.abs(y)),
  );
  return Math.max(0, ...errors);
}

export type Row = readonly [make: () => Module, input: number[], needsInput?: boolean];

/** For each module what to write, and the shape of its input. */
export const rows: Record<string, readonly Row[]> = {
  Linear: [
    [() => new Linear(7, 3), [5, 7]],
    [() => new Linear(7, 3, { bias: false }), [1, 7]],
    [() => new Linear(4, 3), [2, 3, 4], true],
    ...(["relu", "sigmoid", "tanh"] as const).map(
      (activation): Row => [() => new Linear(6, 4, { activation }), [3, 6]],
    ),
  ],
  Sequential: [
    [
      () => new Sequential(new Linear(5, 4), new Sequential(new ReLU(), new Linear(4, 4)), new Linear(4, 2)),
      [3, 5],
    ],
    [() => new Sequential(), [3, 5], true],
  ],
  Flatten: [
    [() => new Sequential(new Flatten(), new Linear(12, 2)), [3, 3, 4], true],
    [() => new Sequential(new Flatten({ startDim: 0, endDim: 1 }), new Linear(4, 2)), [3, 5, 4], true],
    [() => new Sequential(new Flatten({ startDim: 0 }), new Softmax()), [3, 5, 4], true],
    [
      () => new Sequential(new Flatten({ startDim: -2, endDim: -2 }), new Softmax({ dim: 1 })),
      [3, 5, 4],
      true,
    ],
  ],
  BatchNorm1d: [
    [() => new BatchNorm1d(4), [5, 4]],
    [() => new BatchNorm1d(4, { affine: false, eps: 0.1 }), [5, 4]],
    [() => new BatchNorm1d(3), [2, 3, 4], true],
  ],
  LayerNorm: [
    [() => new LayerNorm(6), [5, 6]],
    [() => new LayerNorm([3, 4], { eps: 0.01 }), [2, 3, 4]],
    [() => new LayerNorm(4, { affine: false }), [2, 3, 4], true],
  ],
  Embedding: [
    [() => new Embedding(7, 3), [4, 2], true],
    [
      () => new Sequential(new Embedding(7, 3, { paddingIdx: 2 }), new Flatten(), new Linear(6, 2)),
      [4, 2],
      true,
    ],
    [() => new Embedding(7, 3), [5], true],
  ],
  Maxout: [
    [() => new Sequential(new Linear(4, 6), new Maxout({ k: 3 }), new Linear(2, 1)), [3, 4]],
    [() => new Maxout({ k: 2 }), [3, 5, 4], true],
  ],
  PReLU: [
    [() => new PReLU(), [4, 3], true],
    [() => new PReLU({ numParameters: 3 }), [4, 3], true],
    [() => new PReLU({ numParameters: 3 }), [2, 3, 5], true],
    [() => new PReLU(), [9], true],
  ],
  Softmax: [
    [() => new Softmax(), [4, 6], true],
    [() => new Softmax({ dim: 1 }), [2, 3, 5], true],
    [() => new Softmax({ dim: 0 }), [4, 6], true],
  ],
  LogSoftmax: [
    [() => new LogSoftmax(), [4, 6], true],
    [() => new LogSoftmax({ dim: -2 }), [2, 3, 5], true],
    [() => new LogSoftmax({ dim: 0 }), [4, 6], true],
  ],
  GELU: elementwise(
    () => new GELU(),
    () => new GELU({ approximate: "tanh" }),
  ),
  Softplus: elementwise(
    () => new Softplus(),
    () => new Softplus({ beta: 2, threshold: 3 }),
  ),
  LeakyReLU: elementwise(
    () => new LeakyReLU(),
    () => new LeakyReLU({ negativeSlope: -0.2 }),
  ),
  RReLU: elementwise(
    () => new RReLU(),
    () => new RReLU({ lower: 0.1, upper: 0.2 }),
  ),
  ELU: elementwise(
    () => new ELU(),
    () => new ELU({ alpha: 0.5 }),
  ),
  CELU: elementwise(
    () => new CELU(),
    () => new CELU({ alpha: 2 }),
  ),
  Hardtanh: elementwise(
    () => new Hardtanh(),
    () => new Hardtanh({ minVal: 0.5, maxVal: 2 }),
  ),
  Dropout: elementwise(() => new Dropout({ p: 0.9 })),
  Identity: elementwise(() => new Identity()),
  Sigmoid: elementwise(() => new Sigmoid()),
  Tanh: elementwise(() => new Tanh()),
  ReLU: elementwise(() => new ReLU()),
  SELU: elementwise(() => new SELU()),
  SiLU: elementwise(() => new SiLU()),
  Mish: elementwise(() => new Mish()),
  LogSigmoid: elementwise(() => new LogSigmoid()),
  Softsign: elementwise(() => new Softsign()),
  Hardsigmoid: elementwise(() => new Hardsigmoid()),
  Hardswish: elementwise(() => new Hardswish()),
  ReLU6: elementwise(() => new ReLU6()),
};

export function elementwise(...makers: (() => Module)[]): Row[] {
  return makers.map((make): Row => [make, [8, 25], true]);
}

export const isElementwise = (name: string) => rows[name]!.every(([, shape]) => String(shape) === "8,25");
