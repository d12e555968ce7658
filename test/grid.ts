// Numbers over the whole range of float32, and what it means to be finite and near there.
import { type Tensor, tensor } from "../src/index";

const magnitudes = [
  0,
  2 ** -149,
  1e-40,
  1e-38,
  1e-30,
  1e-20,
  1e-10,
  1e-4,
  0.5,
  1,
  10,
  50,
  88,
  89,
  100,
  104,
  1e4,
  1e10,
  1e19,
  2e19,
  1e30,
  1e38,
  3.4e38,
].map(Math.fround);

const sparse = [0, 2 ** -149, 1e-38, 1e-20, 0.5, 1, 50, 89, 104, 1e10, 2e19, 1e30, 3.4e38].map(Math.fround);

const bothSigns = (values: readonly number[]) => [...values, ...values.map((v) => -v)];

/** Both zeros, subnormal numbers, where exponentials and squares overflow, the ends: of both signs. */
export const GRID: readonly number[] = bothSigns(magnitudes);

/** Fewer of them, for batches that are made one by one. */
export const SPARSE: readonly number[] = bothSigns(sparse);

export const pairsOf = <A, B>(a: readonly A[], b: readonly B[]): [A, B][] =>
  a.flatMap((x) => b.map((y): [A, B] => [x, y]));

const SMALLEST = 2 ** -149;
const LARGEST = (2 - 2 ** -23) * 2 ** 127;
const RELATIVE = 1e-5;
/** Four roundings of float32, of the largest term of a difference. */
const OF_TERMS = 4 * 2 ** -24;

/**
 * Whether a float32 result is as near to the truth as it can be asked to be: relative 1e-5, four units below the normal
 * numbers; anything where the truth, rounded, is infinite or within 1e-5 of that.
 * @param terms the magnitude of what the truth is a difference of, where it is one
 */
function near(actual: number, truth: number, terms = 0): boolean {
  if (Number.isNaN(truth)) throw new Error("the reference is not a number");
  if (Math.abs(truth) * (1 + RELATIVE) > LARGEST) return true;
  if (!Number.isFinite(actual)) return false;
  return Math.abs(actual - truth) <= RELATIVE * Math.abs(truth) + OF_TERMS * terms + 4 * SMALLEST;
}

/** What is not near, in words, the first few of it. */
export class Misses {
  readonly found: string[] = [];

  check(where: string, actual: number | undefined, truth: number, terms?: number): void {
    if (near(actual ?? Number.NaN, truth, terms)) return;
    this.found.push(`${where}: ${actual}, not ${truth}`);
  }

  get some(): string[] {
    const more = this.found.length - 8;
    return more > 0 ? [...this.found.slice(0, 8), `and ${more} more`] : this.found;
  }
}

export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
export const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
export const total = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0);

/** The largest of a row and Σ e^(x − largest) − 1 without it: log Σ e^x is most + log1p(rest). */
export function parts(x: readonly number[]): { most: number; rest: number; at: number } {
  const most = Math.max(...x);
  const at = x.indexOf(most);
  return { most, at, rest: total(x.map((v, i) => (i === at ? 0 : Math.exp(v - most)))) };
}

/** log Σ e^x − x[i], as a sum of positive numbers. */
export function surprise(x: readonly number[], i: number): number {
  const { most, rest } = parts(x);
  return most - x[i]! + Math.log1p(rest);
}

export function softmaxOf(x: readonly number[]): number[] {
  const { most, rest } = parts(x);
  return x.map((v) => Math.exp(v - most) / (1 + rest));
}

export type Row = readonly number[];

/** Rows of three. */
const rows = (grid: Row, third: Row): Row[] =>
  pairsOf(pairsOf(grid, grid), third).map(([[a, b], c]) => [a, b, c]);
export const ROWS: readonly Row[] = rows(GRID, [0.5, 89, -3.4e38].map(Math.fround));
/** Fewer of them, for batches that are made one by one. */
export const FEW: readonly Row[] = rows(SPARSE, [0.5]);
/** A row with an ordinary loss. */
export const FILLER: Row = [1, 0.5, -1];
export const CLASSES = [0, 1, 2] as const;

/** Rows as a tensor. */
export const matrix = (x: readonly Row[], requiresGrad = false): Tensor =>
  tensor(Float32Array.from(x.flat()), { shape: [x.length, x[0]!.length], requiresGrad });
