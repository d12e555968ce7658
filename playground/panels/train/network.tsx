// The network, layer by layer, with what is seen and found in each.
import { useSignal } from "@preact/signals";
import type { Finding } from "nablas";
import type { LayerView } from "../../engine/train/index";
import { digits, language, percent } from "../../text";
import { Button, Card, Choice, named } from "../../ui/controls";
import { frame, health } from "./player";
import { INITS, LAYERS, type Layer, type LayerKind, layer, OUTPUTS } from "./spec";
import { MOST_LAYERS, set } from "./state";
import { text } from "./text";

const WEIGHTS: readonly LayerKind[] = ["Linear"];
const REGULARISATION: readonly LayerKind[] = ["BatchNorm1d", "LayerNorm", "Dropout"];
const KINDS = Object.keys(LAYERS) as LayerKind[];

/** Kinds of layers by what they are for. */
function groups() {
  const { weights, activations, regularisation } = text.value.groups;
  const others = KINDS.filter((kind) => !WEIGHTS.includes(kind) && !REGULARISATION.includes(kind));
  return [
    { group: weights, kinds: WEIGHTS },
    { group: activations, kinds: others },
    { group: regularisation, kinds: REGULARISATION },
  ];
}

export function Network() {
  const layers = set.layers.value;
  const last = layers.length;
  return (
    <Card title={text.value.network} class="network">
      <Findings of={["model"]} />
      <p class="note">{text.value.inputs}</p>
      <ol start={0}>
        {layers.map((one, i) => (
          <li key={i}>
            <LayerRow one={one} index={i} />
          </li>
        ))}
        <li>
          <div class="layer">
            <b>Linear</b>
            <span class="note">{text.value.outputUnits(set.classes.value)}</span>
            <Seen index={last} />
          </div>
          <Findings of={[String(last)]} />
        </li>
        {set.output.value !== "Identity" && (
          <li>
            <div class="layer">
              <b>{set.output.value}</b>
              <Seen index={last + 1} />
            </div>
            <Findings of={[String(last + 1)]} />
          </li>
        )}
      </ol>
      <AddLayer />
      <div class="row">
        <Choice label={text.value.output} value={set.output} options={named(OUTPUTS)} />
        <Choice label={text.value.init} value={set.init} options={named(INITS, text.value.inits)} />
      </div>
    </Card>
  );
}

function LayerRow({ one, index }: { one: Layer; index: number }) {
  const layers = set.layers.value;
  const change = (next: readonly Layer[]) => {
    set.layers.value = next;
  };
  const swap = (a: number, b: number) => {
    change(layers.map((item, i) => (i === a ? layers[b]! : i === b ? layers[a]! : item)));
    focusOn(b, b < a ? 0 : 1);
  };
  return (
    <>
      <div class="layer">
        <Kind
          label={text.value.kindOf(index)}
          value={one.kind}
          onChange={(kind) => change(layers.with(index, layer(kind)))}
        />
        <ValueOf one={one} index={index} />
        <Seen index={index} />
        <span class="moves">
          <Button label={text.value.up(index)} disabled={index === 0} onClick={() => swap(index, index - 1)}>
            ↑
          </Button>
          <Button
            label={text.value.down(index)}
            disabled={index === layers.length - 1}
            onClick={() => swap(index, index + 1)}
          >
            ↓
          </Button>
          <Button
            label={text.value.remove(index)}
            onClick={() => {
              change(layers.toSpliced(index, 1));
              focusOn(Math.min(index, layers.length - 2), 2);
            }}
          >
            ×
          </Button>
        </span>
      </div>
      <Findings of={[String(index)]} />
    </>
  );
}

interface KindProps {
  label: string;
  value: LayerKind;
  onChange: (kind: LayerKind) => void;
}

/** The kind of a layer. */
function Kind({ label, value, onChange }: KindProps) {
  return (
    <select aria-label={label} onChange={({ currentTarget }) => onChange(currentTarget.value as LayerKind)}>
      {groups().map(({ group, kinds }) => (
        <optgroup key={group} label={group}>
          {kinds.map((kind) => (
            <option key={kind} value={kind} selected={kind === value}>
              {kind}
            </option>
          ))}
        </optgroup>
      ))}
    </select>
  );
}

