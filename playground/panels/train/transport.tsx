// Play, step, start anew; and where it stands.
import { useId } from "preact/hooks";
import { hashOf } from "../../link";
import { digits, percent } from "../../text";
import { Button, Choice, Count, named } from "../../ui/controls";
import { type Copied, Copy } from "../../ui/copy";
import { EXAMPLES, type ExampleName, follow } from "./examples";
import { diverged, frame, problem, reset, stateOf, stepOnce } from "./player";
import { LONGEST, SPEEDS, type Speed, set } from "./state";
import { text } from "./text";

export function Transport() {
  const playing = set.play.value;
  const broken = problem.value !== undefined || diverged.value;
  return (
    <div class="transport">
      <Button
        primary
        disabled={broken}
        onClick={() => {
          set.play.value = !playing;
        }}
      >
        {playing ? `❚❚ ${text.value.pause}` : `▶ ${text.value.play}`}
      </Button>
      <Button disabled={broken} onClick={() => void stepOnce()}>
        {text.value.step}
      </Button>
      <Button onClick={reset}>{text.value.reset}</Button>
    </div>
  );
}

/** How fast, from what seed; and all of it as a link. */
export function Extras() {
  return (
    <div class="transport extras">
      <Choice
        label={text.value.speed}
        value={set.speed}
        options={named(Object.keys(SPEEDS) as Speed[], text.value.speeds)}
      />
      <Count label={text.value.seed} value={set.seed} min={0} max={999_999} />
      <Button
        onClick={() => {
          set.seed.value = (set.seed.value + 1) % 1_000_000;
        }}
      >
        {text.value.nextSeed}
      </Button>
      <Copy label={text.value.copy} take={link} byHand={text.value.copyThis} />
    </div>
  );
}

/** The settings, and if they are not too many the weights, as a link. */
async function link(): Promise<Copied> {
  const state = await stateOf();
  const base = location.href.replace(/#.*/, "");
  const hash = hashOf("train");
  const whole = `${base}${hash}${hash.includes("?") ? "&" : "?"}state=${state}`;
  if (state === undefined) return { text: base + hash, done: () => text.value.copied };
  return state.length <= LONGEST
    ? { text: whole, done: () => text.value.copied }
    : { text: base + hash, done: () => text.value.copiedSettings };
}

export function Examples() {
  const id = useId();
  return (
    <div class="examples">
      <label for={id}>{text.value.examples}</label>
      <select
        id={id}
        onChange={({ currentTarget }) => {
          if (currentTarget.value !== "") follow(currentTarget.value as ExampleName);
          currentTarget.value = "";
        }}
      >
        <option value="">{text.value.choose}</option>
        {Object.keys(EXAMPLES).map((name) => (
          <option key={name} value={name}>
            {text.value.example[name as ExampleName]}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Where the training stands; said aloud when it pauses. */
export function Standing() {
  const { steps = 0, epochs = 0, train = null, test = null } = frame.value ?? {};
  const t = text.value;
  const number = (score: typeof train) => (score === null ? "–" : digits(score.loss));
  const share = (score: typeof train) => (score === null ? "–" : percent(score.accuracy));
  return (
    <>
      <dl class="standing">
        {(
          [
            [t.steps, steps.toLocaleString("en")],
            [t.trainLoss, number(train)],
            [t.trainAccuracy, share(train)],
            [t.epochs, epochs.toFixed(1)],
            [t.testLoss, number(test)],
            [t.testAccuracy, share(test)],
          ] as const
        ).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p class="visually-hidden" aria-live="polite">
        {!set.play.value && steps > 0 && t.summary(String(steps), number(test), share(test))}
      </p>
      {diverged.value && (
        <p class="warning" role="alert">
          {t.stopped}
        </p>
      )}
      {problem.value !== undefined && (
        <p class="warning" role="alert" lang="en">
          {problem.value}
        </p>
      )}
    </>
  );
}
