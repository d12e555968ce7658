// Arithmetic: unary and broadcasting binary ops, each with its derivatives.
import { backward, binary, binaryBackwardA, binaryBackwardB, forward } from "./simd/elementwise";
import { Lanes } from "./simd/lanes";
import { Math4 } from "./simd/math";
import { highHalf, lowHalf, narrow } from "./simd/moments";
import { Normal4 } from "./simd/normal";
import { pow } from "./simd/pow";

/** −x;  dx = −dy */
@unmanaged
class Neg {
  @inline forward(x: v128): v128 {
    return f32x4.neg(x);
  }
  @inline backward(_x: v128, dy: v128): v128 {
    return f32x4.neg(dy);
  }
}
export function negForward(x: usize, y: usize, n: i32): void { forward<Neg>(x, y, n); }
export function negBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<Neg>(x, dy, dx, n); }

/** y = e^x;  dx = dy · y */
@unmanaged
class Exp {
  @inline forward(x: v128): v128 {
    return Math4.exp(x);
  }
  @inline backward(y: v128, dy: v128): v128 {
    return f32x4.mul(dy, y);
  }
}
export function expForward(x: usize, y: usize, n: i32): void { forward<Exp>(x, y, n); }
export function expBackward(y: usize, dy: usize, dx: usize, n: i32): void { backward<Exp>(y, dy, dx, n); }

/** ln x;  dx = dy / x */
@unmanaged
class Log {
  @inline forward(x: v128): v128 {
    return Math4.log(x);
  }
  @inline backward(x: v128, dy: v128): v128 {
    return f32x4.div(dy, x);
  }
}
export function logForward(x: usize, y: usize, n: i32): void { forward<Log>(x, y, n); }
export function logBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<Log>(x, dy, dx, n); }

/** erf x;  dx = dy · 2/√π e^(−x²) */
@unmanaged
class Erf {
  @inline forward(x: v128): v128 {
    return Normal4.erf(x);
  }
  @inline backward(x: v128, dy: v128): v128 {
    return f32x4.mul(dy, Normal4.erfSlope(x));
  }
}
export function erfForward(x: usize, y: usize, n: i32): void { forward<Erf>(x, y, n); }
export function erfBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<Erf>(x, dy, dx, n); }

/** y = √x;  dx = dy / 2y */
@unmanaged
class Sqrt {
  @inline forward(x: v128): v128 {
    return f32x4.sqrt(x);
  }
  @inline backward(y: v128, dy: v128): v128 {
    return f32x4.div(dy, f32x4.add(y, y));
  }
}
export function sqrtForward(x: usize, y: usize, n: i32): void { forward<Sqrt>(x, y, n); }
export function sqrtBackward(y: usize, dy: usize, dx: usize, n: i32): void { backward<Sqrt>(y, dy, dx, n); }

/** x²;  dx = 2x · dy */
@unmanaged
class Square {
  @inline forward(x: v128): v128 {
    return f32x4.mul(x, x);
  }
  @inline backward(x: v128, dy: v128): v128 {
    return f32x4.mul(dy, f32x4.add(x, x));
  }
}
export function squareForward(x: usize, y: usize, n: i32): void { forward<Square>(x, y, n); }
export function squareBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<Square>(x, dy, dx, n); }

/** |x|;  dx = dy · sign x, 0 at 0 */
@unmanaged
class Abs {
  @inline forward(x: v128): v128 {
    return f32x4.abs(x);
  }
  @inline backward(x: v128, dy: v128): v128 {
    return f32x4.mul(dy, Lanes.sign(x));
  }
}
export function absForward(x: usize, y: usize, n: i32): void { forward<Abs>(x, y, n); }
export function absBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<Abs>(x, dy, dx, n); }

/** a + b;  da = dy, db = dy */
@unmanaged
class Add {
  @inline forward(a: v128, b: v128): v128 {
    return f32x4.add(a, b);
  }
  @inline backwardA(_a: v128, _b: v128, dy: v128): v128 {
    return dy;
  }
  @inline backwardB(_a: v128, _b: v128, dy: v128): v128 {
    return dy;
  }
}
export function addForward(
  a: usize, b: usize, y: usize, rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binary<Add>(a, b, y, rows, cols, aRow, aCol, bRow, bCol);
}
export function addBackwardA(
  a: usize, b: usize, dy: usize, da: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackwardA<Add>(a, b, dy, da, rows, cols, aRow, aCol, bRow, bCol);
}
export function addBackwardB(
  a: usize, b: usize, dy: usize, db: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackwardB<Add>(a, b, dy, db, rows, cols, aRow, aCol, bRow, bCol);
}

/** a − b;  da = dy, db = −dy */
@unmanaged
class Sub {
  @inline forward(a: v128, b: v128): v128 {
    return f32x4.sub(a, b);
  }
  @inline backwardA(_a: v128, _b: v128, dy: v128): v128 {
    return dy;
  }
  @inline backwardB(_a: v128, _b: v128, dy: v128): v128 {
    return f32x4.neg(dy);
  }
}
export function subForward(
  a: usize, b: usize, y: usize, rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binary<Sub>(a, b, y, rows, cols, aRow, aCol, bRow, bCol);
}
export function subBackwardA(
  a: usize, b: usize, dy: usize, da: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackwardA<Sub>(a, b, dy, da, rows, cols, aRow, aCol, bRow, bCol);
}
export function subBackwardB(
  a: usize, b: usize, dy: usize, db: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackwardB<Sub>(a, b, dy, db, rows, cols, aRow, aCol, bRow, bCol);
}

