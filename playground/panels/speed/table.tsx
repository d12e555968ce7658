// The figures, and their way out.
import { time } from "../../../bench/table";
import { version } from "../../../package.json";
import { Card } from "../../ui/controls";
import { Copy } from "../../ui/copy";
import { browser, machine } from "./machine";
import { markdown } from "./markdown";
import { nameOf, shownSides, times } from "./names";
import { figuresOf, measured, measuredAs } from "./run";
import { text } from "./text";

export function Table({ names }: { names: readonly string[] }) {
  return (
    <Card title={text.value.table} class="figures">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <div class="table" tabIndex={0}>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">{text.value.row}</th>
              <th scope="col">{text.value.js}</th>
              {shownSides().map((side) => (
                <th key={side} scope="col">
                  {nameOf(side)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.map((name) => (
              <Row key={name} name={name} />
            ))}
          </tbody>
        </table>
      </div>
      <Copy
        label={text.value.copy}
        disabled={measured.value.length === 0}
        take={() => ({ text: asMarkdown(), done: () => text.value.copied })}
        byHand={text.value.copyByHand}
      />
    </Card>
  );
}

function Row({ name }: { name: string }) {
  const figures = figuresOf(name).value;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{figures === undefined ? "–" : time(figures.js)}</td>
      {shownSides().map((side) => {
        const found = figures?.sides[side];
        return (
          <td key={side}>
            {found === undefined ? (
              "–"
            ) : (
              <>
                <span class="time">{time(found.seconds)}</span> <b class="times">{times(found.ratio)}</b>
              </>
            )}
          </td>
        );
      })}
    </tr>
  );
}

/** Where it was measured, and a table of what has been measured. */
function asMarkdown(): string {
  const { best } = machine.value!;
  const t = text.value;
  const where = [
    `nablas ${version}`,
    browser(),
    `${t.cores}: ${navigator.hardwareConcurrency}`,
    `${t.isolated}: ${crossOriginIsolated ? t.yes : t.no}`,
    `SIMD: ${best.simd}`,
    `${t.threads}: ${best.threads}`,
    `${t.effort}: ${t.efforts[measuredAs.value]}`,
    new Date().toISOString().slice(0, 10),
  ];
  const header = [t.row, t.js, ...shownSides().flatMap((side) => [nameOf(side), t.ratio])];
  const lines = measured.value.map((name) => {
    const { js, sides } = figuresOf(name).value!;
    const cells = shownSides().flatMap((side) => {
      const { seconds, ratio } = sides[side]!;
      return [time(seconds), times(ratio)];
    });
    return [name, time(js), ...cells];
  });
  return `${where.join(", ")}\n\n${markdown(header, lines)}\n`;
}
