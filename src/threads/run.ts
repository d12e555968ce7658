// A list of pieces in linear memory, as assembly/threads/pool.ts takes them.

import { give, reserve } from "../memory";
import { ENTRY, writeEntry } from "../plan/entry";
import type { Place } from "../plan/parallel";
import { memory } from "../wasm";

const [SCRATCH_ARGUMENT, AFTER] = [5, 120];

/** Entries that there is room for at first. */
const ROOM = 64;

/** Memory that nobody counts. */
export function reserved(bytes: number): Place {
  const ptr = reserve(bytes);
  return { ptr, free: () => give(ptr, bytes) };
}

export class Run {
  /** Pieces. */
  count = 0;
  /** Bytes of scratch that each thread needs. */
  scratch = 0;
  private list: Place;
  private room = ROOM;
  private after = 0;
  private cells = new DataView(memory.buffer);
  private readonly sums: Place[] = [];

  constructor(private readonly take: (bytes: number) => Place) {
    this.list = take(ROOM * ENTRY);
  }

  /** Where the list ends. */
  get end(): number {
    return this.list.ptr + this.count * ENTRY;
  }

  /** Empties the list. */
  clear(): void {
    this.count = this.after = this.scratch = 0;
    for (const place of this.sums.splice(0)) place.free("dispose");
  }

  /** What is added from now on begins when everything before is done. */
  wait(): void {
    this.after = this.count;
  }

  /** Adds a kernel call. `scratch` is the argument, counted from 1, for which each thread has `bytes` of its own. */
  add(name: string, args: readonly number[], scratch = 0, bytes = 0): void {
    if (this.count === this.room) this.grow();
    if (this.cells.buffer !== memory.buffer) this.cells = new DataView(memory.buffer);
    const at = this.end;
    writeEntry(this.cells, at, name, args);
    this.cells.setUint8(at + SCRATCH_ARGUMENT, scratch);
    this.cells.setInt32(at + AFTER, this.after, true);
    this.count++;
    this.scratch = Math.max(this.scratch, bytes);
  }

  /** So many bytes, until the list is emptied. */
  space(bytes: number): number {
    const place = this.take(bytes);
    this.sums.push(place);
    return place.ptr;
  }

  private grow(): void {
    const list = this.take(2 * this.room * ENTRY);
    new Uint8Array(memory.buffer).copyWithin(list.ptr, this.list.ptr, this.end);
    this.list.free("dispose");
    this.list = list;
    this.room *= 2;
  }

  /** Gives the memory back. */
  dispose(): void {
    this.clear();
    this.list.free("dispose");
  }
}
