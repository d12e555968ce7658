// The claims of the lab: every run asserts its own, and throws where one does not hold.
import { readFileSync } from "node:fs";
import { init, scope } from "nablas";
import { beforeAll, describe, expect, test } from "vitest";
import { neuron } from "../examples/lab/01-neuron";
import { type ClaimError, claim } from "../examples/lab/experiment";
import { experiments } from "../examples/lab/index";

const docs = new URL("../docs/", import.meta.url);

beforeAll(() => init({ deterministic: true }));

describe.each(experiments)("$name", ({ name, title, run }) => {
  test.each([0, 1, 2, 3, 4])("shows what it claims with seed %i, and draws it", (seed) => {
    scope(() => {
      const { table, chart, sees } = run({ seed, quick: true });
      expect(table.rows.length).toBeGreaterThan(1);
      for (const row of table.rows) expect(row).toHaveLength(table.head.length);
      expect(sees).not.toMatch(/undefined|NaN %/);
      expect(chart()).toMatch(/^<svg [\s\S]*<\/svg>\s*$/);
    });
  });

  test("stands in the chapter, with its chart", () => {
    const chapter = readFileSync(new URL("lab.md", docs), "utf8");
    expect(chapter).toContain(`. ${title}\n`);
    expect(chapter).toContain(`](lab/${name}.svg)`);
    expect(readFileSync(new URL(`lab/${name}.svg`, docs), "utf8")).toMatch(/^<svg /);
  });
});

test("the neuron of seed 0 follows the curves in float64", () => {
  expect(neuron.run({ seed: 0 }).sees).toContain("agree with those computed in float64");
});

test("a claim that does not hold is an error that says it", () => {
  const failure: Partial<ClaimError> = {
    name: "ClaimError",
    message: "the experiment does not show that 1 is 2",
  };
  expect(() => claim(false, "1 is 2")).toThrow(expect.objectContaining(failure));
});
