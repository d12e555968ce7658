// The text of networks as modules of their own: its size and form, where it runs, and what is not written.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, describe, expect, test } from "vitest";
import {
  BatchNorm1d,
  Embedding,
  Flatten,
  GELU,
  LayerNorm,
  LeakyReLU,
  Linear,
  Maxout,
  Module,
  manualSeed,
  noGrad,
  OptionError,
  PReLU,
  ReLU,
  randn,
  Sequential,
  ShapeError,
  Softmax,
  Tanh,
  type Tensor,
  tensor,
} from "../src/index";
import { toModule } from "../src/standalone/index";
import { inputOf, rows } from "./moduleRows";
import { inputFor, load } from "./standalone";

describe("the text", () => {
  const folder = mkdtempSync(join(tmpdir(), "nablas-standalone-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  const sizes = (...layers: number[]) =>
    new Sequential(
      ...layers.slice(1).flatMap((out, i) => {
        const linear = new Linear(layers[i]!, out);
        return i === layers.length - 2 ? [linear] : [linear, new ReLU()];
      }),
    );

  test.each([
    ["784-128-64-10", sizes(784, 128, 64, 10)],
    ["2-8-1", sizes(2, 8, 1)],
  ])("of %s is as small as the README says", (name, model) => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const { code } = toModule(model);
    const text = code.replace(/"[\w+/=]+"/, '""');
    const parameters = model.parameters().reduce((sum, { size }) => sum + size, 0);
    expect(code.length - text.length).toBe(4 * Math.ceil((4 * parameters) / 3));
    expect(readme).toContain(`${name}: ${(text.length / 1000).toFixed(1)} kB`);
  });

  test("has the functions that are used, and no others", () => {
    const { code } = toModule(new Sequential(new Linear(2, 8), new GELU(), new Linear(8, 1)));
    expect([...code.matchAll(/function (\w+)/g)].map(([, name]) => name)).toEqual([
      ...["predict", "linear", "gelu", "erfc"],
    ]);
  });

  test("is formatted as the formatter would, and takes what is strict", () => {
    for (const [i, row] of Object.values(rows).flat().entries()) {
      const input = inputFor(row, inputOf(row));
      for (const weights of ["inline", "beside"] as const) {
        const { code } = toModule(row.model(), { input, weights });
        writeFileSync(join(folder, `${i}-${weights}.js`), code);
      }
    }
    const biome = join(import.meta.dirname, "..", "node_modules", ".bin", "biome");
    const width = ["--indent-style=space", "--line-width=110"];
    const check = (...args: string[]) => execFileSync(biome, args, { cwd: folder, stdio: "pipe" });
    check("format", ...width, ".");
    check("lint", "--error-on-warnings", ".");
  });

  test("runs in Node where code from strings is forbidden, and without WebAssembly", () => {
    const model = sizes(2, 8, 1);
    const x = [0.5, -1, 2, 3];
    const wanted = noGrad(() => model.forward(tensor(x, { shape: [2, 2] }))).data;
    writeFileSync(join(folder, "network.mjs"), toModule(model).code);
    const script = `
      delete globalThis.WebAssembly;
      const { predict } = await import("./network.mjs");
      console.log(JSON.stringify([...predict(new Float32Array(${JSON.stringify(x)}))]));`;
    writeFileSync(join(folder, "use.mjs"), script);
    const output = execFileSync(process.execPath, ["--disallow-code-generation-from-strings", "use.mjs"], {
      cwd: folder,
      encoding: "utf8",
    });
    const got = JSON.parse(output) as number[];
    for (const [i, y] of wanted.entries()) expect(got[i]).toBeCloseTo(y, 6);
  });

  test("has declarations that TypeScript reads", () => {
    for (const weights of ["inline", "beside"] as const) {
      const { types } = toModule(sizes(2, 8, 1), { weights });
      writeFileSync(join(folder, `${weights}.d.ts`), types);
    }
    writeFileSync(
      join(folder, "user.ts"),
      `import { predict } from "./inline";
       import { load, predict as later } from "./beside";
       load(new Uint8Array(4));
       const y: Float32Array[] = [predict([1, 2]), later(Float32Array.of(1, 2))];
       // @ts-expect-error
       predict("12", 3);`,
    );
    const options = { strict: true, noEmit: true, skipLibCheck: false, types: [] };
    const program = ts.createProgram([join(folder, "user.ts")], options);
    expect(ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText)).toEqual([]);
  });

  test("weights that are shared are there once", () => {
    const twice = new Linear(3, 3);
    const model = new Sequential(twice, new Tanh(), twice);
    expect(toModule(model, { weights: "beside" }).weights).toHaveLength(4 * 12);
  });
});

