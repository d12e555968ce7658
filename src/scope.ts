// Who frees a buffer: the region it is in. A region is a doubly linked list of the buffers themselves, so that a buffer
// leaves it in one step when it is freed before its time.
import { GraphError } from "./errors";
import { Buffer, type Fate } from "./memory";

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

/** Anything that lives in a buffer; in practice, tensors. */
export interface Owner {
  readonly buffer: Buffer;
}

/** Gives the tensors of a module or an optimizer, so that `scope` keeps them when it is returned. */
export const owned = Symbol("nablas.owned");

// The region that frees what is made now: that of the innermost scope, or of a composed op or module inside it.
let innermost: Region | undefined;
let innermostScope: Region | undefined;

// The net under tensors made at top level and never disposed of: one entry per tensor, or one per graph.
const net = new FinalizationRegistry<Buffer | Region>((lost) => lost.free("garbage"));

/** Makes the innermost region free the buffer of `owner`; at top level, the garbage collector's word does. */
export function adopt(owner: Owner): void {
  if (innermost !== undefined) innermost.add(owner.buffer);
  else net.register(owner, owner.buffer);
}

/** What was recorded together and at top level: when nobody can reach it any more, its region is freed. */
export interface Graph {
  region: Region | undefined;
  /** Another graph that must live as long as this one. */
  peer: Graph | undefined;
}

/** Like `adopt` for an intermediate of a recorded graph: the innermost scope frees it, or the loss of its graph. */
export function adoptInto(graph: Graph, buffer: Buffer): void {
  (innermostScope ?? regionOf(graph)).add(buffer);
}

function regionOf(graph: Graph): Region {
  if (graph.region === undefined) {
    graph.region = new Region();
    net.register(graph, graph.region);
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
  const made = new Region();
  try {
    const result = inRegions(made, made, fn);
    refusePromise("scope", result);
    keep(result, made);
    return result;
  } finally {
    made.free("scope");
  }
}

/** @throws GraphError if `result` is a promise. */
export function refusePromise(name: string, result: unknown): void {
  if (typeof (result as { then?: unknown } | null | undefined)?.then === "function") {
    throw new GraphError(
      `${name}: its function returned a promise, but ${name} ends when the function returns; await outside of it`,
    );
  }
}

/** A recorded result of a composed op: the graph it is in, and what to free when that has been walked. */
export interface Recorded {
  readonly graph: Graph;
  leftovers: readonly Buffer[];
}

/**
 * Runs an op or a module that is composed of ops. If nothing of its result was recorded, only the result lives on.
 * Otherwise what was not recorded on the way may be needed to go back: it lives as long as the graphs of the result,
 * and no longer than the backward pass of a single one.
 */
export function composed<T>(fn: () => T, recordedIn: (result: T) => Recorded[]): T {
  const made = new Region();
  const outer = innermost;
  try {
    const result = inRegions(made, innermostScope, fn);
    const [first, ...others] = recordedIn(result);
    if (first === undefined) {
      keep(result, made);
      return result;
    }
    if (outer === innermostScope && others.length === 0 && made.next !== undefined) {
      first.leftovers = [...first.leftovers, ...made.buffers()];
    }
    made.moveTo(outer ?? regionOf(first.graph));
    for (const { graph } of others) if (graph !== first.graph) graph.peer = first.graph;
    return result;
  } finally {
    made.free("module");
  }
}

/** Hands the owners in `value` whose buffers are in `made` to the scope around it. */
function keep(value: unknown, made: Region, seen = new Set<unknown>()): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if ((value as Partial<Owner>).buffer instanceof Buffer) {
    const owner = value as Owner;
    if (owner.buffer.region !== made) return;
    made.remove(owner.buffer);
    adopt(owner);
  } else if (owned in value) {
    for (const owner of (value as { [owned](): Iterable<Owner> })[owned]()) keep(owner, made, seen);
  } else if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) keep(item, made, seen);
  }
}
