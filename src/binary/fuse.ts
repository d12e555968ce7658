// The two binaries differ in their multiply-adds alone. In the baseline each is
//
//   local.set t; f32x4.mul; local.get t; f32x4.add        with a, b, c on the stack: a b + c
//
// in ten bytes, into which f32x4.relaxed_madd and seven `nop`s fit.
const ANY = -1;
const UNFUSED = [0x21, ANY, 0xfd, 0xe6, 0x01, 0x20, ANY, 0xfd, 0xe4, 0x01];
const FUSED = [0xfd, 0x85, 0x02, ...Array<number>(7).fill(0x01)];

/** Makes the relaxed binary of the baseline, in place; gives the number of multiply-adds. */
export function fuse(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(UNFUSED[0]!); at >= 0; at = bytes.indexOf(UNFUSED[0]!, at + 1)) {
    if (!isUnfused(bytes, at)) continue;
    bytes.set(FUSED, at);
    count++;
  }
  return count;
}

function isUnfused(bytes: Uint8Array, at: number): boolean {
  const t = bytes[at + 1];
  for (let i = 2; i < UNFUSED.length; i++) {
    const byte = UNFUSED[i];
    if (bytes[at + i] !== (byte === ANY ? t : byte)) return false;
  }
  return true;
}
