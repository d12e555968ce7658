// Unpacks the kernels, which the package carries compressed: the decoder of LZMA streams with lc = 3, lp = 0, pb = 2,
// after Igor Pavlov's "LZMA specification" (2015), whose names it keeps. A module of its own, dropped after its use.

/** States from which the last step was not a literal. */
const MATCHED: u32 = 7;
const STATES: u32 = 12;
const POS_STATES: u32 = 4;

// Probabilities, u16 each, by their first index.
const IS_MATCH: u32 = 0;
const IS_REP: u32 = IS_MATCH + STATES * POS_STATES;
const IS_REP0: u32 = IS_REP + STATES;
const IS_REP1: u32 = IS_REP0 + STATES;
const IS_REP2: u32 = IS_REP1 + STATES;
const IS_REP0_LONG: u32 = IS_REP2 + STATES;
const POS_SLOT: u32 = IS_REP0_LONG + STATES * POS_STATES;
const POS_SPECIAL: u32 = POS_SLOT + 4 * 64;
const ALIGN: u32 = POS_SPECIAL + 128;
const MATCH_LEN: u32 = ALIGN + 16;
const REP_LEN: u32 = MATCH_LEN + 2 + 2 * POS_STATES * 8 + 256;
const LITERAL: u32 = REP_LEN + 2 + 2 * POS_STATES * 8 + 256;
const PROBS: u32 = LITERAL + 8 * 0x300;

/** Where the probabilities are in memory; the input comes behind them, and the output behind that. */
export const input: usize = PROBS << 1;

let src: usize = 0;
let range: u32 = 0;
let code: u32 = 0;

/**
 * So many bits, the highest first, each by the adaptive probability that belongs to those before it; with a 1 in front.
 * What is read and written in each turn is local: engines run this before they have optimised it.
 */
function tree(probs: u32, bits: u32): u32 {
  let m: u32 = 1, r = range, c = code;
  do {
    const at = <usize>(probs + m) << 1;
    const p = <u32>load<u16>(at);
    const bound = (r >>> 11) * p;
    m <<= 1;
    if (c >= bound) {
      r -= bound;
      c -= bound;
      store<u16>(at, p - (p >>> 5));
      m |= 1;
    } else {
      r = bound;
      store<u16>(at, p + ((2048 - p) >>> 5));
    }
    if (!(r >>> 24)) {
      r <<= 8;
      c = (c << 8) | load<u8>(src++);
    }
  } while (--bits);
  range = r;
  code = c;
  return m;
}

/** A bit by the probability at `prob`. */
function bit(prob: u32): u32 {
  return tree(prob - 1, 1) & 1;
}

/** The bits of a tree, the lowest first. */
function reverseTree(probs: u32, bits: u32): u32 {
  let m = tree(probs, bits), value: u32 = 0;
  for (; m > 1; m >>>= 1) value = (value << 1) | (m & 1);
  return value;
}

function literal(previous: u32, match: u32, matched: bool): u32 {
  const probs = LITERAL + 0x300 * (previous >>> 5);
  if (!matched) return tree(probs, 8);
  let symbol: u32 = 1;
  while (matched && symbol < 0x100) {
    match <<= 1;
    const b = bit(probs + 0x100 + (match & 0x100) + symbol);
    matched = b == (match >>> 8 & 1);
    symbol = (symbol << 1) | b;
  }
  while (symbol < 0x100) symbol = (symbol << 1) | bit(probs + symbol);
  return symbol;
}

function length(probs: u32, posState: u32): u32 {
  if (!bit(probs)) return tree(probs + 2 + posState * 8, 3) - 6;
  if (!bit(probs + 1)) return tree(probs + 2 + (POS_STATES + posState) * 8, 3) + 2;
  return tree(probs + 2 + 2 * POS_STATES * 8, 8) - 238;
}

/** How far back a match begins, minus 1. */
function distance(length: u32): u32 {
  const slot = tree(POS_SLOT + min<u32>(length - 2, 3) * 64, 6) - 64;
  if (slot < 4) return slot;
  const bits = (slot >>> 1) - 1;
  const high = (2 | (slot & 1)) << bits;
  if (slot < 14) return high + reverseTree(POS_SPECIAL + high - slot, bits);
  let middle: u32 = 0;
  for (let i: u32 = 4; i < bits; i++) {
    range >>>= 1;
    const one = u32(code >= range);
    if (one) code -= range;
    middle = (middle << 1) + one;
    if (!(range >>> 24)) {
      range <<= 8;
      code = (code << 8) | load<u8>(src++);
    }
  }
  return high + (middle << 4) + reverseTree(ALIGN, 4);
}

/** Writes `size` bytes to `output`, from the stream at `input`. */
export function unpack(output: usize, size: u32): void {
  for (let i: usize = 0; i < PROBS; i++) store<u16>(i << 1, 1024);
  src = input + 5;
  range = 0xffffffff;
  code = bswap(load<u32>(input + 1));
  let state: u32 = 0, rep0: u32 = 0, rep1: u32 = 0, rep2: u32 = 0, rep3: u32 = 0;
  for (let pos: u32 = 0; pos < size; ) {
    const posState = pos & (POS_STATES - 1);
    const to = output + pos;
    const from = to - rep0 - 1;
    if (!bit(IS_MATCH + state * POS_STATES + posState)) {
      store<u8>(to, literal(pos ? load<u8>(to - 1) : 0, state < MATCHED ? 0 : load<u8>(from), state >= MATCHED));
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      pos++;
      continue;
    }
    let n: u32;
    if (!bit(IS_REP + state)) {
      rep3 = rep2;
      rep2 = rep1;
      rep1 = rep0;
      n = length(MATCH_LEN, posState);
      rep0 = distance(n);
      state = state < MATCHED ? 7 : 10;
    } else if (bit(IS_REP0 + state)) {
      let again = rep1;
      if (bit(IS_REP1 + state)) {
        again = rep2;
        if (bit(IS_REP2 + state)) {
          again = rep3;
          rep3 = rep2;
        }
        rep2 = rep1;
      }
      rep1 = rep0;
      rep0 = again;
      n = length(REP_LEN, posState);
      state = state < MATCHED ? 8 : 11;
    } else if (bit(IS_REP0_LONG + state * POS_STATES + posState)) {
      n = length(REP_LEN, posState);
      state = state < MATCHED ? 8 : 11;
    } else {
      n = 1;
      state = state < MATCHED ? 9 : 11;
    }
    for (const end = min(pos + n, size); pos < end; pos++) store<u8>(output + pos, load<u8>(output + pos - rep0 - 1));
  }
}
