/** a^b lane by lane: the scalar function works in float64 inside, which four float32 lanes cannot match. */
@inline
export function pow(a: v128, b: v128): v128 {
  return f32x4(
    Mathf.pow(f32x4.extract_lane(a, 0), f32x4.extract_lane(b, 0)),
    Mathf.pow(f32x4.extract_lane(a, 1), f32x4.extract_lane(b, 1)),
    Mathf.pow(f32x4.extract_lane(a, 2), f32x4.extract_lane(b, 2)),
    Mathf.pow(f32x4.extract_lane(a, 3), f32x4.extract_lane(b, 3)),
  );
}
