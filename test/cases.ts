// The op table: one row for each exported op, in the file of test/cases/ that bears the name of the op's file in
// src/ops/, made of what cases/row.ts has. It drives the forward, gradient, leak and coverage tests.
//
// A new elementwise op is one row, such as
//   softsign: activation({ reference: (x) => x / (1 + Math.abs(x)), domain: [-9, 9], ulp: 1.5 }),
// Derivatives need no formula: they come from differences of the reference.

import type { Tensor } from "../src/index";
import * as nablas from "../src/index";
import * as activations from "./cases/activations";
import * as arithmetic from "./cases/arithmetic";
import * as comparison from "./cases/comparison";
import * as crossEntropy from "./cases/crossEntropy";
import * as customLoss from "./cases/customLoss";
import * as gated from "./cases/gated";
import * as indexing from "./cases/indexing";
import * as layout from "./cases/layout";
import * as likelihoodLosses from "./cases/likelihoodLosses";
import * as losses from "./cases/losses";
import * as marginLosses from "./cases/marginLosses";
import * as matmul from "./cases/matmul";
import * as normalization from "./cases/normalization";
import * as poissonNllLoss from "./cases/poissonNllLoss";
import * as random from "./cases/random";
import * as reductions from "./cases/reductions";
import { type Row, type Rows, SEED, type Variant } from "./cases/row";
import * as rowLosses from "./cases/rowLosses";
import * as scaled from "./cases/scaled";
import * as softmax from "./cases/softmax";
import type { Nd } from "./reference";
import * as ref from "./reference";

export { type Input, type Row, type Rows, SEED, type Variant } from "./cases/row";

const files: readonly { rows: Rows; more?: Record<string, Rows> }[] = [
  activations,
  arithmetic,
  comparison,
  crossEntropy,
  customLoss,
  gated,
  indexing,
  layout,
  likelihoodLosses,
  losses,
  marginLosses,
  matmul,
  normalization,
  poissonNllLoss,
  random,
  reductions,
  rowLosses,
  scaled,
  softmax,
];

export const table: Rows = Object.assign({}, ...files.map(({ rows }) => rows));

/** Further rows for an op that takes inputs of another kind, and what they show. */
export const more: Record<string, Rows> = Object.assign({}, ...files.map((file) => file.more));

export interface Case extends Row {
  name: string;
  /** The op on inputs, with the generator seeded anew. */
  run: (inputs: readonly Tensor[], variant: Variant) => Tensor;
  /** The same without that. */
  apply: (inputs: readonly Tensor[], variant: Variant) => Tensor;
  expected: (inputs: readonly Nd[], variant: Variant) => Nd;
}

type Call<T> = (...args: unknown[]) => T;

function named(name: string, row: Row, fn: unknown): Case {
  const apply: Case["apply"] = (inputs, { args }) => ((row.call ?? fn) as Call<Tensor>)(...inputs, ...args);
  return {
    ...row,
    name,
    apply,
    run: (inputs, variant) => {
      nablas.manualSeed(SEED);
      return apply(inputs, variant);
    },
    expected: (inputs, { args }) => (row.reference as Call<Nd>)(...inputs, ...args),
  };
}

const exported: Readonly<Record<string, unknown>> = nablas;

export const cases: Case[] = Object.entries(table).flatMap(([name, row]) => {
  const fn = exported[name];
  const others = Object.entries(more[name] ?? {});
  return [named(name, row, fn), ...others.map(([what, other]) => named(`${name} ${what}`, other, fn))];
});

/** "[2, 5] [5] {"dim":1}": what a variant is, for the names of tests. */
export function title({ shapes, args }: Variant): string {
  return [...shapes, ...args].map((part) => JSON.stringify(part) ?? "-").join(" ") || "[]";
}

/** A generator of numbers in [0, 1) for the data of tests: mulberry32 by Tommy Ettinger. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The data of a variant, the same in every run. */
export function draw({ inputs }: Row, { shapes }: Variant): Nd[] {
  const random = numbers(ref.sizeOf(shapes.flat()) + shapes.length);
  return shapes.map((shape, i) => ref.build(shape, () => inputs[i]!.draw(random)));
}

export interface TensorsOptions {
  requiresGrad?: boolean;
}

/** Tensors of that data; those that can have a gradient require one if asked. */
export function tensors({ inputs }: Row, data: readonly Nd[], options?: TensorsOptions): Tensor[] {
  return data.map(({ shape, data: values }, i) =>
    nablas.tensor(values, {
      shape,
      dtype: inputs[i]!.dtype,
      requiresGrad: (options?.requiresGrad ?? false) && inputs[i]!.differentiable,
    }),
  );
}

/** Values that elementwise ops must get right wherever the formula does. */
export const SPECIALS = [0, -0, Infinity, -Infinity, NaN, 1e-45, -1e-45, 3e38, -3e38].map(Math.fround);
