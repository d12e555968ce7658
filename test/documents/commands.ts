// Blocks of commands, and the scripts of package.json that they run.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Block } from "./blocks";

export interface Command {
  /** As it stands there, without what comes behind " -- ". */
  name: string;
  script?: string;
  args: string[];
}

/** One for each command: lines have some, joined by "&&", and end with a comment. Those of a workflow are in its steps. */
export function commandsOf({ code, language }: Block): Command[] {
  const steps = [...code.matchAll(/^ *- run: (.*)$/gm)].map(([, step]) => step!);
  return (language === "yaml" ? steps : code.split("\n"))
    .flatMap((line) => line.replace(/\s+#.*$/, "").split("&&"))
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map((text) => {
      const [name, rest] = text.split(" -- ") as [string, string?];
      const script = /^npm (?:run ([\w:-]+)|(start|test))$/.exec(name);
      return { name, script: script?.[1] ?? script?.[2], args: rest?.split(" ") ?? [] } as Command;
    });
}

/** The scripts of the package, by name. */
export function scripts(root: string): Map<string, string> {
  return new Map(
    Object.entries<string>(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts),
  );
}

/** The programs of ours that a script runs. */
export const filesOf = (script: string): string[] =>
  [...script.matchAll(/\b(?:node|tsx|--config) (\S+\/\S+)/g)].map(([, file]) => file!);
