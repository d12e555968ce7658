// How a written module is loaded, and compared with the model that it was.
import { expect } from "vitest";
import { type Module, noGrad, type Tensor } from "../src/index";
import { type Standalone, type StandaloneOptions, toModule } from "../src/standalone/index";
import type { Row } from "./moduleRows";

export interface Network {
  predict(x: ArrayLike<number>): Float32Array;
  load?(bytes: Uint8Array | ArrayBuffer): void;
}

let imported = 0;

/** Each text is a module of its own, even if another is equal to it. */
export function load({ code }: Standalone): Promise<Network> {
  return import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(`${code}// ${imported++}`)}`);
}

/** The input of a module that is written, for what a row is run with: rows, or a single one where the row has no batches. */
export const inputFor = (row: Row, { shape }: Tensor) => [
  null,
  ...shape.slice(row.input[0] === null ? 1 : 0),
];

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
