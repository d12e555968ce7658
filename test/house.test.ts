// Functions fit on a screen and files are split at 300 lines, also where the linter does not look: in assembly/, and in tests. And
// every test file is run by some project of vitest.config.ts.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import config from "../vitest.config";

const FILE = 300;
const FUNCTION = 60;

/** Longer than that, and why. */
const REASONS: Readonly<Record<string, string>> = {
  "assembly/replay.ts replay": "a switch with a line for each signature of a kernel",
};

const root = join(import.meta.dirname, "..");
const filesIn = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((file) => `${folder}/${file.replaceAll("\\", "/")}`)
    .filter((file) => file.endsWith(".ts"));

const linesOf = (text: string) => text.trimEnd().split("\n").length;

/** The functions of a file, by their names, and how many lines each has; the callback of a describe is none. */
function functionsOf(file: string, text: string): [name: string, lines: number][] {
  const found: [string, number][] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body && !isDescribed(node)) {
      const name = node.name ?? (ts.isVariableDeclaration(node.parent) ? node.parent.name : undefined);
      found.push([name?.getText() ?? "", linesOf(node.getText())]);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return found;
}

const isDescribed = ({ parent }: ts.Node) =>
  ts.isCallExpression(parent) && /^describe/.test(parent.expression.getText());

describe.each(["assembly", "test"])("%s", (folder) => {
  const files = filesIn(folder).map((file) => ({ file, text: readFileSync(join(root, file), "utf8") }));

  test("has functions that fit on a screen, or a reason", () => {
    const long = files.flatMap(({ file, text }) =>
      functionsOf(file, text).flatMap(([name, lines]) => (lines > FUNCTION ? [`${file} ${name}`] : [])),
    );
    expect(long.sort()).toEqual(
      Object.keys(REASONS)
        .filter((name) => name.startsWith(folder))
        .sort(),
    );
  });

  if (folder === "assembly")
    test("has files that are split", () => {
      expect(files.filter(({ text }) => linesOf(text) > FILE).map(({ file }) => file)).toEqual([]);
    });
});

describe("the projects of vitest.config.ts", () => {
  const tests = filesIn("test").filter((file) => file.endsWith(".test.ts"));
  const matches = (pattern: string) => {
    const parts: Record<string, string> = {
      "**/": "(.+/)?",
      "**": ".+",
      "*": "[^/]*",
      "?": "[^/]",
      ".": "\\.",
    };
    return new RegExp(`^${pattern.replace(/\*\*\/|\*\*|[*?.]/g, (part) => parts[part]!)}$`);
  };
  const projects = (
    config.test!.projects as { test: { name: string; include: string[]; exclude?: string[] } }[]
  ).map(({ test: { name, include, exclude = [] } }) => {
    const within = (patterns: string[]) => (file: string) => patterns.some((one) => matches(one).test(file));
    const files = tests.filter((file) => within(include)(file) && !within(exclude)(file));
    return { name, patterns: [...include, ...exclude], files };
  });

  test("name files that are there", () => {
    const patterns = new Set(projects.flatMap(({ patterns }) => patterns));
    expect([...patterns].filter((one) => !tests.some((file) => matches(one).test(file)))).toEqual([]);
  });

  test("run every file, those of npm test beside all others", () => {
    const filesOf = (...names: string[]) =>
      projects.filter(({ name }) => names.includes(name)).flatMap(({ files }) => files);
    expect([...new Set(filesOf("baseline", "baseline-rest", "playground"))].sort()).toEqual(
      [...tests].sort(),
    );
    const twice = filesOf("baseline", "baseline-rest").filter((file, i, all) => all.indexOf(file) !== i);
    expect(twice).toEqual(["test/threads.test.ts"]);
    expect(filesOf("relaxed").filter((file) => filesOf("relaxed-rest").includes(file))).toEqual([]);
  });
});
