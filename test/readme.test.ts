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

test("the first example learns exclusive or, with the package as it is built", () => {
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", blocks[0]!], {
    cwd: root,
    encoding: "utf8",
  });
  const lines = output.trim().split("\n");
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
