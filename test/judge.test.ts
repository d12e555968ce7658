// What is learnt of the machine, on a clock of the test's own.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Judge, Site } from "../src/threads/judge";

let now = 0;
beforeEach(() => {
  now = 1000;
  vi.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => void vi.restoreAllMocks());

/** Does a call that takes so many milliseconds on one thread and on all; tells how it was done. */
function call(site: Site, alone: number, divided: number, asleep = false): string {
  const way = site.next(1, asleep);
  const ms = way === "divided" ? divided : alone;
  now += ms;
  if (way === "divided") site.divided(1, ms);
  else if (way === "timed") site.timed(1, ms);
  return way;
}

function many(count: number, site: Site, alone: number, divided: number): Record<string, number> {
  const ways: Record<string, number> = { alone: 0, timed: 0, divided: 0 };
  for (let i = 0; i < count; i++) ways[call(site, alone, divided)]!++;
  return ways;
}

const judge = () => new Judge(500, 50_000);

test("the first call is timed; small work is done alone from then on", () => {
  const site = new Site(judge());
  expect(call(site, 0.005, 0.1)).toBe("timed");
  expect(many(1000, site, 0.005, 0.1)).toEqual({ alone: 1000, timed: 0, divided: 0 });
});

test("what the clock is too coarse to see is done alone", () => {
  const site = new Site(judge());
  expect(call(site, 0, 1)).toBe("timed");
  expect(many(1000, site, 0, 1)).toEqual({ alone: 1000, timed: 0, divided: 0 });
});

test("where threads gain, nearly all calls are divided", () => {
  const { divided } = many(1000, new Site(judge()), 0.1, 0.06);
  expect(divided).toBeGreaterThan(970);
});

test("where they gain less than a tenth, they are left alone before long", () => {
  const site = new Site(judge());
  many(2000, site, 0.1, 0.1);
  expect(many(1000, site, 0.1, 0.1).divided).toBeLessThan(300);
});

test.each([1.5, 3, 30])(
  "where dividing takes %s times as long, less than a tenth of the time is lost",
  (times) => {
    const site = new Site(judge());
    const start = now;
    const calls = 100_000;
    many(calls, site, 0.1, 0.1 * times);
    expect((now - start) / (calls * 0.1)).toBeLessThan(1.1);
  },
);

test("a single delay of a few milliseconds changes nothing where threads have gained", () => {
  const site = new Site(judge());
  many(500, site, 0.1, 0.06);
  call(site, 0.1, 4);
  expect(many(100, site, 0.1, 0.06).divided).toBeGreaterThan(95);
});

test("when a busy machine becomes idle, threads are used again within two seconds", () => {
  const site = new Site(judge());
  many(20_000, site, 0.1, 0.3);
  const start = now;
  while (now - start < 2000) call(site, 0.1, 0.06);
  expect(many(100, site, 0.1, 0.06).divided).toBeGreaterThan(95);
});

test("workers that sleep are woken for large work, or for much of it", () => {
  const shared = judge();
  const [large, small] = [new Site(shared), new Site(shared)];
  call(large, 1, 0.6, true);
  expect(call(large, 1, 0.6, true)).toBe("divided");
  call(small, 0.05, 0.03, true);
  const ways = Array.from({ length: 8 }, () => call(small, 0.05, 0.03, true)).filter(
    (way) => way !== "timed",
  );
  expect(ways).toContain("alone");
  expect(ways).toContain("divided");
});

test("the least that is divided follows from how soon workers answer", () => {
  expect(new Judge(500, 0).least).toBe(10_000);
  expect(new Judge(5000, 0).least).toBe(40_000);
});
