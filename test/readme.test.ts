import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  Linear,
  leakyRelu,
  mul,
  NablasError,
  ReLU,
  relu,
  Sequential,
  sum,
  tensor,
  zeros,
} from "../src/index";

const root = new URL("../", import.meta.url);
const readme = readFileSync(new URL("README.md", root), "utf8");
const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);

/** Runs a block with the package as it is built; returns the lines that it prints. */
function run(block: string): string[] {
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", block], {
    cwd: root,
    encoding: "utf8",
  });
  return output.trim().split("\n");
}

test("the example of fit tells the rings apart", () => {
  const lines = run(blocks.find((block) => block.includes("fit("))!);
  expect(lines.filter((line) => line.startsWith("2 ") || line.includes("Linear("))).toHaveLength(3);
  const [epoch, loss, accuracy] = lines.at(-1)!.split(" ").map(Number) as [number, number, number];
  expect(epoch).toBe(39);
  expect(loss).toBeLessThan(0.1);
  expect(accuracy).toBeGreaterThan(0.95);
});

test("the example of diagnose finds the softmax", () => {
  const lines = run(blocks.find((block) => block.includes("diagnose("))!);
  const shown = readme.match(/^\/\/ (loss-mismatch: .*)$/m)![1];
  expect(lines.slice(-2)).toEqual([expect.stringMatching(/^─+$/), shown]);
});

test("the first example learns exclusive or", () => {
  const lines = run(blocks[0]!);
  expect(lines).toHaveLength(5);
  expect(Number(lines[3])).toBeLessThan(0.1);
  expect(lines[4]).toBe("[ 0, 1, 1, 0 ]");
});

describe("the errors it shows", () => {
  function messageOf(fn: () => unknown): string {
    try {
      fn();
    } catch (error) {
      if (error instanceof NablasError) return String(error);
    }
    return "no error";
  }

  test.each<[string, () => unknown]>([
    ["ShapeError", () => new Sequential(new Linear(64, 32), new ReLU()).forward(zeros([128, 63]))],
    [
      "DisposedError",
      () => {
        const h = relu(zeros([4, 8], { requiresGrad: true }));
        sum(h).backward();
        mul(h, 2);
      },
    ],
    ["OptionError", () => leakyRelu(tensor([1]), { slope: 1 } as object)],
  ])("%s", (_, fn) => {
    expect(readme).toContain(messageOf(fn));
  });
});
