// Every module in the forms in which it goes into an ONNX file.
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
  input: (number | null)[];
  /** The open sizes of the input that it is run with; default: 5 each. */
  sizes?: number[];
  indices?: "int32" | "int64";
}

const plain = (model: () => Module): Row[] => [{ model, input: [null, 7] }];
const everywhere = (model: () => Module): Row[] => [
  ...plain(model),
  { model, input: [null, 6, 5] },
  { model, input: [11] },
];

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
  ],
  Identity: everywhere(() => new Identity()),
  Sigmoid: everywhere(() => new Sigmoid()),
  Tanh: everywhere(() => new Tanh()),
  ReLU: everywhere(() => new ReLU()),
  LeakyReLU: [...everywhere(() => new LeakyReLU()), ...plain(() => new LeakyReLU({ negativeSlope: 0.3 }))],
  PReLU: [
    ...everywhere(() => new PReLU()),
    ...[[null, 6], [null, 6, 5], [null, 6, 2, 3], [6]].map((input) => ({
      model: () => new PReLU({ numParameters: 6 }),
      input,
    })),
  ],
  RReLU: [...everywhere(() => new RReLU()), ...plain(() => new RReLU({ lower: 0.1, upper: 0.2 }))],
  ELU: [...everywhere(() => new ELU()), ...plain(() => new ELU({ alpha: 0.7 }))],
  CELU: [...everywhere(() => new CELU()), ...plain(() => new CELU({ alpha: 0.7 }))],
  SELU: everywhere(() => new SELU()),
  GELU: [...everywhere(() => new GELU()), ...plain(() => new GELU({ approximate: "tanh" }))],
  SiLU: everywhere(() => new SiLU()),
  Mish: everywhere(() => new Mish()),
  Softplus: [
    ...everywhere(() => new Softplus()),
    ...[
      { beta: 2.5 },
      { threshold: 1 },
      { beta: 3, threshold: 2 },
      { beta: 0.3, threshold: Infinity },
      { threshold: 40 },
    ].flatMap((options) => plain(() => new Softplus(options))),
  ],
  LogSigmoid: everywhere(() => new LogSigmoid()),
  Softsign: everywhere(() => new Softsign()),
  Hardtanh: [...everywhere(() => new Hardtanh()), ...plain(() => new Hardtanh({ minVal: -0.3, maxVal: 2 }))],
  Hardsigmoid: everywhere(() => new Hardsigmoid()),
  Hardswish: everywhere(() => new Hardswish()),
  ReLU6: everywhere(() => new ReLU6()),
  Softmax: [
    ...everywhere(() => new Softmax()),
    { model: () => new Softmax({ dim: 1 }), input: [null, 6, 5] },
  ],
  LogSoftmax: [
    ...everywhere(() => new LogSoftmax()),
    { model: () => new LogSoftmax({ dim: 0 }), input: [null, 6, 5] },
  ],
  Maxout: [
    { model: () => new Maxout({ k: 3 }), input: [null, 6] },
    { model: () => new Maxout({ k: 2 }), input: [null, null, 6] },
    { model: () => new Maxout({ k: 2 }), input: [8] },
  ],
};

/** The model of a row, with weights and running statistics that are not those of the start. */
export function made(row: Row): Module {
  const model = row.model();
  noGrad(() => {
    for (const [name, t] of Object.entries(model.stateDict())) {
      if (t.dtype !== "f32") continue;
      const values = name.endsWith("running_var") ? rand(t.shape).add(0.5) : randn(t.shape).mul(0.5);
      t.data.set(values.data);
    }
  });
  return model.eval();
}

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
