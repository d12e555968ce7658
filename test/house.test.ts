// Functions fit on a screen and files are split at 300 lines, also where the linter does not look: in assembly/, and in tests.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

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
