// The code blocks of the documents. What stands behind the language of a fence, which no page shows, says how a block runs:
//   ts                  a program of its own
//   ts as NAME          one on which others build
//   ts after NAME       goes on from that one: both are pasted into one file
//   ts in page          in a browser
//   ts into FILE        an edit of that file
//   sh, sh after NAME   commands, in the folder in which that one ran
//   yaml                a workflow: its steps' commands
//   js of PACKAGE, py   what the block of ours behind it is in another library
//   text                a drawing
//   text of errors      what errors say
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import MarkdownIt from "markdown-it";

export interface Block {
  path: string;
  /** Of the first line of code. */
  line: number;
  /** Both, for messages. */
  place: string;
  /** A name for files. */
  name: string;
  language: string;
  words: Partial<Record<Word, string>>;
  code: string;
  /** The blocks above it in the document. */
  before: Block[];
}

const WORDS = ["as", "after", "in", "into", "of"] as const;
type Word = (typeof WORDS)[number];

export interface Document {
  path: string;
  text: string;
  blocks: Block[];
}

/** All that are in the repository, or may be, and the doc comments of the sources. */
export function documentsOf(root: string): Document[] {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "*.md", "src/*.ts"];
  const paths = execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim().split("\n");
  return paths
    .filter((path) => existsSync(join(root, path)))
    .map((path) => {
      const text = readFileSync(join(root, path), "utf8");
      return { path, text, blocks: blocksOf(path, path.endsWith(".ts") ? docComments(text) : text) };
    });
}

/** The lines of doc comments without their asterisks; others are empty. */
function docComments(source: string): string {
  let inside = false;
  const lines = source.split("\n").map((line) => {
    inside = /^\s*\/\*\*/.test(line) || (inside && !/\*\/\s*$/.test(line));
    return inside ? line.replace(/^\s*(\/\*\*|\* ?)/, "") : "";
  });
  return lines.join("\n");
}

export function blocksOf(path: string, text: string): Block[] {
  const blocks: Block[] = [];
  for (const { type, info, map, content: code } of new MarkdownIt().parse(text, {})) {
    if (type !== "fence" && (type !== "code_block" || !path.endsWith(".md"))) continue;
    const line = map![0] + 2;
    const [place, name] = [`${path}:${line}`, `${path.replace(/\W+/g, "-")}-${line}`];
    const [language = "", ...rest] = info.split(/\s+/).filter((word) => word !== "");
    const words = wordsOf(rest, place);
    blocks.push({ path, line, place, name, language, words, code, before: [...blocks] });
  }
  return blocks;
}

function wordsOf(words: string[], place: string): Block["words"] {
  const found: Block["words"] = {};
  for (let i = 0; i < words.length; i += 2) {
    const [word, value] = [words[i] as Word, words[i + 1]];
    if (value === undefined || !WORDS.includes(word)) {
      throw new Error(`${place}: expected a language and ${WORDS.join(", ")} NAME, got "${words.join(" ")}"`);
    }
    found[word] = value;
  }
  return found;
}

/** The blocks that a block goes on from, first to last, and itself. */
export function chainOf(block: Block): Block[] {
  const { after } = block.words;
  if (after === undefined) return [block];
  const found = block.before.filter(({ words }) => words.as === after);
  if (found.length !== 1)
    throw new Error(`${block.place}: ${found.length} blocks above it are "as ${after}"`);
  return [...chainOf(found[0]!), block];
}

const JAVASCRIPT = { call: /\bconsole\.log\(.*\);?\s*$/, mark: "//" };
const PYTHON = { call: /\bprint\(.*\)\s*$/, mark: "#" };

/**
 * What a block says that it prints: the comment behind a `console.log` or `print`, and lines of nothing but comment right
 * below it. "…" stands for anything.
 */
export function outputOf({ code, language }: Pick<Block, "code" | "language">): string[] {
  const { call, mark } = language === "py" ? PYTHON : JAVASCRIPT;
  const shown: string[] = [];
  let below = false;
  for (const line of code.split("\n")) {
    const at = line.search(new RegExp(`(?:^|\\s)${mark} `));
    const before = at < 0 ? line : line.slice(0, at);
    below = call.test(before) || (below && at >= 0 && before.trim() === "");
    if (below && at >= 0) shown.push(line.slice(at).trim().slice(mark.length).trim());
  }
  return shown;
}

/** The first of the lines shown that was not printed, in order. */
export function missing(shown: string[], printed: string): string | undefined {
  const lines = printed.split("\n").map((line) => line.trim());
  let at = 0;
  for (const text of shown) {
    const pattern = new RegExp(`^${text.split("…").map(escaped).join(".*")}$`);
    const found = lines.findIndex((line, i) => i >= at && pattern.test(line));
    if (found < 0) return text;
    at = found + 1;
  }
  return undefined;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
