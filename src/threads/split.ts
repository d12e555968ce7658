// How kernel calls divide into calls on parts of their work. Parts write to different places, and what they sum is cut at
// fixed borders and added in a fixed order: the bits are those of the whole call, whoever does which part.
import { BLOCK, BLOCKS, ROWS, TOTAL } from "../../assembly/blocks";
import { isPointer, lettersOf } from "../plan/abi";
import { kernels } from "../wasm";
import { type Grid, gridOf } from "./grid";
import { absMax, Columns, Outer, Spread, Sum } from "./reductions";
import type { Run } from "./run";
import { along, finest, type Split } from "./walk";

/**
 * By a letter for each argument, how it goes on from unit to unit: v a float32, w a float64, p two of them, m a row of
 * floats, d an incoming gradient by the number behind the count, k random blocks, n the count itself, c the length of a row.
 * In sums y is the result, e says whether there is one for each unit, and s is the factor of the sum.
 */
class Pattern implements Split {
  readonly work: readonly number[];
  private readonly count: number;
  private readonly cols: number;

  constructor(
    private readonly name: string,
    private readonly pattern: string,
  ) {
    this.count = pattern.indexOf("n");
    this.cols = pattern.indexOf("c");
    this.work = this.cols < 0 ? [this.count] : [this.count, this.cols];
  }

  cut(run: Run, args: readonly number[], pieces: number): void {
    const { name, pattern, count } = this;
    const each = pattern.indexOf("e");
    const isSum = each >= 0 && args[each] === TOTAL;
    const block = this.cols < 0 ? BLOCK : ROWS;
    if (args[each] === BLOCKS || (isSum && args[count]! <= block)) {
      run.add(name, args);
      return;
    }
    const grain = isSum ? block : this.cols < 0 ? finest.grain : args[this.cols]! % 4 === 0 ? 1 : 4;
    const steps = args.map((_, k) => this.step(k, args, isSum ? 8 / block : 4));
    if (!isSum) {
      along(run, name, args, { count, steps, grain }, pieces);
      return;
    }
    const blocks = Math.ceil(args[count]! / block);
    const [y, s] = [pattern.indexOf("y"), pattern.indexOf("s")];
    const part = [...args];
    part[y] = run.space(8 * blocks);
    part[each] = BLOCKS;
    along(run, name, part, { count, steps, grain }, pieces);
    run.wait();
    if (name === "powerSum") run.add("gather", [part[y]!, args[y]!, blocks]);
    else run.add("addBlocks", [part[y]!, args[y]!, blocks, s < 0 ? 1 : args[s]!, 0]);
  }

  private step(k: number, args: readonly number[], y: number): number {
    switch (this.pattern[k]) {
      case "v":
        return 4;
      case "w":
        return 8;
      case "p":
        return 16;
      case "m":
        return 4 * args[this.cols]!;
      case "d":
        return 4 * args[this.pattern.indexOf("D")]!;
      case "k":
        return 1 / 4;
      case "y":
        return y;
      default:
        return 0;
    }
  }
}

/** Broadcasting ops: by rows, or a single row by columns. */
class Broadcast implements Split {
  readonly work: readonly number[];
  /** @param operands pointers behind a and b, which have the shape of the result */
  constructor(
    private readonly name: string,
    private readonly operands: number,
  ) {
    this.work = [operands + 2, operands + 3];
  }

  cut(run: Run, args: readonly number[], pieces: number): void {
    const rows = this.operands + 2;
    const [n, cols, aRow, aCol, bRow, bCol] = args.slice(rows) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const rest: number[] = new Array(this.operands).fill(n > 1 ? 4 * cols : 4);
    const walk =
      n > 1
        ? { count: rows, steps: [4 * aRow, 4 * bRow, ...rest], grain: 1 }
        : { count: rows + 1, steps: [4 * aCol, 4 * bCol, ...rest], grain: finest.grain };
    along(run, this.name, args, walk, pieces);
  }
}

type Nine = [number, number, number, number, number, number, number, number, number];

/** The products: tiles of the result, each of which packs what it needs for itself. */
const matmul: Split = {
  work: [4, 5, 6],
  cut(run, args, _pieces, threads) {
    const [, , , , M, N, K, tA, tB] = args as [...Nine];
    const { rows, cols } = tileOf(M, N, K, tA, tB, threads);
    const bytes = kernels.matmulTileScratch(M, N, K, tA, tB, rows, cols);
    for (let i = 0; i < M; i += rows) {
      for (let j = 0; j < N; j += cols) {
        const [iTo, jTo] = [Math.min(i + rows, M), Math.min(j + cols, N)];
        run.add("matmulTile", [...args, i, iTo, j, jTo], 4, bytes);
      }
    }
  },
};

/** Training asks for the same products again and again. */
const tiles = new Map<string, Grid>();

