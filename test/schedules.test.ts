import { describe, expect, it } from "vitest";
import { cosineLR, OptionError, oneCycleLR, type Schedule, SGD, stepLR, warmup, zeros } from "../src/index";

const rates = (schedule: Schedule, steps: number) =>
  Array.from({ length: steps }, (_, step) => schedule(step));

function expectRates(got: number[], want: number[]): void {
  expect(got).toHaveLength(want.length);
  for (const [i, w] of want.entries())
    expect(Math.abs(got[i]! - w)).toBeLessThanOrEqual(1e-12 * Math.abs(w) + 1e-18);
}

/** torch's CosineAnnealingLR.get_lr, which goes from one rate to the next, up to tMax. */
function cosineByRecursion(lr: number, tMax: number, etaMin: number): number[] {
  const found = [lr];
  for (let t = 1; t <= tMax; t++) {
    const share = (1 + Math.cos((Math.PI * t) / tMax)) / (1 + Math.cos((Math.PI * (t - 1)) / tMax));
    found.push(share * (found.at(-1)! - etaMin) + etaMin);
  }
  return found;
}

describe("stepLR", () => {
  it("falls by gamma every stepSize steps", () => {
    expectRates(rates(stepLR({ lr: 0.5, stepSize: 3 }), 8), [0.5, 0.5, 0.5, 0.05, 0.05, 0.05, 0.005, 0.005]);
    expectRates(rates(stepLR({ lr: 1, stepSize: 1, gamma: 0.5 }), 4), [1, 0.5, 0.25, 0.125]);
  });
});

describe("cosineLR", () => {
  it("goes from lr to etaMin, as torch's recursion does", () => {
    expectRates(rates(cosineLR({ lr: 0.1, tMax: 10 }), 11), cosineByRecursion(0.1, 10, 0));
    expectRates(rates(cosineLR({ lr: 0.1, tMax: 7, etaMin: 0.01 }), 8), cosineByRecursion(0.1, 7, 0.01));
  });

  it("ends at etaMin, and rises again beyond tMax", () => {
    const schedule = cosineLR({ lr: 1, tMax: 4, etaMin: 0.25 });
    expect(schedule(0)).toBe(1);
    expect(schedule(4)).toBe(0.25);
    expect(schedule(6)).toBeCloseTo(schedule(2), 12);
  });
});

describe("oneCycleLR", () => {
  it("rises to maxLr at pctStart and falls to the end, along cosines", () => {
    // Ten steps: up over steps 0, 1, 2, down over steps 2 to 9.
    const half = (a: number, b: number, share: number) => b + ((a - b) / 2) * (1 + Math.cos(Math.PI * share));
    const schedule = oneCycleLR({ maxLr: 1, totalSteps: 10 });
    const up = [0, 1, 2].map((t) => half(0.04, 1, t / 2));
    const down = [3, 4, 5, 6, 7, 8, 9].map((t) => half(1, 4e-6, (t - 2) / 7));
    expectRates(rates(schedule, 10), [...up, ...down]);
    expect(schedule(0)).toBeCloseTo(0.04, 15);
    expect(schedule(2)).toBe(1);
    expect(schedule(9)).toBeCloseTo(4e-6, 15);
    expect(schedule(100)).toBe(schedule(9));
  });

  it("takes other shares and factors, also where the peak lies between steps or at an end", () => {
    const schedule = oneCycleLR({
      maxLr: 2,
      totalSteps: 5,
      pctStart: 0.5,
      divFactor: 10,
      finalDivFactor: 100,
    });
    expect(schedule(0)).toBeCloseTo(0.2, 15);
    expect(schedule(1)).toBeCloseTo(2 + ((0.2 - 2) / 2) * (1 + Math.cos((Math.PI * 1) / 1.5)), 12);
    expect(schedule(2)).toBeCloseTo(0.002 + ((2 - 0.002) / 2) * (1 + Math.cos((Math.PI * 0.5) / 2.5)), 12);
    expect(schedule(4)).toBeCloseTo(0.002, 15);
    for (const pctStart of [0, 0.2, 1]) {
      for (const totalSteps of [1, 2, 5]) {
        const all = rates(oneCycleLR({ maxLr: 1, totalSteps, pctStart }), totalSteps + 2);
        expect(all.every((lr) => lr > 0 && lr <= 1)).toBe(true);
      }
    }
  });
});

describe("warmup", () => {
  it("grows linearly from startFactor, by torch's defaults from a third over five steps", () => {
    const thirds = [1 / 3, 7 / 15, 9 / 15, 11 / 15, 13 / 15, 1, 1];
    expectRates(
      rates(warmup({ lr: 0.3 }), 7),
      thirds.map((x) => 0.3 * x),
    );
    expectRates(rates(warmup({ lr: 1, totalIters: 4, startFactor: 0 }), 6), [0, 0.25, 0.5, 0.75, 1, 1]);
  });

  it("goes over into another schedule, which begins at its step 0", () => {
    const after = cosineLR({ lr: 0.1, tMax: 5 });
    const schedule = warmup({ lr: after, totalIters: 2, startFactor: 0.5 });
    expectRates(rates(schedule, 8), [0.05, 0.075, ...rates(after, 6)]);
  });
});

describe("schedules", () => {
  it("set the rate of a group", () => {
    const optimizer = new SGD([zeros([1], { requiresGrad: true })], { lr: 1 });
    const schedule = stepLR({ lr: 1, stepSize: 2 });
    for (let step = 0; step < 3; step++) {
      optimizer.groups[0]!.lr = schedule(step);
      optimizer.step();
    }
    expect(optimizer.groups[0]!.lr).toBe(0.1);
  });

  const wrong: [what: string, make: () => unknown, message: string][] = [
    ["no lr", () => stepLR({ stepSize: 1 } as never), "stepLR: lr is a number ≥ 0, got undefined"],
    ["nothing", () => warmup(undefined as never), "warmup: lr is a number ≥ 0, got undefined"],
    ["a stepSize of 0", () => stepLR({ lr: 1, stepSize: 0 }), "stepLR: stepSize is a number above 0, got 0"],
    [
      "a negative gamma",
      () => stepLR({ lr: 1, stepSize: 1, gamma: -1 }),
      "stepLR: gamma is a number ≥ 0, got -1",
    ],
    ["PyTorch's spelling", () => cosineLR({ lr: 1, T_max: 5 } as never), 'cosineLR: unknown option "T_max"'],
    ["lr for maxLr", () => oneCycleLR({ lr: 1, totalSteps: 5 } as never), 'oneCycleLR: unknown option "lr"'],
    [
      "a share above 1",
      () => oneCycleLR({ maxLr: 1, totalSteps: 5, pctStart: 30 }),
      "pctStart is a number from 0 to 1, got 30",
    ],
    [
      "a negative step",
      () => cosineLR({ lr: 1, tMax: 5 })(-1),
      "cosineLR: a step is a number ≥ 0, counted from 0, got -1",
    ],
    ["no step", () => warmup({ lr: 1 })(undefined as never), "warmup: a step is a number ≥ 0"],
  ];
  it.each(wrong)("refuse %s", (_, make, message) => {
    expect(make).toThrow(OptionError);
    expect(make).toThrow(message);
  });
});
