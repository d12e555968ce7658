import { describe, expect, it } from "vitest";
import * as nablas from "../src/index";
import { scope, type Tensor } from "../src/index";
import {
  type Case,
  camelCase,
  expectResults,
  index,
  mapValues,
  readCases,
  row,
  toTensor,
  type Values,
} from "./oracle";
import { type Inputs, type Operation, operations } from "./oracleOps";

/** Affine parameters under the names of the files. */
function affine(inputs: Record<string, Tensor>): { weight?: Tensor; bias?: Tensor } {
  return inputs.gamma === undefined ? {} : { weight: inputs.gamma, bias: inputs.beta! };
}

/** Batch normalization with all that it leaves behind. */
function batchNorm(c: Case): Record<string, Values> {
  const inputs = mapValues(c.inputs, (values, name) => toTensor(values, `d${name}` in c.expected));
  const {
    x,
    upstream,
    running_mean: runningMean,
    running_var: runningVar,
  } = inputs as Record<string, Tensor>;
  const { training, momentum, eps } = c.params as { training: boolean; momentum: number; eps: number };
  const running = { runningMean: runningMean!, runningVar: runningVar! };
  const y = nablas.batchNorm(x!, { ...affine(inputs), ...running, training, momentum, eps });
  y.backward({ gradient: upstream! });
  const names = Object.keys(inputs).filter((name) => `d${name}` in c.expected);
  const dim = x!.shape.map((_, d) => d).filter((d) => d !== 1);
  const left = {
    batch_mean: nablas.mean(x!, { dim }),
    batch_var_biased: nablas.variance(x!, { dim, correction: 0 }),
    running_mean_out: runningMean!,
    running_var_out: runningVar!,
  };
  return {
    y,
    ...Object.fromEntries(names.map((name) => [`d${name}`, inputs[name]!.grad!])),
    ...(training ? left : {}),
  };
}

/** A layer in training on one batch after another, then in evaluation. */
function batchNormSteps(c: Case): Record<string, Values> {
  const { momentum, eps } = c.params as { momentum: number | null; eps: number };
  const { x, gamma, beta } = c.inputs as Record<string, Values>;
  const layer = new nablas.BatchNorm1d(gamma!.shape[0]!, { momentum, eps });
  layer.weight!.data.set(gamma!.data);
  layer.bias!.data.set(beta!.data);
  const batches = Array.from({ length: x!.shape[0]! }, (_, i) => toTensor(row(x!, i)));
  const steps = batches.map((batch) => ({
    y: copyOf(layer.forward(batch)),
    mean: copyOf(layer.runningMean!),
    variance: copyOf(layer.runningVar!),
  }));
  const taken = (name: "y" | "mean" | "variance", shape: readonly number[]) =>
    stacked(
      steps.map((step) => step[name]),
      shape,
    );
  expect(layer.numBatchesTracked!.item()).toBe(batches.length);
  return {
    y: taken("y", batches[0]!.shape),
    running_mean: taken("mean", gamma!.shape),
    running_var: taken("variance", gamma!.shape),
    y_eval: layer.eval().forward(batches[0]!),
  };
}

function layerNorm(c: Case): Record<string, Values> {
  const inputs = mapValues(c.inputs, (values, name) => toTensor(values, `d${name}` in c.expected));
  const { normalized_shape: normalizedShape, eps } = c.params as { normalized_shape: number[]; eps: number };
  const y = nablas.layerNorm(inputs.x!, { normalizedShape, eps, ...affine(inputs) });
  y.backward({ gradient: inputs.upstream! });
  const names = Object.keys(inputs).filter((name) => `d${name}` in c.expected);
  return { y, ...Object.fromEntries(names.map((name) => [`d${name}`, inputs[name]!.grad!])) };
}

/** Dropout with the mask of the files: each element after a seed that keeps it, or drops it. */
function dropout(c: Case): Record<string, Values> {
  const { p } = c.params as { p: number };
  const kept = (seed: number) => {
    nablas.manualSeed(seed);
    return nablas.dropout(nablas.ones([1]), { p }).item() > 0 ? 1 : 0;
  };
  const seeds = Array.from({ length: 100 }, (_, i) => i);
  const seedOf = [0, 1].map((wanted) => seeds.find((seed) => kept(seed) === wanted));
  const x = toTensor(c.inputs.x!, true);
  const flat = nablas.reshape(x, [x.size]);
  const elements = Array.from(c.inputs.mask!.data, (wanted, i) => {
    // p = 0 and p = 1 leave no choice, whatever the mask says.
    nablas.manualSeed(seedOf[wanted] ?? 0);
    return nablas.dropout(nablas.slice(flat, i, i + 1), { p });
  });
  const y = nablas.reshape(nablas.concat(elements), x.shape);
  y.backward({ gradient: toTensor(c.inputs.upstream!) });
  return { y, dx: x.grad! };
}

