// Speed: the benchmark against plain JavaScript, in this browser.
import { computed } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import { Button, Card, Choice } from "../../ui/controls";
import { Bars } from "./bars";
import { browser, look, machine, problems } from "./machine";
import { chosen, rows } from "./rows";
import { estimate, figuresOf, isRunning, progress, start, state, stop } from "./run";
import "./speed.css";
import { Table } from "./table";
import { text } from "./text";

/** So many rows are shown before they are measured; of more, only what has been measured. */
const AT_ONCE = 24;

const shown = computed(() => {
  if (rows.value.length <= AT_ONCE) return rows.value;
  const current = state.value.kind === "running" ? state.value.name : undefined;
  return rows.value.filter((name) => name === current || figuresOf(name).value !== undefined);
});

export function SpeedPanel() {
  useEffect(() => void look(), []);
  return (
    <div class="panel speed">
      <div class="lead stack">
        <h2>{text.value.title}</h2>
        <p>{text.value.lead}</p>
      </div>
      <Settings />
      <div class="stack results">
        <Bars names={shown.value} />
        <Table names={shown.value} />
      </div>
      <div class="stack about">
        <About />
        <How />
      </div>
    </div>
  );
}

function Settings() {
  const { efforts, sets } = text.value;
  const off = isRunning.value;
  const all = machine.value?.rows.length ?? 0;
  return (
    <Card title={text.value.settings}>
      <Choice label={text.value.effort} value={chosen.effort} options={efforts} disabled={off} />
      <Choice
        label={text.value.rows}
        value={chosen.rows}
        options={{ selection: sets.selection, all: sets.all(all) }}
        disabled={off}
      />
      <Filter />
      <Run />
      {problems.value.length > 0 && (
        <div role="alert" class="warning">
          {problems.value.map((problem) => (
            <p key={problem}>{problem}</p>
          ))}
        </div>
      )}
    </Card>
  );
}

function Filter() {
  const id = useId();
  return (
    <div class="filter">
      <label for={id}>{text.value.filter}</label>
      <input
        id={id}
        type="text"
        spellcheck={false}
        autocomplete="off"
        value={chosen.filter.value}
        disabled={isRunning.value}
        aria-describedby={`${id}-hint`}
        onInput={({ currentTarget }) => {
          chosen.filter.value = currentTarget.value;
        }}
      />
      <p id={`${id}-hint`} class="note">
        {text.value.filterHint}
      </p>
    </div>
  );
}

function Run() {
  const running = isRunning.value;
  const nothing = rows.value.length === 0;
  return (
    <div class="run">
      <Button primary disabled={!running && nothing} onClick={() => (running ? stop() : void start())}>
        {running ? text.value.stop : text.value.start}
      </Button>
      <progress value={progress.value} max={1} aria-label={text.value.progress} />
      <p class="note">{status()}</p>
      <p role="status" class="visually-hidden">
        {heard()}
      </p>
    </div>
  );
}

function status(): string {
  const t = text.value;
  const now = state.value;
  if (now.kind === "running") {
    return `${t.running(now.row + 1, now.of, t.time(now.left))}\n${now.name}`;
  }
  if (machine.value === undefined) return problems.value.length === 0 ? t.looking : "";
  if (now.kind !== "idle") return ended();
  return rows.value.length === 0 ? t.noRow : t.plan(rows.value.length, t.time(estimate.value));
}

function ended(): string {
  const now = state.value;
  if (now.kind === "done") return text.value.done(now.rows, now.seconds);
  return now.kind === "stopped" ? text.value.stopped(now.rows, now.of) : "";
}

/** For those who listen: the start, each quarter and the end, not every row. */
function heard(): string {
  const now = state.value;
  if (now.kind !== "running") return ended();
  const row = Math.floor(Math.floor((4 * now.row) / now.of) * (now.of / 4));
  return text.value.heard(row + 1, now.of);
}

function About() {
  const t = text.value;
  const found = machine.value;
  const yes = (is: boolean) => (is ? t.yes : t.no);
  const facts: [string, string][] = [
    [t.browser, browser()],
    [t.cores, String(navigator.hardwareConcurrency)],
    [t.isolated, yes(crossOriginIsolated)],
    [t.relaxed, found === undefined ? "…" : yes(found.best.simd === "relaxed")],
    [t.threads, found === undefined ? "…" : String(found.best.threads)],
  ];
  return (
    <Card title={t.about}>
      <Facts facts={facts} />
      {found?.reason !== undefined && (
        <p class="note">
          {t.oneThread} <span lang="en">{found.reason}</span>
        </p>
      )}
    </Card>
  );
}

function Facts({ facts }: { facts: readonly (readonly [string, string])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function How() {
  return (
    <Card title={text.value.how}>
      {text.value.notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
      <details>
        <summary>{text.value.words}</summary>
        <Facts facts={text.value.glossary} />
      </details>
    </Card>
  );
}
