// Every module in the forms in which it is written for other engines: into ONNX files, and as modules of their own.
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
  rand,
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
  tensor,
} from "../src/index";

export interface Row {
  model: () => Module;
  /** The shape of the input; null for a size that is open. */
  input: (number | null)[];
  /** The open sizes of the input that it is run with; default: 5 each. */
  sizes?: number[];
  /** The indices of an embedding in an ONNX file. */
  indices?: "int32" | "int64";
  /** Whether an element of the result depends on the same element of the input alone. */
  elementwise?: boolean;
}

const plain = (model: () => Module): Row[] => [{ model, input: [null, 7] }];
const everywhere = (model: () => Module): Row[] => [
  ...plain(model),
  { model, input: [null, 6, 5] },
  { model, input: [11] },
];
/** Elementwise: the first everywhere, the others, of other options, once. */
const elementwise = (first: () => Module, ...others: (() => Module)[]): Row[] =>
  [...everywhere(first), ...others.flatMap(plain)].map((row) => ({ ...row, elementwise: true }));

/** By the names under which the library exports them. */
export const rows: Record<string, Row[]> = {
  Sequential: [
    {
      model: () =>
        new Sequential(
          new Linear(8, 16, { activation: "relu" }),
          new Sequential(
            new LayerNorm(16),
            new Sequential(new Dropout(), new Linear(16, 12)),
            new Maxout({ k: 3 }),
          ),
          new Tanh(),
        ),
      input: [null, 8],
    },
    { model: () => new Sequential(), input: [null, 3] },
    {
      model: () => {
        const shared = new Linear(6, 6);
        return new Sequential(shared, new SiLU(), shared);
      },
      input: [null, 6],
    },
  ],
  Linear: [
    { model: () => new Linear(8, 3), input: [null, 8] },
    { model: () => new Linear(8, 3), input: [1, 8] },
    { model: () => new Linear(8, 3, { bias: false }), input: [null, 8] },
    { model: () => new Linear(8, 3), input: [null, 4, 8] },
    {
      model: () => new Linear(8, 3, { bias: false, activation: "tanh" }),
      input: [null, null, 8],
      sizes: [3, 2],
    },
    { model: () => new Linear(8, 3), input: [8] },
    ...(["relu", "sigmoid", "tanh"] as const).flatMap((activation) => [
      { model: () => new Linear(8, 3, { activation }), input: [null, 8] },
      { model: () => new Linear(8, 3, { activation }), input: [null, 2, 8] },
    ]),
  ],
  Flatten: [
    { model: () => new Flatten(), input: [null, 3, 4] },
    { model: () => new Flatten(), input: [null, null, null, 2], sizes: [2, 3, 4] },
    { model: () => new Flatten({ startDim: 0 }), input: [null, 4] },
    { model: () => new Flatten({ startDim: 2 }), input: [null, 3, 4, 2] },
    { model: () => new Flatten({ startDim: 1, endDim: 2 }), input: [null, 3, null, 4] },
    { model: () => new Flatten({ startDim: 0, endDim: 0 }), input: [null, 4, 3] },
    { model: () => new Sequential(new Flatten(), new Linear(12, 2)), input: [null, 3, 4] },
    {
      model: () => new Sequential(new Flatten({ startDim: 0, endDim: 1 }), new Linear(4, 2)),
      input: [null, 5, 4],
    },
    { model: () => new Sequential(new Flatten({ startDim: 0 }), new Softmax()), input: [null, 5, 4] },
    {
      model: () => new Sequential(new Flatten({ startDim: -2, endDim: -2 }), new Softmax({ dim: 1 })),
      input: [null, 5, 4],
    },
  ],
  Dropout: [
    { model: () => new Sequential(new Dropout({ p: 0.3 }), new Linear(7, 2)), input: [null, 7] },
    { model: () => new Sequential(new Dropout({ p: 1 }), new Linear(7, 2)), input: [null, 7] },
  ],
  BatchNorm1d: [
    { model: () => new BatchNorm1d(6), input: [null, 6] },
    { model: () => new BatchNorm1d(6, { eps: 1e-3, momentum: null }), input: [null, 6, 9] },
    { model: () => new BatchNorm1d(6, { affine: false }), input: [null, 6] },
  ],
  LayerNorm: [
    { model: () => new LayerNorm(6), input: [null, 6] },
    { model: () => new LayerNorm([4, 6], { eps: 1e-3 }), input: [null, 4, 6] },
    { model: () => new LayerNorm(6, { affine: false }), input: [null, 3, 6] },
  ],
  Embedding: [
    { model: () => new Embedding(9, 4), input: [null, 3] },
    { model: () => new Embedding(9, 4, { paddingIdx: 0 }), input: [null], indices: "int64" },
    { model: () => new Sequential(new Flatten(), new Embedding(9, 4), new Flatten()), input: [null, 2, 3] },
    {
      model: () => new Sequential(new Embedding(9, 3), new Flatten(), new Linear(6, 2)),
      input: [null, 2],
    },
  ],
  Identity: elementwise(() => new Identity()),
  Sigmoid: elementwise(() => new Sigmoid()),
  Tanh: elementwise(() => new Tanh()),
  ReLU: elementwise(() => new ReLU()),
  LeakyReLU: elementwise(
    () => new LeakyReLU(),
    () => new LeakyReLU({ negativeSlope: 0.3 }),
    () => new LeakyReLU({ negativeSlope: -0.2 }),
  ),
  PReLU: [
    ...everywhere(() => new PReLU()),
    ...[[null, 6], [null, 6, 5], [null, 6, 2, 3], [6]].map((input) => ({
      model: () => new PReLU({ numParameters: 6 }),
      input,
    })),
  ],
  RReLU: elementwise(
    () => new RReLU(),
    () => new RReLU({ lower: 0.1, upper: 0.2 }),
  ),
  ELU: elementwise(
    () => new ELU(),
    () => new ELU({ alpha: 0.7 }),
  ),
  CELU: elementwise(
    () => new CELU(),
    () => new CELU({ alpha: 0.7 }),
  ),
  SELU: elementwise(() => new SELU()),
  GELU: elementwise(
    () => new GELU(),
    () => new GELU({ approximate: "tanh" }),
  ),
  SiLU: elementwise(() => new SiLU()),
  Mish: elementwise(() => new Mish()),
  Softplus: elementwise(
    () => new Softplus(),
    () => new Softplus({ beta: 2.5 }),
    () => new Softplus({ threshold: 1 }),
    () => new Softplus({ beta: 3, threshold: 2 }),
    () => new Softplus({ beta: 0.3, threshold: Infinity }),
    () => new Softplus({ threshold: 40 }),
  ),
  LogSigmoid: elementwise(() => new LogSigmoid()),
  Softsign: elementwise(() => new Softsign()),
  Hardtanh: elementwise(
    () => new Hardtanh(),
    () => new Hardtanh({ minVal: -0.3, maxVal: 2 }),
    () => new Hardtanh({ minVal: 0.5, maxVal: 2 }),
  ),
  Hardsigmoid: elementwise(() => new Hardsigmoid()),
  Hardswish: elementwise(() => new Hardswish()),
  ReLU6: elementwise(() => new ReLU6()),
  Softmax: [
    ...everywhere(() => new Softmax()),
    { model: () => new Softmax({ dim: 1 }), input: [null, 6, 5] },
    { model: () => new Softmax({ dim: 0 }), input: [null, 6] },
  ],
  LogSoftmax: [
    ...everywhere(() => new LogSoftmax()),
    { model: () => new LogSoftmax({ dim: 0 }), input: [null, 6, 5] },
    { model: () => new LogSoftmax({ dim: -2 }), input: [null, 3, 5] },
  ],
  Maxout: [
    { model: () => new Maxout({ k: 3 }), input: [null, 6] },
    { model: () => new Maxout({ k: 2 }), input: [null, null, 6] },
    { model: () => new Maxout({ k: 2 }), input: [8] },
    {
      model: () => new Sequential(new Linear(4, 6), new Maxout({ k: 3 }), new Linear(2, 1)),
      input: [null, 4],
    },
  ],
};

/** Parameters and running statistics as a training might leave them. */
export function trained(model: Module): Module {
  for (const [name, t] of Object.entries(model.stateDict())) {
    if (t.dtype !== "f32") continue;
    const values = name.endsWith("running_var") ? rand(t.shape).add(0.5) : randn(t.shape).mul(0.5);
    t.data.set(values.data);
  }
  return model;
}

/** The model of a row, as a training might leave it. */
export const made = (row: Row): Module => noGrad(() => trained(row.model())).eval();

const takesIndices = (row: Row) => rows.Embedding!.includes(row);

/** What a row is run with; `special` values come first. */
export function inputOf(row: Row, special: readonly number[] = []): Tensor {
  const sizes = [...(row.sizes ?? [])];
  const shape = row.input.map((size) => size ?? sizes.shift() ?? 5);
  if (takesIndices(row))
    return tensor(
      Int32Array.from(rand(shape).data, (x) => Math.floor(9 * x)),
      { shape },
    );
  const x = randn(shape).mul(3);
  x.data.set(special.slice(0, x.size));
  return x;
}