/** Once it is rendered: one of the three buttons of a layer, or another one of them; without layers, the one that adds. */
function focusOn(index: number, which: number): void {
  setTimeout(() => {
    const moves = document.querySelectorAll(".network .moves")[index];
    const buttons = Array.from(moves?.querySelectorAll("button") ?? []);
    const usable = [buttons[which], ...buttons].find((button) => button?.disabled === false);
    (usable ?? document.querySelector<HTMLElement>(".network .add button")!).focus();
  });
}

/** The number of a layer, if it has one. */
function ValueOf({ one, index }: { one: Layer; index: number }) {
  const limits = LAYERS[one.kind];
  if (limits === undefined) return null;
  const { name, min, max, step } = limits;
  const label = text.value.values[name];
  return (
    <label class="value">
      <span>{label}</span>
      <input
        type="number"
        aria-label={text.value.valueOf(label, index)}
        min={min}
        max={max}
        step={step}
        value={one.value}
        onChange={({ currentTarget }) => {
          const typed = step === 1 ? Math.round(Number(currentTarget.value)) : Number(currentTarget.value);
          const value = Number.isFinite(typed) ? Math.min(max, Math.max(min, typed)) : one.value;
          set.layers.value = set.layers.value.with(index, { ...one, value });
          currentTarget.value = String(value);
        }}
      />
    </label>
  );
}

function AddLayer() {
  const kind = useSignal<LayerKind>("Linear");
  return (
    <div class="row add">
      <Kind
        label={text.value.addKind}
        value={kind.value}
        onChange={(chosen) => {
          kind.value = chosen;
        }}
      />
      <Button
        disabled={set.layers.value.length >= MOST_LAYERS}
        onClick={() => {
          set.layers.value = [...set.layers.value, layer(kind.value)];
        }}
      >
        {text.value.add}
      </Button>
    </div>
  );
}

/** What a layer gives, and how its weights and gradients are. */
function Seen({ index }: { index: number }) {
  const view = frame.value?.layers[index];
  const of = health.value.layers.find((one) => Number.parseInt(one.layer, 10) === index);
  const { mean, std, saturated, dead } = text.value;
  return (
    <span class="seen">
      {view !== undefined && <Weights view={view} />}
      {view !== undefined && (
        <span
          class={frame.value!.steps === 0 ? "unknown" : ""}
          title={text.value.gradientOf(digits(view.gradientNorm, 2))}
        >
          {text.value.gradient} {digits(view.gradientNorm, 2)}
        </span>
      )}
      {of !== undefined && (
        <span>
          {mean} {digits(of.mean, 2)} · {std} {digits(of.std, 2)}
          {of.saturated !== null && ` · ${saturated} ${percent(of.saturated)}`}
          {of.dead !== null && ` · ${dead} ${percent(of.dead)}`}
        </span>
      )}
    </span>
  );
}

/** A histogram of the weights. */
function Weights({ view: { histogram, reach, weightNorm } }: { view: LayerView }) {
  const most = Math.max(1, ...histogram);
  const label = text.value.weightsOf(digits(weightNorm, 2), digits(reach, 2));
  return (
    <svg class="histogram" viewBox="0 0 75 22" role="img" aria-label={label}>
      <title>{label}</title>
      <line x1="0" x2="75" y1="21.5" y2="21.5" />
      {histogram.map((count, i) => {
        const height = (20 * count) / most;
        return <rect key={i} x={3 * i + 0.4} width={2.2} y={21 - height} height={height} />;
      })}
    </svg>
  );
}

/** The findings that speak of these places. */
export function Findings({ of }: { of: readonly string[] }) {
  const found = health.value.findings.filter(({ layer }) => of.includes(placeOf(layer)));
  if (found.length === 0) return null;
  return (
    <ul class="findings">
      {found.map((finding) => (
        <li key={`${finding.code} ${finding.layer}`} class="warning">
          <FindingText finding={finding} />
        </li>
      ))}
    </ul>
  );
}

function FindingText({ finding: { code, advice } }: { finding: Finding }) {
  return (
    <>
      <b>{text.value.finding[code]}</b>
      {language.value === "en" ? (
        <p>{advice}</p>
      ) : (
        <details>
          <summary>{text.value.details}</summary>
          <p lang="en">{advice}</p>
        </details>
      )}
    </>
  );
}

/** The number of a layer, or "inputs", "targets", "loss", "model". */
function placeOf(layer: string): string {
  const index = Number.parseInt(layer, 10);
  if (!Number.isNaN(index)) return String(index);
  return ["inputs", "targets", "loss"].includes(layer) ? layer : "model";
}
