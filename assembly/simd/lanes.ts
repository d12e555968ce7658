// Lanes at the end of a row: the same arithmetic as in its body, with what does not belong to it masked out.

// Loading at LANE_MASKS + 4 · (4 − count) gives `count` lanes of ones, then zeros.
const LANE_MASKS: usize = memory.data<i32>([-1, -1, -1, -1, 0, 0, 0, 0], 16);

export class Lanes {
  /** All bits of the first `count` lanes, 0 ≤ count ≤ 4. */
  @inline static mask(count: i32): v128 {
    return v128.load(LANE_MASKS + ((4 - count) << 2));
  }

  /** Stores the first `count` lanes, 1 ≤ count ≤ 3. */
  @inline static store(y: usize, v: v128, count: i32): void {
    if (count & 2) {
      v128.store64_lane(y, v, 0);
      if (count & 1) v128.store32_lane(y, v, 2, 8);
    } else {
      v128.store32_lane(y, v, 0);
    }
  }

  /** −1, 0 or 1 by the sign of x. */
  @inline static sign(x: v128): v128 {
    const one = v128.or(v128.and(x, f32x4.splat(-0.0)), f32x4.splat(1));
    return v128.and(one, f32x4.ne(x, f32x4.splat(0)));
  }

  /** x0 + x1 + x2 + x3 as (x0 + x2) + (x1 + x3). */
  @inline static sum(x: v128): f32 {
    const pairs = f32x4.add(x, i8x16.shuffle(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
  }

  /** The largest lane; NaN if one is NaN. */
  @inline static max(x: v128): f32 {
    return max(
      max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
      max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
    );
  }

  /** The smallest lane; NaN if one is NaN. */
  @inline static min(x: v128): f32 {
    return min(
      min(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
      min(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
    );
  }
}