describe("weights beside the text", () => {
  test("are loaded, from a view or a buffer", async () => {
    manualSeed(7);
    const model = new Sequential(new Linear(3, 5), new ReLU(), new Linear(5, 2));
    const x = randn([2, 3]);
    const wanted = noGrad(() => model.forward(x)).data;
    const written = toModule(model, { weights: "beside" });
    const bytes = written.weights!;
    expect(bytes).toHaveLength(4 * (15 + 5 + 10 + 2));
    expect(written.code).not.toContain("atob");
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    for (const given of [bytes, bytes.buffer as ArrayBuffer, Buffer.from(bytes), shifted.subarray(1)]) {
      const network = await load(written);
      expect(() => network.predict(x.data)).toThrow("predict: load the weights first");
      expect(() => network.load!(bytes.subarray(4))).toThrow("load: expected 128 bytes, got 124");
      network.load!(given);
      for (const [i, y] of wanted.entries()) expect(network.predict(x.data)[i]).toBeCloseTo(y, 6);
    }
  });

  test("are none where there are none", async () => {
    const written = toModule(new ReLU(), { input: [null, 2], weights: "beside" });
    expect(written.weights).toBeNull();
    expect(written.types).not.toContain("load");
    expect([...(await load(written)).predict([-1, 1])]).toEqual([0, 1]);
  });
});

describe("what is refused", () => {
  class Block extends Module {
    forward(x: Tensor): Tensor {
      return x;
    }
  }
  class MyLinear extends Linear {}
  class Net extends Module {
    readonly body = new Sequential(new Linear(2, 2));
    forward(x: Tensor): Tensor {
      return this.body.forward(x);
    }
  }

  test.each<[string, () => unknown, typeof OptionError | typeof ShapeError, string]>([
    [
      "modules of one's own, all of them, with their paths",
      () =>
        toModule(
          new Sequential(new Linear(2, 2), new Sequential(new ReLU(), new Block()), new MyLinear(2, 2)),
        ),
      OptionError,
      'got "1.1" (Block), "2" (MyLinear)',
    ],
    ["a model of one's own", () => toModule(new Net()), OptionError, 'got "" (Net)'],
    ["no module", () => toModule("x" as never), OptionError, 'expected a module, got "x"'],
    [
      "no input",
      () => toModule(new Sequential(new Flatten(), new Linear(4, 2))),
      OptionError,
      "pass { input: [null, 64] }",
    ],
    [
      "an unknown option",
      () => toModule(new ReLU(), { inputs: 2 } as never),
      OptionError,
      'unknown option "inputs"',
    ],
    [
      "another place",
      () => toModule(new ReLU(), { weights: "far" } as never),
      OptionError,
      'weights is "inline" or',
    ],
    ["a batch of a size", () => toModule(new ReLU(), { input: [3, 4] }), OptionError, "input is [null, …]"],
    [
      "a row of any size",
      () => toModule(new ReLU(), { input: [null, null] }),
      OptionError,
      "input is [null, …]",
    ],
    [
      "a layer that does not fit",
      () => toModule(new Sequential(new Linear(2, 3), new Linear(4, 1))),
      ShapeError,
      'toModule: Linear(4 → 1) "1": expected […, 4], got [rows, 3]',
    ],
    [
      "groups that do not divide",
      () => toModule(new Maxout({ k: 2 }), { input: [null, 3] }),
      ShapeError,
      "groups of 2",
    ],
    ["channels", () => toModule(new BatchNorm1d(3), { input: [null, 4] }), ShapeError, "[…, 3]"],
    ["a group that is none", () => toModule(new LayerNorm(3), { input: [null, 4] }), ShapeError, "[…, 3]"],
    [
      "slopes",
      () => toModule(new PReLU({ numParameters: 3 }), { input: [null, 4] }),
      ShapeError,
      "[…, 3, …]",
    ],
    [
      "a dimension",
      () => toModule(new Softmax({ dim: 3 }), { input: [null, 4] }),
      ShapeError,
      "dim 3 does not exist",
    ],
    [
      "statistics of the batch",
      () => toModule(new BatchNorm1d(3, { trackRunningStats: false })),
      OptionError,
      'BatchNorm1d(3) "": without running statistics',
    ],
  ])("%s", (_, fn, Kind, message) => {
    expect(fn).toThrow(message);
    expect(fn).toThrow(Kind);
    expect(fn).toThrow(/^toModule: /);
  });

  test("options and names that would be code", () => {
    const layer = new LeakyReLU();
    (layer as { options: object }).options = { negativeSlope: "0); globalThis.harmed = true; (0" };
    expect(() => toModule(layer, { input: [null, 2] })).toThrow("expected a number, got a string");
    const model = new Sequential(new Linear(1, 1));
    model.namedChildren = () => [['0; globalThis.harmed = true; //\n`"*/', model.layers[0]!]];
    const { code } = toModule(model);
    expect(code).not.toContain("harmed =");
    expect(() => new Function(code.replaceAll("export ", ""))).not.toThrow();
  });

  test("numbers that are no rows, and indices that are none", async () => {
    const linear = await load(toModule(new Linear(3, 2)));
    expect(() => linear.predict([1, 2, 3, 4])).toThrow("predict: expected rows of 3 numbers, got 4 numbers");
    expect(() => linear.predict(3 as never)).toThrow("expected rows of 3 numbers");
    const table = await load(toModule(new Embedding(4, 2), { input: [null, 1] }));
    for (const index of [4, -1, 0.5, Number.NaN]) {
      expect(() => table.predict([index])).toThrow(`embedding: expected indices 0 … 3, got ${index}`);
    }
  });
});
