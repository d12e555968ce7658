import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

/** Its children, in a task after the one that renders what is around them: neither is long then. */
export function Later({ children }: { children: ComponentChildren }) {
  const [due, setDue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDue(true));
    return () => clearTimeout(timer);
  }, []);
  return <>{due && children}</>;
}
