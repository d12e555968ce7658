import "./digits.css";
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { percent } from "../../text";
import { Button, Card } from "../../ui/controls";
import { Later } from "../../ui/later";
import { Bitmap } from "./bitmap";
import { FilesCard, Notices } from "./files";
import { HELP, Pad } from "./pad";
import { clear, isBlank, open, seen, train, undo, write } from "./state";
import { TestCard } from "./test";
import { text } from "./text";
import { SettingsCard, TrainingCard } from "./training";

const DIGITS = Array.from({ length: 10 }, (_, digit) => digit);

/** Whether a file is being dragged over the panel. */
const over = signal(false);

export function DigitsPanel() {
  useEffect(() => void train(), []);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping files is a second way to what the button does
    <div
      class={`panel digits ${over.value ? "over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget as Node | null)) over.value = false;
      }}
      onDrop={(event) => {
        event.preventDefault();
        over.value = false;
        void open(Array.from(event.dataTransfer?.files ?? []));
      }}
    >
      <div class="lead stack">
        <h2>{text.value.title}</h2>
        <p>{text.value.lead}</p>
      </div>
      <DrawCard />
      <SeenCard />
      <Later>
        <TrainingCard />
        <div class="stack settings">
          <SettingsCard />
          <FilesCard />
        </div>
        <TestCard />
      </Later>
      <Notices />
    </div>
  );
}

function DrawCard() {
  return (
    <Card title={text.value.draw} class="draw">
      <Pad />
      <Verdict />
      <div class="row pair">
        <Button onClick={undo} disabled={isBlank.value}>
          {text.value.undo}
        </Button>
        <Button onClick={clear} disabled={isBlank.value}>
          {text.value.clear}
        </Button>
      </div>
    </Card>
  );
}

function SeenCard() {
  const now = seen.value;
  const ink = now === undefined ? 0 : now.image.reduce((sum, pixel) => sum + pixel, 0) / now.image.length;
  return (
    <Card title={text.value.seen} class="seen">
      <div class="sight">
        <Bitmap
          pixels={now?.image}
          side={now?.side ?? 8}
          label={now ? text.value.seenLabel({ side: now.side, ink }) : text.value.seen}
        />
        <Bars probabilities={now?.probabilities} />
      </div>
      <p class="note">{text.value.seenNote(now?.side ?? 8)}</p>
      <div class="row">
        <span class="note">{text.value.examples}</span>
        <div class="samples">
          {DIGITS.map((digit) => (
            <Button key={digit} label={text.value.example(digit)} onClick={() => void write(digit)}>
              {digit}
            </Button>
          ))}
        </div>
      </div>
      <p class="note keys" id={HELP}>
        {text.value.keys}
      </p>
    </Card>
  );
}

function best(probabilities: Float32Array): { digit: number; share: number } {
  const share = Math.max(...probabilities);
  return { digit: probabilities.indexOf(share), share };
}

/** Milliseconds without a change until it is read out. */
const CALM = 500;
const spoken = signal("");

/** What the drawing is taken for. */
function Verdict() {
  const now = seen.value;
  const found = now && best(now.probabilities);
  const words = found && text.value.reads(found);
  const said = found ? `${words}, ${text.value.sure(found.share)}` : "";
  useEffect(() => {
    const timer = setTimeout(() => {
      spoken.value = said;
    }, CALM);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <>
      <p class="verdict" data-digit={found?.digit}>
        {found ? (
          <>
            <strong>{words}</strong> <span>{percent(found.share)}</span>
          </>
        ) : (
          <span>{text.value.blank}</span>
        )}
      </p>
      <p class="visually-hidden" role="status">
        {spoken.value}
      </p>
    </>
  );
}

function Bars({ probabilities }: { probabilities: Float32Array | undefined }) {
  const top = probabilities && best(probabilities).digit;
  return (
    <ol class="bars" aria-label={text.value.probabilities}>
      {DIGITS.map((digit) => {
        const share = probabilities?.[digit];
        return (
          <li key={digit} class={digit === top ? "top" : ""}>
            <b>{digit}</b>
            <i aria-hidden="true">
              <i style={{ width: `${100 * (share ?? 0)}%` }} />
            </i>
            <span>{share === undefined ? "–" : percent(share)}</span>
          </li>
        );
      })}
    </ol>
  );
}
