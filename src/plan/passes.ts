// Kernel calls that a recorded list can do without. Each rewriting keeps every bit, but for the sign of zeros that the
// next kernel adds to something.
import { isPointer } from "./abi";
import type { Call } from "./recording";

/** Memory that belongs to the plan alone: nobody sees what it holds in between. */
export interface Temporary {
  ptr: number;
  bytes: number;
}

/** The list without needless calls; `temporaries` that are not touched any more fall away. */
export function simplify(recorded: readonly Call[], temporaries: readonly Temporary[]): Call[] {
  const list = new CallList(recorded, temporaries);
  list.dropZeroFills();
  list.fuseBiases();
  list.goBackInPlace();
  return list.calls.filter((call): call is Call => call !== undefined);
}

const FUSED = new Map([
  ["reluForward", "linearReluForward"],
  ["sigmoidForward", "linearSigmoidForward"],
  ["tanhForward", "linearTanhForward"],
]);

const IN_PLACE = new Map([
  ["reluBackward", "linearReluBackward"],
  ["sigmoidBackward", "linearSigmoidBackward"],
  ["tanhBackward", "linearTanhBackward"],
]);

class CallList {
  readonly calls: (Call | undefined)[];

  constructor(
    recorded: readonly Call[],
    private readonly temporaries: readonly Temporary[],
  ) {
    this.calls = recorded.map((call) => ({ ...call, args: [...call.args] }));
  }

  /** Zeros that the next kernel adds to, when it can overwrite as well. */
  dropZeroFills(): void {
    for (const [i, call] of this.calls.entries()) {
      if (call?.name !== "zero") continue;
      const [p, n] = call.args as [number, number];
      const next = this.calls[this.nextTouch(i, p, 4 * n)];
      if (next !== undefined && this.overwrite(next, p, n)) this.calls[i] = undefined;
    }
  }

  /** Makes a call write n elements at p instead of adding to them, if it can. */
  private overwrite({ name, args }: Call, p: number, n: number): boolean {
    if (name === "zero") return args[0] === p && args[1]! >= n;
    const once = args.filter((x, k) => isPointer(name, k) && x >= p && x < p + 4 * n).length === 1;
    if (!once) return false;
    const [, second, third, , M, N] = args as [number, number, number, number, number, number];
    if (name === "matmul" && third === p && M * N === n) {
      args[9] = 0;
      return true;
    }
    if (name === "sumForward" && second === p && args[3]! * args[5]! === n) {
      args[7] = 0;
      return true;
    }
    return false;
  }

  /** A bias that is added, then an activation: one kernel. */
  fuseBiases(): void {
    for (const [i, call] of this.calls.entries()) {
      if (call?.name !== "addForward") continue;
      const [z, bias, y, rows, cols, aRow, aCol, bRow, bCol] = call.args as number[];
      if (z !== y || aRow !== cols || aCol !== 1 || bRow !== 0 || bCol !== 1) continue;
      const n = rows! * cols!;
      const j = this.nextTouch(i, z!, 4 * n);
      const next = this.calls[j];
      const fused = next && FUSED.get(next.name);
      if (fused === undefined || next!.args[0] !== z || next!.args[2] !== n) continue;
      this.calls[i] = undefined;
      this.calls[j] = { name: fused, args: [z!, bias!, next!.args[1]!, rows!, cols!] };
    }
  }

  /** The way back through an activation whose incoming gradient nobody needs afterwards: in its place. */
  goBackInPlace(): void {
    for (const [i, call] of this.calls.entries()) {
      if (call?.name !== "zero") continue;
      const [dz, n] = call.args as [number, number];
      const to = this.temporaryAt(dz);
      const j = this.nextTouch(i, dz, 4 * n);
      const next = this.calls[j];
      const inPlace = next && IN_PLACE.get(next.name);
      if (inPlace === undefined || to === undefined) continue;
      const [saved, dy, target, size] = next!.args as [number, number, number, number];
      const from = this.temporaryAt(dy);
      if (target !== dz || size !== n || from === undefined || from.bytes !== to.bytes || from === to)
        continue;
      if (this.nextTouch(j, dy, from.bytes) >= 0 || saved === dy || dz !== to.ptr || dy !== from.ptr)
        continue;
      this.calls[i] = undefined;
      this.calls[j] = { name: inPlace, args: [saved, dy, n] };
      this.move(to, from, j + 1);
    }
  }

  /** Lets the calls from `start` on use another place. */
  private move(from: Temporary, to: Temporary, start: number): void {
    for (const call of this.calls.slice(start)) {
      call?.args.forEach((x, k) => {
        if (isPointer(call.name, k) && x >= from.ptr && x < from.ptr + from.bytes)
          call.args[k] = x - from.ptr + to.ptr;
      });
    }
  }

  private temporaryAt(p: number): Temporary | undefined {
    return this.temporaries.find(({ ptr, bytes }) => p >= ptr && p < ptr + bytes);
  }

  /** The first call after the i-th that touches these bytes, or −1. */
  private nextTouch(i: number, p: number, bytes: number): number {
    for (let j = i + 1; j < this.calls.length; j++) {
      const call = this.calls[j];
      if (call?.args.some((x, k) => isPointer(call.name, k) && x >= p && x < p + Math.max(16, bytes)))
        return j;
    }
    return -1;
  }
}
