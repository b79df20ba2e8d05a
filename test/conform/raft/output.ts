/** What a scripted case prints: at a level, indented where one command runs others. */
const LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'NONE'] as const;
export type Level = (typeof LEVELS)[number];

export class Output {
  level: Level = 'DEBUG';
  #text = '';

  /** At NONE nothing is printed at all, except errors. */
  get isQuiet(): boolean {
    return this.level === 'NONE';
  }

  write(text: string): void {
    if (!this.isQuiet) this.#text += text;
  }

  log(level: Level, text: string): void {
    if (LEVELS.indexOf(level) >= LEVELS.indexOf(this.level)) this.write(`${level} ${text}\n`);
  }

  indented(run: () => void): void {
    const before = this.#text;
    this.#text = '';
    run();
    const lines = this.#text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    this.#text = before + lines.map((line) => `  ${line}\n`).join('');
  }

  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }
}

export function toLevel(name: string): Level {
  const level = LEVELS.find((known) => known === name.toUpperCase());
  if (level === undefined) throw new Error(`log levels must be either of [${LEVELS.join(' ')}]`);
  return level;
}
