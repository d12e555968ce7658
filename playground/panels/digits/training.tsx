import type { Progress } from "../../engine/digits/types";
import { Chart } from "../../ui/chart";
import { Button, Card, Choice, Count, named, Slider } from "../../ui/controls";
import { Later } from "../../ui/later";
import { COUNTS, info, loaded, progress, set, stop, tested, train, training, WIDTHS } from "./state";
import { text } from "./text";

/** How the training goes, and how it went. */
export function TrainingCard() {
  const { losses = [], accuracies = [], part = 0 } = progress.value ?? {};
  return (
    <Card title={text.value.training} class="training">
      <div class="row">
        {training.value ? (
          <Button onClick={stop}>{text.value.stop}</Button>
        ) : (
          <Button primary onClick={() => void train()}>
            {text.value.train}
          </Button>
        )}
        <progress
          value={training.value ? part : Number(tested.value !== undefined)}
          aria-label={text.value.part}
        />
      </div>
      <div>
        <p class="state" role="status">
          {words()}
        </p>
        <p class="note epoch">{epochWords()}</p>
      </div>
      <div class="curves">{losses.length > 0 && <Curves losses={losses} accuracies={accuracies} />}</div>
    </Card>
  );
}

function Curves({ losses, accuracies }: Pick<Progress, "losses" | "accuracies">) {
  const epochs = Array.from(losses.keys(), (epoch) => epoch + 1);
  const bottom = Math.min(90, 10 * Math.floor(10 * Math.min(...accuracies)));
  return (
    <div class="columns">
      <Chart
        title={text.value.loss}
        description={`${text.value.loss}: ${epochWords()}`}
        x={epochs}
        lines={[{ label: text.value.loss, color: "orange", values: losses }]}
        xLabel={text.value.epochAxis}
        height={150}
      />
      <Later>
        <Chart
          title={text.value.accuracy}
          description={`${text.value.accuracy}: ${epochWords()}`}
          x={epochs}
          lines={[
            {
              label: text.value.accuracy,
              color: "blue",
              values: accuracies.map((share) => 100 * share),
            },
          ]}
          xLabel={text.value.epochAxis}
          height={150}
          range={[bottom, 100]}
        />
      </Later>
    </div>
  );
}

/** Where it is, in words. */
function words(): string {
  const { stages, loaded: from, done, idle } = text.value;
  if (training.value) return stages[progress.value?.stage ?? "drawing"];
  const share = tested.value?.accuracy;
  const result = share === undefined ? "" : done(share);
  if (loaded.value === undefined) return result || idle;
  const { file, model } = loaded.value;
  return `${from({ file, ...model })} ${result}`;
}

function epochWords(): string {
  const { losses = [], accuracies = [], epochs = 0 } = progress.value ?? {};
  const epoch = losses.length;
  const [loss, accuracy] = [losses.at(-1), accuracies.at(-1)];
  if (loss === undefined || accuracy === undefined) return "";
  return text.value.epoch({ epoch, epochs, loss, accuracy });
}

export function SettingsCard() {
  return (
    <Card title={text.value.settings}>
      <Choice label={text.value.hidden} value={set.hidden} options={named(WIDTHS)} />
      {info.value?.name === undefined && (
        <Choice label={text.value.count} value={set.examples} options={named(COUNTS)} />
      )}
      <Slider label={text.value.epochs} value={set.epochs} min={1} max={50} step={1} />
      <Slider label={text.value.lr} value={set.lr} min={1e-5} max={1} log />
      <Count label={text.value.seed} value={set.seed} min={0} max={999_999} />
      <p class="note">{text.value.settingsNote}</p>
    </Card>
  );
}
