// Every code block of the documents, run as a reader would paste it, with the package as it is built.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { transformSync } from "esbuild";
import { afterAll, describe, expect, test, vi } from "vitest";
import { announce, executablePath } from "./browser/chromium";
import { type Block, chainOf, documentsOf, missing, outputOf } from "./documents/blocks";
import { commandsOf, filesOf, scripts } from "./documents/commands";
import { runInPage } from "./documents/page";
import { execute, Programs } from "./documents/programs";

announce("the blocks of pages");
// Many processes at once, on a machine that may be busy.
vi.setConfig({ testTimeout: 240_000 });

const root = join(import.meta.dirname, "..");
const documents = documentsOf(root);
const blocks = documents.flatMap((document) => document.blocks);
const programs = new Programs(root);
afterAll(() => programs.dispose());

const WAYS: Record<string, (block: Block) => boolean> = {
  program: ({ language, words }) => language === "ts" && only(words, "as", "after"),
  page: ({ language, words }) => language === "ts" && only(words, "in") && words.in === "page",
  /** test/edits.test.ts */
  edit: ({ language, words }) => language === "ts" && only(words, "into") && words.into !== undefined,
  shell: ({ language, words }) => language === "sh" && only(words, "after"),
  /** The steps of a workflow: their commands. */
  workflow: ({ language, words }) => language === "yaml" && only(words),
  drawing: ({ language, words }) => language === "text" && only(words),
  /** test/readme.test.ts */
  errors: ({ language, words }) => language === "text" && only(words, "of") && words.of === "errors",
  /** test/fixtures/migrating, which has the packages, and test/fixtures/migrating-pytorch */
  other: ({ language, words }) =>
    (language === "js" && only(words, "of") && words.of !== undefined) || (language === "py" && only(words)),
};

const only = (words: object, ...names: string[]): boolean =>
  Object.keys(words).every((word) => names.includes(word));
const wayOf = (block: Block): string[] => Object.keys(WAYS).filter((way) => WAYS[way]!(block));
const of = (way: string): Block[] => blocks.filter(WAYS[way]!);

test("every block has one way to run", () => {
  expect(documents.map(({ path }) => path)).toEqual(expect.arrayContaining(["README.md", "docs/scaling.md"]));
  expect(blocks.length).toBeGreaterThan(25);
  expect(blocks.filter((block) => wayOf(block).length !== 1).map(({ place }) => place)).toEqual([]);
});

test("every block of TypeScript is accepted under strict", () => {
  expect(programs.complaints([...of("program"), ...of("page")])).toEqual([]);
});

describe("prints what it says", () => {
  test.concurrent.for(of("program"))("$place", async (block) => {
    const { status, printed, errors } = await programs.run(block);
    expect([status, errors]).toEqual([0, ""]);
    expect(missing(outputOf(block), printed), printed).toBeUndefined();
  });

  test.skipIf(executablePath === undefined).for(of("page"))("$place, in Chromium", async (block) => {
    const { printed, errors } = await runInPage(programs.javascript(block));
    expect(errors).toEqual([]);
    expect(missing(outputOf(block), printed), printed).toBeUndefined();
  });
});

describe("commands", () => {
  /** What is quick: behind their builds, with the arguments shown, or else with --help. */
  const QUICK = ["batch", "bench", "bench:threads", "federated"];

  test("every script that a document names is one, and the files that it runs are there", () => {
    const texts = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/\bnpm run (?:--\S+ )*([\w:-]+)/g)].map(([, name]) => ({ path, name: name! })),
    );
    expect(texts.length).toBeGreaterThan(30);
    const known = scripts(root);
    expect(texts.filter(({ name }) => !known.has(name))).toEqual([]);
    const files = [...known.values()].flatMap(filesOf);
    expect(files).toContain("examples/digits.ts");
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  test("every script of the package is in CONTRIBUTING.md or README.md", () => {
    const text = documents.map(({ path, text }) => (dirname(path) === "." ? text : "")).join();
    const silent = ["build:wasm", "build", "build:peak", "start", "lint", "typecheck", "test"];
    const names = [...scripts(root).keys()].filter((name) => !silent.includes(name));
    expect(names.filter((name) => !text.includes(`npm run ${name}`))).toEqual([]);
  });

  const commands = [...of("shell"), ...of("workflow")].flatMap((block) =>
    commandsOf(block).map((command) => ({ block, command })),
  );
  /** What needs no script: npm's own, and git's for a release. */
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const foreign = [
    "npm install nablas",
    "npm ci",
    "npm audit signatures",
    `git checkout v${version}`,
    "git push origin --tags",
  ];

  test("every line is one of npm's own or of a script", () => {
    const known = scripts(root);
    expect(commands.filter(({ block }) => block.language === "yaml").length).toBeGreaterThan(2);
    const strange = commands.filter(({ command: { name, script } }) =>
      script === undefined ? !foreign.includes(name) : !known.has(script),
    );
    expect(strange.map(({ block, command }) => `${block.place}: ${command.name}`)).toEqual([]);
  });

  const quick = commands.filter(({ command: { script } }) => script !== undefined && QUICK.includes(script));
  test.concurrent.for(quick)("$block.place: $command.name", async ({ block, command }) => {
    const folder = programs.folderOf(block);
    for (const before of chainOf(block).slice(0, -1)) {
      expect(await programs.run(before, folder)).toMatchObject({ status: 0 });
    }
    const [, file] = /\btsx (\S+)$/.exec(scripts(root).get(command.script!)!)!;
    const args = command.args.length > 0 ? command.args : ["--help"];
    const tsx = join(root, "node_modules/tsx/dist/cli.mjs");
    const ran = await execute(process.execPath, [tsx, join(root, file!), ...args], folder);
    expect(ran.status, ran.errors).toBe(0);
    expect(ran.printed).toContain(command.args.length > 0 ? "" : "--help");
  });
});

describe("blocks of other libraries", () => {
  test("each has ours behind it", () => {
    const alone = of("other").filter((block) => {
      const ours = blocks[blocks.indexOf(block) + 1];
      return ours === undefined || !WAYS.program!(ours);
    });
    expect(alone.map(({ place }) => place)).toEqual([]);
  });

  test("those in JavaScript are JavaScript", () => {
    for (const { code, language } of of("other")) {
      if (language === "js") transformSync(code, { loader: "js", format: "esm" });
    }
  });
});

describe("the reading of blocks", () => {
  const block = (code: string, language = "ts") =>
    ({ code, language, words: {}, place: "", name: "", line: 0, path: "", before: [] }) as Block;

  test("what is behind a call and below it is output", () => {
    const code =
      'log(1); // no\nconsole.log("a//b"); // 1\n// 2\n  // …\nf(); // no\n// no\nconsole.log(2);\n';
    expect(outputOf(block(code))).toEqual(["1", "2", "…"]);
    expect(outputOf(block("print(x)  # 1\n# 2\ny = 3  # no\n", "py"))).toEqual(["1", "2"]);
  });

  test("it has to be printed, in order", () => {
    expect(missing(["a", "b … d", "…"], "a\nx\nb c d\ne")).toBeUndefined();
    expect(missing(["b", "a"], "a\nb\n")).toBe("a");
    expect(missing(["0.1"], "0.12\n")).toBe("0.1");
  });
});
