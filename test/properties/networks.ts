// Random networks with what they are trained by: a sample says it all, and prints as it is.
import fc from "fast-check";
import * as nablas from "../../src/index";
import {
  clipGradNorm,
  clipGradValue,
  Module,
  manualSeed,
  Sequential,
  type Tensor,
  tensor,
} from "../../src/index";
import { numbers } from "../cases";

/** x + f(x). */
class Residual extends Module {
  constructor(readonly inner: Module) {
    super();
  }

  forward(x: Tensor): Tensor {
    return x.add(this.inner.forward(x));
  }
}

const layers = {
  relu: () => new nablas.ReLU(),
  leakyRelu: () => new nablas.LeakyReLU({ negativeSlope: 0.2 }),
  prelu: () => new nablas.PReLU(),
  rrelu: () => new nablas.RReLU(),
  elu: () => new nablas.ELU(),
  gelu: () => new nablas.GELU(),
  silu: () => new nablas.SiLU(),
  mish: () => new nablas.Mish(),
  softplus: () => new nablas.Softplus(),
  tanh: () => new nablas.Tanh(),
  sigmoid: () => new nablas.Sigmoid(),
  hardswish: () => new nablas.Hardswish(),
  softmax: () => new nablas.Softmax({ dim: -1 }),
  logSoftmax: () => new nablas.LogSoftmax({ dim: -1 }),
  dropout: () => new nablas.Dropout({ p: 0.3 }),
  batchNorm: (n: number) => new nablas.BatchNorm1d(n),
  cumulative: (n: number) => new nablas.BatchNorm1d(n, { momentum: null, affine: false }),
  layerNorm: (n: number) => new nablas.LayerNorm(n),
  residual: (n: number) =>
    new Residual(new Sequential(new nablas.Linear(n, n, { bias: false }), new nablas.Tanh())),
} satisfies Record<string, (n: number) => Module>;

type Target = (rows: number, outputs: number, random: () => number) => Tensor;

const like =
  (value: (u: number) => number): Target =>
  (rows, outputs, random) =>
    tensor(
      Float32Array.from({ length: rows * outputs }, () => value(random())),
      { shape: [rows, outputs] },
    );
const labels: Target = (rows, outputs, random) =>
  tensor(Int32Array.from({ length: rows }, () => Math.floor(outputs * random())));

const losses: Record<string, [target: Target, loss: (y: Tensor, target: Tensor) => Tensor]> = {
  crossEntropy: [labels, (y, t) => nablas.crossEntropyLoss(y, t)],
  smoothed: [labels, (y, t) => nablas.crossEntropyLoss(y, t, { labelSmoothing: 0.1, reduction: "sum" })],
  ignoring: [labels, (y, t) => nablas.crossEntropyLoss(y, t, { ignoreIndex: 0, reduction: "none" }).mean()],
  nll: [labels, (y, t) => nablas.nllLoss(nablas.logSoftmax(y), t)],
  margin: [labels, (y, t) => nablas.multiMarginLoss(y, t)],
  mse: [like((u) => 2 * u - 1), (y, t) => nablas.mseLoss(y, t)],
  huber: [like((u) => 2 * u - 1), (y, t) => nablas.huberLoss(y, t, { reduction: "none" }).sum()],
  bce: [like((u) => u), (y, t) => nablas.bceWithLogitsLoss(y, t)],
  focal: [like((u) => Number(u < 0.5)), (y, t) => nablas.focalLoss(y, t)],
  klDiv: [like((u) => u), (y, t) => nablas.klDivLoss(nablas.logSoftmax(y), t, { reduction: "batchmean" })],
  // A target that is worked out, and two uses of the output.
  consistent: [like((u) => u), (y, t) => nablas.l1Loss(y, y.detach().mul(t)).add(y.square().mean())],
};

const rate = fc.constantFrom(0.01, 0.1, 0.5);
const share = fc.constantFrom(0, 0.5, 0.9);
const penalties = { lr: rate, weightDecay: fc.constantFrom(0, 0.01), l1: fc.constantFrom(0, 0.001) };
/** Options of each optimizer. */
export const optimizers = fc.oneof(
  fc.record({ kind: fc.constant("SGD"), ...penalties, momentum: share, dampening: fc.constantFrom(0, 0.1) }),
  fc.record({ kind: fc.constant("SGD"), ...penalties, momentum: fc.constant(0.9), nesterov: fc.boolean() }),
  fc.record({ kind: fc.constantFrom("Adam", "AdamW"), ...penalties, amsgrad: fc.boolean() }),
  fc.record({ kind: fc.constant("RMSprop"), ...penalties, centered: fc.boolean(), momentum: share }),
  fc.record({ kind: fc.constant("Adagrad"), ...penalties, lrDecay: share, initialAccumulatorValue: share }),
);

