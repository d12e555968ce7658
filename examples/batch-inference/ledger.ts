// What has been done, a line of JSON for each file: it is written when the result is safely on disk, so that a process may end
// at any moment. Before the line a file counts as not done, and is done again, to the same bytes; after it, never.
import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { InputError } from "../digits/input-error";

/** A file that is done. */
export interface Entry {
  file: string;
  rows: number;
  /** Size and time of change of the input: one that has changed since is done again. */
  stamp: string;
}

export class Ledger {
  private readonly entries = new Map<string, Entry>();
  private readonly file: number;

  /**
   * Opens the ledger, or begins one.
   * @param heading what the results depend on beside the inputs; the first line
   * @throws InputError if it was begun with another heading, or is no ledger
   */
  constructor(
    private readonly path: string,
    heading: Readonly<Record<string, string | number>>,
  ) {
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    // A line without an end is one that was being written when the process was killed.
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    const [first, ...lines] = whole.split("\n").slice(0, -1);
    const wanted = JSON.stringify(heading);
    if (first !== undefined && first !== wanted) {
      throw new InputError(`${path}: begun with ${first}, now it is ${wanted}; take another output folder`);
    }
    for (const [i, line] of lines.entries()) this.read(line, i + 2);
    this.file = openSync(path, "a");
    ftruncateSync(this.file, Buffer.byteLength(whole));
    if (first === undefined) this.append(wanted);
  }

  get(file: string): Entry | undefined {
    return this.entries.get(file);
  }

  /** Whether this very entry is in it. */
  has(entry: Entry): boolean {
    return this.entries.get(entry.file) === entry;
  }

  /** Notes that a file is done; back when that is on disk. */
  add(entry: Entry): void {
    this.entries.set(entry.file, entry);
    this.append(JSON.stringify(entry));
  }

  close(): void {
    closeSync(this.file);
  }

  private append(line: string): void {
    writeSync(this.file, `${line}\n`);
    fsyncSync(this.file);
  }

  private read(line: string, number: number): void {
    try {
      const entry = JSON.parse(line) as Entry;
      this.entries.set(entry.file, entry);
    } catch {
      throw new InputError(`${this.path}, line ${number}: expected JSON, got ${JSON.stringify(line)}`);
    }
  }
}
