import { elementwiseRows } from "./elementwise";
import { matmulRows } from "./matmul";
import type { Row } from "./row";
import { rowwiseRows } from "./rowwise";
import { stepRows } from "./steps";

export const rows: Row[] = [...matmulRows, ...stepRows, ...rowwiseRows, ...elementwiseRows];
