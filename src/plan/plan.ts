// A recorded list of kernel calls, with the memory it works in.
import { show } from "../errors";
import { Buffer, guards } from "../memory";
import { faultAt } from "../recording";
import type { Region } from "../scope";
import { kernels, memory } from "../wasm";
import { isPointer } from "./abi";
import { ENTRY, FOUND, writeEntry } from "./entry";
import { apart, type Life, layOut } from "./layout";
import { type Parallel, parallel, type Stage } from "./parallel";
import { simplify } from "./passes";
import type { Block, Call, Recording } from "./recording";

/** What `describe` tells of a plan. */
export interface PlanMemory {
  /** Bytes that the plan holds. */
  shared: number;
  /** Bytes that it would hold if every intermediate had its own. */
  apart: number;
}

export class Plan {
  readonly list: Buffer;
  readonly memory: PlanMemory;
  readonly arena: Buffer;
  /** The calls with the pointers of the recording, and with those of the plan. */
  private readonly calls: readonly Call[];
  private readonly placed: readonly Call[];
  private readonly places: readonly { block: Block; to: number }[];
  /** How the threads of the last replay went about it, and the memory that this takes. */
  private threads: { are: Parallel; stages: Stage[]; memory: Buffer[] } | undefined;

  /**
   * @param outputs the blocks that the caller gets to see after a replay
   * @param region what frees the memory of the plan
   */
  constructor(
    recording: Recording,
    outputs: ReadonlySet<Block>,
    private readonly region: Region,
  ) {
    const { persistent, temporary, constants } = sorted(recording, outputs);
    const own = [...temporary, ...constants, ...outputs];
    const calls = simplify(withoutFirstFills(recording.calls, persistent, constants), temporary);
    const watch = guards?.plans;
    const lives = livesOf(own, calls, outputs);
    const used = own.filter((_, i) => lives[i] !== undefined);
    const { offsets, bytes } = (watch === undefined ? layOut : apart)(
      lives.filter((life) => life !== undefined),
    );
    this.memory = { shared: bytes, apart: own.reduce((sum, block) => sum + block.bytes, 0) };
    this.arena = new Buffer(bytes / 4);
    region.add(this.arena);
    const places = used.map((block, i) => ({ block, to: this.arena.ptr + offsets[i]! }));
    watch?.fence(
      this.arena.ptr,
      places.map(({ block, to }) => to + block.bytes),
    );
    for (const { block, to } of places) {
      if (block.constant || outputs.has(block)) kernels.copyForward(block.ptr, to, block.bytes / 4);
    }
    this.calls = calls;
    this.placed = relocated(calls, places);
    this.list = listOf(this.placed);
    region.add(this.list);
    this.places = places;
  }

  /** Where what lay at `ptr` in the recording lies now. */
  placeOf(ptr: number): number {
    const place = this.places.find(({ block }) => ptr >= block.ptr && ptr < block.ptr + block.bytes);
    return place === undefined ? ptr : ptr - place.block.ptr + place.to;
  }

  /** @throws what the op throws whose search finds something, a label that is no class for instance */
  replay(): void {
    const watch = guards?.plans;
    if (watch !== undefined) {
      watch.look("JavaScript");
      for (const [i, { name }] of this.placed.entries()) {
        this.replayPart(i, 1);
        watch.look(name);
      }
    } else if (parallel === undefined) {
      this.replayPart(0, this.placed.length);
    } else {
      for (const { from, count, run } of this.stages()) {
        if (run === undefined) this.replayPart(from, count);
        else run(() => this.replayPart(from, count));
      }
    }
  }

  private replayPart(from: number, count: number): void {
    const list = this.list.ptr + ENTRY * from;
    const stopped = kernels.replay(list, count);
    if (stopped === 0) return;
    const { args, fault } = this.placed[from + stopped - 1]!;
    const found = new DataView(memory.buffer).getInt32(list + ENTRY * (stopped - 1) + FOUND, true);
    throw faultAt(fault!.make, fault!.x, args[0]!, found);
  }

  /** How the threads that there are replay the list. */
  private stages(): readonly Stage[] {
    if (this.threads?.are === parallel) return this.threads!.stages;
    for (const place of this.threads?.memory ?? []) place.free("dispose");
    const own: Buffer[] = [];
    const stages = parallel!.stages(this.placed, (bytes) => {
      const buffer = new Buffer(bytes / 4);
      this.region.add(buffer);
      own.push(buffer);
      return buffer;
    });
    this.threads = { are: parallel!, stages, memory: own };
    return stages;
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

/** Without what only gave a constant, or an average that lives on, its first values. Gradients start at zeros each time. */
function withoutFirstFills(calls: readonly Call[], persistent: Block[], constants: Block[]): Call[] {
  const fresh = new Set(persistent.filter(({ buffers }) => !buffers.some(({ hasGradient }) => hasGradient)));
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

/** The place of the block in which a pointer lies, or −1: `blocks` may be many. */
function finder(blocks: readonly Block[]): (ptr: number) => number {
  const order = blocks.map((_, i) => i).sort((i, j) => blocks[i]!.ptr - blocks[j]!.ptr);
  return (ptr) => {
    let [low, high] = [0, order.length];
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (blocks[order[mid]!]!.ptr <= ptr) low = mid + 1;
      else high = mid;
    }
    const found = order[low - 1];
    return found !== undefined && within(ptr, blocks[found]!) ? found : -1;
  };
}

/** The first and the last call that touches each block; undefined if none does and nobody else needs it. */
function livesOf(
  blocks: readonly Block[],
  calls: readonly Call[],
  outputs: ReadonlySet<Block>,
): (Life | undefined)[] {
  const lives: (Life | undefined)[] = blocks.map((block) =>
    outputs.has(block) || block.constant ? { bytes: block.bytes, first: 0, last: calls.length } : undefined,
  );
  const seen = new Set<number>();
  const find = finder(blocks);
  for (const [n, { name, args }] of calls.entries()) {
    for (const [k, x] of args.entries()) {
      const i = isPointer(name, k) ? find(x) : -1;
      if (i < 0) continue;
      const block = blocks[i]!;
      const life = lives[i] ?? { bytes: block.bytes, first: n, last: n };
      lives[i] = life;
      if (!seen.has(i) && !block.constant) life.first = n;
      seen.add(i);
      life.last = Math.max(life.last, n);
    }
  }
  return lives;
}

/** The calls with the pointers of the plan. */
function relocated(calls: readonly Call[], places: readonly { block: Block; to: number }[]): Call[] {
  const find = finder(places.map(({ block }) => block));
  return calls.map((call) => {
    const args = call.args.map((x, k) => {
      const place = isPointer(call.name, k) ? places[find(x)] : undefined;
      return place === undefined ? x : x - place.block.ptr + place.to;
    });
    return { ...call, args };
  });
}

/** The calls as assembly/replay.ts reads them. */
function listOf(calls: readonly Call[]): Buffer {
  const list = new Buffer((ENTRY / 4) * calls.length);
  const cells = new DataView(memory.buffer);
  for (const [n, { name, args }] of calls.entries()) writeEntry(cells, list.ptr + n * ENTRY, name, args);
  return list;
}

function shapeOf({ shape, bytes }: Block): string {
  return shape === undefined ? `${bytes} bytes` : show(shape);
}
