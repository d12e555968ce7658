// What each module is in a written one: the statements of its evaluation, and the shape of what it gives.
import {
  type AnyModule,
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
  OptionError,
  PReLU,
  ReLU,
  ReLU6,
  RReLU,
  SELU,
  ShapeError,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Softsign,
  Tanh,
} from "../index";
import { type Sizes, size, type Text } from "./text";

/** Writes the statements of a module that gets x of these sizes; returns the sizes of what it gives. */
export type Writer<M = AnyModule> = (module: M, x: Sizes, text: Text) => Sizes;

type Class<M> = abstract new (...args: never[]) => M;

const WRITERS = new Map<unknown, Writer<never>>();

function row<M extends AnyModule>(kind: Class<M>, writer: Writer<M>): void {
  WRITERS.set(kind, writer);
}

/** The writer of a module of the library; a class of the user's own has none, even if it extends one that has. */
export function writerOf(module: AnyModule): Writer | undefined {
  return WRITERS.get(module.constructor) as Writer | undefined;
}

/** A function of one number, with numbers behind it. */
function each<M extends AnyModule>(
  kind: Class<M>,
  name: string,
  numbers: (module: M) => number[] = () => [],
): void {
  row(kind, (module, x, text) => {
    const given = numbers(module).map((value) => text.number(value));
    text.use(name);
    text.step(given.length === 0 ? `x.map(${name})` : `x.map((v) => ${name}(v, ${given.join(", ")}))`);
    return x;
  });
}

row(Identity, (_, x) => x);
row(Dropout, (_, x) => x);
each(Sigmoid, "sigmoid");
each(Tanh, "Math.tanh");
each(ReLU, "relu");
each(LeakyReLU, "leakyRelu", ({ options }) => [options.negativeSlope]);
each(RReLU, "leakyRelu", ({ options }) => [(options.lower + options.upper) / 2]);
each(ELU, "elu", ({ options }) => [options.alpha]);
each(CELU, "celu", ({ options }) => [options.alpha]);
each(SELU, "selu");
each(SiLU, "silu");
each(Mish, "mish");
each(Softplus, "softplus", ({ options }) => [options.beta, options.threshold]);
each(LogSigmoid, "logSigmoid");
each(Softsign, "softsign");
each(Hardtanh, "hardtanh", ({ options }) => [options.minVal, options.maxVal]);
each(Hardsigmoid, "hardsigmoid");
each(Hardswish, "hardswish");
each(ReLU6, "relu6");

row(GELU, ({ options }, x, text) => {
  const name = options.approximate === "tanh" ? "geluTanh" : "gelu";
  text.use(name);
  text.step(`x.map(${name})`);
  return x;
});

const FUSED = { relu: "relu", sigmoid: "sigmoid", tanh: "Math.tanh" };

row(Linear, ({ weight, bias, activation }, x, text) => {
  const [outputs, inputs] = weight.shape as [number, number];
  if (x.rest.at(-1) !== inputs) throw misfit(`[…, ${inputs}]`, x);
  text.call("linear", text.weight("weight", weight), text.weight("bias", bias), inputs, outputs);
  if (activation !== undefined) {
    text.use(FUSED[activation]);
    text.step(`x.map(${FUSED[activation]})`);
  }
  return { ...x, rest: [...x.rest.slice(0, -1), outputs] };
});

row(Embedding, ({ weight }, x, text) => {
  const [, dim] = weight.shape as [number, number];
  text.call("embedding", text.weight("weight", weight), dim);
  return { ...x, rest: [...x.rest, dim] };
});

row(Flatten, ({ options }, { lead, rest }) => {
  const rank = rest.length + 1;
  const [first, last] = [options.startDim, options.endDim].map((d) => dimension(d, rank)) as [number, number];
  if (first > last) throw new ShapeError(`startDim ${first} comes after endDim ${last}`);
  const joined = size(rest.slice(Math.max(first - 1, 0), last));
  if (first === 0) return { lead: lead * joined, rest: rest.slice(last) };
  return { lead, rest: [...rest.slice(0, first - 1), joined, ...rest.slice(last)] };
});

row(BatchNorm1d, (module, x, text) => {
  const { runningMean, runningVar, weight, bias, options } = module;
  if (runningMean === null || runningVar === null) {
    throw new OptionError(
      "without running statistics a row would depend on those beside it; set trackRunningStats",
    );
  }
  const [channels] = runningMean.shape as [number];
  if (x.rest[0] !== channels || x.rest.length > 2)
    throw misfit(`[…, ${channels}] or […, ${channels}, length]`, x);
  const statistics = [text.weight("mean", runningMean), text.weight("variance", runningVar)] as const;
  const affine = [text.weight("weight", weight), text.weight("bias", bias)] as const;
  text.call("batchNorm", ...statistics, ...affine, options.eps, x.rest[1] ?? 1);
  return x;
});

row(LayerNorm, ({ normalizedShape, weight, bias, options }, x, text) => {
  const last = x.rest.slice(-normalizedShape.length);
  if (String(last) !== String(normalizedShape)) throw misfit(`[…, ${normalizedShape.join(", ")}]`, x);
  const affine = [text.weight("weight", weight), text.weight("bias", bias)] as const;
  text.call("layerNorm", ...affine, options.eps, size(last));
  return x;
});

row(PReLU, ({ weight }, x, text) => {
  const channels = x.rest[0];
  if (weight.size !== 1 && weight.size !== channels) throw misfit(`[…, ${weight.size}, …]`, x);
  text.call("prelu", text.weight("slope", weight), size(x.rest.slice(1)));
  return x;
});

row(Maxout, ({ options }, x, text) => {
  const features = x.rest.at(-1);
  if (features === undefined || features % options.k !== 0) throw misfit(`groups of ${options.k}`, x);
  text.call("maxout", options.k);
  return { ...x, rest: [...x.rest.slice(0, -1), features / options.k] };
});

for (const [kind, name] of [
  [Softmax, "softmax"],
  [LogSoftmax, "logSoftmax"],
] as const) {
  row<Softmax | LogSoftmax>(kind, ({ options }, x, text) => {
    const dim = dimension(options.dim, x.rest.length + 1);
    text.call(name, dim === 0 ? text.rows(x) : x.rest[dim - 1]!, size(x.rest.slice(dim)));
    return x;
  });
}

/** A dimension counted from the front. */
function dimension(dim: number, rank: number): number {
  if (Number.isInteger(dim) && dim >= -rank && dim < rank) return dim < 0 ? dim + rank : dim;
  throw new ShapeError(`dim ${dim} does not exist in ${rank} dimensions`);
}

function misfit(wanted: string, { rest }: Sizes): ShapeError {
  return new ShapeError(`expected ${wanted}, got [${["rows", ...rest].join(", ")}]`);
}

/** The size of a row as far as the first module tells it; undefined where it keeps whatever shape it gets. */
export function rowOf(module: AnyModule): readonly number[] | "any" | undefined {
  if (module instanceof Linear) return [module.weight.shape[1]!];
  if (module instanceof BatchNorm1d) return [module.features];
  if (module instanceof LayerNorm) return module.normalizedShape;
  const changes = [Flatten, Embedding, Maxout].some((kind) => module instanceof kind);
  return changes ? undefined : "any";
}
