import { useEffect } from "preact/hooks";
import { digits } from "../../text";
import { Button, Card, Choice, Slider } from "../../ui/controls";
import { Later } from "../../ui/later";
import { ChartsCard } from "./charts";
import { EPOCHS, REACH } from "./kinds";
import "./neuron.css";
import { Pad } from "./pad";
import { SideCard } from "./side";
import { chosen, play, playing, problem, runs, start } from "./state";
import { text } from "./text";

export function NeuronPanel() {
  useEffect(start, []);
  return (
    <div class="panel neuron">
      <div class="lead stack">
        <h2>{text.value.title}</h2>
        <p>{text.value.lead}</p>
      </div>
      <StartCard />
      <div class="stack">
        <Later>
          <HowCard />
        </Later>
        {problem.value !== undefined && (
          <p class="warning" role="alert">
            {problem.value}
          </p>
        )}
        {runs.value === undefined ? (
          <Card>{text.value.loading}</Card>
        ) : (
          <>
            <ChartsCard runs={runs.value} />
            <Later>
              <div class="sides">
                <SideCard side="left" run={runs.value.left} />
                <SideCard side="right" run={runs.value.right} />
              </div>
            </Later>
          </>
        )}
      </div>
    </div>
  );
}

/** (w, b) by which the book starts. */
const PRESETS = [
  [0.6, 0.9],
  [2, 2],
] as const;

function StartCard() {
  const { w, b, lr, left, right, surface } = chosen;
  const ends = { min: -REACH, max: REACH, step: 0.05 };
  const { losses, presets, drag } = text.value;
  return (
    <Card title={text.value.start}>
      <Pad />
      <p class="note">{drag}</p>
      <Slider label={text.value.weight} value={w} {...ends} />
      <Slider label={text.value.bias} value={b} {...ends} />
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset has borders and a legend of its own kind */}
      <div class="row" role="group" aria-label={presets}>
        <span class="note">{presets}</span>
        {PRESETS.map(([toW, toB]) => (
          <Button
            key={toW}
            pressed={w.value === toW && b.value === toB && lr.value === 0.15}
            onClick={() => {
              [w.value, b.value, lr.value] = [toW, toB, 0.15];
            }}
          >
            ({digits(toW)}, {digits(toB)})
          </Button>
        ))}
      </div>
      <Choice
        label={text.value.surface}
        value={surface}
        options={{ left: losses[left.value], right: losses[right.value] }}
      />
    </Card>
  );
}

function HowCard() {
  const { left, right, lr, epoch } = chosen;
  const { losses, sides } = text.value;
  return (
    <Card title={text.value.how}>
      <div class="how">
        <Choice label={sides.left} value={left} options={losses} />
        <Choice label={sides.right} value={right} options={losses} />
        <Slider label={text.value.rate} value={lr} min={0.01} max={10} step={0.05} log />
      </div>
      <div class="play">
        <Button
          primary
          onClick={() => {
            if (playing.value) playing.value = false;
            else play();
          }}
        >
          {playing.value ? text.value.pause : text.value.play}
        </Button>
        <Slider label={text.value.epoch} value={epoch} min={0} max={EPOCHS} step={1} />
      </div>
    </Card>
  );
}
