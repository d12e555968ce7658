// The recording of a plan: every kernel call, the memory that was made for it, and what it took from outside.
import { PlanError } from "../errors";
import type { Held } from "../gradient";
import { type Buffer, type Fate, give } from "../memory";
import { type Fault, type Recorder, setRecorder } from "../recording";
import { start } from "../space";
import type { Shape, Tensor } from "../tensor";
import { type Kernels, kernels, setKernels } from "../wasm";
import { signatureOf } from "./abi";

type Kernel = (...args: number[]) => number | undefined;

/** One kernel call. */
export interface Call {
  name: string;
  args: number[];
  /** The error if it is a search and finds something. */
  fault?: { make: Fault; x: Tensor };
}

/** Memory that was made while recording. */
export interface Block {
  ptr: number;
  bytes: number;
  /** The buffers of this memory; several where they share it. */
  buffers: Buffer[];
  /** Whether JavaScript has written it: a constant. */
  constant: boolean;
  /** Of the tensor that it was made for. */
  shape: Shape | undefined;
}

/** What a function does with the gradient of a tensor. */
export interface GradientUse {
  /** Which gradient there was, undefined if the function clears it whatever it was. */
  before: Held | undefined;
  isCleared: boolean;
}

export class Recording implements Recorder {
  readonly calls: Call[] = [];
  readonly blocks = new Map<number, Block>();
  /** What existed before and was used: parameters, their gradients, data. */
  readonly externals = new Set<Tensor>();
  readonly modules = new Set<{ training: boolean }>();
  readonly hooks: { run: () => number; key: number }[] = [];
  private readonly own = new Set<Buffer>();
  /** What existed before and is overwritten in place by each replay. */
  readonly overwrites = new Set<Buffer>();
  readonly gradients = new Map<Tensor, GradientUse>();
  private readonly real: Kernels;

  /** @param inputs what the function gets; it may not free it */
  constructor(private readonly inputs: readonly Tensor[]) {
    start(); // a function without inputs may be the first to make a tensor
    this.real = kernels;
  }

  /** Runs `fn` and records what it does. */
  run<T>(fn: () => T): T {
    setRecorder(this);
    setKernels(this.listening());
    try {
      return fn();
    } finally {
      setKernels(this.real);
      setRecorder(undefined);
    }
  }

  /** The kernels, each of which notes its calls. Those without pointers compute sizes, once. */
  private listening(): Kernels {
    const entries = Object.entries(this.real).map(([name, kernel]) => {
      if (signatureOf(name) === -1) return [name, kernel];
      const note = (...args: number[]) => {
        this.calls.push({ name, args });
        return (kernel as Kernel)(...args);
      };
      return [name, note];
    });
    return Object.fromEntries(entries) as Kernels;
  }

  made(buffer: Buffer, shared: Buffer | undefined): void {
    const { ptr, bytes } = buffer;
    this.own.add(buffer);
    if (shared !== undefined) this.blocks.get(ptr)?.buffers.push(buffer);
    else this.blocks.set(ptr, { ptr, bytes, buffers: [buffer], constant: false, shape: undefined });
  }

  shaped({ buffer, shape }: Tensor): void {
    const block = this.blocks.get(buffer.ptr);
    if (block !== undefined) block.shape ??= shape;
  }

  freed(buffer: Buffer, fate: Fate): boolean {
    if (this.own.has(buffer)) return true;
    // What `.grad` has handed out shares its memory with what each replay needs.
    if (fate === "cleared") return false;
    const what = this.inputs.some((t) => t.buffer === buffer) ? "an input" : "a tensor made outside";
    throw new PlanError(`compile: ${what} was disposed of by the function, but each replay needs it`);
  }

  written({ ptr }: Buffer): void {
    const block = this.blocks.get(ptr);
    if (block !== undefined) block.constant = true;
  }

  used(t: Tensor): void {
    if (!this.own.has(t.buffer)) this.externals.add(t);
  }

  entered(module: { training: boolean }): void {
    this.modules.add(module);
  }

  overwritten(buffer: Buffer): void {
    this.overwrites.add(buffer);
  }

  gradient(t: Tensor, how: "read" | "cleared"): void {
    const wasCleared = how === "cleared";
    const use = this.gradients.get(t);
    if (use !== undefined) use.isCleared ||= wasCleared;
    else
      this.gradients.set(t, {
        before: wasCleared ? undefined : t.leafGradient.plan().held,
        isCleared: wasCleared,
      });
  }

  prepare(run: () => number): void {
    this.hooks.push({ run, key: run() });
  }

  searched(make: Fault, x: Tensor): void {
    this.calls.at(-1)!.fault = { make, x };
  }

  refuse(what: string, t: Tensor): never {
    throw new PlanError(
      `compile: ${what} of ${t.describe()} reads a value, which a replay would not do again; return the tensor, and read ` +
        "it outside of the compiled function",
    );
  }

  refuseToSet(what: string): never {
    throw new PlanError(
      `compile: the function sets ${what}, which a replay would not do again; set it outside of the compiled function`,
    );
  }

  /** Whether the tensor was made while recording. */
  isOwn(t: Tensor): boolean {
    return this.own.has(t.buffer);
  }

  /** Whether it is the gradient of a tensor, as `.grad` hands it out. */
  isGradient(t: Tensor): boolean {
    return [...this.gradients.keys()].some(({ leafGradient }) => leafGradient.tensor === t);
  }

  /** The blocks with a living buffer. */
  living(): Set<Block> {
    return new Set(
      [...this.blocks.values()].filter(({ buffers }) => buffers.some(({ fate }) => fate === undefined)),
    );
  }

  /** What lives on beside the outputs: gradients and averages that were made here. */
  persistent(outputs: ReadonlySet<Block>): Set<Block> {
    const kept = this.living();
    for (const block of outputs) kept.delete(block);
    return kept;
  }

  /** Gives back what the recording had reserved, but for the blocks that live on as they are. */
  release(kept: ReadonlySet<Block>): void {
    for (const block of this.blocks.values()) {
      if (kept.has(block)) continue;
      const alive = block.buffers.filter(({ fate }) => fate === undefined);
      if (alive.length === 0) give(block.ptr, block.bytes);
      for (const buffer of alive) buffer.free("dispose");
    }
  }
}