const runners: Record<string, (c: Case) => Record<string, Values>> = {
  batchnorm1d: batchNorm,
  batchnorm1d_steps: batchNormSteps,
  layernorm: layerNorm,
  dropout,
};

type Optimizer = nablas.SGD | nablas.Adam | nablas.AdamW | nablas.RMSprop | nablas.Adagrad;

const optimizers: Record<string, (parameters: Tensor[], options: object) => Optimizer> = {
  sgd: (parameters, options) => new nablas.SGD(parameters, options),
  adam: (parameters, options) => new nablas.Adam(parameters, options),
  adamw: (parameters, options) => new nablas.AdamW(parameters, options),
  rmsprop: (parameters, options) => new nablas.RMSprop(parameters, options),
  adagrad: (parameters, options) => new nablas.Adagrad(parameters, options),
};

/**
 * The options of a case.
 * @throws Error if the case has a param or a weight that the operation would leave out
 */
function optionsOf({ params, inputs }: Case, operation: Operation, tensors: Record<string, Tensor>) {
  const { options = [], implied = [], fixed = {} } = operation;
  for (const [name, value] of Object.entries(params)) {
    if (options.includes(name) || implied.includes(name) || fixed[name] === value) continue;
    throw new Error(`param ${name} = ${value} is not handed to the library`);
  }
  for (const name of ["weight", "pos_weight"]) {
    if (name in inputs && !options.includes(name)) throw new Error(`${name} is not handed to the library`);
  }
  const given = { ...params, ...tensors };
  return Object.fromEntries(
    options.filter((name) => name in given).map((name) => [camelCase(name), given[name]]),
  );
}

/** Output and gradients of an operation under the names of the case. */
function compute(c: Case, operation: Operation): Record<string, Values> {
  const gradients = Object.keys(c.inputs).filter((name) => `d${name}` in c.expected);
  const inputs = mapValues(c.inputs, (values, name) => toTensor(values, gradients.includes(name)));
  const y = operation.forward(inputs as Inputs, optionsOf(c, operation, inputs));
  const { upstream } = inputs;
  if (gradients.length > 0) y.backward(upstream && { gradient: upstream });
  const results = Object.fromEntries(gradients.map((name) => [`d${name}`, inputs[name]!.grad!]));
  return { [c.expected.y ? "y" : "loss"]: y, ...results };
}

/** Joins tensors of one shape along a new first dimension. */
function stacked(rows: Float32Array[], shape: readonly number[]): Values {
  return { shape: [rows.length, ...shape], data: Float32Array.from(rows.flatMap((values) => [...values])) };
}

function copyOf(t: Tensor): Float32Array {
  return Float32Array.from(t.data);
}

function makeOptimizer(name: string, params: Case["params"], parameters: Tensor[]): Optimizer {
  const { steps, problem, ...options } = params;
  const named = Object.entries(options).map(([key, value]) => [camelCase(key), value]);
  return optimizers[name]!(parameters, Object.fromEntries(named));
}

/** w · A w / 2 − b · w, minimised from w0. */
function quadratic(c: Case): Record<string, Values> {
  const [A, b] = [toTensor(c.inputs.A!), toTensor(c.inputs.b!)];
  const w = toTensor(c.inputs.w0!, true);
  const optimizer = makeOptimizer(c.op, c.params, [w]);
  const [path, values]: [Float32Array[], number[]] = [[], []];
  for (let i = 0; i < Number(c.params.steps); i++) {
    const f = w.mul(A.matmul(w)).sum().mul(0.5).sub(b.mul(w).sum());
    optimizer.zeroGrad();
    f.backward();
    optimizer.step();
    values.push(f.item());
    path.push(copyOf(w));
  }
  const states = Object.keys(c.expected).filter((name) => name.startsWith("state_"));
  return {
    w: stacked(path, w.shape),
    f: { shape: [values.length], data: Float64Array.from(values) },
    ...Object.fromEntries(
      states.map((name) => [name, optimizer.stateDict().state[0]![name.replace("state_", "")]!]),
    ),
  };
}

