import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Values that must stand nowhere, by their names. */
export type Secrets = Readonly<Record<string, string>>;

/** Values that are too short to be looked for would be found by chance. */
const shortest = 8;

/** Each form in which a secret may stand in a text: as it is, and as encodings that anybody undoes. */
function formsOf(secret: string): readonly Buffer[] {
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), base64];
  return [...new Set(forms)].map((form) => Buffer.from(form));
}

/** Where one of the secrets stands in a text: its name, never its value. */
export function secretsIn(secrets: Secrets, text: string | Buffer): readonly string[] {
  const bytes = Buffer.from(text);
  return Object.entries(secrets)
    .filter(([, secret]) => secret.length >= shortest && formsOf(secret).some((form) => bytes.includes(form)))
    .map(([name]) => name);
}

/** `<secret> in <file>` for each file below a folder that holds one. */
export function secretsBelow(secrets: Secrets, folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => {
      const path = join(entry.parentPath, entry.name);
      // What goes away while it is looked at says nothing.
      if (!statSync(path, { throwIfNoEntry: false })) return [];
      return secretsIn(secrets, readFileSync(path)).map((name) => `${name} in ${relative(folder, path)}`);
    });
}
