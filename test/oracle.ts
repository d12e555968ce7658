// The reference figures of test/oracle and how to compare with them. The format is explained in
// test/oracle/README.md.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type Tensor, tensor } from "../src/index";

/** A tensor of the files. */
export interface Values {
  shape: readonly number[];
  data: Float32Array | Float64Array | Int32Array;
}

export interface Case {
  id: string;
  op: string;
  params: Readonly<Record<string, unknown>>;
  inputs: Readonly<Record<string, Values>>;
  expected: Readonly<Record<string, Values>>;
  tol: Tolerance;
  /** Positions of expected tensors where the figure is a convention. */
  lenient: Readonly<Record<string, readonly number[]>>;
}

export interface Tolerance {
  rtol: number;
  atol: number;
}

export interface RawTensor {
  shape: number[];
  dtype?: "i32" | "f64";
  data: (number | string)[];
}

interface RawCase extends Omit<Case, "inputs" | "expected" | "tol" | "lenient"> {
  inputs: Record<string, RawTensor>;
  expected: Record<string, RawTensor>;
  tol?: Tolerance;
  lenient?: Case["lenient"];
}

interface Index {
  default_tol: Tolerance;
  files: { file: string; cases?: number }[];
}

/** The contents of a file of test/oracle. */
export function readOracle<T>(file: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, "oracle", file), "utf8"));
}

export const index = readOracle<Index>("index.json");

/** The cases of a file. */
export function readCases(file: string): Case[] {
  return readOracle<{ cases: RawCase[] }>(file).cases.map((c) => ({
    ...c,
    inputs: mapValues(c.inputs, readValues),
    expected: mapValues(c.expected, readValues),
    tol: c.tol ?? index.default_tol,
    lenient: c.lenient ?? {},
  }));
}

/** A tensor as the files have it. */
export function readValues({ shape, dtype, data }: RawTensor): Values {
  const Data = dtype === "i32" ? Int32Array : dtype === "f64" ? Float64Array : Float32Array;
  // Number reads the strings "NaN", "Infinity" and "-Infinity" as well.
  return { shape, data: Data.from(data.map(Number)) };
}

export function mapValues<A, B>(
  record: Record<string, A>,
  fn: (value: A, key: string) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, fn(value, key)]));
}

/** label_smoothing as labelSmoothing. */
export function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function toTensor({ shape, data }: Values, requiresGrad = false): Tensor {
  return tensor(data, { shape, requiresGrad });
}

/** Row i along the first dimension. */
export function row({ shape, data }: Values, i: number): Values {
  const size = data.length / shape[0]!;
  return { shape: shape.slice(1), data: data.slice(i * size, (i + 1) * size) };
}

/** What is wrong with `got`: its shape, or the elements outside the tolerance. */
export function faults(
  got: Values,
  want: Values,
  { rtol, atol }: Tolerance,
  lenient: readonly number[] = [],
): string[] {
  if (`${got.shape}` !== `${want.shape}`) return [`shape [${got.shape}] instead of [${want.shape}]`];
  const free = new Set(lenient);
  const found: string[] = [];
  for (const [i, w] of want.data.entries()) {
    const g = got.data[i]!;
    // Object.is covers NaN and infinities; for infinite `want` the tolerance would be infinite too.
    const close = Number.isFinite(w) && Math.abs(g - w) <= atol + rtol * Math.abs(w);
    if (!close && !Object.is(g, w) && !free.has(i)) found.push(`[${i}]: got ${g}, want ${w}`);
  }
  return found;
}

/** Results and expected tensors have the same names and agree outside lenient positions. */
export function expectResults(got: Readonly<Record<string, Values>>, c: Case): void {
  expect(Object.keys(got).sort()).toEqual(Object.keys(c.expected).sort());
  const wrong = mapValues(c.expected, (want, name) => faults(got[name]!, want, c.tol, c.lenient[name] ?? []));
  expect(wrong).toEqual(mapValues(c.expected, () => []));
}
