/** Clients in other languages, made ready once. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const program = (name: string): string => fileURLToPath(new URL(`programs/${name}`, import.meta.url));

/** A Python that has the official SDKs; made with pip where it is not there yet. */
export function pythonWithSdks(): string {
  const folder = join(tmpdir(), 'airmesh-python-clients');
  const python = join(folder, 'bin', 'python3');
  const has = (): boolean => existsSync(python) && existsSync(join(folder, 'complete'));
  if (has()) return python;
  execFileSync('python3', ['-m', 'venv', folder], { stdio: 'ignore' });
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'openai', 'anthropic', 'google-genai', 'requests'], {
    stdio: 'inherit',
    timeout: 280_000,
  });
  execFileSync('touch', [join(folder, 'complete')]);
  return python;
}

/** A program in Go, built into that folder. */
export function goProgram(folder: string, name: 'client' | 'ech'): string {
  const path = join(folder, `go-${name}`);
  execFileSync('go', ['build', '-o', path, program(`${name}.go`)], { stdio: 'inherit', env: { ...process.env, CGO_ENABLED: '0' }, timeout: 280_000 });
  return path;
}