const OPTIMIZERS = {
  SGD: nablas.SGD,
  Adam: nablas.Adam,
  AdamW: nablas.AdamW,
  RMSprop: nablas.RMSprop,
  Adagrad: nablas.Adagrad,
};

type Options = typeof optimizers extends fc.Arbitrary<infer T> ? T : never;

export function makeOptimizer({ kind, ...options }: Options, parameters: nablas.ParameterList<object>) {
  return new OPTIMIZERS[kind as keyof typeof OPTIMIZERS](parameters as Tensor[], options);
}

/** A batch of so many rows, and what is done between it and the one before. */
const batch = fc.record({
  rows: fc.constantFrom(2, 3, 5, 8),
  before: fc.constantFrom("", "", "", "lr", "mode"),
});

/** Networks of up to so many units in a layer. */
export const networks = (largest: number) =>
  fc.record({
    seed: fc.nat(9999),
    features: fc.integer({ min: 1, max: largest }),
    hidden: fc.array(
      fc.record({
        units: fc.integer({ min: 1, max: largest }),
        bias: fc.boolean(),
        after: fc.array(fc.constantFrom(...(Object.keys(layers) as (keyof typeof layers)[])), {
          maxLength: 3,
        }),
      }),
      { maxLength: 3 },
    ),
    outputs: fc.integer({ min: 1, max: 5 }),
    loss: fc.constantFrom(...Object.keys(losses)),
    optimizer: optimizers,
    /** Whether biases and their like are a group of their own. */
    groups: fc.boolean(),
    clip: fc.constantFrom("none", "norm", "value"),
    /** Gradients of so many passes add up before a step. */
    passes: fc.integer({ min: 1, max: 2 }),
    batches: fc.array(batch, { minLength: 2, maxLength: 7 }),
  });

export type Network = ReturnType<typeof networks> extends fc.Arbitrary<infer T> ? T : never;

/** The model of a sample, its optimizer, and a step of both. */
export function build(net: Network) {
  manualSeed(net.seed);
  const modules: Module[] = [];
  let units = net.features;
  for (const { units: n, bias, after } of net.hidden) {
    modules.push(new nablas.Linear(units, n, { bias }));
    for (const name of after) modules.push(layers[name](n));
    units = n;
  }
  modules.push(new nablas.Linear(units, net.outputs));
  const model = new Sequential(...modules);
  const all = model.parameters();
  const [flat, others] = [all.filter((t) => t.shape.length < 2), all.filter((t) => t.shape.length > 1)];
  const lists = [{ params: others }, { params: flat, lr: 0.05, weightDecay: 0 }];
  const given = net.groups && flat.length > 0 ? lists : all;
  const optimizer = makeOptimizer(net.optimizer, given);
  const step = (x: Tensor, target: Tensor) => {
    optimizer.zeroGrad();
    const loss = losses[net.loss]![1](model.forward(x), target);
    loss.backward();
    for (let i = 1; i < net.passes; i++) losses[net.loss]![1](model.forward(x), target).backward();
    const norm = net.clip === "norm" ? [clipGradNorm(all, 0.5)] : [];
    if (net.clip === "value") clipGradValue(all, 0.1);
    optimizer.step();
    return [loss, ...norm];
  };
  return { model, optimizer, step };
}

const bits = (t: Tensor) => [...new Int32Array(Float32Array.from(t.data).buffer)].join(" ");

/**
 * The bits of all that a training gives: what each step returns, then weights, averages, and the generator's state.
 * @param made what steps instead of the network's own step
 */
export function train(net: Network, made: (step: Step) => Step = (step) => step): string[] {
  return nablas.scope(() => {
    const { model, optimizer, step } = build(net);
    const run = made(step);
    const random = numbers(net.seed);
    const seen = net.batches.flatMap(({ rows, before }, i) => {
      if (before === "lr") for (const group of optimizer.groups) group.lr = 0.3 / (i + 1);
      if (before === "mode") model.train(!model.training);
      return nablas.scope(() => {
        const data = Float32Array.from({ length: rows * net.features }, () => 2 * random() - 1);
        const target = losses[net.loss]![0](rows, net.outputs, random);
        return run(tensor(data, { shape: [rows, net.features] }), target).map(bits);
      });
    });
    const averages = Object.values(optimizer.stateDict().state).flatMap((state) => Object.values(state));
    const told = [...seen, ...[...Object.values(model.stateDict()), ...averages].map(bits)];
    optimizer.dispose();
    return [...told, String(nablas.getRngState())];
  });
}

export type Step = (x: Tensor, target: Tensor) => Tensor[];
