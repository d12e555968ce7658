// What is learned, and how.

import { digits } from "../../text";
import { Button, Card, Choice, Count, named, Slider } from "../../ui/controls";
import { Findings } from "./network";
import { points } from "./player";
import { DATA_KINDS, LOSSES, type LossKind, OPTIMIZERS } from "./spec";
import { brush, CLASSES, choose, MOST_POINTS, SCALES, set } from "./state";
import { text } from "./text";

export function Data() {
  const own = set.data.value === "own";
  return (
    <Card title={text.value.data}>
      <Choice label={text.value.kind} value={set.data} options={named(DATA_KINDS, text.value.kinds)} />
      <Count label={text.value.classes} value={set.classes} min={2} max={CLASSES} />
      {own ? <Drawing /> : <Generated />}
      <Choice label={text.value.scale} value={set.scale} options={named(SCALES)} />
      <Findings of={["inputs", "targets"]} />
      <p class="note">{text.value.hollow}</p>
    </Card>
  );
}

function Generated() {
  const edit = () => {
    set.points.value = points.value.map(({ x, y, label }) => ({ x, y, label })).slice(0, MOST_POINTS);
    set.data.value = "own";
    // Where they are edited; the button is gone.
    setTimeout(() => document.querySelector<HTMLElement>(".plane.drawn")?.focus());
  };
  return (
    <>
      <Slider label={text.value.count} value={set.count} min={20} max={1000} step={20} />
      <Slider label={text.value.noise} value={set.noise} min={0} max={1} />
      <Button onClick={edit}>{text.value.edit}</Button>
      {points.value.length > MOST_POINTS && <p class="note">{text.value.editFirst(MOST_POINTS)}</p>}
    </>
  );
}

function Drawing() {
  return (
    <>
      <fieldset class="brush">
        <legend>{text.value.brush}</legend>
        {text.value.classNames.slice(0, set.classes.value).map((name, label) => (
          <label key={name} class="check">
            <input
              type="radio"
              name="brush"
              checked={brush.value === label}
              onChange={() => {
                choose(label);
              }}
            />
            {name}
          </label>
        ))}
      </fieldset>
      <p class="note">{text.value.ownHelp}</p>
      {set.points.value.length >= MOST_POINTS && (
        <p class="note" role="status">
          {text.value.full(MOST_POINTS)}
        </p>
      )}
      <div class="row">
        <Button
          disabled={set.points.value.length === 0}
          onClick={() => {
            set.points.value = set.points.value.slice(0, -1);
          }}
        >
          {text.value.undo}
        </Button>
        <Button
          disabled={set.points.value.length === 0}
          onClick={() => {
            set.points.value = [];
          }}
        >
          {text.value.clear}
        </Button>
      </div>
    </>
  );
}

export function Learning() {
  const none = (x: number) => (x === 0 ? text.value.none : digits(x));
  const kinds = Object.entries(LOSSES) as [LossKind, (typeof LOSSES)[LossKind]][];
  const groups = (["class", "01", "±1", "12"] as const).map((target) => ({
    group: text.value.lossGroups[target],
    options: named(kinds.filter(([, wanted]) => wanted === target).map(([name]) => name)),
  }));
  const hasMomentum = set.optimizer.value === "SGD" || set.optimizer.value === "RMSprop";
  return (
    <Card title={text.value.learning}>
      <Choice label={text.value.loss} value={set.loss} options={groups} />
      <Findings of={["loss"]} />
      <Choice label={text.value.optimizer} value={set.optimizer} options={named(OPTIMIZERS)} />
      <Slider label={text.value.lr} value={set.lr} min={1e-4} max={100} log />
      {hasMomentum && (
        <Slider label={text.value.momentum} value={set.momentum} min={0} max={0.99} step={0.01} />
      )}
      <Slider label={text.value.l2} value={set.l2} min={0} max={1} step={0.005} show={none} />
      <Slider label={text.value.l1} value={set.l1} min={0} max={0.1} step={0.001} show={none} />
      <Count label={text.value.batch} value={set.batch} min={1} max={1000} />
    </Card>
  );
}
