// What README.md says beside its code: names, weights, errors.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import MarkdownIt from "markdown-it";
import { describe, expect, test } from "vitest";
import * as nablas from "../src/index";
import { Linear, leakyRelu, mul, ReLU, relu, Sequential, sum, tensor, zeros } from "../src/index";
import * as numpy from "../src/numpy/index";
import * as onnx from "../src/onnx/index";
import * as standalone from "../src/standalone/index";
import * as tfjs from "../src/tfjs/index";
import { blocksOf } from "./documents/blocks";

const root = join(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");

/** The text below a heading, up to the next. */
function section(heading: string): string {
  const [, text] = readme.split(`\n## ${heading}\n`);
  return text!.split("\n## ")[0]!;
}

/** The words in code of the tables in a text. */
function codeOf(text: string): string[] {
  const tokens = new MarkdownIt().parse(text, {});
  const cells = tokens.filter((token, i) => token.type === "inline" && tokens[i - 1]!.type === "td_open");
  const codes = cells.flatMap(({ children }) => children!.filter(({ type }) => type === "code_inline"));
  return codes.flatMap(({ content }) => content.split(" "));
}

describe("what there is", () => {
  const { default: _, ...others } = { ...numpy, ...onnx, ...standalone, ...tfjs } as Record<string, unknown>;
  const exported = new Set([...Object.keys(nablas), ...Object.keys(others)]);
  const words = codeOf(section("What there is"));
  /** Options and their values, and what is not ours. */
  const NO_EXPORTS = "transposeA transposeB none weightDecay l1 AbortSignal true".split(" ");

  test("has every export", () => {
    expect(exported.size).toBeGreaterThan(150);
    expect([...exported].filter((name) => !words.includes(name))).toEqual([]);
  });

  test("has nothing else", () => {
    const names = words.filter((word) => /^[A-Za-z]\w*$/.test(word) && !NO_EXPORTS.includes(word));
    expect(names.filter((name) => !exported.has(name))).toEqual([]);
  });

  test("methods and properties are there", () => {
    const model = new Sequential(new Linear(2, 2));
    const optimizer = new nablas.SGD(model.parameters());
    const owners: object[] = [tensor([1]), model, optimizer, nablas.dataset([[1]], [[1]])];
    const members = words
      .filter((word) => word.startsWith("."))
      .map((word) => word.replace(/^\.|\(\)$/g, ""));
    expect(members.length).toBeGreaterThan(20);
    expect(members.filter((name) => !owners.some((owner) => name in owner))).toEqual([]);
  });

  test("the subpaths have what is said of them", () => {
    for (const [name, entry] of Object.entries({ numpy, onnx, tfjs, standalone })) {
      const functions = new RegExp(`in \`nablas/${name}\` \`([^\`]+)\``).exec(readme)![1]!.split(" ");
      expect(Object.keys(entry)).toEqual(expect.arrayContaining(functions));
    }
  });
});

describe("weights, to a kB", () => {
  const tsx = join(root, "node_modules/tsx/dist/cli.mjs");
  const output = execFileSync(process.execPath, [tsx, "scripts/weight.ts"], { cwd: root, encoding: "utf8" });
  const weights = [...output.matchAll(/^(.*?) {2,}[\d.]+ kB +([\d.]+) kB/gm)].map(
    ([, name, kB]) => [name!, Number(kB)] as const,
  );
  const weightOf = (start: string) => weights.find(([name]) => name.startsWith(start))![1];
  const shown = (row: string) => Number(new RegExp(`^\\| ${row} \\| (\\d+) \\|$`, "m").exec(readme)![1]);

  test.each([
    ["`softmax` alone", "softmax"],
    ["`Linear ReLU Sequential SGD crossEntropyLoss`", "train by hand"],
    ["the same with `compile`, `fit` and `dataset`, which watch and checkpoint", "train: "],
    ["everything", "everything, both"],
  ])("%s", (row, name) => {
    expect(Math.abs(shown(row) - weightOf(name))).toBeLessThan(1);
  });

  test("slim", () => {
    const kB = Number(/without them \((\d+) kB with everything\)/.exec(readme)![1]);
    expect(Math.abs(kB - weightOf("everything, kernels brought"))).toBeLessThan(1);
  });

  test("the subpaths", () => {
    const [, least, most] = /The subpaths weigh (\d+) to (\d+) kB/.exec(readme)!.map(Number);
    const sizes = ["numpy", "onnx", "tfjs", "standalone"].map(
      (name) => gzipSync(readFileSync(join(root, `dist/${name}.js`)), { level: 9 }).length / 1000,
    );
    expect(Math.abs(least! - Math.min(...sizes))).toBeLessThan(1);
    expect(Math.abs(most! - Math.max(...sizes))).toBeLessThan(1);
  });
});

test("errors say what it shows", () => {
  const makers: (() => unknown)[] = [
    () => new Sequential(new Linear(64, 32), new ReLU()).forward(zeros([128, 63])),
    () => {
      const h = relu(zeros([4, 8], { requiresGrad: true }));
      sum(h).backward();
      mul(h, 2);
    },
    () => leakyRelu(tensor([1]), { slope: 1 } as object),
  ];
  const [shown] = blocksOf("README.md", readme).filter(({ words }) => words.of === "errors");
  const said = makers.map((make) => {
    try {
      return make();
    } catch (error) {
      return String(error);
    }
  });
  expect(shown!.code.trim().split("\n")).toEqual(said);
});
