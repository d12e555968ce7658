// Kernel calls as assembly/replay.ts reads them.
import { signatureNames } from "../../build/abi";
import { placeOf } from "../wasm";
import { signatureOf } from "./abi";

/** Bytes of an entry, of its slots, and where in it a search leaves what it has found. */
export const ENTRY = 128;
const SLOT = 8;
export const FOUND = 112;

/** What entries of a kernel begin with, and the types of its parameters. */
interface Head {
  place: number;
  signature: number;
  types: string;
}

const heads = new Map<string, Head>();

function headOf(name: string): Head {
  let head = heads.get(name);
  if (head === undefined) {
    const signature = signatureOf(name);
    head = { place: placeOf(name), signature, types: signatureNames[signature]!.replace("search_", "") };
    heads.set(name, head);
  }
  return head;
}

/** Writes a call at a place in linear memory. */
export function writeEntry(cells: DataView, at: number, name: string, args: readonly number[]): void {
  const { place, signature, types } = headOf(name);
  cells.setUint32(at, place, true);
  cells.setUint32(at + 4, signature, true);
  for (let k = 0; k < args.length; k++) {
    const slot = at + SLOT * (k + 1);
    const type = types.charCodeAt(k);
    if (type === I) cells.setInt32(slot, args[k]!, true);
    else if (type === F) cells.setFloat32(slot, args[k]!, true);
    else cells.setFloat64(slot, args[k]!, true);
  }
}

const [I, F] = [105, 102];
