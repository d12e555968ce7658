// The table as text.

/** A table of Markdown: the first column to the left, the others to the right. */
export function markdown(header: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = header.map((_, i) => (i === 0 ? ":--" : "--:"));
  return [row(header), row(rule), ...lines.map(row)].join("\n");
}
