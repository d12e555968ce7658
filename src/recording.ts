// What happens while a plan is recorded is told to the recorder here; otherwise there is none.
import type { Node } from "./autograd";
import { type NablasError, placeAmong } from "./errors";
import type { Buffer, Fate } from "./memory";
import { numberAt } from "./space";
import type { Tensor } from "./tensor";
import { type Kernels, kernels } from "./wasm";

/** Kernels that return the first place of something that an op cannot take, or −1. */
export type Search = {
  [K in keyof Kernels]: Kernels[K] extends (...args: never[]) => number ? K : never;
}[keyof Kernels];

/** The error for what a search has found: its place, as `placeIn` writes it, and its value. */
export type Fault = (at: string, value: number) => NablasError;

export interface Recorder {
  /** A buffer was made, or another one of the memory of `shared`. */
  made(buffer: Buffer, shared: Buffer | undefined): void;
  /** A tensor was made. */
  shaped(t: Tensor): void;
  /** A buffer is freed. Returns whether its memory stays reserved until the recording ends. */
  freed(buffer: Buffer, fate: Fate): boolean;
  /** JavaScript writes into a buffer. */
  written(buffer: Buffer): void;
  /** An op is about to use a tensor. */
  used(t: Tensor): void;
  /** The forward pass of a module begins. */
  entered(module: { training: boolean }): void;
  /** A kernel overwrites a buffer whose old values a backward pass may need. */
  overwritten(buffer: Buffer): void;
  /** The gradient of `t`, or whether it has one, is read; or it is cleared, whatever it was. */
  gradient(t: Tensor, how: "read" | "cleared"): void;
  /** Has to run before each replay. Where it returns another key than now, the recording is out of date. */
  prepare(hook: () => number): void;
  /** The kernel called last searches `x` for what `fault` describes. */
  searched(fault: Fault, x: Tensor): void;
  /** JavaScript wants the values of a tensor. */
  refuse(what: string, t: Tensor): never;
  /** JavaScript sets something that no replay would set again. */
  refuseToSet(what: string): never;
}

export let recorder: Recorder | undefined;

export function setRecorder(next: Recorder | undefined): void {
  recorder = next;
}

/** Who watches forward and backward passes while they run. */
export interface Observer {
  /** The forward pass of a module begins; `path` is its name in the outermost one. */
  entered(module: object, path: string): void;
  /** The module entered last ends with this output. */
  left(output: unknown): void;
  /** An op was recorded; its output is there. */
  recorded(node: Node): void;
  /** The gradient of a node's output is complete. */
  differentiated(node: Node): void;
  /** A backward pass has ended. */
  finished(): void;
}

/** Where there is one, it is told of every pass. */
export let observer: Observer | undefined;

export function setObserver(next: Observer | undefined): void {
  observer = next;
}

/** Under which a compiled function has the function that it was made of. */
export const source = Symbol("nablas.source");

/** The function itself where `fn` was compiled, else `fn`. */
export function eager<F extends (...args: never[]) => unknown>(fn: F): F {
  return (fn as { [source]?: F })[source] ?? fn;
}

/** Counts what may change which tensors a model has, or which of them are trained. */
export let structure = 0;

export function structureChanged(): void {
  structure++;
}

/**
 * Runs a search over a tensor, in every replay of a plan as well.
 * @throws what `fault` makes of the place that it finds
 */
export function expectNone(kernel: Search, x: Tensor, rest: readonly number[], fault: Fault): void {
  const found = (kernels[kernel] as (...args: number[]) => number)(x.ptr, ...rest);
  recorder?.searched(fault, x);
  if (found >= 0) throw faultAt(fault, x, x.ptr, found);
}

/** The error for what was found `at` the place in x, whose data lie at `ptr`. */
export function faultAt(fault: Fault, x: Tensor, ptr: number, at: number): NablasError {
  return fault(placeIn(x, at), numberAt(ptr + 4 * at, x.dtype));
}

/** The number of an element, with its place in the data set that it is from, or in x: "3 (row 50 of the data set)". */
export function placeIn({ buffer, shape }: Tensor, at: number): string {
  const place = buffer.origin?.place(at) ?? (shape.length > 1 ? placeAmong(shape.slice(1), at) : undefined);
  return place === undefined ? `${at}` : `${at} (${place})`;
}
