// The ends of a chart's axes and their ticks, for any finite numbers: few ticks, in a time that does not depend on the values.

type Ends = [min: number, max: number];

/** Ticks of an axis at most, however long it is. */
const MOST = 50;

/** Beyond ±LARGEST differences overflow, and below SMALLEST steps lose their digits. */
const LARGEST = 1e300;
const SMALLEST = 1e-300;

const within = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

/** The largest power of ten that is at most x > 0, exactly as it is written. */
const powerOfTen = (exponent: number): number => Number(`1e${exponent}`);
const decadeOf = (x: number): number => powerOfTen(Math.floor(Math.log10(x)));

/** Whether steps from min to max can be told apart in float64. */
function isWide(min: number, max: number): boolean {
  return max - min > Math.max(1e-12 * Math.max(Math.abs(min), Math.abs(max)), SMALLEST);
}

/** The ends of a linear axis for values from `min` to `max`, with a margin of a tenth, which does not cross 0. */
export function linearEnds(min: number, max: number): Ends {
  const [low, high] = [within(min, -LARGEST, LARGEST), within(max, -LARGEST, LARGEST)];
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (size < SMALLEST) return [0, 1];
  const air = isWide(low, high) ? 0.1 * (high - low) : 0.5 * size;
  // Rounded, so that the ends stand still while values move a little.
  const step = decadeOf(high - low + 2 * air) / 10;
  const from = Math.floor((low - air) / step) * step;
  const to = Math.ceil((high + air) / step) * step;
  return [low >= 0 ? Math.max(0, from) : from, high <= 0 ? Math.min(0, to) : to];
}

/** These ends of a linear axis, where there can be an axis between them. */
export function givenEnds([min, max]: readonly [number, number]): Ends {
  if (Number.isNaN(min) || Number.isNaN(max)) return [0, 1];
  const ends: Ends = [
    within(Math.min(min, max), -LARGEST, LARGEST),
    within(Math.max(min, max), -LARGEST, LARGEST),
  ];
  return isWide(...ends) ? ends : linearEnds(...ends);
}

/** The ends of a logarithmic axis for values from `min` to `max`, above 0: powers of ten. */
export function logEnds(min: number, max: number): Ends {
  const exponent = (x: number, round: (x: number) => number) => within(round(Math.log10(x)), -300, 300);
  const [from, to] = [exponent(min, Math.floor), exponent(max, Math.ceil)];
  return from < to ? [powerOfTen(from), powerOfTen(to)] : [powerOfTen(from - 1), powerOfTen(from + 1)];
}

/** Ticks of a linear axis: multiples of 1, 2 or 5 times a power of ten, at most `room` steps, or three. */
export function linearTicks(min: number, max: number, room: number): number[] {
  const least = (max - min) / within(room, 3, MOST - 1);
  const decade = decadeOf(least);
  const step = decade * ([1, 2, 5].find((times) => times * decade >= least) ?? 10);
  const first = Math.ceil(min / step);
  const count = within(Math.floor(max / step) - first + 1, 0, MOST);
  return Array.from({ length: count }, (_, i) => (first + i) * step);
}

/** Ticks of a logarithmic axis: powers of ten, of which there is one at every end of a decade, or of several. */
export function logTicks(min: number, max: number): number[] {
  const [from, to] = [Math.round(Math.log10(min)), Math.round(Math.log10(max))];
  const every = Math.max(1, Math.ceil((to - from) / 6));
  const first = Math.ceil(from / every);
  const count = Math.floor(to / every) - first + 1;
  return Array.from({ length: count }, (_, i) => powerOfTen((first + i) * every));
}

/** How many digits tell these ticks apart; 3 at least. */
export function digitsOf(ticks: readonly number[]): number {
  const [first = 0, second = first] = ticks;
  const largest = Math.max(...ticks.map(Math.abs), 0);
  const needed =
    second > first ? Math.floor(Math.log10(largest)) - Math.floor(Math.log10(second - first)) + 1 : 3;
  return within(needed, 3, 15);
}
