// Exponentials of differences to a row's maximum: the relative error against float64 where the difference is no float32.
import { describe, expect, test } from "vitest";
import {
  crossEntropyLoss,
  logSoftmax,
  logSumExp,
  nllLoss,
  parameter,
  softmax,
  type Tensor,
  tensor,
  transpose,
} from "../src/index";
import { ulpError } from "./ulp";

type Row = number[];

let state = 1;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};

/** What is left to all but the class `at`: Σ e^(x − x[at]). */
const rest = (x: Row, at: number) => x.reduce((s, v, i) => s + (i === at ? 0 : Math.exp(v - x[at]!)), 0);
const probabilities = (x: Row) => {
  const most = Math.max(...x);
  const total = 1 + rest(x, x.indexOf(most));
  return x.map((v) => Math.exp(v - most) / total);
};
/** Softmax minus one-hot, without cancellation. */
const surplus = (x: Row, at: number) =>
  probabilities(x).map((p, i) => (i === at ? -rest(x, at) / (1 + rest(x, at)) : p));

/** The largest error of an op over rows of one length; of values that are normal numbers, as a subnormal's ULP is absolute. */
class Worst {
  ulp = 0;
  where = "";

  check(actual: number, wanted: number, row: Row): void {
    const ulp =
      Math.abs(wanted) < 2 ** -126 && Math.abs(actual - wanted) < 2 ** -148 ? 0 : ulpError(actual, wanted);
    if (ulp <= this.ulp) return;
    this.ulp = ulp;
    this.where = `${actual}, not ${wanted} of ${row.slice(0, 4)}`;
  }
}

/** Rows around offsets of every size, with one class far above the others, or next to another one. */
function rowsOf(classes: number): Row[] {
  const offsets = [0, 0.1, 1, 10, 100, 200, 255, 256, 257, 300, 600, 1e3, 1e4, 1e6, 1e20];
  const given = [
    [100.1, 20.2],
    [40.1, -40.3],
    [20.1, -60.7],
    [30.1, 0.2],
    [16.7, -0.05],
  ];
  const drawn = Array.from({ length: 1200 }, (_, i) => {
    const most = offsets[i % offsets.length]! * (random() < 0.5 ? 1 : -1) * (1 - 0.3 * random());
    const away = i % 4 === 0 ? 2 * random() : 85 * random();
    return Array.from({ length: classes }, (_, c) =>
      Math.fround(c === i % classes ? most : most - away - (c % 2) * random()),
    );
  });
  return classes === 2 ? [...given.map((row) => row.map(Math.fround)), ...drawn] : drawn;
}

/** An op on all rows at once, its values and its gradient. */
interface Op {
  of: (x: Tensor, target: number[]) => Tensor;
  value: (x: Row, at: number) => number[];
  gradient: (x: Row, at: number) => number[];
}

const oneHot = (x: Tensor, target: number[]) =>
  tensor(target.map((t) => Array.from({ length: x.shape[1]! }, (_, c) => Number(c === t))));
const likelihood = {
  value: (x: Row, at: number) => [Math.log1p(rest(x, at))],
  gradient: surplus,
};

const ops: Record<string, Op> = {
  crossEntropyLoss: { of: (x, t) => crossEntropyLoss(x, t, { reduction: "none" }), ...likelihood },
  "crossEntropyLoss along axis 1 of three": {
    of: (x, t) =>
      crossEntropyLoss(transpose(x).reshape([1, x.shape[1]!, t.length]), [t], { reduction: "none" }),
    ...likelihood,
  },
  "crossEntropyLoss of distributions": {
    of: (x, t) => crossEntropyLoss(x, oneHot(x, t), { reduction: "none" }),
    ...likelihood,
  },
  "crossEntropyLoss of distributions with a gradient": {
    of: (x, t) => crossEntropyLoss(x, parameter(oneHot(x, t)), { reduction: "none" }),
    ...likelihood,
  },
  "crossEntropyLoss with weights": {
    of: (x, t) => crossEntropyLoss(x, t, { reduction: "none", weight: new Array(x.shape[1]).fill(0.25) }),
    value: (x, at) => [0.25 * Math.log1p(rest(x, at))],
    gradient: (x, at) => surplus(x, at).map((g) => 0.25 * g),
  },
  "nllLoss of logSoftmax": { of: (x, t) => nllLoss(logSoftmax(x), t, { reduction: "none" }), ...likelihood },
  softmax: {
    of: (x) => softmax(x),
    value: (x) => probabilities(x),
    gradient: (x, at) => {
      const p = probabilities(x)[at]!;
      return surplus(x, at).map((g) => -g * p);
    },
  },
  "the gradient of logSumExp": {
    of: (x) => logSumExp(x, { dim: 1 }),
    value: () => [],
    gradient: probabilities,
  },
};

describe.each([
  [2, 3, 4],
  [3, 3, 4],
  [40, 5, 7],
  [300, 6, 7],
])("rows of %i", (classes, limit, softmaxLimit) => {
  const rows = rowsOf(classes).slice(0, classes > 100 ? 90 : undefined);
  const largest = rows.map((x) => x.indexOf(Math.max(...x)));

  test.each(Object.entries(ops))("%s", (name, op) => {
    const x = parameter(tensor(rows));
    const y = op.of(x, largest);
    const values = y.data.slice();
    y.backward({
      gradient:
        name === "softmax"
          ? oneHot(x, largest)
          : tensor(new Float32Array(y.size).fill(1), { shape: y.shape }),
    });
    const gradient = x.grad!.data;
    const worst = new Worst();
    rows.forEach((row, r) => {
      const wanted = op.value(row, largest[r]!);
      for (const [i, v] of wanted.entries()) worst.check(values[r * wanted.length + i]!, v, row);
      for (const [i, g] of op.gradient(row, largest[r]!).entries())
        worst.check(gradient[r * classes + i]!, g, row);
    });
    expect(worst.ulp, worst.where).toBeLessThanOrEqual(name === "softmax" ? softmaxLimit : limit);
  });
});
