// What is measured, and what counts as growth.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { memory } from "../../src/index";
import { type Lines, Table } from "./table";

/** Bytes, and living tensors. */
export interface Reading {
  bytes: number;
  tensors: number;
  reserved: number;
  heap: number;
  rss: number;
}

/** Something done again and again. */
export interface Work {
  /** Does it so many times more. */
  run(times: number): void | Promise<void>;
  /** Gives back what it holds; without it, the garbage collector does. */
  end?(): void | Promise<void>;
}

export interface Scenario {
  name: string;
  /** How often in full, and in the tests. */
  full: number;
  short: number;
  /** Whether nobody calls for the garbage collector before the last reading: memory levels off by itself. */
  unaided?: boolean;
  start(): Work;
}

/** Into so many parts is the work divided. */
const PARTS = 10;

/** Bytes by which the JavaScript heap may move: what engines compile and keep. */
const HEAP = 2 ** 20;

/** Linear memory grows by a quarter at a time: what has levelled off may do so once. And so much may wait for the collector. */
const ONCE_MORE = 1.25;
const WAITING = 2 ** 26;

const HEADS = ["what", "times", "seconds", "", "tensors", "bytes", "reserved", "JS heap", "RSS"];

export function header(): Table {
  return new Table(HEADS, 20);
}

/** Does the work `times` times, adds three lines to the table and returns what has grown, in lines. */
export async function soak(scenario: Scenario, times: number, table: Lines): Promise<string[]> {
  const { unaided = false } = scenario;
  const began = performance.now();
  const before = await read();
  const work = scenario.start();
  // What warms up takes one part; what nobody helps takes half of the time to find its size.
  const parts = unaided ? PARTS / 2 : 1;
  for (let part = 0; part < parts; part++) await work.run(times / PARTS);
  const warm = unaided ? now() : await read();
  for (let part = parts; part < PARTS; part++) await work.run(times / PARTS);
  const late = unaided ? now() : await read();
  await work.end?.();
  const end = await read();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  table.add([scenario.name, times.toLocaleString("en"), seconds, "before", ...cells(before)]);
  table.add(["", "", "", "warm", ...cells(warm)]);
  table.add(["", "", "", "late", ...cells(late)]);
  table.add(["", "", "", "ended", ...cells(end)]);
  const leaks = left(before, end);
  return [...leaks, ...(unaided ? rising(warm, late) : moved(warm, late))].map(
    (what) => `${scenario.name}: ${what}`,
  );
}

function cells({ tensors, bytes, reserved, heap, rss }: Reading): string[] {
  return [tensors.toLocaleString("en"), ...[bytes, reserved, heap, rss].map(Table.bytes)];
}

/** What has not been given back at the end. */
function left(before: Reading, end: Reading): string[] {
  return (["tensors", "bytes"] as const)
    .filter((what) => end[what] !== before[what])
    .map((what) => `${what}: ${before[what]} before, ${end[what]} at the end`);
}

/** What has changed where nothing should. */
function moved(warm: Reading, late: Reading): string[] {
  const found = (["tensors", "bytes", "reserved"] as const)
    .filter((what) => late[what] !== warm[what])
    .map((what) => `${what}: ${warm[what]} when warm, ${late[what]} later`);
  if (late.heap > warm.heap + HEAP) found.push(`heap: ${warm.heap} bytes when warm, ${late.heap} later`);
  return found;
}

/** What has not levelled off. */
function rising(warm: Reading, late: Reading): string[] {
  const found: string[] = [];
  for (const [what, most] of [
    ["reserved", ONCE_MORE * warm.reserved + WAITING],
    ["rss", ONCE_MORE * warm.rss + WAITING],
  ] as const) {
    if (late[what] > most) found.push(`${what}: ${warm[what]} bytes half-way, ${late[what]} later`);
  }
  return found;
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Waits until the garbage collector has nothing more to tell of. */
export async function settle(): Promise<void> {
  for (let held = Number.NaN; held !== memory().tensors; ) {
    held = memory().tensors;
    for (let i = 0; i < 3; i++) {
      collect();
      await turn();
    }
  }
}

async function read(): Promise<Reading> {
  await settle();
  return now();
}

function now(): Reading {
  const { heapUsed, rss } = process.memoryUsage();
  return { ...memory(), heap: heapUsed, rss };
}

/** The event loop's turn: the garbage collector's word comes there. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
