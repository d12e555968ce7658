// Rewrites the compiled kernels, byte by byte, for engines without relaxed SIMD.
import { Reader, uleb } from "./reader";

const [TYPES, FUNCTIONS, CODE] = [1, 3, 10];
const V128 = 0x7b;
const [LOCAL_GET, LOCAL_SET, LOCAL_TEE, SIMD] = [0x20, 0x21, 0x22, 0xfd];
const RELAXED = 0x100;
const RELAXED_MADD = 0x105;

/**
 * The module with each `f32x4.relaxed_madd` written out as src/binary/fuse.ts finds it. Its local comes right after
 * the parameters: similar functions then have similar bytes, and compress better.
 */
export function unfuse(bytes: Uint8Array): { bytes: Uint8Array; count: number } {
  const reader = new Reader(bytes);
  const out = [...reader.take(8)];
  let parameters: number[] = [];
  let ofFunctions: number[] = [];
  let count = 0;
  while (!reader.done) {
    const id = reader.byte();
    const section = new Reader(reader.take(reader.uleb()));
    if (id === TYPES) parameters = section.list(() => functionType(section));
    if (id === FUNCTIONS) ofFunctions = section.list(() => parameters[section.uleb()]!);
    if (id !== CODE) {
      out.push(id, ...uleb(section.bytes.length), ...section.bytes);
      continue;
    }
    let i = 0;
    const bodies = section.list(() => {
      const body = section.take(section.uleb());
      const rewritten = functionBody(new Reader(body), ofFunctions[i++]!);
      count += rewritten.count;
      return [...uleb(rewritten.bytes.length), ...rewritten.bytes];
    });
    const code = [...uleb(bodies.length), ...bodies.flat()];
    out.push(id, ...uleb(code.length), ...code);
  }
  return { bytes: Uint8Array.from(out), count };
}

/** The number of parameters. */
function functionType(section: Reader): number {
  section.byte();
  const count = section.list(() => section.byte()).length;
  section.list(() => section.byte());
  return count;
}

function functionBody(body: Reader, parameters: number): { bytes: number[]; count: number } {
  const locals = body.list(() => [...uleb(body.uleb()), body.byte()]);
  const code: number[] = [];
  const start = body.at;
  let count = 0;
  for (const { opcode, simd } of body.instructions()) {
    if (opcode === SIMD && simd! >= RELAXED && simd !== RELAXED_MADD)
      throw new Error(`cannot unfuse 0x${simd!.toString(16)}`);
    count += Number(simd === RELAXED_MADD);
  }
  if (count === 0) return { bytes: [...body.bytes], count };
  body.at = start;
  const t = uleb(parameters);
  for (const { opcode, simd, local, raw } of body.instructions()) {
    if (simd === RELAXED_MADD) {
      code.push(LOCAL_SET, ...t, SIMD, 0xe6, 0x01, LOCAL_GET, ...t, SIMD, 0xe4, 0x01);
    } else if (opcode >= LOCAL_GET && opcode <= LOCAL_TEE) {
      code.push(opcode, ...uleb(local! >= parameters ? local! + 1 : local!));
    } else {
      code.push(...raw);
    }
  }
  return { bytes: [...uleb(locals.length + 1), 1, V128, ...locals.flat(), ...code], count };
}
