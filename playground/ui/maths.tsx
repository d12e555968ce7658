// Formulas in a line, from a text such as "σ(x) = 1 / (1 + e^{−x})".

const TOKEN = /\^\{([^}]*)\}|_\{([^}]*)\}|([A-Za-zα-ωΑ-Ω]{2,})|([A-Za-zα-ωΑ-Ω])|([^A-Za-zα-ωΑ-Ω^_]+)/gu;

function parts(text: string) {
  return [...text.matchAll(TOKEN)].map(([all, above, below, , letter]) => {
    if (above !== undefined) return <sup>{parts(above)}</sup>;
    if (below !== undefined) return <sub>{parts(below)}</sub>;
    return letter === undefined ? all : <i>{letter}</i>;
  });
}

/** A formula: single letters are variables, in italics; longer words are functions; ^{…} and _{…} stand higher and lower. */
export function Maths({ children }: { children: string }) {
  return <span class="maths">{parts(children)}</span>;
}

/** What something equals, case by case. */
export type Cases = readonly (readonly [value: string, condition: string])[];

/** left = right, or left = { right, case by case. */
export function Equation({ left, right }: { left: string; right: string | Cases }) {
  if (typeof right === "string") {
    return (
      <p class="equation">
        <Maths>{`${left} = ${right}`}</Maths>
      </p>
    );
  }
  return (
    <p class="equation">
      <Maths>{`${left} = `}</Maths>
      <span class="cases">
        {right.map(([value, condition]) => (
          <span class="case" key={condition}>
            <Maths>{value}</Maths> <Maths>{condition}</Maths>
          </span>
        ))}
      </span>
    </p>
  );
}
