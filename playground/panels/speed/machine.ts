// What this browser has, and so which sides there are to measure.
import { computed, signal } from "@preact/signals";
import { startEngine } from "../../engine";
import type { Binary, Machine } from "../../engine/speed";

export const SIDES = ["baseline", "relaxed", "threads"] as const;
export type SideName = (typeof SIDES)[number];

export interface Side {
  name: SideName;
  binary: Binary;
}

export const machine = signal<Machine | undefined>(undefined);

/** What went wrong, in the words of the library or of the browser. */
export const problems = signal<readonly string[]>([]);

/** Fills `machine`; the worker that looks ends, as do its threads. */
export async function look(): Promise<void> {
  if (machine.value !== undefined) return;
  const engine = startEngine("speed");
  try {
    machine.value = await engine.remote.look();
  } catch (error) {
    problems.value = [(error as Error).message];
  } finally {
    engine.end();
  }
}

/** Beside plain JavaScript: each adds something to the one before. */
export const sides = computed<readonly Side[]>(() => {
  if (machine.value === undefined) return [];
  const { simd, threads } = machine.value.best;
  const sides: Side[] = [{ name: "baseline", binary: { simd: "baseline", threads: 1 } }];
  if (simd === "relaxed") sides.push({ name: "relaxed", binary: { simd, threads: 1 } });
  if (threads > 1) sides.push({ name: "threads", binary: { simd, threads } });
  return sides;
});

interface Brands {
  userAgentData?: { brands: readonly { brand: string; version: string }[] };
}

/** Name and version, as far as the browser tells: "Chromium 142". */
export function browser(): string {
  const brands = (navigator as Brands).userAgentData?.brands ?? [];
  // One of them is none, with signs between its words that vary.
  const real = brands.filter(({ brand }) => !/^not.*a.*brand$/i.test(brand));
  const own = real.find(({ brand }) => brand !== "Chromium") ?? real[0];
  if (own !== undefined) return `${own.brand} ${own.version}`;
  const { userAgent } = navigator;
  const [, firefox] = /Firefox\/(\d+)/.exec(userAgent) ?? [];
  const [, safari] = /Version\/([\d.]+).*Safari/.exec(userAgent) ?? [];
  return firefox ? `Firefox ${firefox}` : safari ? `Safari ${safari}` : userAgent;
}
