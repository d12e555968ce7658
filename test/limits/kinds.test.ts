// Every export, and the methods of what they make, called with what nobody should pass: an error of this library, or none.
import { expect, test } from "vitest";
import * as nablas from "../../src/index";
import { NablasError, scope, tensor } from "../../src/index";
import * as numpy from "../../src/numpy/index";
import * as onnx from "../../src/onnx/index";
import * as standalone from "../../src/standalone/index";
import * as tfjs from "../../src/tfjs/index";

const bare = Object.create(null) as object;

const own: unknown[] = [];
own.push(own);
const twice: unknown[] = [];
twice.push(twice, twice);

const WRONG: [name: string, value: unknown][] = [
  ["nothing", undefined],
  ["null", null],
  ["{}", {}],
  ['""', ""],
  ["NaN", Number.NaN],
  ["-1", -1],
  ["a symbol", Symbol("x")],
  ["1n", 1n],
  ["a function", () => 1],
  ["[]", []],
  ["[null]", [null]],
  ["[{}]", [{}]],
  ["[1n]", [1n]],
  ["no prototype", bare],
  ["true", true],
  ["a date", new Date(0)],
  ["a map", new Map()],
  ["a BigInt64Array", new BigInt64Array(1)],
  ["a DataView", new DataView(new ArrayBuffer(8))],
  ["an array that has itself in it", own],
  ["an array that has itself in it twice", twice],
];

type Callable = ((...args: unknown[]) => unknown) & (new (...args: unknown[]) => unknown);

/** What `run` throws that is no error of this library. */
async function foreign(run: () => unknown): Promise<string | undefined> {
  try {
    const result = scope(() => {
      const value = run();
      return value instanceof Promise ? { value } : undefined;
    });
    await result?.value;
  } catch (error) {
    if (!(error instanceof NablasError))
      return String((error as Error).stack ?? error)
        .split("\n")
        .slice(0, 3)
        .join(" ");
  }
  return undefined;
}

const isClass = (name: string) => /^[A-Z]/.test(name);
const LEFT_OUT = new Set([
  "Tensor",
  "Module",
  "Dataset",
  "Training",
  "PlanBatches",
  "Summary",
  "Diagnosis",
  "Optimizer",
  "OnnxModel", // made by functions
  "init",
  "shutdown",
]);

const exported = Object.entries({ ...nablas, ...numpy, ...onnx, ...standalone, ...tfjs }).filter(
  ([name, item]) => typeof item === "function" && !LEFT_OUT.has(name) && !name.endsWith("Error"),
) as [string, Callable][];

/** Arguments that are right, to put wrong ones behind them. */
const x = tensor(
  [
    [0.1, 0.2],
    [0.3, 0.4],
  ],
  { requiresGrad: true },
);
const RIGHT: unknown[][] = [
  [],
  [x],
  [
    x,
    tensor([
      [0.5, 0.5],
      [0.5, 0.5],
    ]),
  ],
  [[2, 2]],
  [2],
  [2, 2],
  [0.5],
  [[x]],
  [() => x],
];

test.each(exported)("%s", async (name, item) => {
  const faults: string[] = [];
  for (const before of RIGHT) {
    for (const [what, value] of WRONG) {
      const args = [...before, value];
      const fault = await foreign(() => (isClass(name) ? new item(...args) : item(...args)));
      if (fault !== undefined) faults.push(`${RIGHT.indexOf(before)}, ${what}: ${fault}`);
    }
  }
  expect(faults).toEqual([]);
});

test("an array that has itself in it is refused", () => {
  for (const array of [own, twice])
    expect(() => tensor(array as never)).toThrow("tensor: arrays nested deeper than 64 levels");
});

test("averageState takes weights whose sum is beyond float64, or whose products with values are below it", () => {
  const states = [{ w: [1, 3e38] }, { w: [3, 3e38] }] as never;
  for (const w of [1e308, 1.7e308, 1, 5e-324, 2 ** -1074 * 3]) {
    const { w: mean } = nablas.averageState(states, { weights: [w, w] });
    expect(mean!.toArray()).toEqual([2, Math.fround(3e38)]);
    mean!.dispose();
  }
});