/** Steps along given gradients. */
function givenGradients(c: Case): Record<string, Values> {
  const names = Object.keys(c.inputs).filter((name) => name.startsWith("p"));
  const parameters = names.map((name) => toTensor(c.inputs[name]!, true));
  const optimizer = makeOptimizer(c.op, c.params, parameters);
  const paths: Float32Array[][] = names.map(() => []);
  for (let i = 0; i < Number(c.params.steps); i++) {
    optimizer.zeroGrad();
    for (const [j, parameter] of parameters.entries()) {
      parameter.backward({ gradient: toTensor(row(c.inputs[`g${j}`]!, i)) });
    }
    optimizer.step();
    for (const [j, parameter] of parameters.entries()) paths[j]!.push(copyOf(parameter));
  }
  return Object.fromEntries(names.map((name, j) => [name, stacked(paths[j]!, parameters[j]!.shape)]));
}

interface MlpParams {
  activation: string;
  loss: string;
  reduction: string;
  batch: number;
  steps: number;
  optimizer: { name: string; [option: string]: unknown };
}

/** Rows first, first + 1, … of x, modulo their number. */
function rowsOf(x: Values, first: number, count: number): Tensor {
  const all = x.shape[0]!;
  const chosen = Array.from({ length: count }, (_, i) => row(x, (first + i) % all));
  const data = chosen.flatMap(({ data }) => [...data]);
  const shape = [count, ...x.shape.slice(1)];
  return toTensor({
    shape,
    data: x.data instanceof Int32Array ? Int32Array.from(data) : Float32Array.from(data),
  });
}

/** Trains linear, activation, …, linear. */
function train(c: Case): Record<string, Values> {
  const { activation, loss, reduction, batch, steps, optimizer: chosen } = c.params as unknown as MlpParams;
  const { name, ...options } = chosen;
  const names = Object.keys(c.inputs).filter((input) => /^[wb]\d$/.test(input));
  const parameters = mapValues(Object.fromEntries(names.map((n) => [n, c.inputs[n]!])), (v) =>
    toTensor(v, true),
  );
  const layers = names.length / 2;
  const forward = (x: Tensor) => {
    let h = x;
    for (let i = 0; i < layers; i++) {
      if (i > 0) h = operations[activation]!.forward({ x: h } as Inputs, {});
      h = nablas.linear(h, parameters[`w${i}`]!, parameters[`b${i}`]!);
    }
    return h;
  };
  const lossOf = (pred: Tensor, first: number, count: number) =>
    operations[loss]!.forward({ pred, target: rowsOf(c.inputs.y!, first, count) } as Inputs, { reduction });
  const optimizer = makeOptimizer(name, options, Object.values(parameters));
  const got: Record<string, Values> = {};
  const losses = new Float64Array(steps);
  for (let s = 0; s < steps; s++) {
    const logits = forward(rowsOf(c.inputs.x!, s * batch, batch));
    if (s === 0) got.logits_step0 = { shape: logits.shape, data: copyOf(logits) };
    const value = lossOf(logits, s * batch, batch);
    losses[s] = value.item();
    optimizer.zeroGrad();
    value.backward();
    if (s === 0) {
      for (const n of names) {
        const { shape, grad } = parameters[n]!;
        got[`d${n}_step0`] = { shape, data: copyOf(grad!) };
      }
    }
    optimizer.step();
  }
  const all = c.inputs.x!.shape[0]!;
  got.loss = { shape: [steps], data: losses };
  got.loss_all_final = nablas.noGrad(() => lossOf(forward(rowsOf(c.inputs.x!, 0, all)), 0, all));
  for (const n of names) got[`${n}_final`] = parameters[n]!;
  return got;
}

/** The ops that a case needs. */
function opsOf({ op, params }: Case): string[] {
  if (op !== "mlp") return [op];
  const { activation, loss, optimizer } = params as unknown as MlpParams;
  return [activation, loss, optimizer.name];
}

function run(c: Case): Record<string, Values> {
  if (c.op === "mlp") return train(c);
  if (c.op in optimizers) return c.params.problem === "quadratic" ? quadratic(c) : givenGradients(c);
  return runners[c.op]?.(c) ?? compute(c, operations[c.op]!);
}

const supported = [operations, runners, optimizers].flatMap((table) => Object.keys(table));

const files = index.files
  .filter(({ cases }) => cases !== undefined)
  .map(({ file, cases: count }) => ({ file, count, cases: readCases(file) }));

describe("the table of ops", () => {
  it("has every op of the files, and no other", () => {
    const inFiles = new Set(files.flatMap(({ cases }) => cases.flatMap(opsOf)));
    expect([...supported].sort()).toEqual([...inFiles].sort());
  });

  it.each(files)("has all cases of $file", ({ count, cases }) => {
    expect(cases).toHaveLength(count!);
  });

  it("has 469 cases in all", () => {
    expect(files.flatMap(({ cases }) => cases)).toHaveLength(469);
  });
});

for (const { file, cases } of files) {
  describe(file, () => {
    for (const c of cases) it(c.id, () => scope(() => expectResults(run(c), c)));
  });
}
