// Errors name the function that was called, not one that it is made of.
import { describe, expect, test } from "vitest";
import * as nablas from "../src/index";

type Call = (...args: unknown[]) => unknown;
const by = (name: string) => (nablas as unknown as Record<string, Call>)[name]!;

const MATRICES = [
  "xavierUniform",
  "xavierNormal",
  "kaimingUniform",
  "kaimingNormal",
  "lecunUniform",
  "lecunNormal",
];
const SHAPES = ["rand", "randn", "zeros", "ones"];

describe.each([...SHAPES, ...MATRICES, "orthogonal"])("%s", (name) => {
  test.each([[[2, -1]], [[2, 0.5]], [[2 ** 40, 2 ** 40]]])("of the shape %j", (shape) => {
    expect(() => by(name)(shape)).toThrow(new RegExp(`^${name}[: ]`));
  });
});

test.each([...SHAPES, ...MATRICES.slice(0, 4), "orthogonal"])("%s with an unknown option", (name) => {
  expect(() => by(name)([2, 2], { seed: 1 })).toThrow(new RegExp(`^${name}: unknown option "seed"`));
});

test.each<[string, unknown[]]>([
  ["full", [[-1], 0]],
  ["full", [[1], "0"]],
  ["constant", [[-1], 0]],
  ["constant", [[1], "0"]],
  ["eye", [-1]],
  ["eye", [2, { seed: 1 }]],
  ["rrelu", [[1, 2]]],
  ["rrelu", [[1, 2], { training: true }]],
])("%s(...%j)", (name, args) => {
  expect(() => by(name)(...args)).toThrow(new RegExp(`^${name}[: ]`));
});

test("a layer whose weight finds no room", () => {
  expect(() => new nablas.Linear(2 ** 20, 2 ** 20)).toThrow(/^Linear \[/);
  expect(() => new nablas.Embedding(2 ** 20, 2 ** 20)).toThrow(/^Embedding \[/);
});
