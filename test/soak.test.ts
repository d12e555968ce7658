// What `npm run soak` does by the million, in small: it has to run, and nothing may grow.
import { describe, expect, test, vi } from "vitest";
import { soak } from "../scripts/soak/gauge";
import { scenarios } from "../scripts/soak/scenarios";
import { Linear, memory } from "../src/index";

const quiet = { add: () => {} };

test.each(Object.entries(scenarios))("%s: nothing grows", async (_name, scenario) => {
  expect(await soak(scenario, scenario.short, quiet)).toEqual([]);
});

describe("the gauge", () => {
  const kept: Linear[] = [];
  const scenario = (run: (times: number) => void, end = () => {}) => ({
    ...{ name: "leak", full: 1, short: 1 },
    start: () => ({ run, end }),
  });
  const empty = () => {
    for (const layer of kept.splice(0)) layer.dispose();
  };

  test("sees tensors that grow in number", async () => {
    const leak = scenario(() => void kept.push(new Linear(2, 2)), empty);
    expect(await soak(leak, 10, quiet)).toEqual([
      expect.stringMatching(/^leak: tensors: \d+ when warm, \d+ later$/),
      expect.stringMatching(/^leak: bytes: \d+ when warm, \d+ later$/),
    ]);
  });

  test("sees what is not given back", async () => {
    const leak = scenario(() => void (kept.length === 0 && kept.push(new Linear(2, 2))));
    expect((await soak(leak, 10, quiet)).join("\n")).toMatch(/tensors: \d+ before, \d+ at the end/);
    empty();
  });

  test("sees a heap that grows", async () => {
    const garbage: object[] = [];
    const leak = scenario(() => void garbage.push(Array.from({ length: 1e5 }, (_, i) => ({ i }))));
    expect((await soak(leak, 10, quiet)).join("\n")).toMatch(/leak: heap: \d+ bytes when warm/);
  });
});

test("linear memory is shown to the garbage collector", async () => {
  const shown = vi.fn();
  vi.stubGlobal(
    "ArrayBuffer",
    class extends ArrayBuffer {
      constructor(bytes: number) {
        shown(bytes);
        super(bytes);
      }
    },
  );
  const { tensors } = memory();
  const layers = Array.from({ length: 10 }, () => new Linear(1000, 1000));
  await Promise.resolve();
  vi.unstubAllGlobals();
  expect(memory().tensors).toBe(tensors + 20);
  expect(shown).toHaveBeenCalledWith(2 ** 24);
  for (const layer of layers) layer.dispose();
});
