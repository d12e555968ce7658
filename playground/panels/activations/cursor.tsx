// The numbers at one x, as the kernels give them.
import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { digits } from "../../text";
import { Button, Card, Slider } from "../../ui/controls";
import { Maths } from "../../ui/maths";
import { chosen, points, readNumber } from "./state";
import { text } from "./text";

const TRIES = ["1e-30", "100", "-1000", "3e38", "Infinity", "NaN"];

/** A float32 number in as few digits as tell it from all others. */
function float32(x: number): string {
  if (!Number.isFinite(x)) return digits(x);
  if (Object.is(x, -0)) return "−0";
  let count = 1;
  while (count < 9 && Math.fround(Number(x.toPrecision(count))) !== x) count++;
  const size = Math.abs(x);
  const rounded = Number(x.toPrecision(count));
  const text =
    size !== 0 && (size < 1e-4 || size >= 1e7)
      ? rounded.toExponential().replace("e+", "e")
      : rounded.toString();
  return text.replaceAll("-", "−");
}

export function CursorCard() {
  const show = (x: number) => (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e6 ? digits(x, 4) : digits(x, 7));
  return (
    <Card title={text.value.cursor} class="cursor">
      <Numbers />
      <p class="note">{text.value.hint}</p>
      <Slider label={text.value.move} value={chosen.x} min={-8} max={8} step={0.02} show={show} />
      <TypedNumber />
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset has borders and a legend of its own kind */}
      <div class="row tries" role="group" aria-label={text.value.tries}>
        {TRIES.map((value) => (
          <Button
            key={value}
            onClick={() => {
              chosen.x.value = Number(value);
            }}
          >
            {digits(Number(value))}
          </Button>
        ))}
      </div>
    </Card>
  );
}

function Numbers() {
  const shown = points.value;
  const rows: [head: preact.ComponentChildren, cells: (string | undefined)[]][] = [
    [<Maths>f(x)</Maths>, shown.map(({ answer }) => float32(answer.f))],
    [<Maths>f′(x)</Maths>, shown.map(({ answer }) => (answer.slope === null ? "–" : float32(answer.slope)))],
  ];
  if (shown.some(({ answer }) => answer.dSlope !== undefined)) {
    const cells = shown.map(({ answer: { dSlope } }) => (dSlope === undefined ? "–" : float32(dSlope)));
    rows.push([<Maths>∂f/∂a</Maths>, cells]);
  }
  return (
    <div class="table" aria-live="polite">
      <table class="plain numbers" aria-label={text.value.table}>
        <thead>
          <tr>
            <td />
            {shown.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">
              <Maths>x</Maths>
            </th>
            <td colSpan={shown.length}>{shown[0] && float32(shown[0].answer.x)}</td>
          </tr>
          {rows.map(([head, cells], i) => (
            <tr key={i}>
              <th scope="row">{head}</th>
              {cells.map((cell, j) => (
                <td key={shown[j]!.name}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Any number, also those that number inputs refuse. */
function TypedNumber() {
  const id = useId();
  const draft = useSignal<string | undefined>(undefined);
  const wrong = draft.value !== undefined && readNumber(draft.value) === undefined;
  return (
    <div class="control">
      <label for={id}>{text.value.type}</label>
      <input
        id={id}
        class="typed"
        type="text"
        inputMode="text"
        autocomplete="off"
        spellcheck={false}
        value={draft.value ?? String(chosen.x.value)}
        aria-invalid={wrong}
        onInput={({ currentTarget }) => {
          draft.value = currentTarget.value;
          chosen.x.value = readNumber(currentTarget.value) ?? chosen.x.value;
        }}
        onBlur={() => {
          draft.value = undefined;
        }}
      />
      {wrong && (
        <p class="warning" role="alert">
          {text.value.wrong}
        </p>
      )}
    </div>
  );
}
