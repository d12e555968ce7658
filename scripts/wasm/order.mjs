// @ts-check
// Puts the functions of a module in an order in which it compresses better: each beside those that it has most in common with.
import { brotliCompressSync } from "node:zlib";

/** Length of the pieces by which functions are compared, in bytes. */
const PIECE = 6;
/** The number of functions before it that one is compared with. */
const BEFORE = 3;
/** The longer a function, the more it has in common with any: by which powers of the length to divide. The best is taken. */
const POWERS = [0.4, 0.5, 0.6, 0.7];

/** The bodies of the functions of a module, in their order. @param {Uint8Array} bytes */
function bodiesOf(bytes) {
  const CODE = 10;
  let at = 8;
  const uleb = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = /** @type {number} */ (bytes[at++]);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  for (;;) {
    const id = bytes[at++];
    const length = uleb();
    if (id === CODE) break;
    at += length;
  }
  return Array.from({ length: uleb() }, () => {
    const length = uleb();
    at += length;
    return Buffer.from(bytes.subarray(at - length, at));
  });
}

/** @param {Buffer} body */
function piecesOf(body) {
  const pieces = new Set();
  for (let i = 0; i + PIECE <= body.length; i++) pieces.add(body.toString("latin1", i, i + PIECE));
  return pieces;
}

/** @param {readonly Buffer[]} bodies */
function best(bodies) {
  const pieces = bodies.map(piecesOf);
  const orders = POWERS.map((power) => {
    const order = similar(bodies, pieces, power);
    return { order, size: brotliCompressSync(Buffer.concat(order.map((i) => bodies[i]))).length };
  });
  return orders.reduce((a, b) => (b.size < a.size ? b : a)).order;
}

/**
 * The positions of the bodies in the new order, the longest first.
 * @param {readonly Buffer[]} bodies @param {readonly Set<string>[]} pieces @param {number} power
 */
function similar(bodies, pieces, power) {
  const left = new Set(bodies.keys());
  const order = [];
  let next = bodies.reduce((most, { length }, i) => (length > bodies[most].length ? i : most), 0);
  while (left.delete(next)) {
    order.push(next);
    const before = new Set(order.slice(-BEFORE).flatMap((i) => [...pieces[i]]));
    let best = -1;
    for (const i of left) {
      let shared = 0;
      for (const piece of pieces[i]) if (before.has(piece)) shared++;
      const share = shared / (pieces[i].size + 1) ** power;
      if (share > best) [best, next] = [share, i];
    }
  }
  return order;
}

/** @typedef {typeof import("assemblyscript/binaryen").default} Binaryen */

/** @param {ReturnType<Binaryen["readBinary"]>} module from an optimised binary @param {Binaryen} binaryen */
export function reorder(module, binaryen) {
  const functions = Array.from({ length: module.getNumFunctions() }, (_, i) =>
    binaryen.getFunctionInfo(module.getFunctionByIndex(i)),
  ).filter(({ module }) => !module);
  const order = best(bodiesOf(module.emitBinary()));
  for (const { name } of functions) module.removeFunction(name);
  for (const i of order) {
    const { name, params, results, vars, body } = functions[i];
    module.addFunction(name, params, results, vars, body);
  }
}
