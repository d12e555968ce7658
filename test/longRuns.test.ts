// What counts from step to step, at the ends of what it can count.
import { describe, expect, test } from "vitest";
import {
  Adagrad,
  Adam,
  cosineLR,
  getRngState,
  oneCycleLR,
  ones,
  parameter,
  rand,
  randn,
  SGD,
  scope,
  setRngState,
  stepLR,
  warmup,
} from "../src/index";

const LAST = 2 ** 31 - 1;

/** A parameter w = 1 with the gradient 0.5, and an optimizer that has made so many steps with these averages. */
function stepped(
  step: number,
  make: (w: ReturnType<typeof parameter>) => Adam | Adagrad | SGD,
  averages: object,
) {
  const w = parameter(ones([1]));
  const optimizer = make(w);
  w.mul(0.5).sum().backward();
  const { param_groups } = optimizer.stateDict();
  const counted = optimizer instanceof SGD ? {} : { step };
  optimizer.loadStateDict({ state: { 0: { ...counted, ...averages } }, param_groups });
  return { w, optimizer, count: () => Number(optimizer.stateDict().state[0]!.step?.item()) };
}

describe("the number of a step", () => {
  test.each([1, 999, 1e6, 1e9, LAST - 1, LAST])("%d: Adam corrects the bias by 1 − β^t", (step) => {
    const [m, v] = [0.4, 0.3];
    const { w, optimizer, count } = stepped(step, (w) => new Adam([w], { lr: 0.1, betas: [0.9, 0.999999] }), {
      ...{ exp_avg: [m], exp_avg_sq: [v] },
    });
    optimizer.step();
    const t = Math.min(step + 1, LAST);
    const [mean, square] = [0.9 * m + 0.1 * 0.5, 0.999999 * v + 1e-6 * 0.25];
    const root = Math.sqrt(square / -Math.expm1(t * Math.log(0.999999)));
    expect(w.item()).toBeCloseTo(1 - (0.1 * mean) / (1 - 0.9 ** t) / (root + 1e-8), 6);
    expect(count()).toBe(t);
  });

  test("stays at 2^31 − 1, for all optimizers that count", () => {
    const adagrad = stepped(LAST, (w) => new Adagrad([w], { lr: 1, lrDecay: 1e-9 }), { sum: [0] });
    for (let i = 0; i < 3; i++) adagrad.optimizer.step();
    expect(adagrad.count()).toBe(LAST);
    const adam = stepped(LAST, (w) => new Adam([w]), { exp_avg: [0], exp_avg_sq: [0] });
    for (let i = 0; i < 3; i++) adam.optimizer.step();
    expect(adam.count()).toBe(LAST);
    expect(adam.w.item()).toBeLessThan(1);
  });
});

describe("random numbers go on where their counter carries", () => {
  const [k0, k1] = [12345, -678];
  const drawn = (low: number, high: number, blocks: number) => {
    setRngState([k0, k1, low, high, 0]);
    return scope(() => Array.from(rand([4 * blocks]).data));
  };

  test.each([
    [0, 1],
    [0x7fffffff, -0x80000000],
    [5, 6],
  ])("from 2^32 − 1 in the low word, high word %d", (high, next) => {
    expect(drawn(-2, high, 5)).toEqual([...drawn(-2, high, 2), ...drawn(0, next, 3)]);
    drawn(-2, high, 5);
    expect([...getRngState()]).toEqual([k0, k1, 3, next, 0]);
  });

  test("and begin again where all 2^64 blocks are used up", () => {
    expect(drawn(-1, -1, 3)).toEqual([...drawn(-1, -1, 1), ...drawn(0, 0, 2)]);
  });

  test("for normal numbers, too", () => {
    const normal = (low: number, high: number, n: number) => {
      setRngState([k0, k1, low, high, 0]);
      return scope(() => Array.from(randn([n]).data));
    };
    expect(normal(-2, 0, 24)).toEqual([...normal(-2, 0, 8), ...normal(0, 1, 16)]);
  });
});

test("schedules at step 10,000,000 and far beyond", () => {
  const far = 1e7;
  expect(cosineLR({ lr: 0.1, tMax: far, etaMin: 0.01 })(far)).toBeCloseTo(0.01, 12);
  expect(cosineLR({ lr: 0.1, tMax: 2 * far })(far)).toBeCloseTo(0.05, 12);
  expect(cosineLR({ lr: 0.1, tMax: 1000 })(2000 * 500_000)).toBeCloseTo(0.1, 6);
  expect(stepLR({ lr: 0.1, stepSize: 1e6 })(far)).toBeCloseTo(1e-11, 22);
  expect(stepLR({ lr: 0.1, stepSize: 1 })(far)).toBe(0);
  const cycle = oneCycleLR({ maxLr: 1, totalSteps: far });
  expect(cycle(far - 1)).toBe(cycle(2 ** 40));
  expect(cycle(far - 1)).toBeCloseTo(1 / 25 / 1e4, 12);
  expect(warmup({ lr: cosineLR({ lr: 0.1, tMax: far }), totalIters: 100 })(far + 100)).toBeCloseTo(0, 12);
});

test("a momentum that has decayed below the smallest normal number does no harm", () => {
  const { w, optimizer } = stepped(0, (w) => new SGD([w], { lr: 0.1, momentum: 0.9 }), {
    momentum_buffer: [1e-40],
  });
  w.zeroGrad();
  for (let i = 0; i < 1000; i++) optimizer.step();
  expect(w.item()).toBe(1);
});
