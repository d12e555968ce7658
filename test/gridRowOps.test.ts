// Softmax and its relatives, normalization: finite, with a finite gradient, and near the float64 truth.
import { describe, expect, test } from "vitest";
import * as nablas from "../src/index";
import { scope, type Tensor, tensor } from "../src/index";
import { CLASSES, Misses, matrix, pairsOf, parts, ROWS, softmaxOf, surprise, total } from "./grid";

describe("row ops are finite and near", () => {
  /** The results of an op on all rows, and its gradients where `from` of each row's results gets 1 from above. */
  function rowOp(op: (x: Tensor) => Tensor, from: number, width: number): { y: number[]; dx: number[] } {
    return scope(() => {
      const x = matrix(ROWS, true);
      const y = op(x);
      const dy = Float32Array.from({ length: y.size }, (_, i) => Number(i % width === from));
      y.backward({ gradient: tensor(dy, { shape: y.shape }) });
      return { y: [...y.data], dx: [...x.grad!.data] };
    });
  }

  test.each(CLASSES)("softmax and logSoftmax, gradient of class %d", (from) => {
    const misses = new Misses();
    const [soft, log] = [rowOp(nablas.softmax, from, 3), rowOp(nablas.logSoftmax, from, 3)];
    for (const [r, x] of ROWS.entries()) {
      const p = softmaxOf(x);
      const beside = p.map((_, i) => total(p.toSpliced(i, 1)));
      for (const i of CLASSES) {
        const at = 3 * r + i;
        misses.check(`softmax${i}(${x})`, soft.y[at], p[i]!);
        misses.check(`logSoftmax${i}(${x})`, log.y[at], -surprise(x, i));
        const d = i === from ? beside[i]! : -p[i]!;
        misses.check(`dsoftmax${i}(${x})`, soft.dx[at], p[from]! * d);
        misses.check(`dlogSoftmax${i}(${x})`, log.dx[at], d);
      }
    }
    expect(misses.some).toEqual([]);
  });

  test("logSumExp", () => {
    const misses = new Misses();
    const { y, dx } = rowOp((x) => nablas.logSumExp(x, { dim: 1 }), 0, 1);
    for (const [r, x] of ROWS.entries()) {
      const { most, rest } = parts(x);
      misses.check(`y(${x})`, y[r], most + Math.log1p(rest), Math.abs(most) + Math.log1p(rest));
      for (const i of CLASSES) misses.check(`dx${i}(${x})`, dx[3 * r + i], softmaxOf(x)[i]!);
    }
    expect(misses.some).toEqual([]);
  });

  test("maxout and hardmax", () => {
    const { y, dx } = rowOp((x) => nablas.maxout(x, { k: 3 }), 0, 1);
    const hard = scope(() => [...nablas.hardmax(matrix(ROWS)).data]);
    const first = ROWS.flatMap((x) => x.map((_, i) => Number(i === parts(x).at)));
    expect(y).toEqual(ROWS.map((x) => x[parts(x).at]));
    expect(dx).toEqual(first);
    expect(hard).toEqual(first);
  });

  const norms = { layerNorm: ROWS, batchNorm: ROWS };
  const factors = pairsOf([1, 1e-30, 1e30].map(Math.fround), [1e-5, 1e-30, 1]);
  test.each(pairsOf(Object.keys(norms), factors))("%s with weight and eps %j", (name, [weight, eps]) => {
    const misses = new Misses();
    const layer = name === "layerNorm";
    const results = scope(() => {
      const x = matrix(layer ? ROWS : CLASSES.map((i) => ROWS.map((row) => row[i]!)), true);
      const w = tensor(new Float32Array(layer ? 3 : ROWS.length).fill(weight));
      const y = layer
        ? nablas.layerNorm(x, { normalizedShape: 3, weight: w, eps })
        : nablas.batchNorm(x, { weight: w, eps, training: true });
      const dy = Float32Array.from({ length: y.size }, (_, i) =>
        Number(layer ? i % 3 === 0 : i < ROWS.length),
      );
      y.backward({ gradient: tensor(dy, { shape: y.shape }) });
      const place = (r: number, i: number) => (layer ? 3 * r + i : i * ROWS.length + r);
      const [values, gradient] = [y.data.slice(), x.grad!.data.slice()];
      return {
        y: (r: number, i: number) => values[place(r, i)],
        dx: (r: number, i: number) => gradient[place(r, i)],
      };
    });
    for (const [r, x] of ROWS.entries()) {
      const mean = total(x) / 3;
      const rstd = 1 / Math.sqrt(total(x.map((v) => (v - mean) ** 2)) / 3 + eps);
      const normal = x.map((v) => (v - mean) * rstd);
      for (const i of CLASSES) {
        misses.check(
          `y${i}(${x})`,
          results.y(r, i),
          weight * normal[i]!,
          1e-8 * weight * Math.abs(mean) * rstd,
        );
        const slope = Number(i === 0) - 1 / 3 - (normal[i]! * normal[0]!) / 3;
        misses.check(`dx${i}(${x})`, results.dx(r, i), weight * rstd * slope, 1e-8 * weight * rstd);
      }
    }
    expect(misses.some).toEqual([]);
  });
});
