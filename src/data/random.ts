// Random orders of rows. They are drawn outside of linear memory: an order is as long as the data, not as a batch.
import { OptionError, text } from "../errors";
import { rand } from "../ops/random";
import { scope } from "../scope";

/**
 * Numbers in [0, 1) of 32 bits, the same in every engine: sfc32 (Chris Doty-Humphrey, PractRand).
 * @param seed an integer from 0 to 2^53 − 1
 * @param stream one of 2^32 sequences that the seed has
 */
export function randomNumbers(seed: number, stream = 0): () => number {
  let [a, b, c, counter] = [stream | 0, seed | 0, Math.floor(seed / 2 ** 32) | 0, 1];
  const next = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return (t >>> 0) / 2 ** 32;
  };
  // Near seeds begin alike: twelve rounds part them.
  for (let i = 0; i < 12; i++) next();
  return next;
}

/**
 * The seed that a user gave, or one drawn from the generator that `manualSeed` starts.
 * @throws OptionError unless it is an integer from 0 to 2^53 − 1
 */
export function seedOf(op: string, given: number | undefined): number {
  const seed = given ?? drawSeed();
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new OptionError(`${op}: seed is an integer from 0 to 2^53 − 1, got ${text(seed)}`);
}

/** 48 bits: all that two float32 in [0, 1) have. */
function drawSeed(): number {
  return scope(() => {
    const [high, low] = rand([2]).data;
    return Math.floor(high! * 2 ** 24) * 2 ** 24 + Math.floor(low! * 2 ** 24);
  });
}

/** 0 … count − 1 in order, or in a random one: Fisher and Yates. */
export function rowOrder(count: number, random?: () => number): Int32Array {
  const order = new Int32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  if (random === undefined) return order;
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}
