import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Button } from "./controls";

/** What is copied, and what is said then. */
export interface Copied {
  text: string;
  done: () => string;
}

interface CopyProps {
  label: string;
  disabled?: boolean;
  take: () => Copied | Promise<Copied>;
  /** Is said where the browser refuses: the text stands below then, selected. */
  byHand: string;
}

/** A button that copies. */
export function Copy({ label, disabled = false, take, byHand }: CopyProps) {
  const copied = useSignal<Copied | undefined>(undefined);
  const refused = useSignal<string | undefined>(undefined);
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => area.current?.select(), [refused.value]);
  const copy = async () => {
    const taken = await take();
    try {
      await navigator.clipboard.writeText(taken.text);
      [copied.value, refused.value] = [taken, undefined];
    } catch {
      // Refused, or there is no clipboard at all: pages that are not secure have none.
      [copied.value, refused.value] = [undefined, taken.text];
    }
  };
  return (
    <>
      <div class="row">
        <Button disabled={disabled} onClick={() => void copy()}>
          {label}
        </Button>
        <span role="status" class="note">
          {refused.value === undefined ? copied.value?.done() : byHand}
        </span>
      </div>
      {refused.value !== undefined && (
        <textarea
          ref={area}
          class="copied"
          readOnly
          rows={Math.min(8, refused.value.split("\n").length + 1)}
          aria-label={byHand}
          value={refused.value}
        />
      )}
    </>
  );
}
