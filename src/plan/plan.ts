// A recorded list of kernel calls, with the memory it works in.
import { show } from "../errors";
import { Buffer } from "../memory";
import { faultAt } from "../recording";
import { type Kernels, kernels } from "../wasm";
import { type Life, layOut } from "./layout";
import { isPointer, simplify } from "./passes";
import type { Block, Call, Recording } from "./recording";

/** What `describe` tells of a plan. */
export interface PlanMemory {
  /** Bytes that the plan holds. */
  shared: number;
  /** Bytes that it would hold if every intermediate had its own. */
  apart: number;
}

export class Plan {
  readonly steps: (() => void)[];
  readonly memory: PlanMemory;
  readonly arena: Buffer;
  /** With the pointers of the recording. */
  private readonly calls: readonly Call[];

  /** @param outputs the blocks that the caller gets to see after a replay */
  constructor(recording: Recording, outputs: ReadonlySet<Block>) {
    const { persistent, temporary, constants } = sorted(recording, outputs);
    const own = [...temporary, ...constants, ...outputs];
    const calls = simplify(withoutFirstFills(recording.calls, persistent, constants), temporary);
    const lives = own.map((block) => lifeOf(block, calls, outputs.has(block) || block.constant));
    const used = own.filter((_, i) => lives[i] !== undefined);
    const { offsets, bytes } = layOut(lives.filter((life) => life !== undefined));
    this.memory = { shared: bytes, apart: own.reduce((sum, block) => sum + block.bytes, 0) };
    this.arena = new Buffer(bytes / 4);
    const places = used.map((block, i) => ({ block, to: this.arena.ptr + offsets[i]! }));
    for (const { block, to } of places) {
      if (block.constant || outputs.has(block)) kernels.copyForward(block.ptr, to, block.bytes / 4);
    }
    this.calls = calls;
    this.steps = calls.map((call) => bind(relocated(call, places)));
    this.places = places;
  }

  private readonly places: readonly { block: Block; to: number }[];

  /** Where what lay at `ptr` in the recording lies now. */
  placeOf(ptr: number): number {
    const place = this.places.find(({ block }) => ptr >= block.ptr && ptr < block.ptr + block.bytes);
    return place === undefined ? ptr : ptr - place.block.ptr + place.to;
  }

  replay(): void {
    const { steps } = this;
    for (let i = 0; i < steps.length; i++) steps[i]!();
  }

  /**
   * The calls, one a line: kernel, operands and sizes, then the memory of the intermediates.
   * @param nameOf what lies outside of the plan at a pointer
   */
  describe(nameOf: (ptr: number) => string | undefined): string {
    const own = new Map(this.places.map(({ block }, i) => [block.ptr, `%${i} ${shapeOf(block)}`]));
    const operand = (ptr: number) => own.get(ptr) ?? nameOf(ptr) ?? this.partName(ptr);
    const lines = this.calls.map(({ name, args }, i) => {
      const [operands, numbers] = [[], []] as [string[], number[]];
      for (const [k, x] of args.entries()) {
        if (!isPointer(name, k)) numbers.push(x);
        else if (x !== 0) operands.push(operand(x));
      }
      return `${String(i).padStart(4)}  ${name.padEnd(24)} ${operands.join(", ")}  (${numbers.join(" ")})`;
    });
    const { shared, apart } = this.memory;
    return [...lines, `intermediates: ${shared} bytes shared, ${apart} bytes apart`].join("\n");
  }

  private partName(ptr: number): string {
    const i = this.places.findIndex(({ block }) => within(ptr, block));
    return i < 0 ? "state" : `%${i} + ${ptr - this.places[i]!.block.ptr}`;
  }
}

/** What becomes of the memory that was made while recording. */
function sorted(recording: Recording, outputs: ReadonlySet<Block>) {
  const persistent: Block[] = [];
  const temporary: Block[] = [];
  const constants: Block[] = [];
  for (const block of recording.blocks.values()) {
    if (outputs.has(block)) continue;
    if (block.buffers.some(({ fate }) => fate === undefined)) persistent.push(block);
    else if (block.constant) constants.push(block);
    else temporary.push(block);
  }
  return { persistent, temporary, constants };
}

/** Without what only gave a constant, or a gradient or an average that lives on, its first values. */
function withoutFirstFills(calls: readonly Call[], persistent: Block[], constants: Block[]): Call[] {
  const fresh = new Set(persistent);
  return calls.filter(({ name, args }) => {
    const isFill = name === "zero" || name === "fill";
    for (const block of fresh) {
      if (!args.some((x, k) => isPointer(name, k) && within(x, block))) continue;
      fresh.delete(block);
      if (isFill) return false;
    }
    return !(isFill && constants.some((block) => within(args[0]!, block)));
  });
}

function within(ptr: number, { ptr: start, bytes }: Block): boolean {
  return ptr >= start && ptr < start + bytes;
}

/** The first and the last call that touches a block; undefined if none does and nobody else needs it. */
function lifeOf(block: Block, calls: readonly Call[], always: boolean): Life | undefined {
  const touches = ({ name, args }: Call) => args.some((x, k) => isPointer(name, k) && within(x, block));
  const first = calls.findIndex(touches);
  if (block.constant) return { bytes: block.bytes, first: 0, last: calls.length };
  if (first < 0 && !always) return undefined;
  const last = always ? calls.length : calls.findLastIndex(touches);
  return { bytes: block.bytes, first: Math.max(0, first), last };
}

function relocated(call: Call, places: readonly { block: Block; to: number }[]): Call {
  const args = call.args.map((x, k) => {
    const place = isPointer(call.name, k) ? places.find(({ block }) => within(x, block)) : undefined;
    return place === undefined ? x : x - place.block.ptr + place.to;
  });
  return { ...call, args };
}

type Kernel = (...args: number[]) => number;

/** A call without arguments. A kernel is called fastest with as many arguments as are written down. */
function bind({ name, args, fault }: Call): () => void {
  const f = kernels[name as keyof Kernels] as Kernel;
  if (fault !== undefined) {
    const { make, dtype } = fault;
    return () => {
      const at = f(...args);
      if (at >= 0) throw faultAt(make, args[0]!, dtype, at);
    };
  }
  const [a, b, c, d, e, g, h, i, j, k] = args as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  switch (args.length) {
    case 2:
      return () => f(a, b);
    case 3:
      return () => f(a, b, c);
    case 4:
      return () => f(a, b, c, d);
    case 5:
      return () => f(a, b, c, d, e);
    case 6:
      return () => f(a, b, c, d, e, g);
    case 7:
      return () => f(a, b, c, d, e, g, h);
    case 8:
      return () => f(a, b, c, d, e, g, h, i);
    case 9:
      return () => f(a, b, c, d, e, g, h, i, j);
    case 10:
      return () => f(a, b, c, d, e, g, h, i, j, k);
    default:
      return () => f(...args);
  }
}

function shapeOf({ shape, bytes }: Block): string {
  return shape === undefined ? `${bytes} bytes` : show(shape);
}
