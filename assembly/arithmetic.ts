// Arithmetic: unary and broadcasting binary ops, each with its derivatives.
import { backward, binary, binaryBackwardA, binaryBackwardB, forward } from "./simd/elementwise";
import { Lanes } from "./simd/lanes";
import { Math4 } from "./simd/math";
import { highHalf, lowHalf, narrow } from "./simd/moments";
import { Normal4 } from "./simd/normal";
import { Wide } from "./simd/wide";

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

/** x²;  dx = 2 (x · dy), where 2x could overflow */
@unmanaged
class Square {
  @inline forward(x: v128): v128 {
    return f32x4.mul(x, x);
  }
  @inline backward(x: v128, dy: v128): v128 {
    const g = f32x4.mul(dy, x);
    return f32x4.add(g, g);
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

/** a / b;  da = dy / b, db = −dy · a / b², in float64: b² and a / b may be out of float32's range where it is not */
@unmanaged
class Div {
  @inline forward(a: v128, b: v128): v128 {
    return f32x4.div(a, b);
  }
  @inline backwardA(_a: v128, b: v128, dy: v128): v128 {
    return f32x4.div(dy, b);
  }
  @inline backwardB(a: v128, b: v128, dy: v128): v128 {
    return f32x4.neg(narrow(slope(lowHalf(a), lowHalf(b), lowHalf(dy)), slope(highHalf(a), highHalf(b), highHalf(dy))));
  }
}

/** dy a / b² */
@inline
function slope(a: v128, b: v128, dy: v128): v128 {
  return f64x2.div(f64x2.mul(dy, a), f64x2.mul(b, b));
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
 * a^b;  da = dy · b · a^(b−1), 0 where b = 0;  db = dy · a^b · ln a, 0 where a = 0 and b ≥ 0 or a = ∞ and b < 0. In float64,
 * since a float32 holds neither ln a nor b − 1 well enough.
 */
@unmanaged
class Pow {
  @inline forward(a: v128, b: v128): v128 {
    return narrow(Wide.pow(lowHalf(a), lowHalf(b)), Wide.pow(highHalf(a), highHalf(b)));
  }
  @inline backwardA(a: v128, b: v128, dy: v128): v128 {
    const low = f64x2.mul(lowHalf(dy), Wide.powByBase(lowHalf(a), lowHalf(b)));
    return narrow(low, f64x2.mul(highHalf(dy), Wide.powByBase(highHalf(a), highHalf(b))));
  }
  @inline backwardB(a: v128, b: v128, dy: v128): v128 {
    const low = f64x2.mul(lowHalf(dy), Wide.powByExponent(lowHalf(a), lowHalf(b)));
    return narrow(low, f64x2.mul(highHalf(dy), Wide.powByExponent(highHalf(a), highHalf(b))));
  }
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
