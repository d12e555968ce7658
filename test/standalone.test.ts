// Networks written as modules of their own: imported as text, without the library, they give what the models give.
import { describe, expect, test } from "vitest";
import { randomNumbers } from "../src/data/random";
import {
  BatchNorm1d,
  Dropout,
  GELU,
  Identity,
  LayerNorm,
  Linear,
  LogSoftmax,
  Module,
  manualSeed,
  noGrad,
  PReLU,
  randn,
  Sequential,
  Softmax,
  scope,
  tensor,
} from "../src/index";
import * as nn from "../src/nn/index";
import { toModule } from "../src/standalone/index";
import { inputOf, made, type Row, rows, trained } from "./moduleRows";
import { errorOf, inputFor, load } from "./standalone";

/** Modules that are the same for every element of their input. */
const elementwise = Object.keys(rows).filter((name) => rows[name]!.every((row) => row.elementwise));

/** Whether the layers of a row tell its input: by the sizes of their weights. */
const tells = (name: string, { input }: Row) =>
  ["Linear", "LayerNorm", "Dropout"].includes(name) || (name === "BatchNorm1d" && input.length === 2);

describe("every module", () => {
  test("has a row", () => {
    const modules = Object.entries(nn).filter(([, kind]) => kind.prototype instanceof Module);
    expect(Object.keys(rows).sort()).toEqual(modules.map(([name]) => name).sort());
  });

  test.each(Object.keys(rows))("%s", async (name) => {
    manualSeed(11);
    for (const row of rows[name]!) {
      const model = made(row);
      const x = inputOf(row);
      expect(await errorOf(model, { input: inputFor(row, x) }, x)).toBeLessThan(1e-5);
      if (tells(name, row)) expect(await errorOf(model, undefined, x)).toBeLessThan(1e-5);
    }
  });

  test.each(elementwise)("%s at the ends of float32", async (name) => {
    const ends = [0, -0, 1e-45, 1e-8, 3, 6, 20, 45, 88, 90, 300, 1e5, 3.4e38, Infinity];
    const x = tensor([...ends, ...ends.map((v) => -v), Number.NaN]);
    for (const row of rows[name]!) {
      const model = row.model();
      const { predict } = await load(toModule(model, { input: [null] }));
      const wanted = noGrad(() => model.eval().forward(x)).data;
      const got = predict(x.data);
      for (const [i, y] of wanted.entries()) {
        const isClose = Math.abs(got[i]! - y) <= 1e-5 * Math.max(1, Math.abs(y));
        const isSame = y === got[i] || (Number.isNaN(y) && Number.isNaN(got[i]));
        expect([x.data[i], y, got[i], isClose || isSame]).toEqual([x.data[i], y, got[i], true]);
      }
    }
  });

  test("Softmax and LogSoftmax of infinite rows", async () => {
    const x = tensor([
      [1, Infinity, 2],
      [-Infinity, 0, 1],
      [-Infinity, -Infinity, -Infinity],
      [1000, -1000, 999],
    ]);
    expect(await errorOf(new Softmax(), { input: [null, 3] }, x)).toBeLessThan(1e-6);
    expect(await errorOf(new LogSoftmax(), { input: [null, 3] }, x)).toBeLessThan(1e-6);
  });

  test("a deep network, in any number of rows", async () => {
    manualSeed(3);
    const model = trained(
      new Sequential(
        ...[
          new Linear(30, 40),
          new BatchNorm1d(40),
          new GELU(),
          new Dropout(),
          new Linear(40, 40),
          new LayerNorm(40),
        ],
        ...[new PReLU({ numParameters: 40 }), new Linear(40, 10), new Softmax()],
      ),
    );
    for (const count of [1, 2, 33]) expect(await errorOf(model, {}, randn([count, 30]))).toBeLessThan(1e-5);
    const { predict } = await load(toModule(model));
    expect(predict([])).toEqual(new Float32Array());
  });
});

test("random networks agree", async () => {
  const random = randomNumbers(9);
  const pick = (n: number) => Math.floor(random() * n);
  for (let i = 0; i < 40; i++) {
    manualSeed(i);
    const widths = Array.from({ length: 2 + pick(3) }, () => 1 + pick(12));
    const layers = widths.slice(1).flatMap((out, j) => {
      const [activation] = rows[elementwise[pick(elementwise.length)]!]!;
      return [
        new Linear(widths[j]!, out),
        [new BatchNorm1d(out), new LayerNorm(out), new Identity()][pick(3)]!,
        activation!.model(),
      ];
    });
    const model = new Sequential(...layers);
    expect(
      await errorOf(
        model,
        undefined,
        scope(() => randn([1 + pick(4), widths[0]!])),
      ),
    ).toBeLessThan(1e-5);
  }
});
