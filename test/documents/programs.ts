// Blocks as programs, in a folder inside of the package, where its own name leads to it as it is built.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";
import ts from "typescript";
import { type Block, chainOf } from "./blocks";

export interface Ran {
  status: number | null;
  /** What it wrote to standard output, and beside it. */
  printed: string;
  errors: string;
}

export function execute(program: string, args: string[], cwd: string): Promise<Ran> {
  const { FORCE_COLOR: _, ...env } = { ...process.env, NO_COLOR: "1" } as NodeJS.ProcessEnv;
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const ran: Ran = { status: null, printed: "", errors: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => {
    ran.printed += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    ran.errors += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve({ ...ran, status }));
  });
}

/** The files that blocks read: those beside this one. */
const FILES = join(import.meta.dirname, "files");

export class Programs {
  private readonly folder: string;

  constructor(root: string) {
    mkdirSync(join(root, "build"), { recursive: true });
    this.folder = mkdtempSync(join(root, "build/documents-"));
  }

  /** What the compiler says of the blocks, under `strict`, with its place in the document. */
  complaints(blocks: Block[]): string[] {
    const files = new Map(blocks.map((block) => [join(this.folder, `${block.name}.ts`), block]));
    for (const [file, block] of files) writeFileSync(file, sourceOf(block));
    const program = ts.createProgram([...files.keys()], {
      ...{ strict: true, noEmit: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022 },
      ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
      ...{ lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts"], types: ["node"] },
    });
    return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
      const text = ts.flattenDiagnosticMessageText(messageText, "\n");
      const block = file && files.get(file.fileName);
      if (block === undefined) return `${file?.fileName}: ${text}`;
      const above = linesOf(sourceOf(block)) - linesOf(block.code);
      const line = block.line + file!.getLineAndCharacterOfPosition(start!).line - above;
      return `${block.path}:${line}: ${text}`;
    });
  }

  javascript(block: Block): string {
    return transformSync(sourceOf(block), { loader: "ts", format: "esm", target: "node20" }).code;
  }

  /** Runs the block, in a folder of its own unless said otherwise. */
  run(block: Block, folder = this.folderOf(block)): Promise<Ran> {
    writeFileSync(join(folder, "block.mjs"), this.javascript(block));
    return execute(process.execPath, ["block.mjs"], folder);
  }

  folderOf({ name }: Block): string {
    const folder = join(this.folder, name);
    cpSync(FILES, folder, { recursive: true });
    return folder;
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** The block behind those that it goes on from, as a reader would paste them. */
const sourceOf = (block: Block): string =>
  chainOf(block)
    .map(({ code }) => code)
    .join("\n");

const linesOf = (text: string): number => text.split("\n").length;