function tileOf(M: number, N: number, K: number, tA: number, tB: number, threads: number): Grid {
  const key = `${M} ${N} ${K} ${tA} ${tB} ${threads}`;
  let grid = tiles.get(key);
  if (grid === undefined) {
    if (tiles.size > 1000) tiles.clear();
    grid = gridOf(M, N, K, tA === 1, tB === 1, threads);
    tiles.set(key, grid);
  }
  return grid;
}

/** By rows for the input; the parameters' gradients, sums over the rows, are a piece of their own. */
const layerNormBackward: Split = {
  work: [8, 9],
  cut(run, args, pieces) {
    const [, , , , dx, dweight, dbias, , , cols] = args as number[];
    const name = "layerNormBackward";
    const bytes = 16 * cols! + 16;
    const ofInput = [...args];
    ofInput[5] = ofInput[6] = 0;
    if (dx) {
      const row = 4 * cols!;
      const walk = { count: 8, steps: [row, 0, 16, row, row], grain: 1, scratch: 7, bytes };
      along(run, name, ofInput, walk, pieces);
    }
    const ofParameters = [...args];
    ofParameters[4] = 0;
    if (dweight || dbias) run.add(name, ofParameters, 8, bytes);
  },
};

const BY_PATTERN: Record<string, string> = {
  softmaxForward: "mmnc",
  softmaxBackward: "mmmnc",
  logSoftmaxForward: "mmnc",
  logSoftmaxBackward: "mmmmnc",
  logSumExpForward: "mvnc",
  logSumExpBackward: "mvmnc",
  linearReluForward: "m.mnc",
  linearSigmoidForward: "m.mnc",
  linearTanhForward: "m.mnc",
  layerNormForward: "m..pmnc.",
  embeddingForward: "v.mnc",
  oneHot: "vmnc",
  crossEntropyLossForward: "mvwmynce",
  crossEntropyLossBackward: "mdmncD",
  softCrossEntropyLossForward: "mmmynces",
  nllLossForward: "mvwynce",
  nllLossBackward: "vwdmncD",
  multiMarginLossForward: "mv.mynce...",
  categoricalHingeLossForward: "mmmynces",
  cosineEmbeddingLossForward: "mmvynces.",
  cosineEmbeddingLossBackward: "mmvdmncD..",
  bceLossForward: "vvynesv",
  bceLossBackward: "vvdvnD.v",
  bceWithLogitsLossForward: "vvynesvv",
  bceWithLogitsLossBackward: "vvdvnD.vv",
  sgdStep: "vvv..n",
  adamStep: "vvvvv..n.",
  rmspropStep: "vvvvv.n",
  adagradStep: "vvv..n",
  clipNorm: "v.n.",
  clipValue: "vn.",
  powerSum: "v.yn.e",
  zero: "vn",
  fill: "vn.",
  uniformFill: ".vn..k",
  normalFill: ".vn..k",
  rreluForward: ".vvvn..k",
  dropoutForward: ".vvvn.k",
};

const SPECIAL: Record<string, (name: string) => Split> = {
  matmul: () => matmul,
  absMax: () => absMax,
  layerNormBackward: () => layerNormBackward,
  sumForward: (name) => new Sum(name, "xySosi..r", [4, 4, 8]),
  sumBackward: (name) => new Spread(name, "yxosi.", ".x"),
  maxForward: (name) => new Columns(name, "xyyosir", [4, 4, 4]),
  minForward: (name) => new Columns(name, "xyyosir", [4, 4, 4]),
  maxBackward: (name) => new Outer(name, "yyxosi"),
  varianceForward: (name) => new Outer(name, "xwSyosi."),
  varianceBackward: (name) => new Spread(name, "xwyxosi.", "x..x"),
};

/** The way to divide the calls of a kernel, if there is one. */
export function splitOf(name: string): Split | undefined {
  const special = SPECIAL[name];
  if (special !== undefined) return special(name);
  const types = lettersOf(name);
  const pointers = [...types].findIndex((_, k) => !isPointer(name, k));
  if (/^i{9,10}$/.test(types) && pointers === types.length - 6) return new Broadcast(name, pointers - 2);
  const pattern = BY_PATTERN[name] ?? patternOf(name, pointers, types.slice(pointers));
  return pattern === undefined ? undefined : new Pattern(name, pattern);
}

/** Of kernels with nothing but pointers to floats, a count and numbers, and of the losses of pairs. */
function patternOf(name: string, pointers: number, rest: string): string | undefined {
  if (pointers < 1 || !/(For|Back)ward$/.test(name)) return undefined;
  if (/^i[fd]*$/.test(rest)) return `${"v".repeat(pointers)}n${".".repeat(rest.length - 1)}`;
  if (!/^iid/.test(rest) || pointers !== 3 + Number(name.endsWith("Backward"))) return undefined;
  return `${pointers === 3 ? "vvynes" : "vvdvnD."}${".".repeat(rest.length - 3)}`;
}
