// What editors show: every export is documented, and so is every option. And what the documents point to is there.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";
import * as nablas from "../src/index";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const program = ts.createProgram([path("../src/index.ts")], {
  ...{ target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, strict: true, noEmit: true },
  ...{ moduleResolution: ts.ModuleResolutionKind.Bundler, types: [] },
});
const checker = program.getTypeChecker();

/** What `src/index.ts` exports, by name. */
const symbols = new Map(
  checker
    .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(path("../src/index.ts"))!)!)
    .map((symbol) => [
      symbol.name,
      symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
    ]),
);

/** The text of a doc comment without its tags. */
const textOf = (symbol: ts.Symbol) => ts.displayPartsToString(symbol.getDocumentationComment(checker));

/** The whole doc comment. */
function docOf(symbol: ts.Symbol): string {
  const tags = symbol
    .getJsDocTags(checker)
    .map(({ name, text }) => `@${name} ${ts.displayPartsToString(text)}`);
  return [textOf(symbol), ...tags].join("\n");
}

test("every exported function, class and constant says what it is", () => {
  expect([...symbols.keys()]).toEqual(expect.arrayContaining(Object.keys(nablas)));
  expect(Object.keys(nablas).filter((name) => textOf(symbols.get(name)!) === "")).toEqual([]);
});

test("every option says what it is", () => {
  const named = [...symbols].filter(([name]) => name.endsWith("Options"));
  expect(named.length).toBeGreaterThan(20);
  const members = named.flatMap(([name, symbol]) =>
    checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)).map((member) => ({ name, member })),
  );
  const silent = members.filter(({ member }) => textOf(member) === "");
  expect(silent.map(({ name, member }) => `${name}.${member.name}`)).toEqual([]);
});

test("every op with numeric options gives each with its default", () => {
  const ops = Object.entries(nablas).flatMap(([name, op]) => {
    const { defaults } = op as { defaults?: Record<string, unknown> };
    return defaults === undefined ? [] : Object.entries(defaults).map((entry) => [name, ...entry] as const);
  });
  expect(ops.length).toBeGreaterThan(10);
  const silent = ops.filter(([name, option, value]) => {
    const doc = docOf(symbols.get(name)!).replaceAll("−", "-");
    return !doc.includes(`\`${option}\``) || !doc.includes(String(value));
  });
  expect(silent).toEqual([]);
});

test("every relative link of a document leads to a file", () => {
  const root = path("..");
  const listed = execFileSync("git", ["ls-files", "*.md"], { cwd: root, encoding: "utf8" });
  const documents = listed.trim().split("\n");
  expect(documents).toContain("docs/lab.md");
  const links = documents.flatMap((file) => {
    const targets = readFileSync(join(root, file), "utf8").matchAll(/\]\((?!https?:)([^)#\s]+)[^)]*\)/g);
    return [...targets].map(([, target]) => ({ file, target: target! }));
  });
  expect(links.length).toBeGreaterThan(30);
  expect(links.filter(({ file, target }) => !existsSync(join(root, dirname(file), target)))).toEqual([]);
});