/** a · b;  da = dy · b, db = dy · a */
@unmanaged
class Mul {
  @inline forward(a: v128, b: v128): v128 {
    return f32x4.mul(a, b);
  }
  @inline backwardA(_a: v128, b: v128, dy: v128): v128 {
    return f32x4.mul(dy, b);
  }
  @inline backwardB(a: v128, _b: v128, dy: v128): v128 {
    return f32x4.mul(dy, a);
  }
}
export function mulForward(
  a: usize, b: usize, y: usize, rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binary<Mul>(a, b, y, rows, cols, aRow, aCol, bRow, bCol);
}
export function mulBackwardA(
  a: usize, b: usize, dy: usize, da: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackwardA<Mul>(a, b, dy, da, rows, cols, aRow, aCol, bRow, bCol);
}
export function mulBackwardB(
  a: usize, b: usize, dy: usize, db: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackwardB<Mul>(a, b, dy, db, rows, cols, aRow, aCol, bRow, bCol);
}

/** a / b;  da = dy / b, db = −dy · (a / b) / b */
@unmanaged
class Div {
  @inline forward(a: v128, b: v128): v128 {
    return f32x4.div(a, b);
  }
  @inline backwardA(_a: v128, b: v128, dy: v128): v128 {
    return f32x4.div(dy, b);
  }
  @inline backwardB(a: v128, b: v128, dy: v128): v128 {
    return f32x4.neg(f32x4.div(f32x4.mul(dy, f32x4.div(a, b)), b));
  }
}
export function divForward(
  a: usize, b: usize, y: usize, rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binary<Div>(a, b, y, rows, cols, aRow, aCol, bRow, bCol);
}
export function divBackwardA(
  a: usize, b: usize, dy: usize, da: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackwardA<Div>(a, b, dy, da, rows, cols, aRow, aCol, bRow, bCol);
}
export function divBackwardB(
  a: usize, b: usize, dy: usize, db: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackwardB<Div>(a, b, dy, db, rows, cols, aRow, aCol, bRow, bCol);
}

/**
 * a^b;  da = dy · b · a^(b−1), 0 where b = 0;  db = dy · a^b · ln a, 0 where a = 0 and b ≥ 0 or a = ∞ and b < 0. The powers
 * by which the derivatives are formed are squares in float64: they may be out of float32's range where the derivatives are not.
 */
@unmanaged
class Pow {
  @inline forward(a: v128, b: v128): v128 {
    return pow(a, b);
  }
  @inline backwardA(a: v128, b: v128, dy: v128): v128 {
    return f32x4(
      <f32>(<f64>f32x4.extract_lane(dy, 0) * powSlope(f32x4.extract_lane(a, 0), f32x4.extract_lane(b, 0))),
      <f32>(<f64>f32x4.extract_lane(dy, 1) * powSlope(f32x4.extract_lane(a, 1), f32x4.extract_lane(b, 1))),
      <f32>(<f64>f32x4.extract_lane(dy, 2) * powSlope(f32x4.extract_lane(a, 2), f32x4.extract_lane(b, 2))),
      <f32>(<f64>f32x4.extract_lane(dy, 3) * powSlope(f32x4.extract_lane(a, 3), f32x4.extract_lane(b, 3))),
    );
  }
  @inline backwardB(a: v128, b: v128, dy: v128): v128 {
    const root = pow(a, f32x4.mul(b, f32x4.splat(0.5)));
    const log = Math4.log(a);
    const zero = v128.or(
      v128.and(f32x4.eq(a, f32x4.splat(0)), f32x4.ge(b, f32x4.splat(0))),
      v128.and(f32x4.eq(a, f32x4.splat(Infinity)), f32x4.lt(b, f32x4.splat(0))),
    );
    const low = square(lowHalf(root), f64x2.mul(lowHalf(dy), lowHalf(log)));
    const high = square(highHalf(root), f64x2.mul(highHalf(dy), highHalf(log)));
    return v128.andnot(narrow(low, high), zero);
  }
}

/** x² c */
@inline
function square(x: v128, c: v128): v128 {
  return f64x2.mul(f64x2.mul(x, x), c);
}

/** b a^(b−1), 0 where b = 0 */
function powSlope(a: f32, b: f32): f64 {
  if (b == 0) return 0;
  const root = <f64>Mathf.pow(abs(a), <f32>0.5 * (b - 1));
  const slope = <f64>b * root * root;
  if (reinterpret<i32>(a) >= 0) return slope;
  // b − 1 may be rounded to an even number; a^b has the other sign.
  const other = <f64>Mathf.pow(a, b);
  return other == other ? slope * copysign<f64>(1, -other) : NaN;
}

export function powForward(
  a: usize, b: usize, y: usize, rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binary<Pow>(a, b, y, rows, cols, aRow, aCol, bRow, bCol);
}
export function powBackwardA(
  a: usize, b: usize, dy: usize, da: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackwardA<Pow>(a, b, dy, da, rows, cols, aRow, aCol, bRow, bCol);
}
export function powBackwardB(
  a: usize, b: usize, dy: usize, db: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackwardB<Pow>(a, b, dy, db, rows, cols, aRow, aCol, bRow, bCol);
}
