/** The names of the texts in which one of the secrets stands, as it is or as it would be written in a query, JSON or base64. */
export function leaksIn(texts: Readonly<Record<string, string>>, secrets: readonly string[]): readonly string[] {
  const forms = secrets.flatMap(formsOf);
  return Object.entries(texts)
    .filter(([, text]) => forms.some((form) => text.includes(form)))
    .map(([name]) => name);
}

function formsOf(secret: string): readonly string[] {
  // Wherever in a longer text it begins: of its base64 the part that does not depend upon its neighbours.
  const shifted = [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]).toString('base64');
    return encoded.slice(before === 0 ? 0 : before + 1, -4);
  });
  return [...new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), Buffer.from(secret).toString('hex'), ...shifted])];
}
