// A page's main thread may not sleep: what it calls of build/pool.wasm contains no instruction that does.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Reader } from "../scripts/wasm/reader";

const [IMPORTS, EXPORTS, CODE] = [2, 7, 10];
const [FUNCTION, MEMORY] = [0, 2];
const [CALL, CALL_INDIRECT] = [0x10, 0x11];
/** Behind 0xfe: memory.atomic.wait32 and memory.atomic.wait64. */
const WAITS = [1, 2];

interface Body {
  callees: number[];
  waits: boolean;
}

/** The exported functions of a module, and all of its own behind those it imports. */
function decode(bytes: Uint8Array): { exported: Map<string, number>; bodies: (Body | undefined)[] } {
  const reader = new Reader(bytes.subarray(8));
  const exported = new Map<string, number>();
  const bodies: (Body | undefined)[] = [];
  while (!reader.done) {
    const id = reader.byte();
    const section = new Reader(reader.take(reader.uleb()));
    const name = () => new TextDecoder().decode(section.take(section.uleb()));
    if (id === IMPORTS) section.list(() => imported(section, name) && bodies.push(undefined));
    if (id === CODE) section.list(() => bodies.push(bodyOf(new Reader(section.take(section.uleb())))));
    if (id === EXPORTS) {
      section.list(() => {
        const [as, kind, index] = [name(), section.byte(), section.uleb()];
        if (kind === FUNCTION) exported.set(as, index);
      });
    }
  }
  return { exported, bodies };
}

/** Whether it is a function that is imported. */
function imported(section: Reader, name: () => string): boolean {
  const [module, field, kind] = [name(), name(), section.byte()];
  if (kind !== FUNCTION && kind !== MEMORY) throw new Error(`cannot read the import ${module}.${field}`);
  const SHARED_WITH_MAXIMUM = 3;
  if (kind === MEMORY && section.byte() === SHARED_WITH_MAXIMUM) section.uleb();
  section.uleb();
  return kind === FUNCTION;
}

function bodyOf(body: Reader): Body {
  body.list(() => [body.uleb(), body.byte()]);
  const instructions = [...body.instructions()];
  expect(instructions.some(({ opcode }) => opcode === CALL_INDIRECT)).toBe(false);
  const calls = instructions.filter(({ opcode }) => opcode === CALL);
  return {
    callees: calls.map(({ raw }) => new Reader(raw.subarray(1)).uleb()),
    waits: instructions.some(({ atomic }) => WAITS.includes(atomic!)),
  };
}

test("of the pool's exports, only serve can wait", () => {
  const { exported, bodies } = decode(readFileSync(new URL("../build/pool.wasm", import.meta.url)));
  const reached = (from: number, seen = new Set<number>()): Set<number> => {
    if (seen.has(from)) return seen;
    seen.add(from);
    for (const callee of bodies[from]?.callees ?? []) reached(callee, seen);
    return seen;
  };
  const waiting = [...exported].filter(([, index]) => [...reached(index)].some((i) => bodies[i]?.waits));
  expect([...exported.keys()].sort()).toEqual(["join", "publish", "run", "serve", "wake", "work"]);
  expect(waiting.map(([name]) => name)).toEqual(["serve"]);
});
