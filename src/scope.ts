// Who frees a buffer: the region it is in. A region is a doubly linked list of the buffers themselves, so that a buffer
// leaves it in one step when it is freed before its time.
import { expectFunction, refusePromise } from "./errors";
import { type Buffer, type Ended, type Fate, settled } from "./memory";

/** Buffers that are freed together: those of a scope, or the intermediates of one recorded graph. */
export class Region {
  next: Buffer | undefined;

  add(buffer: Buffer): void {
    buffer.region = buffer.previous = this;
    buffer.next = this.next;
    if (this.next !== undefined) this.next.previous = buffer;
    this.next = buffer;
  }

  remove(buffer: Buffer): void {
    buffer.previous!.next = buffer.next;
    if (buffer.next !== undefined) buffer.next.previous = buffer.previous;
    buffer.region = buffer.previous = buffer.next = undefined;
  }

  free(fate: Fate): void {
    while (this.next !== undefined) this.next.free(fate);
  }

  *buffers(): Generator<Buffer> {
    for (let buffer = this.next; buffer !== undefined; buffer = buffer.next) yield buffer;
  }

  /** Hands every buffer over to another region. */
  moveTo(other: Region): void {
    while (this.next !== undefined) {
      const buffer = this.next;
      this.remove(buffer);
      other.add(buffer);
    }
  }
}

/** Marks tensors, of every copy of this library. */
export const brand = Symbol.for("nablas.tensor");

/** What lives in a buffer: a tensor. */
export interface Owner {
  readonly [brand]: true;
  readonly buffer: Buffer;
  /** Its gradient: memory of its own, and what that is shown as or was assigned. */
  readonly leaf:
    | { readonly own: Buffer | undefined; readonly shown: Owner | undefined; held(): "own" | Owner | null }
    | undefined;
}

/** Gives the tensors of a module or an optimizer, so that `scope` keeps them when it is returned. */
export const owned = Symbol("nablas.owned");

// The region that frees what is made now: that of the innermost scope, or of a composed op or module inside it.
let innermost: Region | undefined;
let innermostScope: Region | undefined;

// The net under tensors made at top level and never disposed of: one entry per tensor, or one per graph.
const net = new FinalizationRegistry<Buffer | Region | ArrayBuffer>((lost) => {
  if (lost instanceof ArrayBuffer) loads--;
  else lost.free("garbage");
});

// An entry costs more than a small op, and most of what is made at top level is soon disposed of or walked back: what
// is young waits here, and only what still lives at the end of the task, or after so many others, gets its entry.
const YOUNG = 256;
const young: { target: object; held: Buffer | Region }[] = [];
let settling = false;

function watch(target: object, held: Buffer | Region): void {
  if (young.push({ target, held }) >= YOUNG) settle();
  if (settling) return;
  settling = true;
  queueMicrotask(() => {
    settling = false;
    settle();
  });
}

function settle(): void {
  for (const { target, held } of young) if (!isFreed(held)) register(target, held);
  young.length = 0;
}

// The garbage collector sees small objects, not the linear memory behind them, and would let gigabytes wait for it. So for
// each LOAD bytes that come under the net it gets as many of its own to see, until it has looked, at most LOADS at a time: nobody
// writes them, so most engines give them no real memory.
const LOAD = 2 ** 24;
const LOADS = 8;
let unseen = 0;
let loads = 0;

function register(target: object, held: Buffer | Region, token?: Region): void {
  net.register(target, held, token);
  for (const { bytes } of held instanceof Region ? held.buffers() : [held]) unseen += bytes;
  if (unseen < LOAD || loads === LOADS) return;
  unseen = 0;
  try {
    net.register({}, new ArrayBuffer(LOAD));
    loads++;
  } catch {
    // Without room for it there is pressure enough.
  }
}

function isFreed(held: Buffer | Region): boolean {
  return held instanceof Region ? held.next === undefined : held.fate !== undefined;
}

/** Makes the innermost region free the buffer of `owner`; at top level, the garbage collector's word does. */
export function adopt(owner: Owner): void {
  settled();
  if (innermost !== undefined) innermost.add(owner.buffer);
  else watch(owner, owner.buffer);
}

/** Frees the region when nobody can reach `target` any more. */
export function freeWith(target: object, region: Region): void {
  register(target, region, region);
}

/** Frees a region of `freeWith` now; `target` may have others. */
export function freeNow(region: Region): void {
  region.free("dispose");
  net.unregister(region);
}

/** Makes what frees `neighbour` free `buffer` too; at top level, the garbage collection of `owner` does. */
export function adoptBeside(neighbour: Buffer, buffer: Buffer, owner: Owner): void {
  settled();
  if (neighbour.region !== undefined) neighbour.region.add(buffer);
  else watch(owner, buffer);
}

/** Takes a tensor out of the module that is running and leaves it to the scope around it. */
export function outliveModule(owner: Owner): void {
  if (innermost === innermostScope || owner.buffer.region !== innermost) return;
  innermost?.remove(owner.buffer);
  inRegions(innermostScope, innermostScope, () => adopt(owner));
}

/** What was recorded together and at top level: when nobody can reach it any more, its region is freed. */
export interface Graph {
  region: Region | undefined;
  /** Other graphs that must live as long as this one. */
  peers: Graph[] | undefined;
}

/** Like `adopt` for an intermediate of a recorded graph: the innermost scope frees it, or the loss of its graph. */
export function adoptInto(graph: Graph, buffer: Buffer): void {
  settled();
  (innermostScope ?? regionOf(graph)).add(buffer);
}

