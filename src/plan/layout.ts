/** A block, and the first and the last kernel call that touches it. */
export interface Life {
  bytes: number;
  first: number;
  last: number;
}

/**
 * Where each block lies if blocks whose lives do not overlap may share memory, and how much that takes: the largest
 * first, each at the lowest place that is free during its life.
 */
export function layOut(lives: readonly Life[]): { offsets: number[]; bytes: number } {
  const offsets: number[] = new Array(lives.length).fill(0);
  const order = lives.map((_, i) => i).sort((i, j) => lives[j]!.bytes - lives[i]!.bytes || i - j);
  const placed: number[] = [];
  let bytes = 0;
  for (const i of order) {
    const { first, last, bytes: size } = lives[i]!;
    const rivals = placed.filter((j) => lives[j]!.first <= last && first <= lives[j]!.last);
    rivals.sort((j, k) => offsets[j]! - offsets[k]!);
    let at = 0;
    for (const j of rivals) {
      if (offsets[j]! - at >= size) break;
      at = Math.max(at, offsets[j]! + lives[j]!.bytes);
    }
    offsets[i] = at;
    bytes = Math.max(bytes, at + size);
    placed.push(i);
  }
  return { offsets, bytes };
}

/** Each block has a place of its own, with room for guard words behind it. */
export function apart(lives: readonly Life[]): { offsets: number[]; bytes: number } {
  let bytes = 0;
  const offsets = lives.map((life) => {
    bytes += life.bytes + 16;
    return bytes - life.bytes - 16;
  });
  return { offsets, bytes };
}
