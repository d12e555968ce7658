import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { scope, Tensor, tensor, zeros } from "../src/index";
import * as ops from "../src/ops/index";
import { kernels } from "../src/wasm";
import { cases, draw, more, type Rows, table, tensors } from "./cases";

// Sets the state of the generator and returns nothing: the rows of rand, randn and rrelu show what it does.
const NO_OPS = ["manualSeed"];

test("every exported op has a row in the table", () => {
  const exported = Object.entries(ops).flatMap(([name, value]) =>
    typeof value === "function" ? [name] : [],
  );
  expect(Object.keys(table).sort()).toEqual(exported.filter((name) => !NO_OPS.includes(name)).sort());
  expect(Object.keys(table)).toEqual(expect.arrayContaining(Object.keys(more)));
});

test("the row of an op is in the file of test/cases that bears the name of the op's file", async () => {
  const files = readdirSync(new URL("cases/", import.meta.url)).filter((file) => file !== "row.ts");
  const found: string[] = [];
  for (const file of files) {
    const { rows } = (await import(`./cases/${file}`)) as { rows: Rows };
    const exported = Object.keys(await import(`../src/ops/${file}`));
    expect(exported, file).toEqual(expect.arrayContaining(Object.keys(rows)));
    found.push(...Object.keys(rows));
  }
  expect(found.sort()).toEqual(Object.keys(table).sort());
});

test("every row has variants, and a tolerance for every gradient", () => {
  for (const { name, variants, inputs, backward } of cases) {
    expect(variants.length, name).toBeGreaterThan(0);
    for (const { shapes } of variants) expect(shapes.length, name).toBeLessThanOrEqual(inputs.length);
    if (inputs.length > 0 && backward !== null)
      expect(
        inputs.some((x) => x.differentiable),
        name,
      ).toBe(true);
  }
});

/** The names of the exported kernels, as the compiler declared them. */
function declared(): string[] {
  const text = readFileSync(new URL("../build/release.d.ts", import.meta.url), "utf8");
  return [...text.matchAll(/export function (\w+)\(/g)].map(([, name]) => name!);
}

/** Runs `fn` while every kernel notes its calls; returns the names of those called. */
function called(fn: () => void): Set<string> {
  const names = new Set<string>();
  const table = kernels as unknown as Record<string, (...args: number[]) => unknown>;
  const originals = { ...table };
  for (const [name, kernel] of Object.entries(originals)) {
    table[name] = (...args) => {
      names.add(name);
      return kernel(...args);
    };
  }
  try {
    fn();
  } finally {
    Object.assign(table, originals);
  }
  return names;
}

test("every kernel of an op is reached from the table", () => {
  zeros([1]).dispose();
  const wanted = declared().filter((name) => /(Forward|Backward[AB]?)$/.test(name));
  expect(wanted.length).toBeGreaterThan(2 * 30);
  const reached = called(() => {
    for (const c of cases) {
      for (const variant of c.variants) {
        scope(() => {
          const inputs = tensors(c, draw(c, variant), { requiresGrad: true });
          const y = c.run(inputs, variant);
          if (y.requiresGrad) {
            y.backward({ gradient: tensor(new Float32Array(y.size).fill(1), { shape: y.shape }) });
          }
        });
      }
    }
  });
  expect(wanted.filter((name) => !reached.has(name))).toEqual([]);
});

test("methods give what the functions of their names give", () => {
  type Method = (...args: unknown[]) => Tensor;
  const methods = Tensor.prototype as unknown as Record<string, Method>;
  const both = cases.filter(({ name }) => Object.hasOwn(methods, name));
  expect(both.length).toBeGreaterThan(20);
  for (const c of both) {
    for (const variant of c.variants) {
      scope(() => {
        const [x, ...others] = tensors(c, draw(c, variant));
        const y = methods[c.name]!.call(x, ...others, ...variant.args);
        expect(y.data, c.name).toEqual(c.run([x!, ...others], variant).data);
      });
    }
  }
});

test("the binary has exactly the kernels that are declared", () => {
  expect(Object.keys(kernels).sort()).toEqual(
    declared()
      .filter((name) => name !== "instantiate")
      .sort(),
  );
});
