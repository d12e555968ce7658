import { useRef } from "preact/hooks";
import { Button, Card } from "../../ui/controls";
import { Bitmap } from "./bitmap";
import { generated, half, info, loaded, open, problem, save } from "./state";
import { text } from "./text";

/** What is learned from; files in and out. */
export function FilesCard() {
  const input = useRef<HTMLInputElement>(null);
  const about = info.value;
  return (
    <Card title={text.value.files} class="files">
      {about && (
        <>
          <p class="note">{text.value.learned({ ...about, name: about.name })}</p>
          <Bitmap pixels={about.samples} side={about.side} label={text.value.samples} />
        </>
      )}
      <div class="row">
        <Button onClick={() => input.current!.click()}>{text.value.choose}</Button>
        <Button onClick={() => void save()} disabled={about === undefined && loaded.value === undefined}>
          {text.value.save}
        </Button>
        {(about?.name !== undefined || loaded.value !== undefined) && (
          <Button onClick={() => void generated()}>{text.value.generator}</Button>
        )}
      </div>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        onChange={({ currentTarget }) => {
          const files = Array.from(currentTarget.files ?? []);
          currentTarget.value = "";
          void open(files);
        }}
      />
      <p class="note">{text.value.drop}</p>
    </Card>
  );
}

/** What was refused or failed, and what is still wanted: at the lower edge of the window, wherever one is. */
export function Notices() {
  const found = problem.value;
  return (
    <div class="notices">
      <div role="status">{half.value && <p class="warning">{text.value.half(half.value)}</p>}</div>
      <div role="alert">
        {found !== undefined && (
          <div class="warning problem">
            <p>
              {typeof found === "string"
                ? `${text.value.failed}${found}`
                : `${text.value.refused}${text.value.problems[found.kind](found)}`}
            </p>
            <Button
              onClick={() => {
                problem.value = undefined;
              }}
            >
              {text.value.dismiss}
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}