function regionOf(graph: Graph): Region {
  if (graph.region === undefined) {
    graph.region = new Region();
    watch(graph, graph.region);
  }
  return graph.region;
}

/** Runs `fn` as if at top level: what it makes outlives the scopes around it. */
export function outsideScopes<T>(fn: () => T): T {
  return inRegions(undefined, undefined, fn);
}

function inRegions<T>(region: Region | undefined, scopeRegion: Region | undefined, fn: () => T): T {
  const [outer, outerScope] = [innermost, innermostScope];
  innermost = region;
  innermostScope = scopeRegion;
  settled();
  try {
    return fn();
  } finally {
    innermost = outer;
    innermostScope = outerScope;
  }
}

/**
 * Runs `fn` and frees every tensor made inside it, except those in what `fn` returns: a tensor, a module, an
 * optimizer, or arrays and plain objects of them. Scopes nest. What belongs to a parameter or an optimizer (gradients,
 * momentum) outlives the scope in which it was first made.
 * @throws GraphError if `fn` returns a promise: a scope ends when `fn` returns, before the promise would settle.
 */
export function scope<T>(fn: () => T): T {
  expectFunction("scope", fn);
  return scopeOf("scope", fn);
}

/** The fate of what was made in a function of the user's that the library called. */
export function ended(what: string): Ended {
  return `was freed when ${what} returned; keep its values by item() or toArray(), or make it outside`;
}

/** A scope that may be the library's own: `fate` says what the user knows of its end. */
export function scopeOf<T>(fate: "scope" | Ended, fn: () => T): T {
  const made = new Region();
  try {
    const result = inRegions(made, made, fn);
    refusePromise("scope", result);
    keep(result, made);
    return result;
  } finally {
    made.free(fate);
  }
}

/** A recorded result: the graph it is in, and buffers to free when that has been walked. */
export interface Recorded {
  readonly graph: Graph;
  leftovers: readonly Buffer[];
}

/**
 * Runs an op that is composed of ops. If its result was not recorded, nothing but the result lives on. If it was, what
 * was not recorded on the way, constants for instance, goes when the result has been walked back.
 */
export function composed<T extends Owner>(fn: () => T, recordedIn: (result: T) => Recorded | undefined): T {
  const made = new Region();
  try {
    const result = inRegions(made, innermostScope, fn);
    const recorded = recordedIn(result);
    if (recorded === undefined) keep(result, made);
    else if (made.next !== undefined) {
      recorded.leftovers = [...recorded.leftovers, ...made.buffers()];
      made.moveTo(innermostScope ?? regionOf(recorded.graph));
    }
    return result;
  } finally {
    made.free("op");
  }
}

/**
 * Runs the forward pass of a module. What the module has in its fields afterwards is left to the scope around it. If
 * nothing of the result was recorded, the result lives on, and nothing else. If it was, what was not recorded on the way
 * lives as long as the graphs of the result; the inputs of recorded ops among it, constants for instance, go before that
 * when a single result has been walked back.
 */
export function inModule<T>(module: object, fn: () => T, recordedIn: (result: T) => Recorded[]): T {
  const made = new Region();
  const outer = innermost;
  try {
    const result = inRegions(made, innermostScope, fn);
    refusePromise("forward", result);
    if (made.next === undefined) return result;
    inRegions(innermostScope, innermostScope, () => {
      for (const field of Object.values(module)) keep(field, made, "tensors");
    });
    keep(result, made);
    const [first, ...others] = recordedIn(result);
    if (first === undefined || made.next === undefined) return result;
    if (others.length === 0) {
      const consumed = [...made.buffers()].filter((buffer) => buffer.consumed);
      first.leftovers = [...first.leftovers, ...consumed];
    }
    made.moveTo(outer ?? regionOf(first.graph));
    for (const { graph } of others) {
      if (graph !== first.graph) graph.peers = [...(graph.peers ?? []), first.graph];
    }
    return result;
  } finally {
    made.free("module");
  }
}

/**
 * Hands the tensors in `value` whose buffers are in `made` to the region around it: a tensor, those of arrays and plain
 * objects, and unless only "tensors" are asked for those of modules and optimizers.
 */
function keep(value: unknown, made: Region, what: "all" | "tensors" = "all", seen?: Set<unknown>): void {
  if (typeof value !== "object" || value === null) return;
  if (brand in value) {
    keepOwner(value as Owner, made);
    return;
  }
  seen ??= new Set();
  if (seen.has(value)) return;
  seen.add(value);
  if (owned in value) {
    if (what === "tensors") return;
    for (const owner of (value as { [owned](): Iterable<Owner> })[owned]()) keep(owner, made, what, seen);
  } else if (value instanceof Map || value instanceof Set) {
    for (const item of value.values()) keep(item, made, what, seen);
  } else if (Array.isArray(value) || isPlain(value)) {
    for (const item of Object.values(value)) keep(item, made, what, seen);
  }
}

function keepOwner(first: Owner, made: Region): void {
  // A loop, since gradients of gradients may form a long chain.
  for (let owner: Owner | undefined = first; owner !== undefined; ) {
    const { buffer, leaf }: Owner = owner;
    if (buffer.region === made) {
      made.remove(buffer);
      adopt(owner);
    }
    if (leaf?.own?.region === made) {
      made.remove(leaf.own);
      adoptBeside(buffer, leaf.own, owner);
    }
    const held: "own" | Owner | null | undefined = leaf?.held();
    owner = held === "own" ? leaf?.shown : (held ?? undefined);
  }
}

/** Whether `value` is an object as literals make them, or one without a prototype. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
