// As much of the binary format of WebAssembly as rewriting the kernels takes.
// Source: WebAssembly Core Specification 2.0, "Binary Format", and the proposals for relaxed SIMD and threads.

interface Instruction {
  opcode: number;
  /** The opcode behind the prefix 0xfd. */
  simd: number | undefined;
  /** The opcode behind the prefix 0xfe. */
  atomic: number | undefined;
  /** The index that local.get, local.set and local.tee have. */
  local: number | undefined;
  /** All its bytes. */
  raw: Uint8Array;
}

/** An unsigned integer in LEB128. */
export function uleb(value: number): number[] {
  const rest = Math.floor(value / 128);
  return rest === 0 ? [value] : [(value % 128) | 128, ...uleb(rest)];
}

export class Reader {
  at = 0;

  constructor(readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    return this.bytes[this.at++]!;
  }

  take(count: number): Uint8Array {
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  uleb(): number {
    const byte = this.byte();
    return byte < 128 ? byte : byte - 128 + 128 * this.uleb();
  }

  /** A vector: how many there are, and each as `read` reads it. */
  list<T>(read: () => T): T[] {
    return Array.from({ length: this.uleb() }, read);
  }

  /** The instructions from here to the end. */
  *instructions(): Generator<Instruction> {
    while (!this.done) {
      const start = this.at;
      const opcode = this.byte();
      const simd = opcode === 0xfd ? this.uleb() : undefined;
      const atomic = opcode === 0xfe ? this.uleb() : undefined;
      const local = opcode >= 0x20 && opcode <= 0x22 ? this.uleb() : undefined;
      if (simd !== undefined) this.skipSimd(simd);
      else if (atomic !== undefined) this.skipAtomic(atomic);
      else if (local === undefined) this.skip(opcode);
      yield { opcode, simd, atomic, local, raw: this.bytes.subarray(start, this.at) };
    }
  }

  private skipSimd(opcode: number): void {
    if (opcode <= 0x0b || opcode === 0x5c || opcode === 0x5d) this.skipMemory();
    else if (opcode === 0x0c || opcode === 0x0d) this.at += 16;
    else if (opcode >= 0x15 && opcode <= 0x22) this.at++;
    else if (opcode >= 0x54 && opcode <= 0x5b) {
      this.skipMemory();
      this.at++;
    }
  }

  private skipAtomic(opcode: number): void {
    const FENCE = 3;
    if (opcode === FENCE) this.at++;
    else this.skipMemory();
  }

  /** The immediates of what the compiler makes of kernels. */
  private skip(opcode: number): void {
    if (opcode >= 0x28 && opcode <= 0x3e) this.skipMemory();
    else if ([0x0c, 0x0d, 0x10, 0x23, 0x24, 0x41, 0x42].includes(opcode)) this.uleb();
    else if ([0x02, 0x03, 0x04, 0x3f, 0x40].includes(opcode)) this.at++;
    else if (opcode === 0x43) this.at += 4;
    else if (opcode === 0x44) this.at += 8;
    else if (opcode === 0x11) this.skipMemory();
    else if (opcode === 0x1c) this.list(() => this.byte());
    else if (opcode === 0x0e) {
      this.list(() => this.uleb());
      this.uleb();
    } else if (opcode === 0xfc) {
      const prefixed = this.uleb();
      if (prefixed > 11 || prefixed === 8 || prefixed === 9) throw new Error(`cannot read 0xfc ${prefixed}`);
      this.at += prefixed === 10 ? 2 : prefixed === 11 ? 1 : 0;
    }
  }

  /** Alignment and offset, or what else has two numbers. */
  private skipMemory(): void {
    this.uleb();
    this.uleb();
  }
}
