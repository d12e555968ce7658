/**
 * Runs an ONNX model over a folder: `npm run batch -- --help`. It may be killed at any moment, and goes on from there.
 */
import { SingleBar } from "cli-progress";
import { InputError } from "../digits/input-error";
import { HELP, readOptions } from "./options";
import { run, type Watcher } from "./run";

/** On standard error: a bar, or without a terminal a line every few seconds. */
class Progress implements Watcher {
  readonly errors: string[] = [];
  files = 0;
  rows = 0;
  private rowsNow = 0;
  private readonly start = performance.now();
  private readonly bar = new SingleBar({
    ...{ format: "{bar} {value}/{total} files, {rate} rows/s, {failed} failed", hideCursor: false },
    ...{ noTTYOutput: true, notTTYSchedule: 5000 },
  });

  begin(files: number): void {
    this.bar.start(files, 0, this.shown());
  }

  done(rows: number, earlier: boolean): void {
    this.files++;
    this.rows += rows;
    if (!earlier) this.rowsNow += rows;
    this.bar.increment(this.shown());
  }

  failed(file: string, { message }: Error): void {
    this.errors.push(`${file}: ${message.replaceAll(/\s+/g, " ")}`);
    this.bar.increment(this.shown());
  }

  end(): void {
    this.bar.stop();
  }

  private shown(): { rate: number; failed: number } {
    const seconds = (performance.now() - this.start) / 1000;
    return { rate: Math.round(this.rowsNow / seconds), failed: this.errors.length };
  }
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") {
    console.log(HELP);
    return;
  }
  const progress = new Progress();
  await run(options, progress);
  const { files, rows, errors } = progress;
  for (const error of errors) console.error(error);
  console.log(`${files} files with ${rows} rows are done, ${errors.length} failed`);
  if (errors.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(`batch: ${error.message}`);
  process.exitCode = 1;
}
