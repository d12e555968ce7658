// The measurement: workers that take turns, one at a time.
import { computed, type Signal, signal } from "@preact/signals";
import { type Effort, QUICK, THOROUGH, WARM_UP } from "../../../bench/contest";
import { type Engine, startEngine } from "../../engine";
import type { Timings } from "../../engine/speed";
import { problems, type Side, type SideName, sides } from "./machine";
import { chosen, rows } from "./rows";

/** What a row came to, in seconds per call. */
export interface Figures {
  /** Of the medians of the workers the smallest. */
  js: number;
  sides: Partial<Record<SideName, SideFigures>>;
}

interface SideFigures {
  seconds: number;
  /** How many times faster than plain JavaScript. */
  ratio: number;
}

export type State =
  | { kind: "idle" }
  /** Measures the row of this number, from 0; `left` is in seconds. */
  | { kind: "running"; row: number; of: number; name: string; left: number }
  | { kind: "done" | "stopped"; rows: number; of: number; seconds: number };

export const state = signal<State>({ kind: "idle" });
export const isRunning = computed(() => state.value.kind === "running");

/** The part that is done, from 0 to 1. */
export const progress = signal(0);

/** The names of what has been measured, and how. */
export const measured = signal<readonly string[]>([]);
export const measuredAs = signal<"quick" | "thorough">("quick");

const store = new Map<string, Signal<Figures | undefined>>();

/** A signal for each row: what comes in draws one row, not all. */
export function figuresOf(name: string): Signal<Figures | undefined> {
  const known = store.get(name) ?? signal(undefined);
  store.set(name, known);
  return known;
}

/** Calls that are longer than a turn, checks and searches for the number of calls, beside the seconds that were ordered. */
const OVERHEAD = 1.5;

const effort = computed<Effort>(() => (chosen.effort.value === "quick" ? QUICK : THOROUGH));

/** Seconds that all rows should take, before anything is known. */
export const estimate = computed(() => {
  const { rounds, maxTime } = effort.value;
  return rows.value.length * sides.value.length * 2 * (WARM_UP + rounds * maxTime) * OVERHEAD;
});

interface Runner extends Side {
  engine: Engine<"speed">;
}

const STOPPED = new Error("stopped");

/** Ends a measurement at once, whatever its workers are doing. */
export let stop: () => void = () => {};

/** Gives what a worker gives, or throws when the measurement is stopped: a worker that was ended says nothing more. */
type Within = <T>(answer: Promise<T>) => Promise<T>;

/** Measures the chosen rows, and ends its workers, also when it is stopped. */
export async function start(): Promise<void> {
  const names = rows.value;
  const runners = sides.value.map((side): Runner => ({ ...side, engine: startEngine("speed") }));
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(STOPPED);
  });
  const began = performance.now();
  clear();
  state.value = { kind: "running", row: 0, of: names.length, name: names[0]!, left: estimate.value };
  let kind: "done" | "stopped" = "done";
  try {
    await all(names, runners, (answer) => Promise.race([stopped, answer]));
  } catch (error) {
    kind = "stopped";
    if (error !== STOPPED) complain(error);
  } finally {
    for (const { engine } of runners) engine.end();
    const seconds = (performance.now() - began) / 1e3;
    state.value = { kind, rows: measured.value.length, of: names.length, seconds };
  }
}

function clear(): void {
  for (const figures of store.values()) figures.value = undefined;
  measured.value = [];
  measuredAs.value = chosen.effort.value;
  problems.value = [];
  progress.value = 0;
}

function complain(error: unknown): void {
  problems.value = [...problems.value, (error as Error).message];
}

async function all(names: readonly string[], runners: readonly Runner[], within: Within): Promise<void> {
  for (const { engine, binary } of runners) await within(engine.remote.start(binary));
  const planned = estimate.value;
  const began = performance.now();
  for (const [row, name] of names.entries()) {
    const spent = (performance.now() - began) / 1e3;
    const left = row === 0 ? planned : (spent / row) * (names.length - row);
    state.value = { kind: "running", row, of: names.length, name, left };
    await measure(name, runners, within, (part) => {
      progress.value = (row + part) / names.length;
    });
  }
}

/** A row whose answers differ is told of; the others are measured all the same. */
async function measure(name: string, runners: readonly Runner[], within: Within, onPart: OnPart) {
  try {
    figuresOf(name).value = figures(await inTurns(name, runners, within, onPart));
    measured.value = [...measured.value, name];
  } catch (error) {
    if (error === STOPPED) throw error;
    complain(error);
  }
}

/** Gets the part of a row that is done. */
type OnPart = (part: number) => void;

/**
 * Rounds in which each worker times wasm and plain JavaScript, one after the other, while the others wait: what slows the
 * machine down for a while slows all of them.
 */
async function inTurns(name: string, runners: readonly Runner[], within: Within, onPart: OnPart) {
  const { rounds, maxTime } = effort.value;
  const steps = runners.length * (1 + rounds);
  let step = 0;
  const next = () => onPart(++step / steps);
  for (const { engine } of runners) await within(engine.remote.prepare(name)).then(next);
  for (let round = 0; round < rounds; round++) {
    for (const { engine } of runners) await within(engine.remote.round(maxTime)).then(next);
  }
  const results: [SideName, Timings][] = [];
  for (const { engine, name } of runners) results.push([name, await within(engine.remote.finish())]);
  return results;
}

/**
 * The ratio of a side is the median of plain JavaScript over its own, and of the workers' plain JavaScript the fastest counts
 * for all: how well an engine compiles a loop depends on what ran before, and that is not to count for wasm.
 */
function figures(results: readonly [SideName, Timings][]): Figures {
  const js = Math.min(...results.map(([, timings]) => timings.js.median));
  const sides = results.map(([name, { wasm }]) => [name, { seconds: wasm.median, ratio: js / wasm.median }]);
  return { js, sides: Object.fromEntries(sides) };
}

/** The geometric mean of the ratios of a side in all rows that have been measured. */
export function meanRatio(side: SideName): number | undefined {
  const ratios = measured.value.flatMap((name) => figuresOf(name).value?.sides[side]?.ratio ?? []);
  if (ratios.length === 0) return undefined;
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}
