/** Where lines of cells go. */
export interface Lines {
  add(cells: readonly string[]): void;
}

/** A table whose rows are printed as they come. */
export class Table implements Lines {
  private readonly widths: readonly number[];

  /** @param heads of the columns; the first is on the left, the others on the right */
  constructor(heads: readonly string[], first = 28) {
    this.widths = heads.map((head, i) => (i === 0 ? first : Math.max(10, head.length) + 1));
    this.add(heads);
  }

  add(cells: readonly string[]): void {
    const padded = cells.map((cell, i) =>
      i === 0 ? cell.padEnd(this.widths[0]!) : cell.padStart(this.widths[i]!),
    );
    console.log(padded.join(" "));
  }

  /** In the units of 1,024. */
  static bytes(n: number): string {
    if (n < 1024) return `${n} B`;
    return n < 1 << 20 ? `${(n / 1024).toFixed(1)} kB` : `${(n / 2 ** 20).toFixed(2)} MB`;
  }
}
