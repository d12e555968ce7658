// What every refusal has to be: an error of its class that says what is wrong, and harms nothing.
import { beforeAll, expect, test } from "vitest";
import * as nablas from "../src/index";
import { Linear, NablasError, type Tensor } from "../src/index";
import { held } from "./held";

export type Kind = new (...args: never[]) => NablasError;

export type Failure = [what: string, fail: () => unknown, kind: Kind, message: string | RegExp];

export const alive: Tensor[] = [];

/** A tensor that all tests share; none of them may change it. */
export function shared(data: Parameters<typeof nablas.tensor>[0], options?: nablas.TensorOptions): Tensor {
  const t = nablas.tensor(data, options);
  alive.push(t);
  return t;
}

export const row = shared([1, 2, 3]);

export const pair = shared([0.25, 0.75]);

export const matrix = shared([
  [1, 2, 3],
  [4, 5, 6],
]);

export const ints = shared(Int32Array.of(0, 2));

export const leaf = shared([1, 2], { requiresGrad: true });

export const signs = shared([-1, 1]);

export const scalar = shared(5);

export let values: number[][];

export const linear = new Linear(3, 2);

export const untyped = nablas as unknown as Record<string, (...args: unknown[]) => unknown>;

/** Calls an op as JavaScript would, without types. */
export const call =
  (op: string, ...args: unknown[]) =>
  () =>
    untyped[op]!(...args);

/** Each error has its class and message, and changes neither memory nor earlier tensors. */
export function refuses(failures: Failure[]): void {
  test.each(failures)("%s", (_what, fail, kind, message) => {
    const before = held();
    let thrown: unknown;
    try {
      fail();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(kind);
    expect(thrown).toBeInstanceOf(NablasError);
    expect((thrown as Error).name).toBe(kind.name);
    if (typeof message === "string") expect((thrown as Error).message).toBe(message);
    else expect((thrown as Error).message).toMatch(message);
    expect(held()).toEqual(before);
    expect(alive.map((t) => Array.from(t.data))).toEqual(values);
  });
}

beforeAll(() => {
  values = alive.map((t) => Array.from(t.data));
});
