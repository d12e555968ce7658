import { matmul, randn } from "nablas";
import * as plain from "../plain";
import { copy, forward, type Row } from "./row";

interface Shape {
  M: number;
  K: number;
  N: number;
  transposeA?: boolean;
  transposeB?: boolean;
  /** What it is, if it is more than its size. */
  label?: string;
}

const square = (n: number): Shape => ({ M: n, K: n, N: n });

const shapes: Shape[] = [
  ...[4, 8, 16, 32, 33, 61, 64, 127, 128, 256, 512, 1024].map(square),
  { M: 64, K: 128, N: 10 },
  { M: 1, K: 1024, N: 1024 },
  { M: 8, K: 1024, N: 1024 },
  // A layer of 784 to 128 on a batch of 64: y = x W, dW = xᵀ dy, dx = dy Wᵀ.
  { M: 64, K: 784, N: 128, label: "forward" },
  { M: 784, K: 64, N: 128, transposeA: true, label: "dW" },
  { M: 64, K: 128, N: 784, transposeB: true, label: "dx" },
];

/** out[M, N] = A[M, K] · B[K, N], a transposed operand being stored as [K, M] or [N, K]. */
function matmulRow({ M, K, N, transposeA = false, transposeB = false, label = "" }: Shape): Row {
  const prepare = () => {
    const a = randn(transposeA ? [K, M] : [M, K]);
    const b = randn(transposeB ? [N, K] : [K, N]);
    const [A, B, out] = [copy(a), copy(b), new Float32Array(M * N)];
    const transposed = { transposeA, transposeB };
    const js = () => {
      plain.matmul(A, B, out, M, N, K, transposed);
      return out;
    };
    return forward(() => matmul(a, b, transposed), js);
  };
  return { name: `matmul ${M}x${K}x${N} ${label}`.trimEnd(), amount: 2 * M * N * K, unit: "FLOP", prepare };
}

export const matmulRows: Row[] = shapes.map(matmulRow);
