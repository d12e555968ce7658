import { Card } from "../../ui/controls";
import { Bitmap } from "./bitmap";
import { draw, tested } from "./state";
import { text } from "./text";

/** What the network takes the test digits for. */
export function TestCard() {
  const result = tested.value;
  return (
    <Card title={text.value.test} class="test">
      {result === undefined ? (
        <p class="note">{text.value.untested}</p>
      ) : (
        <div class="results">
          <div>
            <p class="note">{text.value.testNote}</p>
            <Matrix matrix={result.matrix} />
          </div>
          <Misreads />
        </div>
      )}
    </Card>
  );
}

/** The share of a row as a shade: right ones blue, wrong ones orange. */
function shade(count: number, total: number, right: boolean): { background?: string } {
  if (count === 0) return {};
  const depth = right ? 10 + (35 * count) / total : 14 + 36 * Math.sqrt(count / total);
  const hue = right ? "blue" : "orange";
  return { background: `color-mix(in srgb, var(--${hue}) ${depth.toFixed(0)}%, var(--card))` };
}

function Matrix({ matrix }: { matrix: number[][] }) {
  return (
    <table class="matrix">
      <caption class="visually-hidden">{text.value.matrix}</caption>
      <thead>
        <tr>
          <td />
          {matrix.map((_, guess) => (
            <th key={guess} scope="col">
              {guess}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {matrix.map((row, truth) => {
          const total = row.reduce((sum, count) => sum + count, 0);
          return (
            <tr key={truth}>
              <th scope="row">{truth}</th>
              {row.map((count, guess) => (
                <td
                  key={guess}
                  class={count === 0 ? "zero" : ""}
                  style={shade(count, total, truth === guess)}
                >
                  {count}
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Puts it where drawings are, and that in sight. */
function show(image: Float32Array): void {
  draw({ image });
  document.querySelector(".digits .draw")!.scrollIntoView({ block: "nearest" });
}

function Misreads() {
  const { misread, accuracy } = tested.value!;
  if (accuracy === 1) return <p class="note">{text.value.none}</p>;
  if (misread.length === 0) return null;
  return (
    <div class="misreads">
      <h4>{text.value.misread}</h4>
      <p class="note">{text.value.misreadNote}</p>
      <ul>
        {misread.map(({ image, truth, guess, certainty }) => {
          const short = `${truth} → ${guess}`;
          const words = `${short}: ${text.value.taken({ truth, guess, certainty })}`;
          return (
            <li key={image}>
              <button type="button" aria-label={words} title={words} onClick={() => show(image)}>
                <Bitmap pixels={image} side={Math.sqrt(image.length)} />
                <span>{short}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
